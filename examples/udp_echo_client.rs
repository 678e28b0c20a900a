//! Sends datagrams to a UDP echo server, and shows what comes back. Datagrams may get lost: then it tries again.
//!
//! ```text
//! curio-host --allow-net=127.0.0.1:25000 udp_echo_client.wasm 127.0.0.1:25000
//! ```
#![expect(clippy::print_stdout, reason = "it shows what comes back")]

use std::time::Duration;

use curio::socket::Address;
use curio::{Error, Result, Socket, ignore_after};

const PATIENCE: Duration = Duration::from_secs(1);
const ATTEMPTS: usize = 5;

#[curio::main]
async fn main() -> Result<()> {
    let server = std::env::args().nth(1);
    let server: Address = server.as_deref().unwrap_or("127.0.0.1:25000").parse()?;
    let socket = Socket::datagram_for(&server)?;
    // From now on it receives from nobody else.
    socket.connect(server).await?;
    for text in ["hello", "how are you?", "good-bye"] {
        println!("{}", ask(&socket, text).await?);
    }
    Ok(())
}

async fn ask(socket: &Socket, text: &str) -> Result<String> {
    for _ in 0..ATTEMPTS {
        socket.send(text.as_bytes()).await?;
        while let Some(answer) = ignore_after(PATIENCE, socket.recv(1000)).await? {
            // Any other is a late answer to an earlier question.
            if answer == text.as_bytes() {
                return Ok(text.to_owned());
            }
        }
    }
    Err(Error::other("the server does not answer"))
}
