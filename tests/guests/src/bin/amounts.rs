//! Sends and receives a lot at once: `connect` or `listen`, `plain` or `tls`, the address, and how many bytes go each
//! way. It shows the digests of both.
#![expect(clippy::print_stdout, reason = "it tells the test what it sent")]

use std::fmt::Write;
use std::net::{Shutdown, SocketAddr};
use std::rc::Rc;

use curio::ssl::{ClientContext, Identity, ServerContext, TlsStream};
use curio::{Result, Socket, Task, open_connection, spawn, tcp_server_socket};
use sha2::{Digest, Sha256};

/// How much is sent at a time, and at most received.
const BLOCK: usize = 256 << 10;

/// A connection of either kind.
enum Stream {
    Plain(Socket),
    Tls(TlsStream),
}

impl Stream {
    async fn recv_into(&self, buffer: &mut [u8]) -> Result<usize> {
        match self {
            Self::Plain(socket) => socket.recv_into(buffer).await,
            Self::Tls(stream) => stream.recv_into(buffer).await,
        }
    }

    async fn send_all(&self, data: &[u8]) -> Result<()> {
        match self {
            Self::Plain(socket) => socket.send_all(data).await,
            Self::Tls(stream) => stream.send_all(data).await,
        }
    }

    async fn shutdown(&self) -> Result<()> {
        match self {
            Self::Plain(socket) => socket.shutdown(Shutdown::Write),
            Self::Tls(stream) => stream.shutdown().await,
        }
    }
}

#[curio::main]
async fn main() -> Result<()> {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let args: Vec<_> = args.iter().map(String::as_str).collect();
    let [role, kind, address, amount] = args.as_slice() else {
        panic!("give `connect` or `listen`, `plain` or `tls`, an address and a number of bytes");
    };
    let address: SocketAddr = address.parse().expect("the address is one");
    let amount: usize = amount.parse().expect("the number is one");
    let socket = match *role {
        "connect" => open_connection(address).await?,
        "listen" => {
            let listener = tcp_server_socket(address)?;
            println!("listening on {}", listener.local_address()?);
            listener.accept().await?.0
        }
        role => panic!("there is no {role}"),
    };
    let stream = match (*kind, *role) {
        ("plain", _) => Stream::Plain(socket),
        ("tls", "connect") => {
            let authority = std::fs::read("/tls/authority.pem").expect("it is granted");
            let context = ClientContext::builder().authorities(authority);
            let context = context.system_authorities(false).build().await?;
            Stream::Tls(context.wrap_socket(socket, "localhost")?)
        }
        ("tls", _) => {
            let context = ServerContext::builder(Identity::named("site")).build()?;
            Stream::Tls(context.wrap_socket(socket)?)
        }
        (kind, _) => panic!("there is no {kind}"),
    };
    let stream = Rc::new(stream);
    let sender: Task<String> = spawn(send(stream.clone(), amount));
    let received = receive(&stream, amount).await?;
    println!("sent {}", sender.join().await?);
    println!("received {received}");
    stream.shutdown().await
}

/// Sends blocks of which no two are the same, and gives the digest of all.
async fn send(stream: Rc<Stream>, amount: usize) -> Result<String> {
    let mut digest = Sha256::new();
    let mut block: Vec<u8> = (0..249).cycle().take(BLOCK).collect();
    for n in 0..amount / BLOCK {
        block[n] ^= 0xff;
        digest.update(&block);
        stream.send_all(&block).await?;
    }
    Ok(hex(&digest.finalize()))
}

async fn receive(stream: &Stream, amount: usize) -> Result<String> {
    let mut digest = Sha256::new();
    let mut buffer = vec![0; BLOCK];
    let mut left = amount;
    while left > 0 {
        let length = stream.recv_into(&mut buffer[..left.min(BLOCK)]).await?;
        assert!(length > 0, "{left} bytes are missing");
        digest.update(&buffer[..length]);
        left -= length;
    }
    Ok(hex(&digest.finalize()))
}

/// Bytes as text.
fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        // Writing to a string can't fail.
        _ = write!(text, "{byte:02x}");
    }
    text
}
