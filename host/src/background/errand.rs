//! Errands: what a guest's handle has done on another thread.
//!
//! A handle tries first, as with a socket: it sends its errand, and says that it would block. Its task waits for the
//! handle's source, and tries again: then the result is there. An errand that nobody comes back for goes on to its
//! end; its result stays with the handle.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::spawn_blocking;

use crate::kernel::{Direction, Door, InstanceKey, Kernel, Message, Readiness, SourceKey};

/// The one errand that a handle can have at a time, and what tells that it is done.
#[derive(Debug)]
pub(crate) struct Errand<T> {
    source: SourceKey,
    readiness: Arc<Readiness>,
    door: Arc<Door>,
    progress: Arc<Mutex<Progress<T>>>,
}

/// How far an errand is.
#[derive(Debug)]
enum Progress<T> {
    /// There is none.
    None,
    /// It is under way.
    Sent,
    /// It is done.
    Done(T),
    /// The thread has died of it.
    Lost,
}

/// What is to be done with a handle that has an errand, or has none.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Brought<T> {
    /// It may send one.
    Nothing,
    /// To wait for it.
    NotYet,
    /// It is done, and forgotten.
    Result(T),
    /// It was lost by an error of the host's own, and is forgotten.
    Lost,
}

impl<T: Send + 'static> Errand<T> {
    /// For a handle of an instance.
    pub(crate) fn new(kernel: &mut Kernel, owner: InstanceKey) -> Self {
        let (source, readiness) = kernel.add_source(owner);
        Self {
            source,
            readiness,
            door: kernel.door(),
            progress: Arc::new(Mutex::new(Progress::None)),
        }
    }

    /// What a task waits for until it is done.
    pub(crate) fn source(&self) -> SourceKey {
        self.source
    }

    /// Has something done. What was sent before must have been brought back: its result is lost otherwise.
    ///
    /// # Panics
    /// If it is called outside of the background threads' runtime.
    pub(crate) fn send(&self, work: impl FnOnce() -> T + Send + 'static) {
        let finish = Finish {
            progress: self.progress.clone(),
            door: self.door.clone(),
            source: self.source,
        };
        self.readiness.clear(Direction::Read);
        *lock(&self.progress) = Progress::Sent;
        spawn_blocking(move || {
            let result = work();
            *lock(&finish.progress) = Progress::Done(result);
        });
    }

    /// Asks for the result.
    pub(crate) fn bring(&self) -> Brought<T> {
        let mut progress = lock(&self.progress);
        match mem::replace(&mut *progress, Progress::None) {
            Progress::None => Brought::Nothing,
            Progress::Sent => {
                *progress = Progress::Sent;
                Brought::NotYet
            }
            Progress::Done(result) => Brought::Result(result),
            Progress::Lost => Brought::Lost,
        }
    }

    /// Says that nobody will come back for it. To be called when the handle is dropped.
    pub(crate) fn close(&self, kernel: &mut Kernel) {
        kernel.remove_source(self.source);
    }
}

/// Tells of an errand's end, whatever that is.
struct Finish<T> {
    progress: Arc<Mutex<Progress<T>>>,
    door: Arc<Door>,
    source: SourceKey,
}

impl<T> Drop for Finish<T> {
    fn drop(&mut self) {
        let mut progress = lock(&self.progress);
        if matches!(*progress, Progress::Sent) {
            *progress = Progress::Lost;
        }
        drop(progress);
        self.door.send(Message::Ready(self.source));
    }
}

fn lock<T>(progress: &Mutex<Progress<T>>) -> std::sync::MutexGuard<'_, Progress<T>> {
    progress.lock().unwrap_or_else(PoisonError::into_inner)
}
