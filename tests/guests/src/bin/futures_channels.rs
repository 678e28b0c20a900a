//! Channels of the `futures` crate between tasks: futures that make no trap.

use curio::{Error, Result, TaskOptions, ignore_after, sleep, spawn, timeout_after, yield_now};
use futures::channel::{mpsc, oneshot};
use futures::{SinkExt, StreamExt};
use test_guests::{Notes, fails, ms};

test_guests::cases! {
    oneshot_carries_a_value
    oneshot_tells_of_a_lost_sender
    oneshot_between_tasks_that_sleep
    mpsc_keeps_the_order
    mpsc_holds_senders_back
    many_may_send
    a_woken_task_runs_in_the_next_pass
    a_task_may_wake_itself
    a_task_on_a_channel_is_dropped_when_cancelled
    a_timeout_around_a_channel_expires
    a_timeout_around_a_channel_that_is_served_does_not
    a_channel_and_a_sleep_in_turn
}

async fn received<T>(receiver: oneshot::Receiver<T>) -> Result<T> {
    receiver.await.map_err(Error::other)
}

async fn oneshot_carries_a_value() -> Result<()> {
    let (sender, receiver) = oneshot::channel();
    let task = spawn(received(receiver));
    yield_now().await?;
    assert!(sender.send(7).is_ok());
    assert_eq!(task.join().await?, 7);
    Ok(())
}

async fn oneshot_tells_of_a_lost_sender() -> Result<()> {
    let (sender, receiver) = oneshot::channel::<()>();
    let task = spawn(received(receiver));
    yield_now().await?;
    drop(sender);
    assert!(matches!(fails(task.join().await), Error::Task(_)));
    Ok(())
}

async fn oneshot_between_tasks_that_sleep() -> Result<()> {
    let (sender, receiver) = oneshot::channel();
    let task = spawn(async {
        sleep(ms(10)).await?;
        assert!(sender.send("later").is_ok());
        Ok(())
    });
    assert_eq!(received(receiver).await?, "later");
    task.join().await
}

async fn mpsc_keeps_the_order() -> Result<()> {
    let (sender, mut receiver) = mpsc::unbounded();
    let task = spawn(async move {
        for n in 0..100 {
            sender.unbounded_send(n).map_err(Error::other)?;
            if n % 10 == 0 {
                yield_now().await?;
            }
        }
        Ok(())
    });
    let mut all = Vec::new();
    while let Some(n) = receiver.next().await {
        all.push(n);
    }
    assert_eq!(all, (0..100).collect::<Vec<_>>());
    task.join().await
}

async fn mpsc_holds_senders_back() -> Result<()> {
    let notes = Notes::new();
    let (mut sender, mut receiver) = mpsc::channel(0);
    let inner = notes.clone();
    let task = spawn(async move {
        for n in 0..3 {
            sender.send(n).await.map_err(Error::other)?;
            inner.add(format!("sent {n}"));
        }
        Ok(())
    });
    sleep(ms(10)).await?;
    // Nobody has taken the first one.
    notes.are([""; 0]);
    let mut all = Vec::new();
    while let Some(n) = receiver.next().await {
        all.push(n);
    }
    assert_eq!(all, [0, 1, 2]);
    task.join().await?;
    notes.are(["sent 0", "sent 1", "sent 2"]);
    Ok(())
}

async fn many_may_send() -> Result<()> {
    let (sender, receiver) = mpsc::channel(10);
    for n in 0..1000_u32 {
        let mut sender = sender.clone();
        let daemon = TaskOptions::new().daemon(true);
        drop(daemon.spawn(async move {
            sleep(ms(u64::from(n % 7))).await?;
            sender.send(n).await.map_err(Error::other)
        }));
    }
    drop(sender);
    let mut all: Vec<_> = receiver.collect().await;
    all.sort_unstable();
    assert_eq!(all, (0..1000).collect::<Vec<_>>());
    Ok(())
}

async fn a_woken_task_runs_in_the_next_pass() -> Result<()> {
    let notes = Notes::new();
    let (sender, receiver) = oneshot::channel();
    let inner = notes.clone();
    let task = spawn(async move {
        received(receiver).await?;
        inner.add("woken");
        Ok(())
    });
    yield_now().await?;
    assert!(sender.send(()).is_ok());
    notes.add("waker goes on");
    yield_now().await?;
    notes.add("next pass");
    notes.are(["waker goes on", "woken", "next pass"]);
    task.join().await
}

async fn a_task_may_wake_itself() -> Result<()> {
    let mut times = 0;
    std::future::poll_fn(|cx| {
        times += 1;
        if times == 5 {
            return std::task::Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        cx.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
    assert_eq!(times, 5);
    Ok(())
}

/// Notes that it is dropped.
struct Dropped(Notes);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.add("dropped");
    }
}

async fn a_task_on_a_channel_is_dropped_when_cancelled() -> Result<()> {
    let notes = Notes::new();
    let dropped = Dropped(notes.clone());
    let (sender, receiver) = oneshot::channel::<()>();
    let task = spawn(async move {
        let _dropped = dropped;
        received(receiver).await
    });
    yield_now().await?;
    assert!(task.cancel().await?);
    notes.are(["dropped"]);
    assert!(sender.is_canceled());
    let Error::Task(error) = fails(task.join().await) else {
        panic!("should be the task's");
    };
    assert!(matches!(error.cause(), Error::TaskCancelled));
    Ok(())
}

async fn a_timeout_around_a_channel_expires() -> Result<()> {
    let (sender, receiver) = oneshot::channel::<()>();
    let block = timeout_after(ms(5), received(receiver));
    assert!(matches!(fails(block.await), Error::TaskTimeout(_)));
    assert!(sender.is_canceled());
    let (sender, receiver) = oneshot::channel::<()>();
    assert_eq!(ignore_after(ms(5), received(receiver)).await?, None);
    assert!(sender.is_canceled());
    Ok(())
}

async fn a_timeout_around_a_channel_that_is_served_does_not() -> Result<()> {
    let (sender, receiver) = oneshot::channel();
    let task = spawn(async {
        sleep(ms(5)).await?;
        assert!(sender.send(1).is_ok());
        Ok(())
    });
    assert_eq!(timeout_after(ms(1_000_000), received(receiver)).await?, 1);
    task.join().await
}

async fn a_channel_and_a_sleep_in_turn() -> Result<()> {
    let (sender, mut receiver) = mpsc::unbounded();
    let task = spawn(async move {
        let mut sum = 0;
        while let Some(n) = receiver.next().await {
            sleep(ms(1)).await?;
            sum += n;
        }
        Ok(sum)
    });
    for n in 1..=10 {
        sender.unbounded_send(n).map_err(Error::other)?;
        if n % 3 == 0 {
            sleep(ms(2)).await?;
        }
    }
    drop(sender);
    assert_eq!(task.join().await?, 55);
    Ok(())
}
