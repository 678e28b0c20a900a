//! Running programs to their end, and ending them before.

use std::io::ErrorKind;
use std::rc::Rc;
use std::time::Duration;

use curio::subprocess::{Command, Popen, Stdio, call, check_call, check_output, run};
use curio::{Error, Result, ignore_after, sleep, spawn, timeout_after};
use test_guests::{fails, ms, say};

test_guests::cases! {
    a_program_is_run
    a_failure_is_told_or_an_error
    a_program_may_end_by_a_signal
    a_program_that_takes_too_long_is_killed
    a_run_that_is_cancelled_kills
    a_run_that_times_out_kills
    a_run_that_is_dropped_kills
    what_others_hold_open_is_not_waited_for
    a_wait_that_is_cancelled_kills_nothing
    signals_are_sent
    signals_come_too_late
    there_are_signals_and_others
    what_can_t_be_run_is_an_error
    words_may_be_too_long
}

fn shell(script: &str) -> Command {
    Command::new("sh").args(["-c", script])
}

/// Whether a process is there, be it as a zombie.
async fn exists(pid: &str) -> Result<bool> {
    let test = Command::new("test").args(["-e", &format!("/proc/{pid}")]);
    Ok(test.call().await?.success())
}

async fn is_gone(pid: &str) -> Result<()> {
    while exists(pid).await? {
        sleep(ms(5)).await?;
    }
    Ok(())
}

async fn first_line(child: &mut Popen) -> Result<String> {
    let stdout = child.stdout.as_mut().expect("it is a pipe");
    let line = stdout.read_line().await?;
    Ok(String::from_utf8_lossy(line.trim_ascii()).into_owned())
}

async fn a_program_is_run() -> Result<()> {
    let ran = run(["true"]).await?;
    assert!(ran.status.success() && ran.stdout.is_empty());
    assert_eq!(
        (ran.args, ran.status.code()),
        (vec!["true".to_owned()], Some(0))
    );
    assert_eq!(check_output(["echo", "-n", "a  b", "c"]).await?, b"a  b c");
    assert_eq!(call(["false"]).await?.code(), Some(1));
    check_call(["true"]).await?;
    // There is nothing to read, rather than what this program has.
    assert_eq!(check_output(["cat"]).await?, b"");
    Ok(())
}

async fn a_failure_is_told_or_an_error() -> Result<()> {
    let failing = || shell("echo out; echo err >&2; exit 3").capture_output();
    let ran = failing().run().await?;
    assert_eq!((ran.returncode(), &*ran.stdout), (3, &b"out\n"[..]));
    let error = fails(ran.check());
    assert_eq!(error.to_string(), "sh failed: exit status 3");
    for error in [fails(failing().check(true).run().await), error] {
        let Error::CalledProcess(failed) = &error else {
            panic!("{error}");
        };
        assert_eq!((failed.returncode(), failed.status().code()), (3, Some(3)));
        assert_eq!(failed.args()[0], "sh");
        let output = error.output().expect("it has some");
        assert_eq!(
            (&*output.stdout, &*output.stderr),
            (&b"out\n"[..], &b"err\n"[..])
        );
    }
    for error in [
        fails(check_output(["false"]).await),
        fails(check_call(["false"]).await.map(drop)),
    ] {
        assert_eq!(error.to_string(), "false failed: exit status 1");
    }
    Ok(())
}

async fn a_program_may_end_by_a_signal() -> Result<()> {
    let ran = shell("kill -TERM $$").run().await?;
    assert_eq!((ran.status.code(), ran.status.signal()), (None, Some(15)));
    assert_eq!(ran.returncode(), -15);
    let error = fails(shell("kill -KILL $$").check_call().await);
    assert_eq!(error.to_string(), "sh failed: killed by signal 9");
    Ok(())
}

async fn a_program_that_takes_too_long_is_killed() -> Result<()> {
    let slow = shell("echo $$; echo err >&2; exec sleep 1000").capture_output();
    let error = fails(slow.timeout(ms(300)).run().await);
    let Error::TimeoutExpired(expired) = &error else {
        panic!("{error}");
    };
    assert!(!error.is_cancellation() && !error.is_timeout());
    assert_eq!((expired.timeout(), &*expired.args()[0]), (ms(300), "sh"));
    assert_eq!(error.to_string(), "sh was killed: it took more than 300ms");
    let output = error.output().expect("it has some");
    assert_eq!(output.stderr, b"err\n");
    let pid = String::from_utf8_lossy(output.stdout.trim_ascii()).into_owned();
    assert!(!exists(&pid).await?);
    let quick = shell("echo quick").timeout(Duration::from_secs(100));
    assert_eq!(quick.check_output().await?, b"quick\n");
    Ok(())
}

async fn a_run_that_is_cancelled_kills() -> Result<()> {
    let task = spawn(shell("echo $$; exec sleep 1000").check_output());
    sleep(ms(300)).await?;
    task.cancel().await?;
    let error = fails(task.join().await);
    let Error::Task(failed) = &error else {
        panic!("{error}");
    };
    assert!(failed.cause().is_cancellation());
    let output = failed.cause().output().expect("it has some");
    assert_eq!(failed.cause().moved(), Some(output.len() as u64));
    let pid = String::from_utf8_lossy(output.stdout.trim_ascii()).into_owned();
    assert!(!pid.is_empty() && !exists(&pid).await?);
    Ok(())
}

async fn a_run_that_times_out_kills() -> Result<()> {
    let slow = shell("echo $$; exec sleep 1000").check_output();
    let error = fails(timeout_after(ms(300), slow).await);
    assert!(matches!(error, Error::TaskTimeout(_)), "{error}");
    let output = error.output().expect("it has some");
    let pid = String::from_utf8_lossy(output.stdout.trim_ascii()).into_owned();
    assert!(!pid.is_empty() && !exists(&pid).await?);
    // An outer time that passes is no timeout of the run's own.
    let slow = || shell("exec sleep 1000").timeout(Duration::from_secs(100));
    let error = fails(timeout_after(ms(20), slow().run()).await);
    assert!(error.is_timeout(), "{error}");
    assert!(ignore_after(ms(20), slow().run()).await?.is_none());
    Ok(())
}

async fn a_run_that_is_dropped_kills() -> Result<()> {
    let mut child = shell("echo $$; exec sleep 1000")
        .stdout(Stdio::pipe())
        .kill_on_drop(true)
        .spawn()?;
    let pid = first_line(&mut child).await?;
    drop(child);
    is_gone(&pid).await
}

async fn what_others_hold_open_is_not_waited_for() -> Result<()> {
    let slow = shell("sleep 1000 & echo $!; wait").timeout(ms(300));
    let error = fails(slow.stdout(Stdio::pipe()).run().await);
    let output = error.output().expect("it has some");
    let pid = String::from_utf8_lossy(output.stdout.trim_ascii()).into_owned();
    assert!(exists(&pid).await?);
    shell(&format!("kill -KILL {pid}")).check_call().await
}

async fn a_wait_that_is_cancelled_kills_nothing() -> Result<()> {
    let child = Rc::new(Command::new("sleep").arg("1000").spawn()?);
    let waited = child.clone();
    let task = spawn(async move { waited.wait().await });
    sleep(ms(20)).await?;
    task.cancel().await?;
    assert!(ignore_after(ms(20), child.wait()).await?.is_none());
    assert_eq!((child.poll()?, child.returncode()), (None, None));
    assert!(child.terminate()?);
    assert_eq!(child.wait().await?.signal(), Some(15));
    assert_eq!(
        (child.wait().await?.returncode(), child.returncode()),
        (-15, Some(-15))
    );
    Ok(())
}

async fn signals_are_sent() -> Result<()> {
    let mut child = shell("trap 'echo got; exit 5' USR1; echo ready; while :; do sleep 0.01; done")
        .stdout(Stdio::pipe())
        .spawn()?;
    assert_eq!(first_line(&mut child).await?, "ready");
    assert!(child.send_signal(10)?);
    assert_eq!(first_line(&mut child).await?, "got");
    assert_eq!(child.wait().await?.code(), Some(5));
    Ok(())
}

async fn signals_come_too_late() -> Result<()> {
    let child = Command::new("true").spawn()?;
    child.wait().await?;
    assert!(!child.kill()? && !child.terminate()? && !child.send_signal(10)?);
    assert!(child.poll()?.expect("it has ended").success());
    Ok(())
}

async fn there_are_signals_and_others() -> Result<()> {
    let child = Command::new("sleep").arg("1000").spawn()?;
    for number in [0, -1, 33, 64, 65, i32::MAX, i32::MIN] {
        let error = fails(child.send_signal(number));
        assert!(
            matches!(error, Error::InvalidArgument(_)),
            "{number}: {error}"
        );
    }
    assert_eq!(child.poll()?, None);
    assert!(child.kill()?);
    assert_eq!(child.wait().await?.signal(), Some(9));
    Ok(())
}

/// Started with programs of its directory, of which one is gone when it may go on, one is not executable any more, and one
/// has no format.
async fn what_can_t_be_run_is_an_error() -> Result<()> {
    say("ready");
    curio::io::stdin().read(1).await?;
    for (program, expected) in [
        ("./gone", ErrorKind::NotFound),
        ("./closed", ErrorKind::PermissionDenied),
        ("./garbage", ErrorKind::Other),
    ] {
        let Error::Io(error) = fails(Command::new(program).spawn()) else {
            panic!("{program}");
        };
        assert_eq!(error.kind(), expected, "{program}: {error}");
    }
    let error = fails(Command::new("./garbage").spawn());
    assert!(error.to_string().contains("Exec format error"), "{error}");
    for wrong in ["tr\0ue", ""] {
        let error = fails(Command::new(wrong).spawn());
        assert!(matches!(error, Error::Refused(_)), "{error}");
    }
    let error = fails(run(Vec::<String>::new()).await);
    assert!(matches!(error, Error::Refused(_)), "{error}");
    let error = fails(Command::new("true").arg("a\0b").spawn());
    assert!(matches!(error, Error::InvalidArgument(_)), "{error}");
    Ok(())
}

async fn words_may_be_too_long() -> Result<()> {
    let error = fails(Command::new("true").arg("x".repeat(1 << 20)).spawn());
    assert!(error.to_string().contains("too long"), "{error}");
    check_call(["true"]).await
}
