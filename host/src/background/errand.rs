//! Errands: what a guest's handle has done on another thread.
//!
//! A handle tries first, as with a socket: it sends its errand, and says that it would block. Its task waits for the
//! handle's source, and tries again: then the result is there. An errand that nobody comes back for goes on to its
//! end; its result stays with the handle.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::spawn_blocking;

use super::{Lane, Place};
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
        spawn_blocking(self.begin(work));
    }

    /// As [`Errand::send`], when it is its turn in a lane. It must keep its place until it is done.
    ///
    /// # Panics
    /// As [`Errand::send`].
    pub(crate) fn send_by(&self, lane: &Lane, work: impl FnOnce() -> T + Send + 'static) -> Place {
        lane.enter(Box::new(self.begin(work)))
    }

    /// Notes that it is sent, and gives what is to be done on another thread. If that is dropped instead,
    /// it is lost.
    fn begin(&self, work: impl FnOnce() -> T + Send + 'static) -> impl FnOnce() + Send + 'static {
        let finish = Finish {
            progress: self.progress.clone(),
            door: self.door.clone(),
            source: self.source,
        };
        self.readiness.clear(Direction::Read);
        *lock(&self.progress) = Progress::Sent;
        move || {
            let result = work();
            *lock(&finish.progress) = Progress::Done(result);
        }
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;
    use crate::background::Background;
    use crate::kernel::{Kernel, MonotonicClock};
    use crate::limits::Limits;
    use crate::selector::MioSelector;

    /// A kernel, and a handle of its one instance.
    fn errand() -> (Kernel, Errand<u32>) {
        let selector = MioSelector::new().unwrap();
        let mut kernel = Kernel::new(Box::new(selector), Box::new(MonotonicClock::new()));
        let owner = kernel.add_instance(Limits::default());
        let errand = Errand::new(&mut kernel, owner);
        (kernel, errand)
    }

    /// Lets the kernel wait until it knows that the errand is done.
    fn wait(kernel: &mut Kernel, errand: &Errand<u32>) {
        while !errand.readiness.get(Direction::Read) {
            kernel.select(true).unwrap();
        }
    }

    #[test]
    fn a_result_is_brought_once() {
        let background = Background::start().unwrap();
        let runtime = background.handle();
        let _entered = runtime.enter();
        let (mut kernel, errand) = errand();
        assert_eq!(errand.bring(), Brought::Nothing);
        for number in 0..3 {
            let (let_go, wait_for) = channel::<()>();
            errand.send(move || {
                wait_for.recv().unwrap_err();
                number
            });
            assert_eq!(errand.bring(), Brought::NotYet);
            assert!(!errand.readiness.get(Direction::Read));
            drop(let_go);
            wait(&mut kernel, &errand);
            assert_eq!(errand.bring(), Brought::Result(number));
            assert_eq!(errand.bring(), Brought::Nothing);
        }
    }

    #[test]
    fn one_that_goes_wrong_is_lost_and_told() {
        let background = Background::start().unwrap();
        let runtime = background.handle();
        let _entered = runtime.enter();
        let (mut kernel, errand) = errand();
        errand.send(|| std::panic::resume_unwind(Box::new(())));
        wait(&mut kernel, &errand);
        assert_eq!(errand.bring(), Brought::Lost);
        // One that never began.
        drop(errand.begin(|| 1));
        wait(&mut kernel, &errand);
        assert_eq!(errand.bring(), Brought::Lost);
        errand.send(|| 2);
        wait(&mut kernel, &errand);
        assert_eq!(errand.bring(), Brought::Result(2));
    }

    #[test]
    fn a_handle_may_go_before_its_errand() {
        let background = Background::start().unwrap();
        let runtime = background.handle();
        let _entered = runtime.enter();
        let (mut kernel, errand) = errand();
        let (let_go, wait_for) = channel::<()>();
        errand.send(move || {
            wait_for.recv().unwrap_err();
            1
        });
        errand.close(&mut kernel);
        let progress = errand.progress.clone();
        drop(errand);
        drop(let_go);
        while !matches!(*lock(&progress), Progress::Done(1)) {
            std::thread::yield_now();
        }
        // What it says then is about nothing that the kernel knows.
        kernel.select(false).unwrap();
    }
}
