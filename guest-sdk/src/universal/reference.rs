//! References to what the kernel has: shared by clones, and told elsewhere by a key.

use std::fmt;
use std::rc::Rc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, ser};

use crate::bindings::queues::Key;
use crate::bindings::types;
use crate::error::{Error, Result};

/// A handle, and how the tasks of this instance take turns at it.
pub(super) trait Handle: Sized {
    /// The public type.
    const NAME: &'static str;

    /// Finds it by its key.
    fn open(key: Key) -> Result<Self, types::Error>;

    /// Its key.
    fn key(&self) -> Result<Key, types::Error>;
}

/// A handle that the clones of a value share; or why there is none.
pub(super) enum Reference<H> {
    Open(Rc<H>),
    /// It was read from bytes, and what they tell of was not found. Who reads them can't be told why, since
    /// formats keep no texts of others: so that is told to who uses it.
    Missing(Rc<Missing>),
}

/// What was not found.
pub(super) struct Missing {
    key: Key,
    error: types::Error,
}

impl<H> Reference<H> {
    pub(super) fn new(handle: H) -> Self {
        Self::Open(Rc::new(handle))
    }

    /// The handle.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn handle(&self) -> Result<&H> {
        match self {
            Self::Open(handle) => Ok(handle),
            Self::Missing(missing) => Err(missing.error.clone().into()),
        }
    }
}

impl<H> Clone for Reference<H> {
    fn clone(&self) -> Self {
        match self {
            Self::Open(handle) => Self::Open(handle.clone()),
            Self::Missing(missing) => Self::Missing(missing.clone()),
        }
    }
}

impl<H: Handle> Serialize for Reference<H> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let key = match self {
            Self::Open(handle) => handle.key().map_err(Error::from),
            // Whoever reads it finds out the same.
            Self::Missing(missing) => Ok(missing.key),
        };
        let key = key.map_err(ser::Error::custom)?;
        (key.high, key.low).serialize(serializer)
    }
}

impl<'de, H: Handle> Deserialize<'de> for Reference<H> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (high, low) = Deserialize::deserialize(deserializer)?;
        let key = Key { high, low };
        Ok(match H::open(key) {
            Ok(handle) => Self::new(handle),
            Err(error) => Self::Missing(Rc::new(Missing { key, error })),
        })
    }
}

impl<H: Handle> fmt::Debug for Reference<H> {
    /// The key is nobody's business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct(H::NAME);
        if let Err(error) = self.handle() {
            debug.field("missing", &error);
        }
        debug.finish_non_exhaustive()
    }
}

/// Gives a type around a `Reference` what goes without saying.
macro_rules! is_reference {
    ($name:ident $(<$item:ident>)?) => {
        impl$(<$item>)? Clone for $name$(<$item>)? {
            fn clone(&self) -> Self {
                Self::of(self.reference.clone())
            }
        }

        impl$(<$item>)? serde::Serialize for $name$(<$item>)? {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.reference.serialize(serializer)
            }
        }

        impl<'de, $($item)?> serde::Deserialize<'de> for $name$(<$item>)? {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                serde::Deserialize::deserialize(deserializer).map(Self::of)
            }
        }

        impl$(<$item>)? std::fmt::Debug for $name$(<$item>)? {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(&self.reference, f)
            }
        }
    };
}

pub(super) use is_reference;
