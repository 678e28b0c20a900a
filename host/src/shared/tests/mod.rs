//! Tests of shared objects, on several kernels.
//!
//! - `one_by_one`: what a handle is told, step by step
//! - `hammer`: threads that all do a lot at once, and give up at random

mod hammer;
mod one_by_one;

use std::task::Poll;
use std::time::Duration;

use super::{
    Event, Handle, Key, Lock, Queue, Registry, ResultCell, Set, SharedError, Standing, State,
};
use crate::kernel::{
    Caller, Direction, InstanceKey, Instant, Kernel, MonotonicClock, Outcome, TrapKey,
};
use crate::limits::{Allowance, Limits};
use crate::selector::MioSelector;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// What several instances have in common.
#[derive(Clone, Debug)]
struct Family {
    registry: Registry,
    allowance: Allowance,
}

impl Family {
    fn new() -> Self {
        Self::with_memory(1 << 30)
    }

    fn with_memory(memory: u64) -> Self {
        Self {
            registry: Registry::default(),
            allowance: Allowance::new(&Limits::default().with_memory(memory)),
        }
    }
}

/// An instance with one task, on a kernel of its own.
struct Side {
    kernel: Kernel,
    owner: InstanceKey,
    by: Caller,
    family: Family,
}

impl Side {
    fn new(family: &Family) -> Self {
        let selector = Box::new(MioSelector::new().unwrap());
        let mut kernel = Kernel::new(selector, Box::new(MonotonicClock::new()));
        let owner = kernel.add_instance(Limits::default());
        assert_eq!(kernel.next_instance(), Some(owner));
        let task = kernel.instance(owner).spawn(None, 0, false).unwrap();
        Self {
            kernel,
            owner,
            by: Caller { task, cookie: 1 },
            family: family.clone(),
        }
    }

    fn queue(&mut self, max: Option<u32>) -> Queue {
        let Family {
            registry,
            allowance,
        } = &self.family;
        Queue::new(&mut self.kernel, self.owner, registry, allowance, max).unwrap()
    }

    fn event(&mut self) -> Event {
        let Family {
            registry,
            allowance,
        } = &self.family;
        Event::new(&mut self.kernel, self.owner, registry, allowance).unwrap()
    }

    fn result(&mut self) -> ResultCell {
        let Family {
            registry,
            allowance,
        } = &self.family;
        ResultCell::new(&mut self.kernel, self.owner, registry, allowance).unwrap()
    }

    fn lock(&mut self) -> Lock {
        let Family {
            registry,
            allowance,
        } = &self.family;
        Lock::new(&mut self.kernel, self.owner, registry, allowance).unwrap()
    }

    fn try_open<S: State, const PLACES: usize>(
        &mut self,
        key: Key,
    ) -> Result<Handle<S, PLACES>, SharedError> {
        Handle::open(&mut self.kernel, self.owner, &self.family.registry, key)
    }

    /// Another handle of the same.
    fn open<S: State, const PLACES: usize>(&mut self, of: &Handle<S, PLACES>) -> Handle<S, PLACES> {
        self.try_open(of.key().unwrap()).unwrap()
    }

    fn put(&self, queue: &mut Queue, item: &[u8]) -> Result<(), SharedError> {
        queue.put(item.to_owned(), &self.family.allowance)
    }

    /// Begins to wait. None if there is nothing to wait for.
    fn begin(&mut self, standing: Standing) -> Option<TrapKey> {
        match standing {
            Standing::Called => None,
            Standing::Absent => panic!("the handle stands nowhere"),
            Standing::Waits(source) => {
                let (owner, by) = (self.owner, self.by);
                let kernel = &mut self.kernel;
                let trap = kernel.wait_for_source(owner, by, source, Direction::Read);
                Some(trap.unwrap())
            }
        }
    }

    /// Waits, with its thread, until it is called or so much time has passed. Returns whether it was called.
    fn wait(&mut self, standing: Standing, patience: Duration) -> bool {
        let Some(trap) = self.begin(standing) else {
            return true;
        };
        let until = self.kernel.clock().after(patience);
        let called = self.outcome(until).is_some();
        if !called {
            self.kernel.instance(self.owner).withdraw(trap);
        }
        called
    }

    /// How the trap ended, unless that takes too long.
    fn outcome(&mut self, until: Instant) -> Option<Outcome> {
        loop {
            match self.kernel.poll_wait(self.owner, 0, until) {
                Poll::Ready(pass) => return pass.resumptions.first().map(|first| first.outcome),
                Poll::Pending => {
                    self.kernel.select(true).unwrap();
                    self.kernel.next_instance();
                }
            }
        }
    }

    /// Waits as long as it takes.
    #[track_caller]
    fn must(&mut self, standing: Standing) {
        assert!(self.wait(standing, PATIENCE), "it is never called");
    }

    /// Whether it is called, and was not by mistake. Nobody else runs meanwhile.
    fn is_called(&mut self, standing: impl Fn() -> Standing) -> bool {
        loop {
            match standing() {
                Standing::Called => return true,
                standing if !self.wait(standing, Duration::from_millis(1)) => return false,
                _ => {}
            }
        }
    }
}

#[track_caller]
fn not_yet<T: std::fmt::Debug>(result: &Result<T, SharedError>) {
    assert!(matches!(result, Err(SharedError::NotYet)), "{result:?}");
}
