//! What a child is given: streams of others, an environment, a directory, and nothing else.

use std::collections::BTreeMap;
use std::io::ErrorKind;

use curio::socket::socketpair;
use curio::subprocess::{Command, Popen, Stdio, check_output};
use curio::{Error, File, Result, aopen, file, ignore_after};
use test_guests::{fails, ms};

test_guests::cases! {
    a_child_feeds_the_next_one
    a_child_writes_into_the_next_one
    what_was_read_in_advance_is_not_lost
    a_socket_is_a_stream
    a_file_is_a_stream
    streams_that_lead_nowhere_are_refused
    it_has_three_descriptors
    its_signals_are_as_they_should_be
    it_gets_the_environment
    it_begins_in_a_directory
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

async fn a_child_feeds_the_next_one() -> Result<()> {
    let mut first = shell("printf 'b\\na\\nc\\n'")
        .stdout(Stdio::pipe())
        .spawn()?;
    let between = first.stdout.take().expect("it is a pipe");
    let sorted = Command::new("sort").stdin(between).check_output().await?;
    assert_eq!(sorted, b"a\nb\nc\n");
    ends_well(&first).await?;

    // Megabytes through three, none of which blocks this program.
    let mut first = Command::new("head").args(["-c", "3000000", "/dev/zero"]);
    first = first.stdout(Stdio::pipe());
    let mut first = first.spawn()?;
    let mut second = Command::new("cat")
        .stdin(first.stdout.take().expect("it is a pipe"))
        .stdout(Stdio::pipe())
        .spawn()?;
    let third = Command::new("wc").arg("-c");
    let third = third.stdin(second.stdout.take().expect("it is a pipe"));
    assert_eq!(third.check_output().await?.trim_ascii(), b"3000000");
    ends_well(&first).await?;
    ends_well(&second).await
}

async fn a_child_writes_into_the_next_one() -> Result<()> {
    let cat = Command::new("cat")
        .stdin(Stdio::pipe())
        .stdout(Stdio::pipe());
    let mut last = cat.spawn()?;
    let into = last.stdin.take().expect("it is a pipe");
    let first = shell("echo through").stdout(into).spawn()?;
    assert_eq!(last.communicate(b"").await?.stdout, b"through\n");
    ends_well(&first).await?;
    ends_well(&last).await
}

async fn what_was_read_in_advance_is_not_lost() -> Result<()> {
    let mut first = shell("echo one; echo two").stdout(Stdio::pipe()).spawn()?;
    ends_well(&first).await?;
    let mut between = first.stdout.take().expect("it is a pipe");
    assert_eq!(between.read_line().await?, b"one\n");
    let error = fails(Command::new("cat").stdin(between).spawn());
    assert!(error.to_string().contains("in advance"), "{error}");
    Ok(())
}

async fn a_socket_is_a_stream() -> Result<()> {
    let (ours, theirs) = socketpair()?;
    let child = shell("read line; echo \"got $line\"")
        .stdin(Stdio::null())
        .stdout(theirs)
        .spawn()?;
    ends_well(&child).await?;
    let mut stream = ours.into_stream();
    assert_eq!(stream.read_all().await?, b"got \n");

    let (ours, theirs) = socketpair()?;
    let child = Command::new("cat").stdin(theirs).stdout(Stdio::pipe());
    let mut child = child.spawn()?;
    ours.send_all(b"by a socket").await?;
    drop(ours);
    assert_eq!(child.communicate(b"").await?.stdout, b"by a socket");
    ends_well(&child).await
}

async fn a_file_is_a_stream() -> Result<()> {
    file::write("/data/in", "skipped\nkept\n").await?;
    let input = aopen("/data/in", "r")
        .await?
        .into_inner()
        .expect("it has read nothing");
    assert_eq!(input.read(8).await?, b"skipped\n");
    let output = File::create("/data/out").await?;
    let cat = Command::new("cat").stdin(input).stdout(output);
    assert!(cat.call().await?.success());
    assert_eq!(file::read("/data/out").await?, b"kept\n");
    Ok(())
}

async fn streams_that_lead_nowhere_are_refused() -> Result<()> {
    let cat = || Command::new("cat").stdout(Stdio::null());
    // A pipe's end is for one direction.
    let child = cat().stdin(Stdio::pipe()).spawn()?;
    let mut child = child;
    let writer = child.stdin.take().expect("it is a pipe");
    let error = fails(cat().stdin(writer).spawn());
    assert!(matches!(error, Error::InvalidState(_)), "{error}");
    // It is closed for that.
    ends_well(&child).await?;

    let mut child = shell("echo x").stdout(Stdio::pipe()).spawn()?;
    let reader = child.stdout.take().expect("it is a pipe");
    let error = fails(shell("true").stdout(reader).spawn());
    assert!(matches!(error, Error::InvalidState(_)), "{error}");
    child.wait().await?;

    let mut child = shell("echo x").stdout(Stdio::pipe()).spawn()?;
    let reader = child.stdout.take().expect("it is a pipe");
    reader.get_ref().close();
    let error = fails(cat().stdin(reader).spawn());
    assert!(error.to_string().contains("closed"), "{error}");
    child.wait().await?;

    let error = fails(cat().stdin(curio::Socket::tcp_v4()?).spawn());
    assert!(error.to_string().contains("not connected"), "{error}");
    let (one, _other) = socketpair()?;
    one.close();
    let error = fails(cat().stdin(one).spawn());
    assert!(error.to_string().contains("closed"), "{error}");

    let (one, other) = socketpair()?;
    other.send_msg(b"x", &[&one]).await?;
    let error = fails(cat().stdin(other).spawn());
    assert!(error.to_string().contains("on the way"), "{error}");

    file::write("/data/busy", vec![b'x'; 1 << 20]).await?;
    let busy = File::open("/data/busy").await?;
    // Its read is under way, and given up.
    assert!(ignore_after(ms(0), busy.read(1 << 18)).await?.is_none());
    match cat().stdin(busy).spawn() {
        Ok(child) => ends_well(&child).await?,
        Err(error) => assert!(error.to_string().contains("under way"), "{error}"),
    }
    Ok(())
}

async fn it_has_three_descriptors() -> Result<()> {
    let (_one, _other) = socketpair()?;
    let _file = File::create("/data/open").await?;
    let _neighbour = Command::new("sleep")
        .arg("1000")
        .stdin(Stdio::pipe())
        .spawn()?;
    // `ls` has the directory itself open.
    let out = check_output(["ls", "/proc/self/fd"]).await?;
    assert_eq!(out, b"0\n1\n2\n3\n");
    let group = Command::new("ls").arg("/proc/self/fd").kill_group(true);
    assert_eq!(
        group.current_dir("/data").check_output().await?,
        b"0\n1\n2\n3\n"
    );
    Ok(())
}

async fn its_signals_are_as_they_should_be() -> Result<()> {
    let out = check_output(["grep", "^Sig", "/proc/self/status"]).await?;
    let out = String::from_utf8(out).expect("it is text");
    let masks: BTreeMap<_, _> = out
        .lines()
        .filter_map(|line| line.split_once(":\t"))
        .collect();
    let mask = |name| u64::from_str_radix(masks[name], 16).expect("it is a number");
    assert_eq!(mask("SigBlk"), 0, "{out}");
    // The system's library has two of its own, 32 and 33, which nobody sends.
    assert_eq!(mask("SigIgn") & !0x1_8000_0000, 0, "{out}");
    // So it ends by a closed pipe, and not by an error.
    let mut yes = Command::new("yes")
        .stdout(Stdio::pipe())
        .stderr(Stdio::pipe())
        .spawn()?;
    let stdout = yes.stdout.as_mut().expect("it is a pipe");
    stdout.read(10).await?;
    yes.stdout = None;
    assert_eq!(yes.wait().await?.signal(), Some(13));
    Ok(())
}

/// Started with `GRANTED` and, on the host alone, `SECRET`.
async fn it_gets_the_environment() -> Result<()> {
    async fn environment(command: Command) -> Result<String> {
        let out = command.check_output().await?;
        let mut lines: Vec<_> = out.split(|byte| *byte == b'\n').collect();
        lines.sort_unstable();
        Ok(lines.concat().escape_ascii().to_string())
    }
    let path = "PATH=/usr/local/bin:/usr/bin:/bin";
    let env = || Command::new("env");
    assert_eq!(environment(env()).await?, format!("GRANTED=1{path}"));
    let more = env().env("MORE", "a b").env("LESS", "x").env_remove("LESS");
    assert_eq!(environment(more).await?, format!("GRANTED=1MORE=a b{path}"));
    let other = env().env_remove("GRANTED").envs([("A", "1"), ("B", "=")]);
    assert_eq!(environment(other).await?, format!("A=1B=={path}"));
    let none = env().env("GONE", "x").env_clear();
    assert_eq!(environment(none).await?, path);
    for wrong in [
        env().env("", "x"),
        env().env("A=B", "x"),
        env().env("A", "\0"),
    ] {
        let error = fails(wrong.spawn());
        assert!(matches!(error, Error::InvalidArgument(_)), "{error}");
    }
    Ok(())
}

async fn it_begins_in_a_directory() -> Result<()> {
    file::create_dir("/data/sub").await?;
    file::write("/data/sub/here", "").await?;
    let ls = || Command::new("ls").stdout(Stdio::pipe());
    assert_eq!(
        ls().current_dir("/data/sub").check_output().await?,
        b"here\n"
    );
    for (wrong, expected) in [
        ("/data/none", ErrorKind::NotFound),
        ("/data/sub/here", ErrorKind::NotADirectory),
        ("/data/sub/../..", ErrorKind::PermissionDenied),
    ] {
        let error = fails(ls().current_dir(wrong).spawn());
        assert_eq!(kind(&error), expected, "{wrong}: {error}");
    }
    let error = fails(ls().current_dir("/etc").spawn());
    assert!(error.to_string().contains("--dir"), "{error}");
    Ok(())
}

async fn ends_well(child: &Popen) -> Result<()> {
    assert!(child.wait().await?.success());
    assert_eq!(child.returncode(), Some(0));
    Ok(())
}
