//! An echo server on a Unix socket, for programs on the same machine. The path must not be there yet.
//!
//! ```text
//! curio-host --allow-listen=unix:/tmp/echo.sock unix_echo.wasm unix:/tmp/echo.sock
//! ```
#![expect(clippy::print_stdout, reason = "it says where it listens")]

use curio::socket::Address;
use curio::{Result, Socket};

async fn echo_client(client: Socket, _peer: Address) -> Result<()> {
    loop {
        let data = client.recv(65_536).await?;
        if data.is_empty() {
            return Ok(());
        }
        client.send_all(&data).await?;
    }
}

#[curio::main]
async fn main() -> Result<()> {
    let address = std::env::args().nth(1);
    let address: Address = address
        .as_deref()
        .unwrap_or("unix:/tmp/echo.sock")
        .parse()?;
    let socket = Socket::stream_for(&address)?;
    socket.bind(address)?;
    socket.listen(100)?;
    println!("listening on {}", socket.local_address()?);
    match curio::run_server(socket, echo_client).await {
        // Asked to end, it has said good-bye to its clients by now.
        Err(error) if error.is_cancellation() => Ok(()),
        Err(error) => Err(error),
        Ok(never) => match never {},
    }
}
