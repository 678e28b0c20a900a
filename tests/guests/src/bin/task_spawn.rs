//! Spawning: who runs when.

use std::cell::RefCell;
use std::rc::Rc;

use curio::{Result, spawn, yield_now};

test_guests::cases! {
    the_spawner_goes_on
}

async fn the_spawner_goes_on() -> Result<()> {
    let notes = Rc::new(RefCell::new(Vec::new()));
    let child = |n: u32| {
        let notes = notes.clone();
        async move {
            notes.borrow_mut().push(n.to_string());
            yield_now().await?;
            notes.borrow_mut().push((n * 10).to_string());
            Ok(())
        }
    };
    let first = spawn(child(1));
    notes.borrow_mut().push("p1".to_owned());
    let second = spawn(child(2));
    notes.borrow_mut().push("parent".to_owned());
    first.join().await?;
    second.join().await?;
    assert_eq!(*notes.borrow(), ["p1", "parent", "1", "2", "10", "20"]);
    Ok(())
}
