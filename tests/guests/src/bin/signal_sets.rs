//! Sets, queues and events of signals. The test sends them, after it is told that it may.

use std::rc::Rc;

use curio::io::stdin;
use curio::signal::{Signal, SignalEvent, SignalQueue, SignalSet};
use curio::{Error, Result, ignore_after, sleep, spawn, timeout_after, yield_now};
use futures::StreamExt;
use test_guests::{fails, ms, say, sleep_until_told};

test_guests::cases! {
    every_set_gets_every_signal_in_order
    many_are_counted
    waiters_are_served_in_order
    a_timeout_loses_nothing
    a_cancelled_waiter_lets_the_next_one_wait
    signals_between_calls_do_what_they_do
    ignored_signals_are_lost
    nested_guards_share_a_queue
    events
    an_event_cleared_at_once_has_been_seen
    a_stream
    the_program_is_told_itself
    nobody_watches
    some_program
    refused
    invalid
    not_taken
    handles
    sets_come_and_go
}

fn real_time(n: u8) -> Signal {
    Signal::real_time(n).expect("there are more")
}

fn set(signals: &[Signal]) -> Result<SignalSet> {
    SignalSet::new(signals.iter().copied())
}

/// Tells the test of a thousand signals as they come; then what another set has queued meanwhile.
async fn every_set_gets_every_signal_in_order() -> Result<()> {
    let all = [Signal::USR1, Signal::HUP, real_time(1)];
    let queue = SignalQueue::new(all)?;
    let (all, some) = (set(&all)?, set(&[Signal::HUP])?);
    let (all, some) = (all.watch()?, some.watch()?);
    say("ready");
    let mut came = Vec::new();
    for _ in 0..1000 {
        let signal = queue.get().await?;
        came.push(signal);
        say(&signal.to_string());
    }
    for signal in &came {
        assert_eq!(all.wait().await?, *signal);
        if *signal == Signal::HUP {
            assert_eq!(some.wait().await?, *signal);
        }
    }
    assert_eq!(queue.try_get()?, None);
    assert_eq!(all.try_wait()?, None);
    assert_eq!(some.try_wait()?, None);
    Ok(())
}

/// Counts what comes while nobody waits.
async fn many_are_counted() -> Result<()> {
    let kinds = [real_time(1), real_time(2)];
    let set = set(&kinds)?;
    let watching = set.watch()?;
    say("ready");
    // The test says when all are sent.
    stdin().read(1).await?;
    let mut counts = [0, 0];
    while let Some(signal) = watching.try_wait()? {
        counts[usize::from(signal == kinds[1])] += 1;
    }
    say(&format!("{counts:?}"));
    Ok(())
}

async fn waiters_are_served_in_order() -> Result<()> {
    let set = Rc::new(set(&[Signal::USR1, Signal::USR2])?);
    let waiters: Vec<_> = (0..3)
        .map(|n| {
            let set = set.clone();
            spawn(async move {
                let signal = set.wait().await?;
                say(&format!("{n} {signal}"));
                Ok::<(), Error>(())
            })
        })
        .collect();
    yield_now().await?;
    say("ready");
    for waiter in waiters {
        waiter.join().await?;
    }
    Ok(())
}

async fn a_timeout_loses_nothing() -> Result<()> {
    let set = set(&[real_time(1)])?;
    let _watching = set.watch()?;
    say("ready");
    let mut count = 0;
    while count < 100 {
        if ignore_after(ms(1), set.wait()).await?.is_some() {
            count += 1;
            if count % 10 == 0 {
                say(&count.to_string());
            }
        }
    }
    assert!(ignore_after(ms(1), set.wait()).await?.is_none());
    Ok(())
}

async fn a_cancelled_waiter_lets_the_next_one_wait() -> Result<()> {
    let set = Rc::new(set(&[Signal::USR1])?);
    let waiters = [0, 1, 2].map(|_| {
        let set = set.clone();
        spawn(async move { set.wait().await })
    });
    yield_now().await?;
    let [first, second, third] = waiters;
    assert!(first.cancel().await?);
    assert!(second.cancel().await?);
    say("ready");
    assert_eq!(third.join().await?, Signal::USR1);
    Ok(())
}

async fn signals_between_calls_do_what_they_do() -> Result<()> {
    let set = set(&[Signal::USR1])?;
    say("ready");
    assert_eq!(set.wait().await?, Signal::USR1);
    say("between");
    Err(sleep_until_told().await)
}

/// The test sends a first signal, which is ignored, and `SIGRTMIN` behind it.
async fn ignored_signals_are_lost() -> Result<()> {
    let (set, sync) = (set(&[Signal::USR1])?, SignalQueue::new([real_time(0)])?);
    let watching = set.watch()?;
    {
        let _ignoring = set.ignore()?;
        let _twice = set.ignore()?;
        say("ignoring");
        sync.get().await?;
    }
    assert_eq!(watching.try_wait()?, None);
    say("watching");
    assert_eq!(watching.wait().await?, Signal::USR1);
    drop(watching);
    let _ignoring = set.ignore()?;
    say("ignoring");
    sync.get().await?;
    Ok(())
}

async fn nested_guards_share_a_queue() -> Result<()> {
    let set = set(&[Signal::USR1])?;
    let outer = set.watch()?;
    let inner = set.watch()?;
    say("ready");
    // One is for whoever asks first.
    timeout_after(ms(60_000), outer.wait()).await?;
    assert_eq!(inner.try_wait()?, None);
    drop(outer);
    say("ready");
    set.wait().await?;
    drop(inner);
    Ok(())
}

async fn events() -> Result<()> {
    let event = Rc::new(SignalEvent::new([Signal::USR1, Signal::USR2])?);
    assert!(!event.is_set());
    let waiters = [0, 1, 2].map(|n| {
        let event = event.clone();
        spawn(async move {
            event.wait().await?;
            say(&format!("waiter {n}"));
            Ok::<(), Error>(())
        })
    });
    yield_now().await?;
    say("ready");
    for waiter in waiters {
        waiter.join().await?;
    }
    assert!(event.is_set());
    event.wait().await?;
    event.clear();
    assert!(!event.is_set());
    assert!(ignore_after(ms(1), event.wait()).await?.is_none());
    say("ready");
    event.wait().await?;
    assert!(event.is_set());
    Ok(())
}

async fn an_event_cleared_at_once_has_been_seen() -> Result<()> {
    let event = Rc::new(SignalEvent::new([Signal::USR1])?);
    let waiters = [0, 1].map(|_| {
        let event = event.clone();
        spawn(async move {
            event.wait().await?;
            event.clear();
            Ok::<(), Error>(())
        })
    });
    yield_now().await?;
    say("ready");
    for waiter in waiters {
        waiter.join().await?;
    }
    assert!(!event.is_set());
    Ok(())
}

async fn a_stream() -> Result<()> {
    let queue = SignalQueue::new([Signal::USR1, Signal::USR2])?;
    let mut stream = queue.stream();
    let next = async { stream.next().await.transpose() };
    assert!(ignore_after(ms(1), next).await?.is_none());
    say("ready");
    while let Some(signal) = stream.next().await {
        let signal = signal?;
        say(&signal.to_string());
        if signal == Signal::USR2 {
            break;
        }
    }
    Ok(())
}

/// Watches SIGINT for a while.
async fn the_program_is_told_itself() -> Result<()> {
    {
        let queue = SignalQueue::new([Signal::INT])?;
        say("watching");
        for _ in 0..3 {
            say(&queue.get().await?.to_string());
        }
    }
    say("no longer");
    let error = sleep_until_told().await;
    assert!(matches!(error, Error::TaskCancelled));
    say("told");
    Err(error)
}

/// A signal that is granted, and that nobody watches.
async fn nobody_watches() -> Result<()> {
    say("ready");
    stdin().read(1).await?;
    Ok(())
}

async fn some_program() -> Result<()> {
    say("ready");
    let error = sleep_until_told().await;
    say("told");
    sleep(ms(1)).await?;
    Err(error)
}

async fn refused() -> Result<()> {
    let refused = |error: Error| {
        assert!(matches!(error, Error::Refused(_)), "{error}");
        let text = "no permission to watch SIGUSR1; add --allow-signal=USR1";
        assert_eq!(error.to_string(), text);
    };
    let one = set(&[Signal::USR1])?;
    refused(fails(one.wait().await));
    refused(fails(one.watch()));
    refused(fails(one.ignore()));
    // The other one is granted.
    let both = [Signal::HUP, Signal::USR1];
    refused(fails(SignalQueue::new(both)));
    refused(fails(SignalEvent::new(both)));
    SignalQueue::new([Signal::HUP])?;
    Ok(())
}

async fn invalid() -> Result<()> {
    let invalid = |error: Error, hint: &str| {
        assert!(matches!(error, Error::InvalidArgument(_)), "{error}");
        assert!(error.to_string().contains(hint), "{error}");
    };
    invalid(fails(SignalSet::new([])), "has one at least");
    invalid(fails(SignalQueue::new([])), "give one at least");
    for (signal, hint) in [
        (Signal::KILL, "signal 9 can't be watched: the system never"),
        (Signal::STOP, "signal 19 can't be watched"),
        (
            Signal::SEGV,
            "signal 11 can't be watched: it is how the processor",
        ),
    ] {
        invalid(fails(SignalQueue::new([Signal::USR1, signal])), hint);
        invalid(fails(set(&[signal])?.ignore()), hint);
    }
    Ok(())
}

async fn not_taken() -> Result<()> {
    let error = fails(SignalQueue::new([Signal::USR1]));
    assert!(matches!(error, Error::InvalidState(_)), "{error}");
    assert!(error.to_string().contains("SIGUSR1"), "{error}");
    Ok(())
}

async fn handles() -> Result<()> {
    let queue = || SignalQueue::new([Signal::USR1]);
    let held = [queue()?, queue()?];
    let set = set(&[Signal::USR1])?;
    for error in [fails(queue()), fails(set.ignore().map(drop))] {
        assert!(matches!(error, Error::Limit(_)), "{error}");
    }
    drop(held);
    queue()?;
    Ok(())
}

async fn sets_come_and_go() -> Result<()> {
    let set = set(&[Signal::USR1, Signal::USR2])?;
    for _ in 0..10_000 {
        drop(set.watch()?);
        drop(set.ignore()?);
    }
    Ok(())
}
