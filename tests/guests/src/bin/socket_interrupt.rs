//! Interrupting who is blocked on a socket, and waiting on one from several tasks.

use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;

use curio::{Error, Result, Socket, ignore_after, sleep, spawn, timeout_after};
use test_guests::ms;

const MOMENT: Duration = ms(30);

test_guests::cases! {
    a_cancelled_recv_loses_nothing
    a_recv_that_times_out_loses_nothing
    data_and_timeouts_may_race
    an_interrupted_accept_loses_nothing
    an_interrupted_send_has_sent_nothing
    connecting_can_time_out
    one_task_may_read_while_another_writes
    a_second_reader_is_told_that_it_is_one
    a_second_writer_is_told_that_it_is_one
    a_dropped_reader_is_in_nobody_s_way
}

fn listener() -> Result<Socket> {
    curio::tcp_server_socket((Ipv4Addr::LOCALHOST, 0))
}

/// Both ends of a connection.
async fn pair() -> Result<(Rc<Socket>, Rc<Socket>)> {
    let listener = listener()?;
    let client = curio::open_connection(listener.local_address()?).await?;
    let (server, _) = listener.accept().await?;
    Ok((Rc::new(client), Rc::new(server)))
}

/// Sends until nothing fits any more; returns how much did.
async fn fill(socket: &Socket) -> Result<usize> {
    let data = vec![1; 65_536];
    let mut sent = 0;
    while let Some(more) = ignore_after(MOMENT, socket.send(&data)).await? {
        sent += more;
    }
    Ok(sent)
}

async fn a_cancelled_recv_loses_nothing() -> Result<()> {
    let (one, other) = pair().await?;
    let socket = other.clone();
    let reader = spawn(async move { socket.recv(100).await });
    sleep(MOMENT).await?;
    assert_eq!(reader.state().to_string(), "read-wait");
    assert!(reader.cancel().await?);
    let Err(Error::Task(error)) = reader.join().await else {
        panic!("a cancelled task has no result");
    };
    assert!(matches!(error.cause(), Error::TaskCancelled));
    one.send_all(b"late").await?;
    assert_eq!(other.recv(100).await?, b"late");
    Ok(())
}

async fn a_recv_that_times_out_loses_nothing() -> Result<()> {
    let (one, other) = pair().await?;
    for n in 0..5 {
        let begun = curio::clock();
        let timed_out = timeout_after(MOMENT, other.recv(100)).await;
        assert!(matches!(timed_out, Err(Error::TaskTimeout(_))));
        assert!(curio::clock() - begun >= MOMENT);
        one.send_all(&[n]).await?;
        assert_eq!(other.recv(100).await?, [n]);
    }
    // What is there is given even if the time is over.
    one.send_all(b"there").await?;
    sleep(MOMENT).await?;
    let received = timeout_after(Duration::ZERO, other.recv(100)).await?;
    assert_eq!(received, b"there");
    Ok(())
}

/// Data and time-outs, as close to each other as can be: no byte is lost, doubled or out of order.
async fn data_and_timeouts_may_race() -> Result<()> {
    const BYTES: u32 = 3000;
    let (one, other) = pair().await?;
    let sender = spawn(async move {
        for n in 0..BYTES {
            one.send_all(&n.to_le_bytes()).await?;
            sleep(Duration::from_micros(u64::from(n * 7 % 300))).await?;
        }
        Ok(())
    });
    let mut received = Vec::new();
    let mut timeouts = 0;
    for n in 0u64.. {
        let time = Duration::from_micros(n * 11 % 300);
        match ignore_after(time, other.recv(3)).await? {
            Some(data) if data.is_empty() => break,
            Some(data) => received.extend(data),
            None => timeouts += 1,
        }
    }
    sender.join().await?;
    assert!(timeouts > 0);
    let numbers = received.chunks(4).map(TryInto::try_into);
    let numbers: Vec<_> = numbers
        .map(|bytes| u32::from_le_bytes(bytes.expect("none is cut off")))
        .collect();
    assert_eq!(numbers, (0..BYTES).collect::<Vec<_>>());
    Ok(())
}

async fn an_interrupted_accept_loses_nothing() -> Result<()> {
    let listener = Rc::new(listener()?);
    assert!(ignore_after(MOMENT, listener.accept()).await?.is_none());
    let socket = listener.clone();
    let acceptor = spawn(async move { socket.accept().await.map(drop) });
    sleep(MOMENT).await?;
    assert!(acceptor.cancel().await?);
    let client = curio::open_connection(listener.local_address()?).await?;
    let (server, peer) = listener.accept().await?;
    assert_eq!(peer, client.local_address()?);
    client.send_all(b"here").await?;
    assert_eq!(server.recv(10).await?, b"here");
    Ok(())
}

async fn an_interrupted_send_has_sent_nothing() -> Result<()> {
    let (one, other) = pair().await?;
    let filled = fill(&one).await?;
    assert!(filled > 0);
    let socket = one.clone();
    let writer = spawn(async move { socket.send(b"never").await });
    sleep(MOMENT).await?;
    assert_eq!(writer.state().to_string(), "write-wait");
    assert!(writer.cancel().await?);
    let reader = spawn(async move {
        let mut all = Vec::new();
        while !all.ends_with(b"end") {
            all.extend(other.recv(65_536).await?);
        }
        Ok(all)
    });
    one.send_all(b"end").await?;
    let all = reader.join().await?;
    // What was sent has come, and what was interrupted has not.
    assert_eq!(all.len(), filled + 3);
    assert!(all[..filled].iter().all(|byte| *byte == 1));
    Ok(())
}

async fn connecting_can_time_out() -> Result<()> {
    // A queue for one or two, and nobody who accepts: the next connections are not answered.
    let socket = Socket::tcp_v4()?;
    socket.bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.listen(0)?;
    let address = socket.local_address()?;
    let mut waiting = Vec::new();
    let timed_out = loop {
        match timeout_after(10 * MOMENT, curio::open_connection(&address)).await {
            Ok(client) => waiting.push(client),
            Err(error) => break error,
        }
    };
    assert!(matches!(timed_out, Error::TaskTimeout(_)), "{timed_out}");
    assert!((1..5).contains(&waiting.len()), "{}", waiting.len());
    // It serves those who came all the same.
    let (server, peer) = socket.accept().await?;
    assert_eq!(peer, waiting[0].local_address()?);
    waiting[0].send_all(b"x").await?;
    assert_eq!(server.recv(1).await?, b"x");
    Ok(())
}

async fn one_task_may_read_while_another_writes() -> Result<()> {
    const BYTES: usize = 4_000_000;
    let (one, other) = pair().await?;
    let mut tasks = Vec::new();
    for (n, socket) in [(1, one), (2, other)] {
        let (reader, writer) = (socket.clone(), socket);
        tasks.push(spawn(async move { writer.send_all(&vec![n; BYTES]).await }));
        tasks.push(spawn(async move {
            let mut received = 0;
            while received < BYTES {
                let data = reader.recv(100_000).await?;
                assert!(data.iter().all(|byte| *byte == 3 - n));
                received += data.len();
            }
            Ok(())
        }));
    }
    for task in tasks {
        task.join().await?;
    }
    Ok(())
}

async fn a_second_reader_is_told_that_it_is_one() -> Result<()> {
    let (one, other) = pair().await?;
    let socket = other.clone();
    let first = spawn(async move { socket.recv(100).await });
    sleep(MOMENT).await?;
    assert!(matches!(other.recv(100).await, Err(Error::ResourceBusy)));
    // A writer is no reader.
    other.send_all(b"x").await?;
    assert_eq!(first.state().to_string(), "read-wait");
    one.send_all(b"for the first").await?;
    assert_eq!(first.join().await?, b"for the first");
    // And after it, another one may.
    one.send_all(b"for the second").await?;
    assert_eq!(other.recv(100).await?, b"for the second");
    Ok(())
}

async fn a_second_writer_is_told_that_it_is_one() -> Result<()> {
    let (one, other) = pair().await?;
    let filled = fill(&one).await?;
    let socket = one.clone();
    let first = spawn(async move { socket.send_all(b"first").await });
    sleep(MOMENT).await?;
    assert!(matches!(one.send(b"x").await, Err(Error::ResourceBusy)));
    let mut received = 0;
    while received < filled + 5 {
        received += other.recv(100_000).await?.len();
    }
    assert_eq!(received, filled + 5);
    first.join().await
}

/// A reader that was dropped is in nobody's way.
async fn a_dropped_reader_is_in_nobody_s_way() -> Result<()> {
    let (one, other) = pair().await?;
    for n in 0..10 {
        let mut reading = Box::pin(other.recv(100));
        assert!(futures::poll!(reading.as_mut()).is_pending());
        sleep(ms(1)).await?;
        if n % 2 == 0 {
            drop(reading);
            one.send_all(&[n]).await?;
        } else {
            // It is told that there is something, and never looks.
            one.send_all(&[n]).await?;
            sleep(MOMENT).await?;
            drop(reading);
        }
        assert_eq!(other.recv(100).await?, [n]);
    }
    Ok(())
}
