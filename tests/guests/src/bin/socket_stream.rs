//! What a connection does with bytes, with both ends in this program.

use std::cell::Cell;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, Shutdown};
use std::rc::Rc;
use std::time::Duration;

use curio::socket::SocketOption;
use curio::{Error, Result, Socket, ignore_after, sleep, spawn, yield_now};
use test_guests::ms;

const MOMENT: Duration = ms(30);

test_guests::cases! {
    what_is_not_read_stays
    the_end_comes_after_the_data
    one_direction_can_be_shut_down
    a_reset_is_told_once
    sending_to_nobody_fails
    recv_takes_any_maximum
    sending_nothing_is_nothing
    a_connection_nobody_wants_is_refused
    connections_wait_to_be_accepted
    those_that_yield_starve_no_socket
}

fn listener() -> Result<Socket> {
    curio::tcp_server_socket((Ipv4Addr::LOCALHOST, 0))
}

/// Both ends of a connection.
async fn pair() -> Result<(Socket, Socket)> {
    let listener = listener()?;
    let client = curio::open_connection(listener.local_address()?).await?;
    let (server, _) = listener.accept().await?;
    Ok((client, server))
}

fn kind(result: Result<impl Sized>) -> ErrorKind {
    match result {
        Err(Error::Io(error)) => error.kind(),
        Err(error) => panic!("no error of the system's: {error}"),
        Ok(_) => panic!("it should have failed"),
    }
}

async fn what_is_not_read_stays() -> Result<()> {
    let (one, other) = pair().await?;
    one.send_all(b"0123456789").await?;
    for part in [&b"012"[..], b"345", b"678", b"9"] {
        assert_eq!(other.recv(3).await?, part);
    }
    // All was read in parts; what comes later wakes the reader nevertheless.
    let reader = spawn(async move {
        let first = other.recv(1).await?;
        let second = other.recv(100).await?;
        Ok((first, second))
    });
    sleep(MOMENT).await?;
    one.send_all(b"ab").await?;
    assert_eq!(reader.join().await?, (b"a".to_vec(), b"b".to_vec()));
    Ok(())
}

async fn the_end_comes_after_the_data() -> Result<()> {
    let (one, other) = pair().await?;
    one.send_all(b"last words").await?;
    one.close();
    assert_eq!(other.recv(4).await?, b"last");
    assert_eq!(other.recv(100).await?, b" words");
    for _ in 0..3 {
        assert!(other.recv(100).await?.is_empty());
    }
    // It comes to a reader that is blocked, too.
    let (one, other) = pair().await?;
    let reader = spawn(async move { other.recv(1).await });
    sleep(MOMENT).await?;
    drop(one);
    assert!(reader.join().await?.is_empty());
    Ok(())
}

async fn one_direction_can_be_shut_down() -> Result<()> {
    let (client, server) = pair().await?;
    let echo = spawn(async move {
        let mut all = Vec::new();
        loop {
            let data = server.recv(100).await?;
            if data.is_empty() {
                break;
            }
            all.extend(data);
        }
        // The client has said all it has to say, and listens.
        server.send_all(&all).await
    });
    client.send_all(b"question").await?;
    client.shutdown(Shutdown::Write)?;
    assert_eq!(kind(client.send(b"more").await), ErrorKind::BrokenPipe);
    assert_eq!(client.recv(100).await?, b"question");
    assert!(client.recv(100).await?.is_empty());
    echo.join().await?;

    let (one, other) = pair().await?;
    one.shutdown(Shutdown::Read)?;
    assert!(one.recv(1).await?.is_empty());
    one.send_all(b"still talking").await?;
    assert_eq!(other.recv(100).await?, b"still talking");
    Ok(())
}

async fn a_reset_is_told_once() -> Result<()> {
    for blocked in [true, false] {
        let (one, other) = pair().await?;
        one.set_option(SocketOption::Linger(Some(Duration::ZERO)))?;
        let reader = spawn(async move {
            if !blocked {
                sleep(2 * MOMENT).await?;
            }
            let error = kind(other.recv(1).await);
            // It is told once, and the connection is over.
            assert!(other.recv(1).await?.is_empty());
            Ok(error)
        });
        sleep(MOMENT).await?;
        drop(one);
        assert_eq!(reader.join().await?, ErrorKind::ConnectionReset);
    }
    Ok(())
}

async fn sending_to_nobody_fails() -> Result<()> {
    let (one, other) = pair().await?;
    drop(other);
    sleep(MOMENT).await?;
    let error = loop {
        if let Err(error) = one.send(&[0; 1000]).await {
            break error;
        }
        sleep(MOMENT).await?;
    };
    let kind = kind(Err::<(), _>(error));
    assert!(
        matches!(kind, ErrorKind::BrokenPipe | ErrorKind::ConnectionReset),
        "{kind}"
    );
    Ok(())
}

async fn recv_takes_any_maximum() -> Result<()> {
    let (one, other) = pair().await?;
    one.send_all(b"little").await?;
    assert_eq!(other.recv(usize::MAX).await?, b"little");
    let all = vec![7; 3_000_000];
    let sent = all.clone();
    let sender = spawn(async move { one.send_all(&sent).await });
    let mut received = Vec::new();
    while received.len() < all.len() {
        received.extend(other.recv(u32::MAX as usize).await?);
    }
    assert!(received == all);
    sender.join().await
}

async fn sending_nothing_is_nothing() -> Result<()> {
    let (one, other) = pair().await?;
    assert_eq!(one.send(b"").await?, 0);
    one.send_all(b"").await?;
    one.send_all(b"x").await?;
    assert_eq!(other.recv(1).await?, b"x");
    Ok(())
}

async fn a_connection_nobody_wants_is_refused() -> Result<()> {
    // Bound, so that the port is nobody else's, but not listening.
    let socket = Socket::tcp_v4()?;
    socket.bind((Ipv4Addr::LOCALHOST, 0))?;
    let nobody = socket.local_address()?;
    let refused = curio::open_connection(nobody).await;
    assert_eq!(kind(refused), ErrorKind::ConnectionRefused);
    Ok(())
}

async fn connections_wait_to_be_accepted() -> Result<()> {
    // Connected and heard before they are accepted, in the order in which they came.
    let listener = listener()?;
    let mut clients = Vec::new();
    for n in 0..20u8 {
        let client = curio::open_connection(listener.local_address()?).await?;
        client.send_all(&[n]).await?;
        clients.push(client);
    }
    for n in 0..20u8 {
        let (server, peer) = listener.accept().await?;
        assert_eq!(peer, clients[usize::from(n)].local_address()?);
        assert_eq!(server.recv(10).await?, [n]);
    }
    assert!(ignore_after(MOMENT, listener.accept()).await?.is_none());
    Ok(())
}

async fn those_that_yield_starve_no_socket() -> Result<()> {
    let turns = Rc::new(Cell::new(0_u64));
    let busy = [0, 1, 2].map(|n| {
        let turns = turns.clone();
        spawn(async move {
            loop {
                if n == 0 {
                    sleep(Duration::ZERO).await?;
                } else {
                    yield_now().await?;
                }
                turns.set(turns.get() + 1);
            }
            #[expect(unreachable_code, reason = "says what the loop would return")]
            Ok(())
        })
    });
    let (one, other) = pair().await?;
    let echo = spawn(async move {
        loop {
            let data = other.recv(100).await?;
            if data.is_empty() {
                return Ok(());
            }
            other.send_all(&data).await?;
        }
    });
    for n in 0..100 {
        one.send_all(&[n]).await?;
        assert_eq!(one.recv(100).await?, [n]);
    }
    drop(one);
    echo.join().await?;
    assert!(turns.get() > 100);
    for task in busy {
        assert!(task.cancel().await?);
    }
    Ok(())
}
