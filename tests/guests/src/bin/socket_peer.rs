//! Sockets with a peer outside: a case, the peer's address.
#![expect(clippy::print_stdout, reason = "it tells its peer how far it is")]

use std::cell::Cell;
use std::net::{Shutdown, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use curio::{Result, Socket, open_connection, sleep, spawn};

/// How many bytes go each way.
const AMOUNT: usize = 64 << 20;

#[curio::main]
async fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let case = args.next().expect("a case is given");
    let peer = args.next().expect("an address is given");
    let peer: SocketAddr = peer.parse().expect("the address is one");
    match case.as_str() {
        "transfer" => transfer(peer).await,
        "talk" => talk(peer).await,
        _ => panic!("there is no case {case}"),
    }
}

/// A stream of bytes that are all known, and differ in every place.
fn stream() -> impl Iterator<Item = u8> {
    (0u64..).flat_map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).to_le_bytes())
}

async fn transfer(peer: SocketAddr) -> Result<()> {
    let socket = Rc::new(open_connection(peer).await?);
    let sent = Rc::new(Cell::new(0));
    let sender = spawn(send(socket.clone(), sent.clone()));
    // The peer does not read yet: at some point no more fits.
    let mut before = 0;
    while sent.get() != before || before == 0 {
        before = sent.get();
        sleep(Duration::from_millis(200)).await?;
    }
    assert!(before < AMOUNT, "all of it was taken at once");
    println!("{before} bytes fit");
    let mut expected = stream();
    let mut received = 0;
    loop {
        let data = socket.recv(100_000).await?;
        if data.is_empty() {
            break;
        }
        assert!(data.iter().copied().eq(expected.by_ref().take(data.len())));
        received += data.len();
    }
    assert_eq!(received, AMOUNT);
    sender.join().await
}

async fn send(socket: Rc<Socket>, sent: Rc<Cell<usize>>) -> Result<()> {
    let mut bytes = stream();
    while sent.get() < AMOUNT {
        let data: Vec<_> = bytes.by_ref().take(1 << 16).collect();
        socket.send_all(&data).await?;
        sent.set(sent.get() + data.len());
    }
    socket.shutdown(Shutdown::Write)
}

async fn talk(peer: SocketAddr) -> Result<()> {
    let socket = open_connection(peer).await?;
    assert_eq!(socket.peer_address()?, peer);
    println!("{}", socket.local_address()?);
    socket.send_all(b"ping").await?;
    assert_eq!(socket.recv(100).await?, b"pong");
    Ok(())
}
