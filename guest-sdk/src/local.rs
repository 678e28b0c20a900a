//! Storage that belongs to a task.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::rc::Rc;

use crate::runtime;

/// The values of a task, by the address of their [`Local`].
pub(crate) type Locals = BTreeMap<usize, Rc<dyn Any>>;

/// A value that every task has for itself. A task begins with the values that its parent has at that moment;
/// what either sets afterwards is its own.
///
/// ```no_run
/// use curio::Local;
///
/// static REQUEST: Local<u32> = Local::new();
///
/// # async fn example() -> curio::Result<()> {
/// REQUEST.set(7);
/// let task = curio::spawn(async {
///     let inherited = REQUEST.get();
///     REQUEST.set(8);
///     Ok(inherited)
/// });
/// assert_eq!(task.join().await?, Some(7));
/// assert_eq!(REQUEST.get(), Some(7));
/// # Ok(())
/// # }
/// ```
#[doc(alias = "contextvars")]
pub struct Local<T> {
    value: PhantomData<fn() -> T>,
    /// So that each has an address of its own.
    _place: u8,
}

impl<T: Clone + 'static> Local<T> {
    /// A value that no task has yet. To be kept in a `static`: what is moved is another one.
    pub const fn new() -> Self {
        Self {
            value: PhantomData,
            _place: 0,
        }
    }

    fn key(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// The value of the task that runs, if it has one.
    ///
    /// # Panics
    /// If no task runs.
    pub fn get(&self) -> Option<T> {
        let locals = runtime::with(|runtime| runtime.tasks.locals(runtime.running().task))?;
        locals.get(&self.key())?.downcast_ref().cloned()
    }

    /// Sets the value of the task that runs.
    ///
    /// # Panics
    /// If no task runs.
    pub fn set(&self, value: T) {
        runtime::with(|runtime| {
            let task = runtime.running().task;
            let mut locals = runtime.tasks.locals(task).unwrap_or_default();
            Rc::make_mut(&mut locals).insert(self.key(), Rc::new(value));
            runtime.tasks.set_locals(task, locals);
        });
    }
}

impl<T: Clone + 'static> Default for Local<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for Local<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Local").finish_non_exhaustive()
    }
}
