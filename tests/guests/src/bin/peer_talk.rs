//! Talks with a program outside by a socket of any kind: the kind, its address, and for datagrams one's own.
#![expect(clippy::print_stdout, reason = "it tells the test what it heard")]

use curio::network::Endpoint;
use curio::socket::Address;
use curio::{Error, Result, Socket, open_connection};

#[curio::main]
async fn main() -> Result<()> {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let args: Vec<_> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["stream", peer] => stream(peer.parse()?).await,
        ["datagram", peer, own] => datagrams(peer.parse()?, own.parse()?).await,
        _ => Err(Error::other(
            "give `stream` and an address, or `datagram` and two",
        )),
    }
}

async fn stream(peer: Endpoint) -> Result<()> {
    let socket = open_connection(peer).await?;
    for text in ["one\n", "two\n"] {
        socket.send_all(text.as_bytes()).await?;
        let answer = socket.recv(1000).await?;
        print!("{}", String::from_utf8_lossy(&answer));
    }
    Ok(())
}

async fn datagrams(peer: Address, own: Address) -> Result<()> {
    let socket = Socket::datagram_for(&peer)?;
    socket.bind(own)?;
    for text in ["one\n", "two\n"] {
        socket.send_to(text.as_bytes(), &peer).await?;
        let (answer, from) = socket.recv_from(1000).await?;
        assert_eq!(from, peer);
        print!("{}", String::from_utf8_lossy(&answer));
    }
    Ok(())
}
