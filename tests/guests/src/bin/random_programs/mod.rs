//! Random programs, what they must do, and whether they do it.
//!
//! - `program`: what a program is; `generate`: making one from a seed
//! - `world`: what its tasks share; `run`: running its operations
//! - `model`: what must happen
//! - `caretaker`: the task that runs a program and looks after it
//! - `kind`: errors, as they are compared

mod caretaker;
mod generate;
mod kind;
mod model;
mod program;
mod run;
mod world;

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use curio::Result;
use curio::traps::open_waits;

use self::program::Program;
use self::world::World;

thread_local! {
    /// The program that runs, for whoever tells that it has failed.
    static CURRENT: RefCell<Weak<World>> = const { RefCell::new(Weak::new()) };
}

/// Runs the program with this seed. Panics if it does not what it must.
pub(crate) async fn run(seed: u64, simulated: bool, log: bool) -> Result<()> {
    let before = open_waits();
    let world = caretaker::world(Program::new(seed), simulated, log);
    CURRENT.set(Rc::downgrade(&world));
    let ended = caretaker::run(world).await;
    if ended.is_ok() {
        assert_eq!(open_waits(), before, "what a program has opened is closed");
    }
    ended
}

/// What there is to say of the program that runs.
pub(crate) fn describe() -> String {
    let world = CURRENT.with(|current| current.try_borrow().ok()?.upgrade());
    let Some(world) = world else {
        return "no program runs".to_owned();
    };
    let log = world.log.as_ref().and_then(|log| log.try_borrow().ok());
    let log = log.map(|log| log.join("\n")).unwrap_or_default();
    let (seed, program) = (world.program.seed, &world.program);
    format!("the program with seed {seed} has failed: CURIO_SEED={seed}\n{program}{log}\n")
}
