//! Running programs to their end, and ending them before.

use std::io::ErrorKind;
use std::rc::Rc;
use std::time::Duration;

use curio::subprocess::{Command, Popen, Stdio, call, check_call, check_output, run};
use curio::sync::Semaphore;
use curio::{Error, Result, Wait, ignore_after, sleep, spawn, task_group, timeout_after};
use test_guests::{fails, ms, say};

test_guests::cases! {
    a_program_is_run
    a_failure_is_told_or_an_error
    a_program_may_end_by_a_signal
    a_program_that_takes_too_long_is_killed
    a_run_that_is_cancelled_kills
    a_run_that_times_out_kills
    a_run_that_is_dropped_kills
    a_run_that_is_dropped_leaves_none
    what_others_hold_open_is_not_waited_for
    a_wait_that_is_cancelled_kills_nothing
    signals_are_sent
    signals_come_too_late
    there_are_signals_and_others
    what_it_has_started_ends_with_it
    what_it_has_started_may_go_on
    a_child_is_killed_when_it_is_dropped
    what_can_t_be_run_is_an_error
    words_may_be_too_long
    a_thousand_are_run_fifty_at_a_time
    a_process_too_many_is_told
    a_process_at_all_is_one_too_many
    an_ended_process_does_not_count
    a_handle_too_many_is_told
    ends_with_children
    ends_with_dropped_children
    faults_with_children
    waits_with_children
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

/// With one process at a time.
async fn a_run_that_is_dropped_leaves_none() -> Result<()> {
    let mut dropped = Box::pin(shell("exec sleep 1000").run());
    futures::future::poll_fn(|cx| {
        assert!(dropped.as_mut().poll(cx).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
    drop(dropped);
    while call(["true"]).await.is_err() {
        sleep(ms(5)).await?;
    }
    Ok(())
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

async fn what_it_has_started_ends_with_it() -> Result<()> {
    let starts = |rest: &str| {
        let command = shell(&format!("sleep 1000 & echo $!; {rest}"));
        command.stdout(Stdio::pipe()).kill_group(true)
    };
    // By a signal to all of them.
    let mut child = starts("wait").spawn()?;
    let pid = first_line(&mut child).await?;
    child.terminate()?;
    assert_eq!(child.wait().await?.signal(), Some(15));
    is_gone(&pid).await?;
    // When it ends by itself; nobody else holds the pipe open then.
    let out = starts("exit 0").check_output().await?;
    is_gone(&String::from_utf8_lossy(out.trim_ascii())).await?;
    // When it takes too long.
    let error = fails(starts("wait").timeout(ms(300)).run().await);
    let output = error.output().expect("it has some");
    is_gone(&String::from_utf8_lossy(output.stdout.trim_ascii())).await
}

async fn what_it_has_started_may_go_on() -> Result<()> {
    let starts = shell("sleep 1000 >/dev/null & echo $!").process_group(true);
    let out = starts.check_output().await?;
    let pid = String::from_utf8_lossy(out.trim_ascii()).into_owned();
    assert!(exists(&pid).await?);
    shell(&format!("kill -KILL {pid}")).check_call().await?;
    let group = shell("cut -d' ' -f5 /proc/$$/stat; echo $$").process_group(true);
    let out = String::from_utf8(group.check_output().await?).expect("it is text");
    let numbers: Vec<_> = out.split_whitespace().collect();
    assert_eq!(numbers[0], numbers[1]);
    Ok(())
}

async fn a_child_is_killed_when_it_is_dropped() -> Result<()> {
    for kill in [true, false] {
        let mut child = shell("echo $$; exec sleep 1000")
            .stdout(Stdio::pipe())
            .kill_on_drop(kill)
            .spawn()?;
        let pid = first_line(&mut child).await?;
        drop(child);
        if kill {
            is_gone(&pid).await?;
        } else {
            sleep(ms(50)).await?;
            assert!(exists(&pid).await?);
            shell(&format!("kill -KILL {pid}")).check_call().await?;
            // The kernel looks after it, zombie and all.
            is_gone(&pid).await?;
        }
    }
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

async fn a_thousand_are_run_fifty_at_a_time() -> Result<()> {
    let free = Rc::new(Semaphore::new(50));
    let group = task_group(Wait::All, async |group| {
        for _ in 0..1_000 {
            let free = free.clone();
            group.spawn(async move {
                let _one = free.acquire().await?;
                check_call(["true"]).await
            });
        }
        Ok(())
    });
    group.await?;
    Ok(())
}

async fn a_process_too_many_is_told() -> Result<()> {
    let sleeper = || Command::new("sleep").arg("1000").spawn();
    let children = [sleeper()?, sleeper()?];
    let error = fails(sleeper());
    let text = "limit of 2 processes reached; raise it with --max-processes";
    assert_eq!(error.to_string(), text);
    // What is dropped runs on, and counts.
    let [first, second] = children;
    drop(second);
    assert!(matches!(fails(sleeper()), Error::Limit(_)));
    first.kill()?;
    first.wait().await?;
    sleeper()?.kill()?;
    Ok(())
}

async fn a_process_at_all_is_one_too_many() -> Result<()> {
    let error = fails(Command::new("true").spawn());
    let text = "limit of 0 processes reached; raise it with --max-processes";
    assert_eq!(error.to_string(), text);
    Ok(())
}

/// With one at a time, and never a wait.
async fn an_ended_process_does_not_count() -> Result<()> {
    for _ in 0..20 {
        let child = Command::new("true").spawn()?;
        while child.poll()?.is_none() {}
    }
    // Nor one of which nobody has asked.
    let mut children = Vec::new();
    for _ in 0..3 {
        while let Err(error) = Command::new("true")
            .spawn()
            .map(|child| children.push(child))
        {
            assert!(matches!(error, Error::Limit(_)), "{error}");
        }
        if children.len() == 3 {
            break;
        }
    }
    for child in children {
        assert!(child.wait().await?.success());
    }
    Ok(())
}

async fn a_handle_too_many_is_told() -> Result<()> {
    // A child and three pipes.
    for _ in 0..10 {
        let error = fails(shell("true").stdin(Stdio::pipe()).capture_output().spawn());
        assert!(error.to_string().contains("--max-handles"), "{error}");
    }
    let ran = shell("echo x").capture_output().run().await?;
    assert_eq!(ran.stdout, b"x\n");
    Ok(())
}

/// Children that would run for long, and one that has ended and is not asked about.
async fn children() -> Result<Vec<Popen>> {
    let mut children = vec![Command::new("true").spawn()?];
    for _ in 0..3 {
        children.push(
            Command::new("sleep")
                .arg("1000")
                .stdin(Stdio::pipe())
                .spawn()?,
        );
    }
    let group = shell("sleep 1000 & echo $!; wait").kill_group(true);
    let mut group = group.stdout(Stdio::pipe()).spawn()?;
    say(&first_line(&mut group).await?);
    children.push(group);
    for child in &children {
        say(&child.pid().to_string());
    }
    sleep(ms(50)).await?;
    Ok(children)
}

async fn ends_with_children() -> Result<()> {
    let children = children().await?;
    std::mem::forget(children);
    Ok(())
}

async fn ends_with_dropped_children() -> Result<()> {
    drop(children().await?);
    Ok(())
}

async fn faults_with_children() -> Result<()> {
    let _children = children().await?;
    std::process::abort()
}

async fn waits_with_children() -> Result<()> {
    let children = children().await?;
    say("waiting");
    children[1].wait().await?;
    Ok(())
}
