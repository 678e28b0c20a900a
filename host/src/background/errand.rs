//! Errands: what a guest's handle has done on another thread.
//!
//! A handle tries first, as with a socket: it sends its errand, and says that it would block. Its task waits for the
//! handle's source, and tries again: then the result is there. An errand that nobody comes back for goes on to its
//! end; its result stays with the handle.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Lane, Place};
use crate::kernel::{Direction, Door, InstanceKey, Kernel, Message, Readiness, SourceKey};

/// The one errand that a handle can have at a time, and what tells that it is done.
#[derive(Debug)]
pub(crate) struct Errand<T> {
    source: SourceKey,
    readiness: Arc<Readiness>,
    door: Arc<Door>,
    progress: Arc<Mutex<Progress<T>>>,
    lane: Lane,
    /// Its place in the lane. If that goes before its turn, it is not done at all.
    place: Mutex<Option<Place>>,
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
    /// For a handle of an instance, whose errands take their turn in a lane.
    pub(crate) fn new(kernel: &mut Kernel, owner: InstanceKey, lane: &Lane) -> Self {
        let (source, readiness) = kernel.add_source(owner);
        Self {
            source,
            readiness,
            door: kernel.door(),
            progress: Arc::new(Mutex::new(Progress::None)),
            lane: lane.clone(),
            place: Mutex::new(None),
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
        let work = move || {
            let result = work();
            *lock(&finish.progress) = Progress::Done(result);
        };
        *lock(&self.place) = Some(self.lane.enter(Box::new(work)));
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

    /// Whether there is none: nothing is under way, and no result waits.
    pub(crate) fn is_idle(&self) -> bool {
        matches!(*lock(&self.progress), Progress::None)
    }

    /// Whether it is under way.
    pub(crate) fn is_under_way(&self) -> bool {
        matches!(*lock(&self.progress), Progress::Sent)
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;
    use crate::background::Background;
    use crate::kernel::{Caller, MonotonicClock, Outcome, TrapKey};
    use crate::limits::Limits;
    use crate::selector::MioSelector;

    struct Test {
        kernel: Kernel,
        owner: InstanceKey,
        by: Caller,
        background: Background,
    }

    fn test() -> Test {
        let selector = Box::new(MioSelector::new().unwrap());
        let mut kernel = Kernel::new(selector, Box::new(MonotonicClock::new()));
        let owner = kernel.add_instance(Limits::default());
        assert_eq!(kernel.next_instance(), Some(owner));
        let task = kernel.instance(owner).spawn(None, 0, false).unwrap();
        Test {
            kernel,
            owner,
            by: Caller { task, cookie: 1 },
            background: Background::start().unwrap(),
        }
    }

    impl Test {
        fn wait<T: Send + 'static>(&mut self, errand: &Errand<T>) -> TrapKey {
            let (owner, by) = (self.owner, self.by);
            let source = errand.source();
            let waits = self
                .kernel
                .wait_for_source(owner, by, source, Direction::Read);
            waits.unwrap()
        }

        /// Gives what comes of its waiting. The kernel's thread sleeps meanwhile.
        fn outcome(&mut self) -> Outcome {
            loop {
                let never = crate::kernel::Instant::from_nanos(u64::MAX);
                match self.kernel.poll_wait(self.owner, 0, never) {
                    std::task::Poll::Ready(pass) => return pass.resumptions[0].outcome,
                    std::task::Poll::Pending => {
                        self.kernel.select(true).unwrap();
                        self.kernel.next_instance();
                    }
                }
            }
        }
    }

    #[test]
    fn who_waits_is_told_when_it_is_done() {
        let mut test = test();
        let runtime = test.background.handle();
        let _entered = runtime.enter();
        let errand = Errand::new(&mut test.kernel, test.owner, &Lane::new(1));
        assert_eq!(errand.bring(), Brought::Nothing);
        for n in 0..3 {
            let (go, gate) = mpsc::channel::<()>();
            errand.send(move || {
                gate.recv().unwrap();
                n
            });
            assert_eq!(errand.bring(), Brought::NotYet);
            test.wait(&errand);
            go.send(()).unwrap();
            assert_eq!(test.outcome(), Outcome::Done(0));
            assert_eq!(errand.bring(), Brought::Result(n));
            assert_eq!(errand.bring(), Brought::Nothing);
        }
    }

    #[test]
    fn a_result_that_nobody_waited_for_stays() {
        let mut test = test();
        let runtime = test.background.handle();
        let _entered = runtime.enter();
        let errand = Errand::new(&mut test.kernel, test.owner, &Lane::new(1));
        errand.send(|| 7);
        test.wait(&errand);
        assert_eq!(test.outcome(), Outcome::Done(0));
        // As if that task had given up.
        test.wait(&errand);
        assert_eq!(
            test.outcome(),
            Outcome::Done(0),
            "it need not be waited for again"
        );
        assert_eq!(errand.bring(), Brought::Result(7));
    }

    #[test]
    fn a_panic_is_told_as_a_loss() {
        let mut test = test();
        let runtime = test.background.handle();
        let _entered = runtime.enter();
        let lane = Lane::new(1);
        let errand = Errand::new(&mut test.kernel, test.owner, &lane);
        for _ in 0..2 {
            errand.send(|| -> u32 { std::panic::resume_unwind(Box::new(())) });
            test.wait(&errand);
            assert_eq!(test.outcome(), Outcome::Done(0));
            assert_eq!(errand.bring(), Brought::Lost);
            assert_eq!(errand.bring(), Brought::Nothing);
        }
    }

    #[test]
    fn who_waits_for_a_handle_that_is_closed_is_told() {
        let mut test = test();
        let runtime = test.background.handle();
        let _entered = runtime.enter();
        let errand = Errand::new(&mut test.kernel, test.owner, &Lane::new(1));
        let (go, gate) = mpsc::channel::<()>();
        let (done, is_done) = mpsc::channel();
        errand.send(move || {
            gate.recv().unwrap();
            done.send(()).unwrap();
        });
        test.wait(&errand);
        errand.close(&mut test.kernel);
        drop(errand);
        assert_eq!(test.outcome(), Outcome::Closed);
        // It goes on to its end, and what it says then is for nobody.
        go.send(()).unwrap();
        is_done.recv_timeout(Duration::from_secs(20)).unwrap();
    }

    #[test]
    fn what_is_dropped_in_line_is_never_done() {
        let mut test = test();
        let runtime = test.background.handle();
        let _entered = runtime.enter();
        let lane = Lane::new(64);
        let (go, gate) = mpsc::channel::<()>();
        let gate = Arc::new(Mutex::new(gate));
        let errands: Vec<_> = (0..100)
            .map(|n| {
                let errand = Errand::new(&mut test.kernel, test.owner, &lane);
                let gate = gate.clone();
                errand.send(move || {
                    // Only those that are kept are let through.
                    if n < 64 {
                        gate.lock().unwrap().recv().unwrap();
                    } else {
                        assert_eq!(n, 99, "it was dropped");
                    }
                });
                errand
            })
            .collect();
        let mut errands = errands.into_iter();
        let kept: Vec<_> = errands.by_ref().take(64).collect();
        let last = errands.next_back().unwrap();
        drop(errands);
        for _ in &kept {
            go.send(()).unwrap();
        }
        for errand in kept.iter().chain([&last]) {
            test.wait(errand);
            assert_eq!(test.outcome(), Outcome::Done(0));
            assert_eq!(errand.bring(), Brought::Result(()));
        }
    }
}
