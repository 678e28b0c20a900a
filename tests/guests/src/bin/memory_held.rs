//! Takes as much of the system's memory as it can, through what is held for it outside its own memory.

use std::net::Ipv4Addr;

use curio::socket::{SocketOption, socketpair, socketpair_datagram};
use curio::ssl::{ClientContext, Identity, ServerContext};
use curio::{Error, Result, Socket, timeout_after};
use test_guests::{ms, say};

test_guests::cases! {
    unix_streams
    unix_datagrams
    closed_unix_streams
    passed_sockets
    tcp_connections
    tls_configurations
    tls_configurations_of_connections
    what_is_closed_is_given_back
    small_buffers_grow_for_much_data
    a_listener_takes_what_there_is
    buffers_can_be_asked_for
}

/// What a guest tries at the most before it gives up.
const ATTEMPTS: usize = 20_000;

/// Sends what goes out at once; returns how much that was.
async fn fill(socket: &Socket, piece: &[u8]) -> Result<u64> {
    let mut sum = 0;
    loop {
        match timeout_after(ms(1), socket.send(piece)).await {
            Ok(sent) => sum += sent as u64,
            Err(Error::TaskTimeout(_)) => return Ok(sum),
            Err(error) => return Err(error),
        }
    }
}

/// Asks for the largest buffer that may be had.
fn ask_for_more(socket: &Socket) {
    for bytes in [u32::MAX, 1 << 20, 1 << 17] {
        if (socket.set_option(SocketOption::SendBuffer(bytes))).is_ok() {
            return;
        }
    }
}

/// Does something again and again until the limit is reached. What it returns in bytes is summed up and written, and
/// is held until standard input ends.
async fn until_the_limit(mut take: impl AsyncFnMut(usize) -> Result<u64>) {
    let mut sum = 0;
    for n in 0..ATTEMPTS {
        match take(n).await {
            Ok(bytes) => sum += bytes,
            Err(error) => {
                assert!(error.to_string().contains("--max-memory"), "{error}");
                say(&format!("{sum}"));
                drop(std::io::stdin().read_line(&mut String::new()));
                return;
            }
        }
    }
    panic!("there is no limit: {sum} bytes");
}

async fn unix_streams() -> Result<()> {
    let (data, mut held) = (vec![1; 200_000], Vec::new());
    until_the_limit(async |_| {
        let (one, other) = socketpair()?;
        ask_for_more(&one);
        let sum = fill(&one, &data).await? + fill(&other, &data).await?;
        held.push((one, other));
        Ok(sum)
    })
    .await;
    Ok(())
}

async fn unix_datagrams() -> Result<()> {
    let (data, mut held) = (vec![1; 100_000], Vec::new());
    until_the_limit(async |n| {
        let (one, other) = socketpair_datagram()?;
        ask_for_more(&one);
        let piece = if n % 2 == 0 { &data[..] } else { &data[..1] };
        let sum = fill(&one, piece).await? + fill(&other, piece).await?;
        held.push((one, other));
        Ok(sum)
    })
    .await;
    Ok(())
}

/// What was sent stays with the other end.
async fn closed_unix_streams() -> Result<()> {
    let (data, mut held) = (vec![1; 200_000], Vec::new());
    until_the_limit(async |_| {
        let (one, other) = socketpair()?;
        ask_for_more(&one);
        let sum = fill(&one, &data).await?;
        one.close();
        held.push(other);
        Ok(sum)
    })
    .await;
    // What is received or thrown away is there again.
    drop(held);
    for _ in 0..10 {
        socketpair()?;
    }
    Ok(())
}

/// Full sockets are on the way, and nobody has them.
async fn passed_sockets() -> Result<()> {
    let data = vec![1; 200_000];
    let mut held = Vec::new();
    until_the_limit(async |_| {
        let (through, to) = socketpair()?;
        let (one, other) = socketpair()?;
        let sum = fill(&one, &data).await? + fill(&other, &data).await?;
        through.send_msg(b"x", &[&one, &other]).await?;
        held.push((through, to));
        Ok(sum)
    })
    .await;
    Ok(())
}

async fn tcp_connections() -> Result<()> {
    let listener = curio::tcp_server_socket((Ipv4Addr::LOCALHOST, 0))?;
    let (data, mut held) = (vec![1; 200_000], Vec::new());
    until_the_limit(async |_| {
        let one = curio::open_connection(listener.local_address()?).await?;
        let (other, _) = listener.accept().await?;
        ask_for_more(&one);
        let sum = fill(&one, &data).await? + fill(&other, &data).await?;
        held.push((one, other));
        Ok(sum)
    })
    .await;
    Ok(())
}

/// A certificate with so much behind it as may be given.
fn large_identity() -> Identity {
    let read = |name: &str| std::fs::read(format!("/tls/{name}")).expect("it is granted");
    let (certificate, key) = (read("site.pem"), read("site.key"));
    let mut chain = certificate.clone();
    while chain.len() + certificate.len() + key.len() < 1 << 20 {
        chain.extend_from_slice(&certificate);
    }
    Identity::from_pem(chain, key)
}

fn server() -> Result<ServerContext> {
    let names: Vec<_> = (0..100).map(|_| [b'x'; 255]).collect();
    ServerContext::builder(large_identity())
        .alpn_protocols(names)
        .build()
}

async fn tls_configurations() -> Result<()> {
    let (mut servers, mut clients) = (Vec::new(), Vec::new());
    until_the_limit(async |n| {
        if n % 2 == 0 {
            servers.push(server()?);
        } else {
            let client = ClientContext::builder().identity(large_identity());
            clients.push(
                client
                    .system_authorities(false)
                    .danger_accept_invalid_certs(true)
                    .build()
                    .await?,
            );
        }
        Ok(0)
    })
    .await;
    // Those that are given up make room.
    servers.pop();
    server()?;
    drop((servers, clients));
    for _ in 0..500 {
        server()?;
    }
    Ok(())
}

/// A configuration is kept for as long as one of its connections is there.
async fn tls_configurations_of_connections() -> Result<()> {
    let mut held = Vec::new();
    until_the_limit(async |_| {
        let (one, other) = socketpair()?;
        held.push((server()?.wrap_socket(one)?, other));
        Ok(0)
    })
    .await;
    drop(held);
    server()?;
    Ok(())
}

async fn what_is_closed_is_given_back() -> Result<()> {
    let data = vec![1; 200_000];
    let listener = curio::tcp_server_socket((Ipv4Addr::LOCALHOST, 0))?;
    for n in 0..1000 {
        let (one, other) = if n % 10 == 0 {
            let one = curio::open_connection(listener.local_address()?).await?;
            (one, listener.accept().await?.0)
        } else {
            socketpair()?
        };
        if n % 5 == 0 {
            fill(&one, &data).await?;
            let (through, to) = socketpair()?;
            through.send_msg(b"x", &[&one]).await?;
            if n % 15 == 0 {
                to.recv_msg(1, 1).await?;
            }
        }
        other.close();
        one.close();
    }
    Ok(())
}

async fn small_buffers_grow_for_much_data() -> Result<()> {
    let size = |socket: &Socket| {
        let size = socket.option(curio::socket::SocketOptionName::SendBuffer)?;
        let SocketOption::SendBuffer(size) = size else {
            panic!("it was asked for the send buffer");
        };
        Ok::<_, Error>(size)
    };
    let (one, other) = socketpair()?;
    assert_eq!(size(&one)?, 32 << 10);
    one.send_all(b"little").await?;
    assert_eq!(size(&one)?, 32 << 10);
    let sent = fill(&one, &vec![1; 200_000]).await?;
    assert!(sent >= 200_000, "{sent}");
    assert_eq!(size(&one)?, 416 << 10);
    assert_eq!(size(&other)?, 32 << 10);
    // A datagram that needs a larger buffer than there is at first.
    let (one, other) = socketpair_datagram()?;
    assert_eq!(one.send(&vec![1; 150_000]).await?, 150_000);
    assert_eq!(other.recv(200_000).await?.len(), 150_000);
    Ok(())
}

async fn a_listener_takes_what_there_is() -> Result<()> {
    let mut listeners = Vec::new();
    for _ in 0..8 {
        let listener = Socket::tcp_v4()?;
        listener.bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.listen(u32::MAX)?;
        let client = curio::open_connection(listener.local_address()?).await?;
        let (server, _) = listener.accept().await?;
        client.send_all(b"x").await?;
        assert_eq!(server.recv(10).await?, b"x");
        listeners.push(listener);
    }
    Ok(())
}

async fn buffers_can_be_asked_for() -> Result<()> {
    let socket = Socket::tcp_v4()?;
    socket.set_option(SocketOption::SendBuffer(1 << 20))?;
    socket.set_option(SocketOption::ReceiveBuffer(1 << 20))?;
    socket.set_option(SocketOption::SendBuffer(u32::MAX))?;
    let other = Socket::tcp_v4()?;
    let refused = other.set_option(SocketOption::SendBuffer(u32::MAX));
    assert!(matches!(refused, Err(Error::Limit(_))), "{refused:?}");
    socket.set_option(SocketOption::SendBuffer(0))?;
    Ok(())
}
