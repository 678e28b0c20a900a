//! Sets of signals.

use std::cell::RefCell;
use std::fmt;
use std::rc::{Rc, Weak};

use super::Signal;
use super::watch::{Watch, numbers};
use crate::bindings::signals as kernel;
use crate::error::{Error, Result};

/// Signals to watch, or to ignore, at times.
///
/// ```no_run
/// use curio::signal::{Signal, SignalSet};
///
/// # async fn example() -> curio::Result<()> {
/// let set = SignalSet::new([Signal::USR1, Signal::HUP])?;
/// {
///     let _watching = set.watch()?;
///     // Signals that come here are queued, whatever the task does.
///     let signal = set.wait().await?;
///     println!("Got signal {signal}");
/// }
/// // From here on they do what they always do.
/// # Ok(())
/// # }
/// ```
pub struct SignalSet {
    signals: Vec<Signal>,
    /// As long as somebody watches.
    watch: RefCell<Weak<Watch>>,
}

impl SignalSet {
    /// A set that does not watch yet.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] if there is no signal.
    pub fn new(signals: impl IntoIterator<Item = Signal>) -> Result<Self> {
        let signals: Vec<_> = signals.into_iter().collect();
        if signals.is_empty() {
            return Err(Error::InvalidArgument(
                "a set of signals has one at least".to_owned(),
            ));
        }
        Ok(Self {
            signals,
            watch: RefCell::default(),
        })
    }

    /// The signals.
    pub fn signals(&self) -> &[Signal] {
        &self.signals
    }

    /// Watches until the guard is dropped: signals that come are queued, for [`SignalSet::wait`] to return one by one.
    /// Those that are queued then are lost. Never blocks.
    ///
    /// Watching what is watched by this set already goes on with the same queue, until the last guard is dropped.
    ///
    /// # Errors
    /// [`Error::Refused`] if `--allow-signal` does not cover all of them; [`Error::InvalidArgument`] if one can't be
    /// watched; [`Error::InvalidState`] if whoever runs the kernel has not given it one of them; [`Error::Limit`].
    #[doc(alias = "__aenter__")]
    #[doc(alias = "enable_signals")]
    pub fn watch(&self) -> Result<Watching> {
        let mut current = self.watch.borrow_mut();
        if let Some(watch) = current.upgrade() {
            return Ok(Watching { watch });
        }
        let watch = Rc::new(Watch::begin(&self.signals)?);
        *current = Rc::downgrade(&watch);
        Ok(Watching { watch })
    }

    /// Blocks until a signal comes, and returns the one that came first. If several tasks wait, each gets one, in the order
    /// in which they came.
    ///
    /// Unless the set watches, this watches for as long as it waits: a signal that comes between two calls does what it
    /// always does.
    ///
    /// # Errors
    /// As [`SignalSet::watch`].
    ///
    /// # Cancellation
    /// No signal is taken. What is queued stays so, as long as the set watches.
    pub async fn wait(&self) -> Result<Signal> {
        let watching = self.watch()?;
        watching.wait().await
    }

    /// Ignores the signals until the guard is dropped: they do nothing, and no set, queue or event of this program gets
    /// them. Never blocks.
    ///
    /// # Errors
    /// As [`SignalSet::watch`].
    #[doc(alias = "ignore_signals")]
    pub fn ignore(&self) -> Result<Ignoring> {
        Ok(Ignoring {
            _ignorer: kernel::Ignorer::ignore(&numbers(&self.signals))?,
        })
    }
}

impl fmt::Debug for SignalSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignalSet")
            .field("signals", &self.signals)
            .finish_non_exhaustive()
    }
}

/// Says that a [`SignalSet`] watches. It may be given to another task.
#[must_use = "the set no longer watches when the guard is dropped"]
#[derive(Debug)]
pub struct Watching {
    watch: Rc<Watch>,
}

impl Watching {
    /// Blocks until a signal comes: see [`SignalSet::wait`].
    ///
    /// # Cancellation
    /// No signal is taken.
    pub async fn wait(&self) -> Result<Signal> {
        self.watch.next().await
    }

    /// Takes the signal that came first, if one is queued and no task waits for it. Never blocks.
    pub fn try_wait(&self) -> Result<Option<Signal>> {
        self.watch.take_free()
    }
}

/// Says that the signals of a [`SignalSet`] are ignored.
#[must_use = "the signals are no longer ignored when the guard is dropped"]
pub struct Ignoring {
    _ignorer: kernel::Ignorer,
}

impl fmt::Debug for Ignoring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ignoring").finish_non_exhaustive()
    }
}
