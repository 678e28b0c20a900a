//! How a task is spawned.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::panic::Location;
use std::rc::Rc;

use super::shared::{Body, Header, Membership, Outcome, Shared};
use super::{Task, TaskId, TaskRef};
use crate::bindings::traps as kernel;
use crate::error::{Error, Result};
use crate::runtime;
#[cfg(doc)]
use crate::spawn;
use crate::traps::SchedFifo;

/// How a task is spawned.
///
/// ```no_run
/// # async fn example() -> curio::Result<()> {
/// let task = curio::TaskOptions::new()
///     .name("ticker")
///     .daemon(true)
///     .spawn(async {
///         loop {
///             curio::sleep(std::time::Duration::from_secs(1)).await?;
///         }
///         #[expect(unreachable_code, reason = "says what the loop would return")]
///         Ok(())
///     });
/// assert_eq!(task.name(), "ticker");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct TaskOptions {
    name: Option<String>,
    daemon: bool,
    spawned_at: Option<&'static Location<'static>>,
}

impl TaskOptions {
    /// The options that [`spawn`] uses.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names the task. Otherwise it is called like the function it runs.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Makes it a daemon: nobody is expected to join it, and its group does not wait for it.
    #[must_use]
    pub fn daemon(mut self, daemon: bool) -> Self {
        self.daemon = daemon;
        self
    }

    /// Says where it is spawned, for those who are told of it: the place that the program knows of.
    pub(crate) fn spawned_at(mut self, place: &'static Location<'static>) -> Self {
        self.spawned_at = Some(place);
        self
    }

    /// Spawns the task: see [`spawn`].
    #[track_caller]
    pub fn spawn<T, F>(self, future: F) -> Task<T>
    where
        T: 'static,
        F: Future<Output = Result<T>> + 'static,
    {
        self.spawn_unless(None, future)
    }

    /// Spawns the task, unless there is a reason not to: then it has ended already, with that.
    #[track_caller]
    pub(super) fn spawn_unless<T, F>(self, refused: Option<Error>, future: F) -> Task<T>
    where
        T: 'static,
        F: Future<Output = Result<T>> + 'static,
    {
        let spawned_at = match self.spawned_at {
            Some(place) => place,
            None => Location::caller(),
        };
        runtime::with(|runtime| {
            let (name, label) = if let Some(name) = self.name {
                let label = runtime.labels.of_name(&name, spawned_at);
                (Cow::Owned(name), label)
            } else {
                let name = std::any::type_name::<F>();
                let label = runtime.labels.of_type(name, spawned_at);
                (Cow::Borrowed(runtime::short(name)), label)
            };
            let parent = runtime.current().unwrap_or(0);
            let spawn = || kernel::spawn(parent, label, self.daemon);
            let spawned = match refused {
                Some(error) => Err(error),
                None => match spawn() {
                    // The kernel may not know yet that others have ended.
                    Err(_) if runtime.pass.tell_ended() => spawn(),
                    spawned => spawned,
                }
                .map_err(Error::from),
            };
            let header = Header {
                id: TaskId {
                    number: *spawned.as_ref().unwrap_or(&0),
                    serial: runtime.tasks.next_serial(),
                },
                name,
                spawned_at,
                parent,
                daemon: Cell::new(self.daemon),
                terminated: Cell::new(spawned.is_err()),
                cancelled: Cell::new(false),
                cycles: Cell::new(0),
                joined: Cell::new(false),
                membership: RefCell::new(Membership::Never),
                joining: SchedFifo::new(),
            };
            let shared = Rc::new(Shared {
                header,
                result: RefCell::new(Outcome::Running),
            });
            match spawned {
                Ok(id) => {
                    let future = Box::pin(Body {
                        future,
                        shared: shared.clone(),
                    });
                    runtime.tasks.insert(id, future, shared.clone());
                    runtime.pass.push_task(runtime, id);
                }
                Err(error) => shared.set(Err(error)),
            }
            Task {
                any: TaskRef {
                    state: shared.clone(),
                },
                shared,
            }
        })
    }
}
