//! `ADDRESS receive|send`: a server that takes in whatever its clients send, or sends to them until they hang up, 64 KiB
//! at a time.
#![expect(clippy::print_stdout, reason = "it says where it listens")]

use curio::socket::Address;
use curio::{Error, Result, Socket};

const PIECE: usize = 65_536;

async fn receive(client: Socket, _: Address) -> Result<()> {
    while !client.recv(PIECE).await?.is_empty() {}
    Ok(())
}

async fn send(client: Socket, _: Address) -> Result<()> {
    let piece = vec![b'x'; PIECE];
    loop {
        match client.send_all(&piece).await {
            // The client has enough.
            Err(Error::Io(_)) => return Ok(()),
            sent => sent?,
        }
    }
}

#[curio::main]
async fn main() -> Result<()> {
    let args: Vec<_> = std::env::args().collect();
    let socket = curio::tcp_server_socket(args[1].parse::<Address>()?)?;
    println!("listening on {}", socket.local_address()?);
    match args[2].as_str() {
        "receive" => curio::run_server(socket, receive).await?,
        "send" => curio::run_server(socket, send).await?,
        way => panic!("there is no way {way}"),
    };
    Ok(())
}
