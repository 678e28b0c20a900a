//! The reaper: a thread that drops what takes long to drop, such as gigabytes of memory or thousands of descriptors.

use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};

/// Something to drop, and what to do afterwards.
type Job = Box<dyn FnOnce() + Send>;

/// Has another thread do something that ends something. If the system gives no thread, it is done here.
pub(crate) fn reap(job: impl FnOnce() + Send + 'static) {
    static REAPER: OnceLock<Option<Sender<Job>>> = OnceLock::new();
    let job: Job = Box::new(job);
    match REAPER.get_or_init(start) {
        Some(reaper) => {
            if let Err(unsent) = reaper.send(job) {
                (unsent.0)();
            }
        }
        None => job(),
    }
}

#[expect(clippy::disallowed_methods, reason = "the reaper's thread")]
fn start() -> Option<Sender<Job>> {
    let (sender, jobs) = channel::<Job>();
    let thread = std::thread::Builder::new().name("curio-reaper".to_owned());
    let started = thread.spawn(move || jobs.into_iter().for_each(|job| job()));
    started.is_ok().then_some(sender)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_done_in_order_on_another_thread() {
        let (sender, receiver) = channel();
        let here = std::thread::current().id();
        for n in 0..100 {
            let sender = sender.clone();
            reap(move || {
                assert_ne!(std::thread::current().id(), here);
                sender.send(n).unwrap();
            });
        }
        drop(sender);
        assert!(receiver.into_iter().eq(0..100));
    }
}
