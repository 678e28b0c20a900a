//! A server that sends back whatever it gets, line by line.
//!
//! ```text
//! curio-host --allow-listen=127.0.0.1:25000 echo_stream.wasm
//! curio-host --allow-listen=127.0.0.1 echo_stream.wasm 127.0.0.1:0
//! ```
#![expect(clippy::print_stdout, reason = "it says where it listens")]

use curio::socket::Address;

use curio::{Error, Result, Socket};

async fn echo_client(client: Socket, _peer: Address) -> Result<()> {
    let mut stream = client.into_stream();
    let mut line = Vec::new();
    while stream.read_line_into(&mut line).await? > 0 {
        stream.write(&line).await?;
    }
    Ok(())
}

#[curio::main]
async fn main() -> Result<()> {
    let address = std::env::args().nth(1);
    let address = address.as_deref().unwrap_or("127.0.0.1:25000");
    let address: Address = address
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
