//! How an object is found from elsewhere: by a key, which nobody can guess.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use super::SharedError;
use super::handle::State;
use crate::limits::{Allowance, Held};

/// How much memory an object takes, at the most, with its entry here, without what is in it.
const OBJECT_SIZE: u64 = 512;

/// By what an object is found: 128 random bits. Who knows it may use the object.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key(pub(crate) u128);

impl fmt::Debug for Key {
    /// What is written somewhere may be read by others.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(_)")
    }
}

/// The objects that have keys, of all instances that may share them. A clone is the same one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Registry(Arc<Mutex<Objects>>);

type Objects = HashMap<Key, Weak<dyn Any + Send + Sync>>;

/// Something that instances share. The last one that has it drops it.
#[derive(Debug)]
pub(super) struct Object<S> {
    state: Mutex<S>,
    /// Its key, once somebody has asked for one.
    key: OnceLock<Key>,
    registry: Registry,
    _memory: Held,
}

impl Registry {
    fn lock(&self) -> MutexGuard<'_, Objects> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes an object without a key.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub(super) fn add<S: State>(
        &self,
        allowance: &Allowance,
        state: S,
    ) -> Result<Arc<Object<S>>, SharedError> {
        Ok(Arc::new(Object {
            state: Mutex::new(state),
            key: OnceLock::new(),
            registry: self.clone(),
            _memory: allowance.hold(OBJECT_SIZE)?,
        }))
    }

    /// Looks an object up.
    ///
    /// # Errors
    /// If there is none, or it is of another kind.
    pub(super) fn open<S: State>(&self, key: Key) -> Result<Arc<Object<S>>, SharedError> {
        let found = self.lock().get(&key).and_then(Weak::upgrade);
        // No longer under the lock: if this is the last one that has it, dropping it takes that again.
        let found = found.ok_or_else(|| {
            SharedError::Argument(format!(
                "this {} is not in this process, or its last handle is gone",
                S::NAME
            ))
        })?;
        found.downcast().map_err(|_| {
            SharedError::Argument(format!(
                "this is the key of something else than a {}",
                S::NAME
            ))
        })
    }

    /// How many objects have a key.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }
}

impl<S: State> Object<S> {
    /// What the object is, for one at a time.
    pub(super) fn lock(&self) -> MutexGuard<'_, S> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its key. It gets one with the first call.
    ///
    /// # Errors
    /// If the system gives no random numbers.
    pub(super) fn key(self: &Arc<Self>) -> io::Result<Key> {
        let mut objects = self.registry.lock();
        if let Some(key) = self.key.get() {
            return Ok(*key);
        }
        let mut bits = [0; 16];
        getrandom::fill(&mut bits).map_err(io::Error::from)?;
        let key = *self.key.get_or_init(|| Key(u128::from_ne_bytes(bits)));
        let object: Weak<Self> = Arc::downgrade(self);
        objects.insert(key, object);
        Ok(key)
    }
}

impl<S> Drop for Object<S> {
    fn drop(&mut self) {
        if let Some(key) = self.key.get() {
            self.registry.lock().remove(key);
        }
    }
}
