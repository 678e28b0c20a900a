//! Closing of descriptors that may block, on a thread of its own.
//!
//! `close` of a TCP socket with `SO_LINGER` waits until the peer has received everything, even in non-blocking mode.
//! A process that shares the open file description can set that option at any moment. The same goes for a
//! descriptor that lies unreceived in a Unix socket: it is closed by the thread that closes that socket, or that receives
//! without taking it. So the kernel's thread closes no such descriptor.
//!
//! The option is switched off before the close. A thread is held up only if another process sets it again, and gives up
//! its own descriptor, between the two system calls; then it is the thread of that process's own counterpart, an instance.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::net::sockopt;

/// How many threads may close descriptors, in the whole process.
const MAX_THREADS: usize = 64;

/// How many descriptors may wait to be closed, whatever the reason.
const MAX_WAITING: usize = 4096;

/// How many descriptors may wait while one takes longer than [`SLOW`].
const MAX_WAITING_IF_SLOW: usize = 256;

/// How long a close takes at the most if nothing holds it up.
const SLOW: Duration = Duration::from_millis(200);

/// How long the thread waits for more before it ends.
const IDLE: Duration = Duration::from_millis(500);

/// The threads there are.
static THREADS: AtomicUsize = AtomicUsize::new(0);

/// Closes descriptors in the background, one by one. Cheap to clone; clones share one thread, which is started when it
/// is first needed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Closer(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    more: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<OwnedFd>,
    has_thread: bool,
    /// When the thread began with the descriptor that it is closing.
    closing_since: Option<Instant>,
}

impl Closer {
    /// Closes a descriptor in the background.
    pub(crate) fn close(&self, fd: impl Into<OwnedFd>) {
        let mut state = self.0.state();
        state.waiting.push_back(fd.into());
        self.wake(state);
    }

    /// Whether so many descriptors wait to be closed that the instance should get no more of them.
    pub(crate) fn is_overloaded(&self) -> bool {
        let state = self.0.state();
        let waiting = state.waiting.len();
        if waiting < MAX_WAITING_IF_SLOW {
            return false;
        }
        let is_slow = match state.closing_since {
            Some(since) => since.elapsed() > SLOW,
            None => !state.has_thread,
        };
        self.wake(state);
        is_slow || waiting >= MAX_WAITING
    }

    /// Wakes the thread, or starts it. If there can't be one now, the next call tries again.
    fn wake(&self, mut state: MutexGuard<'_, State>) {
        if state.has_thread {
            drop(state);
            self.0.more.notify_one();
            return;
        }
        let free = |threads| (threads < MAX_THREADS).then_some(threads + 1);
        let counted = THREADS.fetch_update(Ordering::Relaxed, Ordering::Relaxed, free);
        if counted.is_err() {
            return;
        }
        let shared = self.0.clone();
        #[expect(
            clippy::disallowed_methods,
            reason = "the thread that closes descriptors"
        )]
        let started = std::thread::Builder::new()
            .name("curio-closer".to_owned())
            .spawn(move || shared.close_all());
        match started {
            Ok(_) => state.has_thread = true,
            Err(error) => {
                THREADS.fetch_sub(1, Ordering::Relaxed);
                tracing::debug!("no thread to close descriptors: {error}");
            }
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes what waits, until nothing came for a while.
    fn close_all(&self) {
        let mut state = self.state();
        loop {
            let Some(fd) = state.waiting.pop_front() else {
                let waited = self.more.wait_timeout(state, IDLE);
                let (woken, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
                state = woken;
                if timeout.timed_out() && state.waiting.is_empty() {
                    break;
                }
                continue;
            };
            state.closing_since = Some(now());
            drop(state);
            close_without_lingering(fd);
            state = self.state();
            state.closing_since = None;
        }
        state.has_thread = false;
        THREADS.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let state = self.state.get_mut();
        let state = state.unwrap_or_else(PoisonError::into_inner);
        // There was no thread to be had. The process closes them when it ends, which never waits.
        state.waiting.drain(..).for_each(std::mem::forget);
    }
}

/// Closes a descriptor. A linger time of zero stays: it resets the connection, and does not wait.
fn close_without_lingering(fd: OwnedFd) {
    if let Ok(Some(time)) = sockopt::socket_linger(&fd)
        && !time.is_zero()
    {
        let _ = sockopt::set_socket_linger(&fd, None);
    }
    drop(fd);
}

#[expect(
    clippy::disallowed_methods,
    reason = "the thread is not the kernel's, and the kernel's clock is not at hand"
)]
fn now() -> Instant {
    Instant::now()
}

/// A descriptor that is closed in the background when it is dropped.
#[derive(Debug)]
pub(crate) struct ClosedLater {
    /// Nothing once it is dropped.
    fd: Option<OwnedFd>,
    closer: Closer,
}

impl ClosedLater {
    /// Has a descriptor closed by `closer` when it is dropped.
    pub(crate) fn new(fd: OwnedFd, closer: Closer) -> Self {
        let fd = Some(fd);
        Self { fd, closer }
    }
}

impl AsFd for ClosedLater {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_ref().expect("it is taken by drop alone").as_fd()
    }
}

impl Drop for ClosedLater {
    fn drop(&mut self) {
        if let Some(fd) = self.fd.take() {
            self.closer.close(fd);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    use super::*;

    /// A connection whose peer reads nothing, and that has more to send than the system takes.
    #[expect(clippy::disallowed_methods, reason = "the test is its own peer")]
    fn full() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        client.set_nonblocking(true).unwrap();
        while client.write(&[0; 16_000]).is_ok() {}
        (client, server)
    }

    #[test]
    fn lingering_sockets_are_closed_soon() {
        let closer = Closer::default();
        let (servers, clients): (Vec<_>, Vec<_>) = (0..20)
            .map(|_| {
                let (client, server) = full();
                sockopt::set_socket_linger(&client, Some(Duration::from_mins(1000))).unwrap();
                (server, client)
            })
            .unzip();
        for client in clients {
            closer.close(client);
        }
        // What was sent still comes, and its end.
        for mut server in servers {
            let patience = Some(Duration::from_secs(30));
            server.set_read_timeout(patience).unwrap();
            server.read_to_end(&mut Vec::new()).unwrap();
        }
        assert!(!closer.is_overloaded());
    }

    #[test]
    fn zero_linger_time_still_resets() {
        let closer = Closer::default();
        let (client, mut server) = full();
        sockopt::set_socket_linger(&client, Some(Duration::ZERO)).unwrap();
        drop(ClosedLater::new(client.into(), closer));
        let patience = Some(Duration::from_secs(30));
        server.set_read_timeout(patience).unwrap();
        let error = server.read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    }

    #[test]
    fn waiting_descriptors_overload_a_closer_that_is_held_up() {
        let closer = Closer::default();
        // As if its thread had been held up for long.
        let mut state = closer.0.state();
        state.has_thread = true;
        state.closing_since = now().checked_sub(SLOW * 2);
        drop(state);
        for count in 0..MAX_WAITING_IF_SLOW {
            assert!(!closer.is_overloaded(), "{count}");
            let (one, _other) = std::io::pipe().unwrap();
            closer.close(one);
        }
        assert!(closer.is_overloaded());
        closer.0.state().closing_since = Some(now());
        assert!(!closer.is_overloaded());
    }
}
