//! What SIGINT and SIGTERM do to a program: they cancel its main task.

use std::future;

use curio::{Error, Result, current_task, sleep, spawn, yield_now};
use test_guests::{ms, say, sleep_until_told};

test_guests::cases! {
    main_cleans_up
    main_ends_well
    main_refuses
    main_spins
    main_is_busy_yielding
    main_waits_without_a_trap
    main_has_ended
    children_are_cancelled_after_main
}

/// Waits for the signal, after telling the test that it may send it.
async fn wait_for_signal() -> Error {
    say("ready");
    let error = sleep_until_told().await;
    assert!(matches!(error, Error::TaskCancelled));
    assert!(current_task().is_cancelled());
    say("told");
    error
}

async fn main_cleans_up() -> Result<()> {
    let error = wait_for_signal().await;
    sleep(ms(10)).await?;
    spawn(yield_now()).join().await?;
    say("clean");
    Err(error)
}

async fn main_ends_well() -> Result<()> {
    wait_for_signal().await;
    Ok(())
}

async fn main_refuses() -> Result<()> {
    wait_for_signal().await;
    say("no");
    loop {
        sleep(ms(10)).await?;
    }
}

async fn main_spins() -> Result<()> {
    say("ready");
    loop {
        std::hint::spin_loop();
    }
}

async fn main_is_busy_yielding() -> Result<()> {
    say("ready");
    loop {
        if let Err(error) = yield_now().await {
            say("told");
            return Err(error);
        }
    }
}

/// Says when it is dropped.
struct Says(&'static str);

impl Drop for Says {
    fn drop(&mut self) {
        say(self.0);
    }
}

async fn main_waits_without_a_trap() -> Result<()> {
    let _says = Says("dropped");
    drop(spawn(async {
        sleep_until_told().await;
        say("child told");
        Ok(())
    }));
    yield_now().await?;
    say("ready");
    future::pending().await
}

async fn main_has_ended() -> Result<()> {
    drop(spawn(async {
        sleep_until_told().await;
        say("ready");
        // The program ends in its own time; nobody can tell it twice.
        loop {
            sleep(ms(10)).await?;
        }
        #[expect(unreachable_code, reason = "says what the loop would return")]
        Ok(())
    }));
    yield_now().await
}

async fn children_are_cancelled_after_main() -> Result<()> {
    for name in ["first", "second"] {
        drop(spawn(async move {
            sleep_until_told().await;
            sleep(ms(5)).await?;
            say(name);
            Ok(())
        }));
    }
    yield_now().await?;
    let error = wait_for_signal().await;
    sleep(ms(5)).await?;
    say("main");
    Err(error)
}
