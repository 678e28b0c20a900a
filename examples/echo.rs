//! An echo server: sends back whatever it gets, to any number of clients at once.
//!
//! ```text
//! curio-host --allow-listen=127.0.0.1:25000 echo.wasm
//! curio-host --allow-listen=127.0.0.1 echo.wasm 127.0.0.1:0
//! ```
#![expect(clippy::print_stdout, reason = "it says where it listens")]

use std::net::SocketAddr;

use curio::socket::Address;
use curio::{Error, Result, Socket};

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
    let address = address.as_deref().unwrap_or("127.0.0.1:25000");
    let address: SocketAddr = address
        .parse()
        .map_err(|_| Error::other(format!("{address} is no address such as 127.0.0.1:25000")))?;
    let socket = curio::tcp_server_socket(address)?;
    println!("listening on {}", socket.local_address()?);
    match curio::run_server(socket, echo_client).await {
        // Asked to end, it has said good-bye to its clients by now.
        Err(error) if error.is_cancellation() => Ok(()),
        Err(error) => Err(error),
        Ok(never) => match never {},
    }
}
