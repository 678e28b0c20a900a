//! Events, and the lines that they are made of.

use std::rc::Rc;

use curio::sync::Event;
use curio::traps::SchedFifo;
use curio::{Result, spawn, timeout_after, yield_now};
use test_guests::{Notes, fails, ms};

test_guests::cases! {
    an_event_releases_those_that_wait
    those_that_wait_for_an_event_wake_in_order
    an_event_cleared_at_once_has_been_seen
    a_set_event_takes_no_cycle
    an_event_wait_can_be_cancelled
    an_event_wait_can_time_out
    a_hundred_thousand_may_wait_for_an_event
    a_line_wakes_as_many_as_there_are
    a_wait_for_a_line_can_be_dropped
}

async fn an_event_releases_those_that_wait() -> Result<()> {
    let event = Rc::new(Event::new());
    assert!(!event.is_set());
    let inner = event.clone();
    let task = spawn(async move { inner.wait().await });
    yield_now().await?;
    assert_eq!(task.state().to_string(), "event-wait");
    event.set();
    task.join().await?;
    assert!(event.is_set());
    event.clear();
    assert!(!event.is_set());
    Ok(())
}

async fn those_that_wait_for_an_event_wake_in_order() -> Result<()> {
    let (notes, event) = (Notes::new(), Rc::new(Event::new()));
    let tasks = [0, 1, 2, 3, 4, 5, 6, 7].map(|n| {
        let (notes, event) = (notes.clone(), event.clone());
        spawn(async move {
            event.wait().await?;
            notes.add(n);
            Ok(())
        })
    });
    yield_now().await?;
    event.set();
    notes.add("set");
    for task in tasks {
        task.join().await?;
    }
    notes.are(["set", "0", "1", "2", "3", "4", "5", "6", "7"]);
    Ok(())
}

async fn an_event_cleared_at_once_has_been_seen() -> Result<()> {
    let event = Rc::new(Event::new());
    let inner = event.clone();
    let task = spawn(async move {
        inner.wait().await?;
        Ok(inner.is_set())
    });
    yield_now().await?;
    event.set();
    event.clear();
    assert!(!task.join().await?);
    Ok(())
}

async fn a_set_event_takes_no_cycle() -> Result<()> {
    let event = Event::new();
    event.set();
    let cycles = curio::current_task().cycles();
    event.wait().await?;
    assert_eq!(curio::current_task().cycles(), cycles);
    Ok(())
}

async fn an_event_wait_can_be_cancelled() -> Result<()> {
    let (notes, event) = (Notes::new(), Rc::new(Event::new()));
    let (inner, inner_notes) = (event.clone(), notes.clone());
    let task = spawn(async move {
        let error = fails(inner.wait().await);
        inner_notes.add(&error);
        Err::<(), _>(error)
    });
    yield_now().await?;
    assert!(task.cancel().await?);
    notes.add("after");
    notes.are(["the task was cancelled", "after"]);
    event.set();
    Ok(())
}

async fn an_event_wait_can_time_out() -> Result<()> {
    let event = Event::new();
    assert!(fails(timeout_after(ms(2), event.wait()).await).is_timeout());
    event.set();
    event.wait().await
}

async fn a_hundred_thousand_may_wait_for_an_event() -> Result<()> {
    let event = Rc::new(Event::new());
    let mut tasks: Vec<_> = (0..100_000)
        .map(|_| {
            let event = event.clone();
            spawn(async move { event.wait().await })
        })
        .collect();
    yield_now().await?;
    for task in tasks.split_off(50_000) {
        task.cancel().await?;
    }
    event.set();
    for task in tasks {
        task.join().await?;
    }
    Ok(())
}

async fn a_line_wakes_as_many_as_there_are() -> Result<()> {
    let line = Rc::new(SchedFifo::new());
    assert_eq!(line.wake(3), 0);
    let tasks = [0, 1, 2].map(|_| {
        let line = line.clone();
        spawn(async move { line.suspend("gate").await })
    });
    yield_now().await?;
    assert_eq!(line.len(), 3);
    assert_eq!(line.wake(2), 2);
    assert_eq!(line.len(), 1);
    assert_eq!(line.wake(usize::MAX), 1);
    assert!(line.is_empty());
    for task in tasks {
        task.join().await?;
    }
    Ok(())
}

async fn a_wait_for_a_line_can_be_dropped() -> Result<()> {
    let line = SchedFifo::new();
    for _ in 0..1000 {
        let mut wait = Box::pin(line.suspend("gate"));
        assert!(futures::poll!(&mut wait).is_pending());
        assert_eq!(line.len(), 1);
        drop(wait);
        assert!(line.is_empty());
    }
    Ok(())
}
