//! What a group waits for.

use std::fmt;

#[cfg(doc)]
use super::TaskGroup;

/// What a [`TaskGroup`] waits for when it is joined. What still runs then is cancelled.
///
/// Under each of them a failed member ends the wait.
pub enum Wait<T> {
    /// For all to end.
    #[doc(alias = "all")]
    All,
    /// For the first to end.
    #[doc(alias = "any")]
    Any,
    /// For the first result that is what is looked for; other results are passed over.
    ///
    /// ```
    /// let first_found = curio::Wait::<Option<u32>>::Object(Option::is_some);
    /// # let _ = first_found;
    /// ```
    #[doc(alias = "object")]
    Object(fn(&T) -> bool),
    /// For none.
    None,
}

impl<T> Wait<T> {
    /// Whether a result is one that may be the group's own.
    pub(super) fn is_for(self, value: &T) -> bool {
        match self {
            Self::All | Self::Any => true,
            Self::Object(is_it) => is_it(value),
            Self::None => false,
        }
    }
}

impl<T> Clone for Wait<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Wait<T> {}

impl<T> fmt::Debug for Wait<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::All => "All",
            Self::Any => "Any",
            Self::Object(_) => "Object",
            Self::None => "None",
        })
    }
}
