//! The standard streams, for tasks. The argument says what to do with them.
#![expect(clippy::print_stdout, reason = "it is what is tested")]

use std::cell::Cell;
use std::rc::Rc;

use curio::io::{stderr, stdin, stdout};
use curio::{Error, Result, ignore_after, sleep, spawn};
use test_guests::{cases, fails, ms, say};

cases! {
    ticks
    order
    patience
    two_readers
    nobody_reads
    nothing
    upper_case
    closed
    lines
}

/// Ticks while it waits for input.
async fn ticks() -> Result<()> {
    let ticks = Rc::new(Cell::new(0));
    let ours = ticks.clone();
    let ticker = spawn(async move {
        for n in 1..=3 {
            sleep(ms(5)).await?;
            say(&format!("tick {n}"));
            ours.set(n);
        }
        Ok::<(), Error>(())
    });
    let input = stdin().read(100).await?;
    ticker.join().await?;
    say(&format!(
        "{} after {} ticks",
        String::from_utf8_lossy(&input).trim_end(),
        ticks.get()
    ));
    Ok(())
}

/// Reads lines, and ticks while there are none. Writes them by a stream.
async fn lines() -> Result<()> {
    let (mut input, mut output) = (stdin().into_stream(), stdout().into_stream());
    let ticks = Rc::new(Cell::new(0));
    let ours = ticks.clone();
    let ticker = spawn(async move {
        for n in 1..=3 {
            sleep(ms(2)).await?;
            ours.set(n);
        }
        println!("3 ticks");
        Ok::<(), Error>(())
    });
    // A little patience at a time loses nothing.
    loop {
        let Some(line) = ignore_after(ms(1), input.read_line()).await? else {
            continue;
        };
        if line.is_empty() {
            break;
        }
        let line = String::from_utf8_lossy(&line);
        let text = format!("{} after {} ticks\n", line.trim_end(), ticks.get());
        output.write(text.as_bytes()).await?;
    }
    ticker.join().await?;
    output.flush().await?;
    // Each goes one way only.
    for wrong in [
        input.write(b"x").await.map(drop),
        output.read(1).await.map(drop),
    ] {
        let error = fails(wrong);
        let unsupported = std::io::ErrorKind::Unsupported;
        assert!(matches!(error, Error::Io(error) if error.kind() == unsupported));
    }
    input.close().await?;
    output.close().await
}

async fn order() -> Result<()> {
    let output = stdout();
    println!("1");
    output.write_all(b"2\n3").await?;
    println!(" 3");
    print!("4");
    output.write_all(b" 4\n").await?;
    print!("5");
    output.flush().await?;
    stderr().write_all(b"6\n").await?;
    stderr().flush().await
}

/// Reads with little patience, and loses nothing by it.
async fn patience() -> Result<()> {
    let (mut read, mut given_up) = (Vec::new(), 0);
    loop {
        match ignore_after(ms(2), stdin().read(3)).await? {
            None => {
                given_up += 1;
                if given_up == 3 {
                    say("impatient");
                }
            }
            Some(bytes) if bytes.is_empty() => break,
            Some(bytes) => read.extend(bytes),
        }
    }
    say(&String::from_utf8_lossy(&read));
    Ok(())
}

async fn two_readers() -> Result<()> {
    let first = spawn(async { stdin().read(100).await });
    sleep(ms(5)).await?;
    assert!(matches!(
        fails(stdin().read(100).await),
        Error::ResourceBusy
    ));
    say("busy");
    assert_eq!(first.join().await?, b"x");
    assert_eq!(stdin().read(0).await?, b"");
    assert_eq!(stdin().read(1).await?, b"");
    Ok(())
}

/// Writes what nobody reads, and goes on with other things.
async fn nobody_reads() -> Result<()> {
    let writer = spawn(async {
        for _ in 0..100 {
            stdout().write_all(&[b'x'; 10_000]).await?;
        }
        stdout().flush().await
    });
    for _ in 0..5 {
        sleep(ms(5)).await?;
    }
    stderr().write_all(b"still alive\n").await?;
    writer.join().await
}

/// As if there were no streams.
async fn nothing() -> Result<()> {
    assert_eq!(stdin().read(100).await?, b"");
    assert_eq!(stdin().read(1).await?, b"");
    stdout().write_all(&vec![b'x'; 200_000]).await?;
    stdout().flush().await?;
    stderr().write_all(b"lost").await
}

async fn upper_case() -> Result<()> {
    let (input, output) = (stdin(), stdout());
    let mut buffer = vec![0; 1000];
    loop {
        let length = input.read_into(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        buffer.make_ascii_uppercase();
        output.write_all(&buffer[..length]).await?;
    }
}

/// Writes to what is closed until it is told.
async fn closed() -> Result<()> {
    loop {
        match stdout().write_all(b"for nobody\n").await {
            Ok(()) => sleep(ms(1)).await.map(drop)?,
            Err(Error::Io(error)) => {
                assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
                return Ok(());
            }
            Err(error) => return Err(error),
        }
    }
}
