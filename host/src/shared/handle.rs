//! Handles: what a guest has of an object.

use std::array;
use std::fmt;
use std::io;
use std::sync::{Arc, MutexGuard};

use super::SharedError;
use super::place::{Bell, Place, ring};
use super::registry::{Key, Object, Registry};
use crate::kernel::{InstanceKey, Kernel, SourceKey};
use crate::limits::Allowance;

/// What an object is.
pub(crate) trait State: fmt::Debug + Send + Sized + 'static {
    /// What guests call it.
    const NAME: &'static str;

    /// A handle goes: it leaves where it stands, and what it had is others'. Whoever closes it is to ring.
    #[must_use]
    fn close(&mut self, places: &mut [Place]) -> Vec<Bell>;
}

/// A handle of an object, with a place for each of its lines. Whoever drops it in time closes it first: see
/// [`Handle::close`]. One that is dropped with its instance leaves all the same.
#[expect(
    unreachable_pub,
    reason = "the generated bindings name it in a `pub` item"
)]
#[derive(Debug)]
pub struct Handle<S: State, const PLACES: usize> {
    object: Arc<Object<S>>,
    pub(super) places: [Place; PLACES],
}

impl<S: State, const PLACES: usize> Handle<S, PLACES> {
    /// How much memory it takes, at the most.
    pub(crate) const SIZE: u64 = 1 << 10;

    /// A handle of a new object.
    ///
    /// # Errors
    /// If there is no memory for the object.
    pub(super) fn add(
        kernel: &mut Kernel,
        owner: InstanceKey,
        registry: &Registry,
        allowance: &Allowance,
        state: S,
    ) -> Result<Self, SharedError> {
        let object = registry.add(allowance, state)?;
        Ok(Self::of(kernel, owner, object))
    }

    /// Another handle of an object.
    ///
    /// # Errors
    /// If no object of this kind has the key.
    pub(crate) fn open(
        kernel: &mut Kernel,
        owner: InstanceKey,
        registry: &Registry,
        key: Key,
    ) -> Result<Self, SharedError> {
        let object = registry.open(key)?;
        Ok(Self::of(kernel, owner, object))
    }

    fn of(kernel: &mut Kernel, owner: InstanceKey, object: Arc<Object<S>>) -> Self {
        Self {
            object,
            places: array::from_fn(|_| Place::new(kernel, owner)),
        }
    }

    /// By what the object is found.
    ///
    /// # Errors
    /// If the system gives no random numbers.
    pub(crate) fn key(&self) -> io::Result<Key> {
        self.object.key()
    }

    /// The object, for one at a time.
    pub(super) fn state(&self) -> MutexGuard<'_, S> {
        self.object.lock()
    }

    /// The object for one at a time, and the places.
    pub(super) fn state_and_places(&mut self) -> (MutexGuard<'_, S>, &mut [Place; PLACES]) {
        (self.object.lock(), &mut self.places)
    }

    /// What a task waits for at one of the places.
    pub(super) fn source(&self, place: usize) -> SourceKey {
        self.places[place].source()
    }

    /// Says that no task waits for it. To be called when the handle is dropped, if its instance goes on.
    pub(crate) fn close(self, kernel: &mut Kernel) {
        for place in &self.places {
            kernel.remove_source(place.source());
        }
    }
}

impl<S: State, const PLACES: usize> Drop for Handle<S, PLACES> {
    fn drop(&mut self) {
        let bells = self.object.lock().close(&mut self.places);
        ring(bells);
    }
}

/// How a wait at a shared object begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// What is waited for is there.
    Called,
    /// The task is to wait for this.
    Waits(SourceKey),
    /// The handle does not stand in line.
    Absent,
}
