//! Results: set by one, told to all.

use super::handle::{Handle, Standing, State};
use super::place::{Bell, Place, ring};
use super::registry::Registry;
use super::rounds::Rounds;
use super::{SharedError, check_size};
use crate::kernel::{InstanceKey, Kernel};
use crate::limits::{Allowance, Held};

/// A handle of a result.
#[expect(
    unreachable_pub,
    reason = "the generated bindings name it in a `pub` item"
)]
pub type ResultCell = Handle<Cell, 1>;

/// A result that was set or not.
#[expect(
    unreachable_pub,
    reason = "the generated bindings name it in a `pub` item"
)]
#[derive(Debug, Default)]
pub struct Cell {
    set: Option<(Set, Held)>,
    rounds: Rounds,
}

/// What a result was set to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Set {
    /// A value.
    Value(Vec<u8>),
    /// An error.
    Failure(Vec<u8>),
}

impl Set {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Value(bytes) | Self::Failure(bytes) => bytes,
        }
    }
}

impl State for Cell {
    const NAME: &'static str = "result";

    fn close(&mut self, places: &mut [Place]) -> Vec<Bell> {
        self.rounds.leave(&places[0]);
        Vec::new()
    }
}

impl ResultCell {
    /// A handle of a new result, which was not set.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub(crate) fn new(
        kernel: &mut Kernel,
        owner: InstanceKey,
        registry: &Registry,
        allowance: &Allowance,
    ) -> Result<Self, SharedError> {
        Self::add(kernel, owner, registry, allowance, Cell::default())
    }

    /// Sets it. A failure that it was set to before stays, if this is none.
    ///
    /// # Errors
    /// If it is too big, or there is no memory for it.
    pub(crate) fn set(&self, set: Set, allowance: &Allowance) -> Result<(), SharedError> {
        check_size(set.bytes())?;
        let memory = allowance.hold(set.bytes().len() as u64)?;
        let mut cell = self.state();
        let stays = matches!(cell.set, Some((Set::Failure(_), _))) && matches!(set, Set::Value(_));
        if !stays {
            let before = cell.set.replace((set, memory));
            let bells = cell.rounds.next();
            drop(cell);
            ring(bells);
            drop(before);
        }
        Ok(())
    }

    /// Whether it was set.
    pub(crate) fn is_set(&self) -> bool {
        self.state().set.is_some()
    }

    /// What it was set to.
    ///
    /// # Errors
    /// [`SharedError::NotYet`] if it was not.
    pub(crate) fn get(&self) -> Result<Set, SharedError> {
        let cell = self.state();
        let (set, _) = cell.set.as_ref().ok_or(SharedError::NotYet)?;
        Ok(set.clone())
    }

    /// Begins to wait until it was set.
    pub(crate) fn wait(&self) -> Standing {
        let mut cell = self.state();
        if cell.set.is_some() {
            return Standing::Called;
        }
        let count = cell.rounds.count();
        cell.rounds.wait(&self.places[0], count);
        Standing::Waits(self.source(0))
    }
}
