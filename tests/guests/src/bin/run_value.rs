//! What `curio::run` returns: for a guest with a main function of its own.

use std::cell::Cell;
use std::rc::Rc;

use curio::{Error, current_task, run, sleep, spawn, yield_now};
use test_guests::{Notes, fails, ms};

fn main() {
    it_is_what_main_returns();
    an_error_is_returned_as_it_is();
    only_main_is_waited_for();
    it_may_be_called_again();
}

fn it_is_what_main_returns() {
    assert_eq!(run(async { 42 }), 42);
    let value = run(async {
        sleep(ms(1)).await?;
        spawn(async { Ok("a task's".to_owned()) }).join().await
    });
    assert_eq!(value.ok().as_deref(), Some("a task's"));
}

fn an_error_is_returned_as_it_is() {
    let error = fails(run(async {
        yield_now().await?;
        Err::<(), _>(Error::other("the cat is out"))
    }));
    assert!(matches!(error, Error::Other(_)));
    assert_eq!(error.to_string(), "the cat is out");
}

/// The others are cancelled, and have ended when it returns.
fn only_main_is_waited_for() {
    let notes = Notes::new();
    let inner = notes.clone();
    run(async move {
        for n in 0..3 {
            let notes = inner.clone();
            spawn(async move {
                let error = fails(sleep(ms(1_000_000)).await);
                sleep(ms(1)).await?;
                notes.add(n);
                Err::<(), _>(error)
            });
        }
        yield_now().await?;
        inner.add("main");
        Ok::<_, Error>(())
    })
    .expect("nothing fails");
    notes.are(["main", "2", "1", "0"]);
}

/// Nothing is left of the time before.
fn it_may_be_called_again() {
    let runs = Rc::new(Cell::new(0));
    for n in 0..100 {
        let runs = runs.clone();
        let name = run(async move {
            assert!(current_task().children().is_empty());
            spawn(sleep(ms(1_000_000)));
            yield_now().await?;
            runs.set(runs.get() + 1);
            Ok::<_, Error>(format!("{} {n}", current_task().name()))
        });
        assert_eq!(name.ok(), Some(format!("main {n}")));
    }
    assert_eq!(runs.get(), 100);
}
