//! Messages over connections.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::time::Duration;

use curio::channel::{Connection, SocketConnection};
use curio::{Error, Result, Socket, Task, ignore_after, sleep, spawn, timeout_after, yield_now};
use serde::{Deserialize, Serialize};
use test_guests::{fails, ms, socket_pair};

const MOMENT: Duration = ms(30);

test_guests::cases! {
    values_go_in_both_directions
    bytes_go_in_both_directions
    parts_of_a_buffer_are_sent
    parts_that_are_not_there_are_refused
    a_message_may_be_received_into_a_buffer
    a_message_that_is_too_long_stays
    a_value_of_another_type_is_told
    a_message_that_lies_about_a_length_takes_no_memory
    large_messages_are_sent_and_received
    a_blocked_recv_can_be_cancelled
    recv_survives_any_number_of_interruptions
    an_interrupted_send_says_so_afterwards
    a_send_that_began_nothing_may_be_tried_again
    an_end_between_messages_and_in_the_middle_of_one
    a_length_that_is_too_large_is_not_believed
    halves_are_for_two_tasks
    two_streams_may_make_a_connection
}

async fn pair() -> Result<(SocketConnection, SocketConnection)> {
    let (one, other) = socket_pair().await?;
    Ok((SocketConnection::over(one), SocketConnection::over(other)))
}

/// A socket that sends, and a connection that receives.
async fn half() -> Result<(Socket, SocketConnection)> {
    let (one, other) = socket_pair().await?;
    Ok((one, SocketConnection::over(other)))
}

fn kind(error: &Error) -> ErrorKind {
    match error {
        Error::Io(error) => error.kind(),
        error => panic!("no error of the system's: {error}"),
    }
}

fn invalid(result: Result<usize>) -> String {
    match fails(result) {
        Error::InvalidArgument(text) => text,
        error => panic!("not an invalid argument: {error}"),
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Order {
    Add(i64, i64),
    Names(BTreeMap<String, Option<f64>>),
}

async fn values_go_in_both_directions() -> Result<()> {
    let (mut one, mut other) = pair().await?;
    one.send("hello").await?;
    assert_eq!(other.recv::<String>().await?, "hello");
    let names = BTreeMap::from([("a".to_owned(), Some(1.5)), ("b".to_owned(), None)]);
    for order in [Order::Add(2, -3), Order::Names(names)] {
        other.send(&order).await?;
        assert_eq!(one.recv::<Order>().await?, order);
    }
    one.send(&()).await?;
    other.recv::<()>().await
}

async fn bytes_go_in_both_directions() -> Result<()> {
    let (mut one, mut other) = pair().await?;
    for message in [&b"hello"[..], b"", b"\0\xff\n", &vec![7; 70_000]] {
        assert_eq!(one.send_bytes(message).await?, message.len());
        assert_eq!(other.recv_bytes(None).await?, message);
        assert_eq!(other.send_bytes(message).await?, message.len());
    }
    for len in [5, 0, 3, 70_000] {
        assert_eq!(one.recv_bytes(None).await?.len(), len);
    }
    // As it is on the wire.
    let (mut sender, plain) = pair().await?;
    sender.send_bytes(b"abc").await?;
    let (receiver, _sender) = plain.split();
    let mut stream = receiver.into_inner();
    assert_eq!(stream.read_exactly(7).await?, b"\0\0\0\x03abc");
    Ok(())
}

async fn parts_of_a_buffer_are_sent() -> Result<()> {
    let (mut one, mut other) = pair().await?;
    let buffer = b"0123456789";
    for (offset, size, part) in [
        (0, None, &buffer[..]),
        (4, None, b"456789"),
        (0, Some(3), b"012"),
        (4, Some(2), b"45"),
        (10, None, b""),
        (10, Some(0), b""),
    ] {
        assert_eq!(one.send_part(buffer, offset, size).await?, part.len());
        assert_eq!(other.recv_bytes(None).await?, part);
    }
    Ok(())
}

async fn parts_that_are_not_there_are_refused() -> Result<()> {
    let (mut one, mut other) = pair().await?;
    let text = invalid(one.send_part(b"12345", 6, None).await);
    assert_eq!(text, "buffer length < offset");
    for (offset, size) in [(0, 6), (3, 3), (5, 1), (1, usize::MAX)] {
        let text = invalid(one.send_part(b"12345", offset, size).await);
        assert_eq!(text, "buffer length < offset + size");
    }
    let text = invalid(other.recv_bytes_into(&mut [0; 5], 6).await);
    assert_eq!(text, "buffer length < offset");
    // Nothing has happened to the connection.
    one.send(&5_u8).await?;
    assert_eq!(other.recv::<u8>().await?, 5);
    Ok(())
}

async fn a_message_may_be_received_into_a_buffer() -> Result<()> {
    let (mut one, mut other) = pair().await?;
    one.send_bytes(b"abc").await?;
    one.send_bytes(b"defgh").await?;
    let mut buffer = *b"--------";
    assert_eq!(other.recv_bytes_into(&mut buffer, 0).await?, 3);
    assert_eq!(other.recv_bytes_into(&mut buffer, 3).await?, 5);
    assert_eq!(&buffer, b"abcdefgh");
    Ok(())
}

async fn a_message_that_is_too_long_stays() -> Result<()> {
    let (mut one, mut other) = pair().await?;
    one.send_bytes(b"12345").await?;
    let error = fails(other.recv_bytes(4).await);
    assert!(matches!(error, Error::Limit(_)));
    assert_eq!(error.to_string(), "a message of 5 bytes; 4 are allowed");
    let error = fails(other.recv_bytes_into(&mut [0; 9], 5).await);
    assert!(matches!(error, Error::Limit(_)));
    other.set_max_message(3);
    assert!(matches!(fails(other.recv_bytes(5).await), Error::Limit(_)));
    assert!(matches!(fails(other.recv::<u8>().await), Error::Limit(_)));
    other.set_max_message(usize::MAX);
    assert_eq!(other.recv_bytes(5).await?, b"12345");
    Ok(())
}

async fn a_value_of_another_type_is_told() -> Result<()> {
    let (mut one, mut other) = pair().await?;
    one.send(&1_u8).await?;
    let error = fails(other.recv::<Vec<String>>().await);
    assert_eq!(kind(&error), ErrorKind::InvalidData);
    let text = error.to_string();
    assert!(
        text.starts_with("the message is no alloc::vec::Vec<"),
        "{text}"
    );
    // It is gone, and the next one comes.
    one.send("next").await?;
    assert_eq!(other.recv::<String>().await?, "next");
    Ok(())
}

async fn a_message_that_lies_about_a_length_takes_no_memory() -> Result<()> {
    let (mut one, mut other) = pair().await?;
    // A vector of four thousand million elements, says the message.
    one.send_bytes(&[0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2, 3])
        .await?;
    let error = fails(other.recv::<Vec<u64>>().await);
    assert_eq!(kind(&error), ErrorKind::InvalidData);
    Ok(())
}

async fn large_messages_are_sent_and_received() -> Result<()> {
    let (mut one, mut other) = pair().await?;
    let sizes = [16_383, 16_384, 16_385, 1_000_000, 10_000_000];
    let sender = spawn(async move {
        for size in sizes {
            one.send_bytes(&vec![3; size]).await?;
        }
        Ok(())
    });
    for size in sizes {
        let message = other.recv_bytes(None).await?;
        assert!(message.len() == size && message.iter().all(|byte| *byte == 3));
    }
    sender.join().await
}

async fn a_blocked_recv_can_be_cancelled() -> Result<()> {
    let (mut one, mut other) = pair().await?;
    let receiver = spawn(async move {
        let error = fails(other.recv::<String>().await);
        assert!(matches!(error, Error::TaskCancelled));
        Ok(other)
    });
    sleep(MOMENT).await?;
    assert!(receiver.cancel().await?);
    let mut other = receiver.join().await?;
    one.send("later").await?;
    assert_eq!(other.recv::<String>().await?, "later");
    Ok(())
}

/// Sends messages, byte by byte.
fn send_slowly(socket: Socket, messages: Vec<Vec<u8>>) -> Task<()> {
    spawn(async move {
        for message in messages {
            let len = [0, 0, 0, message.len().to_le_bytes()[0]];
            for byte in [&len[..], &message].concat() {
                socket.send_all(&[byte]).await?;
                for _ in 0..byte % 3 {
                    yield_now().await?;
                }
                sleep(Duration::from_micros(u64::from(byte) % 5 * 40)).await?;
            }
        }
        Ok(())
    })
}

async fn recv_survives_any_number_of_interruptions() -> Result<()> {
    let messages: Vec<_> = (0..40_u8).map(|n| vec![n; usize::from(n) % 9]).collect();
    let (one, mut other) = half().await?;
    let sender = send_slowly(one, messages.clone());
    let (mut received, mut interrupted) = (Vec::new(), 0_u32);
    while received.len() < messages.len() {
        let result;
        if interrupted.is_multiple_of(2) {
            let time = Duration::from_micros(u64::from(interrupted) % 9 * 20);
            result = timeout_after(time, other.recv_bytes(None)).await;
            yield_now().await?;
        } else {
            let task = spawn(async move {
                let result = other.recv_bytes(None).await;
                Ok((other, result))
            });
            for _ in 0..interrupted % 5 {
                yield_now().await?;
            }
            task.cancel().await?;
            (other, result) = task.join().await?;
        }
        match result {
            Ok(message) => received.push(message),
            Err(error) => {
                assert!(error.is_cancellation(), "{error}");
                interrupted += 1;
            }
        }
    }
    assert_eq!(received, messages);
    assert!(interrupted > 10, "{interrupted}");
    sender.join().await
}

async fn an_interrupted_send_says_so_afterwards() -> Result<()> {
    for cancelled in [true, false] {
        let (mut one, mut other) = pair().await?;
        let data = vec![1; 10_000_000];
        let error;
        if cancelled {
            let task = spawn(async move {
                let error = fails(one.send_bytes(&data).await);
                Ok((one, error))
            });
            sleep(MOMENT).await?;
            assert!(task.cancel().await?);
            (one, error) = task.join().await?;
        } else {
            error = fails(timeout_after(MOMENT, one.send_bytes(&data)).await);
            assert!(matches!(error, Error::TaskTimeout(_)));
        }
        assert!(error.is_cancellation());
        let sent = error.moved().expect("it tells how much");
        assert!(sent > 4 && sent < 10_000_004, "{sent}");
        let error = fails(one.send(&1).await);
        assert!(matches!(error, Error::InvalidState(_)));
        assert!(error.to_string().contains("sent in part only"));
        // It may still receive.
        other.send("what is it?").await?;
        assert_eq!(one.recv::<String>().await?, "what is it?");
        drop(one);
        let error = fails(other.recv_bytes(None).await);
        assert_eq!(kind(&error), ErrorKind::UnexpectedEof);
        assert_eq!(error.moved(), Some(sent));
    }
    Ok(())
}

async fn a_send_that_began_nothing_may_be_tried_again() -> Result<()> {
    let (one, other) = socket_pair().await?;
    let mut filled = 0;
    while let Some(more) = ignore_after(MOMENT, one.send(&vec![0; 65_536])).await? {
        filled += more;
    }
    let mut one = SocketConnection::over(one);
    let error = fails(timeout_after(MOMENT, one.send("first")).await);
    assert!(matches!(error, Error::TaskTimeout(_)));
    assert_eq!(error.moved(), Some(0));
    let mut stream = other.into_stream();
    assert_eq!(stream.read_exactly(filled).await?.len(), filled);
    one.send("second").await?;
    let mut other = SocketConnection::over(stream.into_inner().expect("nothing is left"));
    assert_eq!(other.recv::<String>().await?, "second");
    Ok(())
}

async fn an_end_between_messages_and_in_the_middle_of_one() -> Result<()> {
    for (sent, text) in [
        (&b""[..], "the connection was closed"),
        (
            b"\0\0",
            "the connection was closed in the middle of a message",
        ),
        (
            b"\0\0\0\x05abcd",
            "the connection was closed in the middle of a message",
        ),
    ] {
        let (one, mut other) = half().await?;
        one.send_all(b"\0\0\0\x01x").await?;
        one.send_all(sent).await?;
        drop(one);
        assert_eq!(other.recv_bytes(None).await?, b"x");
        for _ in 0..2 {
            let error = fails(other.recv_bytes(None).await);
            assert_eq!(kind(&error), ErrorKind::UnexpectedEof);
            assert_eq!(error.to_string(), text);
            assert_eq!(error.moved(), Some(sent.len() as u64));
        }
    }
    Ok(())
}

async fn a_length_that_is_too_large_is_not_believed() -> Result<()> {
    for length in [0xffff_ffff_u32, 0x8000_0000, 0x7fff_ffff, (64 << 20) + 1] {
        let (one, mut other) = half().await?;
        one.send_all(&length.to_be_bytes()).await?;
        let error = fails(other.recv_bytes(None).await);
        assert!(matches!(error, Error::Limit(_)));
        assert!(error.to_string().contains(&length.to_string()));
        // Nor does a larger limit make it take memory before anything comes, or more than the format has.
        other.set_max_message(usize::MAX);
        let received = timeout_after(ms(1), other.recv_bytes(None)).await;
        if length > 0x7fff_ffff {
            assert!(matches!(fails(received), Error::Limit(_)));
        } else {
            assert_eq!(fails(received).moved(), Some(4));
        }
    }
    Ok(())
}

async fn halves_are_for_two_tasks() -> Result<()> {
    let (one, mut other) = pair().await?;
    let (mut receiver, mut sender) = one.split();
    let echo = spawn(async move {
        for _ in 0..1_000 {
            let n: u32 = other.recv().await?;
            other.send(&(n * 2)).await?;
        }
        Ok(())
    });
    let answers = spawn(async move {
        for n in 0..1_000 {
            assert_eq!(receiver.recv::<u32>().await?, n * 2);
        }
        Ok(())
    });
    for n in 0..1_000_u32 {
        sender.send(&n).await?;
    }
    answers.join().await?;
    echo.join().await
}

async fn two_streams_may_make_a_connection() -> Result<()> {
    let (to_other, from_one) = socket_pair().await?;
    let (to_one, from_other) = socket_pair().await?;
    let mut one = Connection::new(from_other.as_stream(), to_other.as_stream());
    let mut other = Connection::new(from_one.into_stream(), to_one.into_stream());
    one.send(&1).await?;
    assert_eq!(other.recv::<i32>().await?, 1);
    other.send(&2).await?;
    assert_eq!(one.recv::<i32>().await?, 2);
    other.close();
    assert_eq!(fails(one.recv::<i32>().await).moved(), Some(0));
    Ok(())
}
