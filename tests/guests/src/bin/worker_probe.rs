//! Workers, for tests that look from outside. The first argument names the case, the second where the jobs are done.

use std::io::Read as _;
use std::sync::atomic::{AtomicU32, Ordering};

use curio::workers::JobErrorKind;
use curio::{Error, Wait, sleep, spawn, task_group, timeout_after};
use test_guests::jobs::{in_process, run, spin};
use test_guests::{fails, ms, say};

test_guests::cases! {
    one_too_many
    none
    memory
    cpu_time
    lost
    busy_at_the_end
    many
    output
    rights
    replaced
    embedded
}

/// May have one worker.
async fn one_too_many() -> curio::Result<()> {
    let busy = spawn(run(spin, ()));
    sleep(ms(1)).await?;
    let pool = curio::workers::ProcessPool::new(2);
    let error = if in_process() {
        fails(curio::run_in_executor(&pool, |()| 1, ()).await)
    } else {
        fails(curio::run_in_thread(|()| 1, ()).await)
    };
    assert!(matches!(error, Error::Limit(_)), "{error}");
    say(&error.to_string());
    busy.cancel().await?;
    // Its place is free at once.
    for _ in 0..20 {
        let timed = timeout_after(ms(1), run(spin, ())).await;
        assert!(fails(timed).is_timeout());
    }
    assert_eq!(run(|()| 1, ()).await?, 1);
    Ok(())
}

/// May have none.
async fn none() -> curio::Result<()> {
    let error = fails(run(|()| 1, ()).await);
    assert!(matches!(error, Error::Limit(_)), "{error}");
    say(&error.to_string());
    Ok(())
}

/// Holds memory in four workers at once, each of which may have it alone.
async fn memory() -> curio::Result<()> {
    let hold = |_: u32| async {
        let held = vec![1_u8; 20 << 20];
        sleep(ms(300)).await?;
        Ok::<_, Error>(held.len())
    };
    let jobs: Vec<_> = (0..4).map(|n| spawn(run(hold, n))).collect();
    let mut limited = 0;
    for job in jobs {
        match job.join().await {
            Ok(length) => assert_eq!(length, 20 << 20),
            Err(error) => {
                assert!(
                    error
                        .to_string()
                        .contains("of memory reached; raise it with --max-memory"),
                    "{error}"
                );
                limited += 1;
            }
        }
    }
    say(&format!("{limited} of them were too much"));
    // It was given back.
    assert_eq!(run(|()| vec![1_u8; 8 << 20].len(), ()).await?, 8 << 20);
    Ok(())
}

/// Computes in a worker until that has used too much.
async fn cpu_time() -> curio::Result<()> {
    let error = fails(run(spin, ()).await);
    say(&error.to_string());
    Ok(())
}

/// Loses a worker, which the test kills.
async fn lost() -> curio::Result<()> {
    assert_eq!(run(|()| 1, ()).await?, 1);
    let busy = spawn(run(spin, ()));
    sleep(ms(1)).await?;
    say("busy");
    busy.wait().await?;
    let error = busy.exception()?.expect("it was killed");
    let Error::Job(error) = &*error else {
        panic!("{error}");
    };
    assert_eq!(error.kind(), JobErrorKind::Died);
    say(&error.to_string());
    assert_eq!(run(|()| 2, ()).await?, 2);
    // And while it has nothing to do.
    say("idle");
    let mut line = [0];
    let _ = std::io::stdin().read(&mut line);
    assert_eq!(run(|()| 3, ()).await?, 3);
    Ok(())
}

/// Ends while workers are busy.
async fn busy_at_the_end() -> curio::Result<()> {
    for _ in 0..2 {
        spawn(run(spin, ()));
    }
    assert_eq!(run(|()| 1, ()).await?, 1);
    say("busy");
    let mut line = [0];
    let _ = std::io::stdin().read(&mut line);
    Ok(())
}

/// Does ten thousand jobs, some of which end their workers; and again for each line that it reads.
async fn many() -> curio::Result<()> {
    loop {
        ten_thousand().await?;
        say("done");
        let mut line = [0];
        if std::io::stdin().read(&mut line).unwrap_or(0) == 0 {
            return Ok(());
        }
    }
}

async fn ten_thousand() -> curio::Result<()> {
    let losses = if in_process() { 20 } else { 500 };
    let work = |(n, fatal): (u64, bool)| {
        assert!(!fatal, "as it should be");
        n + 1
    };
    task_group(Wait::All, async |group| {
        for client in 0..20_u64 {
            group.spawn(async move {
                for n in 0..500_u64 {
                    let number = client * 500 + n;
                    let fatal = number % (10_000 / losses) == 7;
                    match run(work, (number, fatal)).await {
                        Ok(next) => assert!(next == number + 1 && !fatal),
                        Err(Error::Job(error)) => {
                            assert!(fatal && error.kind() == JobErrorKind::Panicked);
                        }
                        Err(error) => return Err(error),
                    }
                }
                Ok(())
            });
        }
        Ok(())
    })
    .await?;
    Ok(())
}

/// What jobs write comes out.
async fn output() -> curio::Result<()> {
    say("before");
    run(|()| say("a job's line"), ()).await?;
    say("after");
    Ok(())
}

/// A worker may do what the program may, and nothing else.
async fn rights() -> curio::Result<()> {
    fn looks(path: String) -> Result<String, String> {
        std::fs::read_to_string(path).map_err(|error| error.kind().to_string())
    }
    fn listens((): ()) -> curio::Result<u16> {
        let socket = curio::tcp_server_socket((
            "127.0.0.1".parse::<std::net::IpAddr>().expect("an address"),
            0,
        ))?;
        Ok(socket
            .local_address()?
            .ip()
            .map_or(0, |address| address.port()))
    }
    fn variable(name: String) -> Option<String> {
        std::env::var(name).ok()
    }
    say(&format!("{:?}", run(looks, "data/file".to_owned()).await?));
    say(&format!(
        "{:?}",
        run(looks, "/etc/hostname".to_owned()).await?.is_ok()
    ));
    let listened = run(listens, ()).await.map_err(|error| error.to_string());
    say(&format!("{:?}", listened.map(|port| port > 0)));
    say(&format!(
        "{:?} {:?}",
        run(variable, "NAME".to_owned()).await?,
        run(variable, "PATH".to_owned()).await?
    ));
    say(&format!(
        "{:?}",
        run(|()| std::env::args().collect::<Vec<_>>().len(), ()).await?
    ));
    Ok(())
}

static COUNTER: AtomicU32 = AtomicU32::new(0);

/// Goes on until the worker is another one, though nothing has happened to it.
async fn replaced() -> curio::Result<()> {
    let count = |()| COUNTER.fetch_add(1, Ordering::Relaxed);
    assert_eq!(run(count, ()).await?, 0);
    while run(count, ()).await? > 0 {
        sleep(ms(1)).await?;
    }
    // And that one stays.
    for n in 1..20 {
        assert_eq!(run(count, ()).await?, n);
    }
    Ok(())
}

/// On an embedder's host: threads work, processes do not unless somebody has said how.
async fn embedded() -> curio::Result<()> {
    assert_eq!(curio::run_in_thread(|n: u32| n + 1, 1).await?, 2);
    let processes = curio::run_in_process(|n: u32| n + 1, 1).await;
    if in_process() {
        assert_eq!(processes?, 2);
    } else {
        let error = fails(processes);
        assert!(matches!(error, Error::Refused(_)), "{error}");
        assert!(
            error.to_string().contains("Options::worker_program"),
            "{error}"
        );
    }
    Ok(())
}
