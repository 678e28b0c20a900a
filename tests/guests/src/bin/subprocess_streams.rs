//! Children and their standard streams.

use std::io::ErrorKind;
use std::rc::Rc;

use curio::io::Stream;
use curio::subprocess::{Command, Popen, Stdio};
use curio::{Error, Result, ignore_after, spawn, timeout_after};
use test_guests::{fails, ms, say};

test_guests::cases! {
    what_a_child_writes_is_read
    lines_come_while_it_runs
    what_is_written_to_it_is_read
    nothing_is_read_and_written
    errors_go_where_output_goes
    errors_go_elsewhere
    streams_are_inherited
    much_goes_both_ways_at_once
    what_it_does_not_read_is_no_error
    ends_are_for_one_direction
    a_second_reader_is_told
    a_pipe_that_is_closed_is_closed
    an_interrupted_talk_goes_on
    an_interrupted_talk_keeps_its_input
}

fn shell(script: &str) -> Command {
    Command::new("sh").args(["-c", script])
}

fn kind(error: &Error) -> ErrorKind {
    match error {
        Error::Io(error) => error.kind(),
        error => panic!("should be the system's, and is {error}"),
    }
}

async fn ends_well(child: &Popen) -> Result<()> {
    assert!(child.wait().await?.success());
    assert_eq!(child.returncode(), Some(0));
    Ok(())
}

async fn what_a_child_writes_is_read() -> Result<()> {
    let mut child = Command::new("echo")
        .arg("hello")
        .stdout(Stdio::pipe())
        .spawn()?;
    assert!(child.stdin.is_none() && child.stderr.is_none());
    assert_eq!(child.args(), ["echo", "hello"]);
    assert!(child.pid() > 1);
    let stdout = child.stdout.as_mut().expect("it is a pipe");
    assert_eq!(stdout.read_all().await?, b"hello\n");
    assert_eq!(stdout.read(10).await?, b"");
    ends_well(&child).await
}

async fn lines_come_while_it_runs() -> Result<()> {
    let script = "echo one; read x; echo two; read x; echo three";
    let child = shell(script).stdin(Stdio::pipe()).stdout(Stdio::pipe());
    let mut child = child.spawn()?;
    let mut stdin = child.stdin.take().expect("it is a pipe");
    let mut stdout = child.stdout.take().expect("it is a pipe");
    let mut lines = stdout.lines();
    for expected in [b"one\n", b"two\n"] {
        let line = lines.next().await.expect("it goes on")?;
        assert_eq!(line, expected);
        assert_eq!(child.poll()?, None);
        stdin.write(b"go on\n").await?;
    }
    assert_eq!(lines.next().await.expect("there is one more")?, b"three\n");
    assert!(lines.next().await.is_none());
    ends_well(&child).await
}

async fn what_is_written_to_it_is_read() -> Result<()> {
    let cat = Command::new("cat")
        .stdin(Stdio::pipe())
        .stdout(Stdio::pipe());
    let mut child = cat.spawn()?;
    let stdin = child.stdin.as_mut().expect("it is a pipe");
    stdin.write(b"some data").await?;
    let stdout = child.stdout.as_mut().expect("it is a pipe");
    assert_eq!(stdout.read_exactly(9).await?, b"some data");
    assert!(ignore_after(ms(20), child.wait()).await?.is_none());
    let stdin = child.stdin.as_mut().expect("it is a pipe");
    stdin.end().await?;
    ends_well(&child).await
}

async fn nothing_is_read_and_written() -> Result<()> {
    let mut child = Command::new("cat")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()?;
    assert!(child.stdin.is_none() && child.stdout.is_none());
    let output = child.communicate(b"").await?;
    assert!(output.is_empty());
    ends_well(&child).await
}

async fn errors_go_where_output_goes() -> Result<()> {
    let both = shell("echo out; echo err >&2; echo end").stderr(Stdio::stdout());
    assert_eq!(both.check_output().await?, b"out\nerr\nend\n");
    for wrong in [
        shell("true").stdout(Stdio::stdout()),
        shell("true").stdin(Stdio::stdout()),
    ] {
        let error = fails(wrong.spawn());
        assert!(matches!(error, Error::InvalidArgument(_)), "{error}");
    }
    Ok(())
}

async fn errors_go_elsewhere() -> Result<()> {
    let ran = shell("echo out; echo err >&2")
        .capture_output()
        .run()
        .await?;
    assert_eq!((&*ran.stdout, &*ran.stderr), (&b"out\n"[..], &b"err\n"[..]));
    let ran = shell("echo out; echo err >&2")
        .stdout(Stdio::pipe())
        .stderr(Stdio::null())
        .run()
        .await?;
    assert_eq!((&*ran.stdout, &*ran.stderr), (&b"out\n"[..], &b""[..]));
    Ok(())
}

/// Writes what it reads, between two lines of its own.
async fn streams_are_inherited() -> Result<()> {
    say("before");
    let child = Command::new("cat").spawn()?;
    ends_well(&child).await?;
    say("after");
    Ok(())
}

async fn much_goes_both_ways_at_once() -> Result<()> {
    let data: Vec<u8> = (0..=250).cycle().take(1 << 20).collect();
    let cat = Command::new("cat")
        .stdin(Stdio::pipe())
        .stdout(Stdio::pipe());
    let mut child = cat.spawn()?;
    let output = child.communicate(&data).await?;
    assert!(output.stdout == data);
    ends_well(&child).await?;

    let both = shell("tee /dev/stderr")
        .input(data.clone())
        .capture_output();
    let ran = both.run().await?;
    assert!(ran.stdout == data && ran.stderr == data);
    Ok(())
}

async fn what_it_does_not_read_is_no_error() -> Result<()> {
    let ran = Command::new("true")
        .input(vec![b'x'; 1 << 20])
        .run()
        .await?;
    assert!(ran.status.success());
    let head = Command::new("head")
        .args(["-c", "3"])
        .input(vec![b'x'; 1 << 20]);
    assert_eq!(head.check_output().await?, b"xxx");
    Ok(())
}

async fn ends_are_for_one_direction() -> Result<()> {
    let cat = Command::new("cat")
        .stdin(Stdio::pipe())
        .stdout(Stdio::pipe());
    let mut child = cat.spawn()?;
    let stdin = child.stdin.as_mut().expect("it is a pipe");
    let error = fails(stdin.read(1).await);
    assert!(matches!(error, Error::InvalidState(_)), "{error}");
    let error = fails(curio::io::RawIo::read_wait(stdin.get_ref()).await);
    assert!(matches!(error, Error::InvalidState(_)), "{error}");
    let stdout = child.stdout.as_mut().expect("it is a pipe");
    let error = fails(stdout.write(b"x").await);
    assert!(matches!(error, Error::InvalidState(_)), "{error}");
    child.stdin = None;
    ends_well(&child).await
}

async fn a_second_reader_is_told() -> Result<()> {
    let mut child = Command::new("sleep")
        .arg("1000")
        .stdout(Stdio::pipe())
        .spawn()?;
    let stdout = child.stdout.take().expect("it is a pipe");
    let pipe = Rc::new(stdout.into_inner().expect("nothing was read"));
    let other = pipe.clone();
    let first = spawn(async move { Stream::new(other).read(1).await });
    curio::yield_now().await?;
    let error = fails(Stream::new(pipe.clone()).read(1).await);
    assert!(matches!(error, Error::ResourceBusy), "{error}");
    pipe.close();
    let error = fails(first.join().await);
    assert!(error.to_string().contains("closed"), "{error}");

    let child = Rc::new(child);
    let other = child.clone();
    let first = spawn(async move { other.wait().await });
    curio::yield_now().await?;
    let error = fails(child.wait().await);
    assert!(matches!(error, Error::ResourceBusy), "{error}");
    child.kill()?;
    assert_eq!(first.join().await?.signal(), Some(9));
    Ok(())
}

async fn a_pipe_that_is_closed_is_closed() -> Result<()> {
    let mut child = Command::new("cat")
        .stdin(Stdio::pipe())
        .stdout(Stdio::null())
        .spawn()?;
    let stdin = child.stdin.as_mut().expect("it is a pipe");
    stdin.get_ref().close();
    stdin.get_ref().close();
    for error in [fails(stdin.write(b"x").await), fails(stdin.read(1).await)] {
        assert!(error.to_string().contains("closed"), "{error}");
    }
    ends_well(&child).await?;
    let mut child = Command::new("true").stdin(Stdio::pipe()).spawn()?;
    ends_well(&child).await?;
    let stdin = child.stdin.as_mut().expect("it is a pipe");
    let error = fails(stdin.write(b"x").await);
    assert_eq!(kind(&error), ErrorKind::BrokenPipe);
    Ok(())
}

async fn an_interrupted_talk_goes_on() -> Result<()> {
    let script = "echo one; echo oops >&2; read x; echo \"two $x\"";
    let child = shell(script).stdin(Stdio::pipe()).capture_output();
    let mut child = child.spawn()?;
    let mut stdin = child.stdin.take().expect("it is a pipe");
    // Until both have come.
    loop {
        let error = fails(timeout_after(ms(20), child.communicate(b"")).await);
        assert!(error.is_timeout(), "{error}");
        if error.moved() == Some(9) {
            break;
        }
    }
    let stdout = child.stdout.as_ref().expect("it stays");
    assert_eq!(stdout.buffered(), b"one\n");
    let stderr = child.stderr.as_ref().expect("it stays");
    assert_eq!(stderr.buffered(), b"oops\n");
    assert_eq!(child.poll()?, None);
    stdin.write(b"more\n").await?;
    let output = child.communicate(b"").await?;
    assert_eq!(output.stdout, b"one\ntwo more\n");
    assert_eq!(output.stderr, b"oops\n");
    ends_well(&child).await
}

async fn an_interrupted_talk_keeps_its_input() -> Result<()> {
    let data: Vec<u8> = (0..=250).cycle().take(500_000).collect();
    let mut child = shell("read x; cat")
        .stdin(Stdio::pipe())
        .stdout(Stdio::pipe())
        .spawn()?;
    // It stops where nobody reads any more, since the child waits to be continued.
    child.send_signal(19)?;
    let error = fails(timeout_after(ms(50), child.communicate([b"\n", &*data].concat())).await);
    assert!(error.is_timeout(), "{error}");
    let error = fails(child.communicate(b"other").await);
    assert!(matches!(error, Error::InvalidState(_)), "{error}");
    child.send_signal(18)?;
    let output = child.communicate(b"").await?;
    assert!(output.stdout == data);
    let error = fails(child.communicate(b"late").await);
    assert!(matches!(error, Error::InvalidState(_)), "{error}");
    Ok(())
}
