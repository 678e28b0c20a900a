//! Sleep, and the clock.

use std::cell::OnceCell;
use std::rc::Rc;
use std::time::Duration;

use curio::traps::sleep_until;
use curio::{Result, clock, sleep, spawn, yield_now};
use test_guests::{Notes, ms, spin_until};

test_guests::cases! {
    sleep_returns_the_time_of_waking
    the_clock_goes_forward
    sleepers_wake_by_deadline
    sleepers_with_one_deadline_wake_in_order
    a_sleep_of_zero_yields
    a_sleep_until_the_past_yields
    ten_thousand_may_sleep
    a_timer_is_not_starved_by_those_that_yield
}

async fn sleep_returns_the_time_of_waking() -> Result<()> {
    let start = clock();
    let woken = sleep(ms(10)).await?;
    assert!(woken - start >= ms(10));
    assert!(woken <= clock());
    let deadline = clock() + ms(5);
    assert!(sleep_until(deadline).await? >= deadline);
    Ok(())
}

async fn the_clock_goes_forward() -> Result<()> {
    let mut last = clock();
    for _ in 0..1000 {
        let now = clock();
        assert!(now >= last);
        last = now;
    }
    spin_until(last + ms(2));
    assert_eq!(last - clock(), Duration::ZERO);
    Ok(())
}

async fn sleepers_wake_by_deadline() -> Result<()> {
    let notes = Notes::new();
    let start = clock();
    let tasks = [50, 10, 30, 20, 40].map(|n| {
        let notes = notes.clone();
        spawn(async move {
            sleep_until(start + ms(n)).await?;
            notes.add(n);
            Ok(())
        })
    });
    for task in tasks {
        task.join().await?;
    }
    notes.are([10, 20, 30, 40, 50]);
    Ok(())
}

async fn sleepers_with_one_deadline_wake_in_order() -> Result<()> {
    let notes = Notes::new();
    let deadline = clock() + ms(20);
    let tasks = [0, 1, 2, 3, 4].map(|n| {
        let notes = notes.clone();
        spawn(async move {
            sleep_until(deadline).await?;
            notes.add(n);
            Ok(())
        })
    });
    for task in tasks {
        task.join().await?;
    }
    notes.are(0..5);
    Ok(())
}

async fn a_sleep_of_zero_yields() -> Result<()> {
    let notes = Notes::new();
    let inner = notes.clone();
    let child = spawn(async move {
        inner.add("child");
        Ok(())
    });
    let before = clock();
    assert!(sleep(Duration::ZERO).await? >= before);
    notes.add("parent");
    notes.are(["child", "parent"]);
    child.join().await
}

async fn a_sleep_until_the_past_yields() -> Result<()> {
    let notes = Notes::new();
    let inner = notes.clone();
    let past = clock();
    spin_until(past + ms(1));
    let child = spawn(async move {
        inner.add("child");
        Ok(())
    });
    sleep_until(past).await?;
    notes.add("parent");
    notes.are(["child", "parent"]);
    child.join().await
}

async fn ten_thousand_may_sleep() -> Result<()> {
    let notes = Notes::new();
    let first = Rc::new(OnceCell::new());
    let tasks: Vec<_> = (0..10_000_u64)
        .rev()
        .map(|n| {
            let (notes, first) = (notes.clone(), first.clone());
            spawn(async move {
                // The first to come is the last to wake; all come before the first one wakes.
                let start = *first.get_or_init(clock) + ms(2000);
                sleep_until(start + Duration::from_micros(10 * n)).await?;
                notes.add(n);
                Ok(())
            })
        })
        .collect();
    for task in tasks {
        task.join().await?;
    }
    notes.are(0..10_000);
    Ok(())
}

async fn a_timer_is_not_starved_by_those_that_yield() -> Result<()> {
    let busy: Vec<_> = (0..3)
        .map(|_| {
            spawn(async {
                loop {
                    yield_now().await?;
                }
                #[expect(unreachable_code, reason = "says what the loop would return")]
                Ok(())
            })
        })
        .collect();
    sleep(ms(10)).await?;
    for task in busy {
        task.cancel().await?;
    }
    Ok(())
}
