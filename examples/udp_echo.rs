//! A UDP echo server: sends every datagram back to where it came from.
//!
//! ```text
//! curio-host --allow-listen=127.0.0.1:25000 --allow-net=127.0.0.1 udp_echo.wasm
//! ```
//!
//! An answer is sent like anything else, so the clients' addresses have to be allowed, too.
#![expect(clippy::print_stdout, reason = "it says where it receives")]

use curio::socket::Address;
use curio::{Result, Socket};

/// The longest datagram there is.
const MAX_DATAGRAM: usize = 65_535;

#[curio::main]
async fn main() -> Result<()> {
    let address = std::env::args().nth(1);
    let address: Address = address.as_deref().unwrap_or("127.0.0.1:25000").parse()?;
    let socket = Socket::datagram_for(&address)?;
    socket.bind(address)?;
    println!("listening on {}", socket.local_address()?);
    match echo(&socket).await {
        // It is what it was asked for.
        Err(error) if error.is_cancellation() => Ok(()),
        ended => ended,
    }
}

async fn echo(socket: &Socket) -> Result<()> {
    loop {
        let (data, peer) = socket.recv_from(MAX_DATAGRAM).await?;
        socket.send_to(&data, peer).await?;
    }
}
