//! How children end: limits, groups, and what becomes of them when the guest ends.

use std::rc::Rc;

use curio::subprocess::{Command, Popen, Stdio, call, check_call};
use curio::sync::Semaphore;
use curio::{Error, Result, Wait, sleep, task_group};
use test_guests::{fails, ms, say};

test_guests::cases! {
    what_it_has_started_ends_with_it
    what_it_has_started_may_go_on
    a_child_is_killed_when_it_is_dropped
    a_run_that_is_dropped_leaves_none
    a_thousand_are_run_fifty_at_a_time
    a_process_too_many_is_told
    a_process_at_all_is_one_too_many
    an_ended_process_does_not_count
    a_handle_too_many_is_told
    descriptors_are_given_back
    ends_with_children
    ends_with_dropped_children
    faults_with_children
    waits_with_children
}

fn shell(script: &str) -> Command {
    Command::new("sh").args(["-c", script])
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

/// Says where it is, and goes on when it is told to.
async fn descriptors_are_given_back() -> Result<()> {
    async fn stop(word: &str) -> Result<()> {
        say(word);
        curio::io::stdin().read(1).await.map(drop)
    }
    // What the host opens once is open then.
    check_call(["true"]).await?;
    stop("begun").await?;
    stop("before").await?;
    for _ in 0..20 {
        shell("cat; echo x")
            .capture_output()
            .input("y")
            .run()
            .await?;
        drop(Command::new("true").stdin(Stdio::pipe()).spawn()?);
        let error = fails(Command::new("nosuch").stdin(Stdio::pipe()).spawn());
        assert!(matches!(error, Error::Refused(_)), "{error}");
        let error = fails(
            shell("true")
                .arg("x".repeat(1 << 20))
                .capture_output()
                .spawn(),
        );
        assert!(error.to_string().contains("too long"), "{error}");
    }
    stop("after").await
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
