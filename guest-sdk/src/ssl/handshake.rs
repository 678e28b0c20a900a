//! The handshake of a connection: made once, by whichever task comes first.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use crate::bindings::tls as kernel;
use crate::error::Result;
use crate::sync::Lock;
use crate::time::ignore_after;
use crate::traps::wait_for;

/// A connection that has a handshake to make, or has made it.
pub(super) struct Handshake {
    handle: kernel::TlsStream,
    done: Cell<bool>,
    /// Who makes it has this.
    turn: Lock,
    timeout: Option<Duration>,
}

impl Handshake {
    pub(super) fn new(handle: kernel::TlsStream, timeout: Option<Duration>) -> Self {
        Self {
            handle,
            done: Cell::new(false),
            turn: Lock::new(),
            timeout,
        }
    }

    pub(super) fn handle(&self) -> &kernel::TlsStream {
        &self.handle
    }

    pub(super) fn is_done(&self) -> bool {
        self.done.get()
    }

    /// Makes it, or waits until another task has.
    pub(super) async fn make(&self) -> Result<()> {
        let _turn = self.turn.lock().await?;
        if self.done.get() {
            return Ok(());
        }
        if ignore_after(self.timeout, self.advance()).await?.is_none() {
            let time = self.timeout.unwrap_or_default();
            let text = format!("the TLS handshake took longer than {time:?}");
            return Err(io::Error::new(io::ErrorKind::TimedOut, text).into());
        }
        self.done.set(true);
        Ok(())
    }

    async fn advance(&self) -> Result<()> {
        loop {
            match self.handle.handshake()? {
                kernel::HandshakeProgress::Done => return Ok(()),
                kernel::HandshakeProgress::WantsRead => {
                    wait_for(|by| self.handle.read_wait(by)).await?;
                }
                kernel::HandshakeProgress::WantsWrite => {
                    wait_for(|by| self.handle.write_wait(by)).await?;
                }
            }
        }
    }
}

/// A future that nobody in particular has.
type Polled = Pin<Box<dyn Future<Output = Result<()>>>>;

/// One future for all who poll for the same thing, in whatever direction: whoever polls takes it further, and each is
/// woken when there is something new, even if the one that polled last does not come back.
#[derive(Default)]
pub(super) struct Shared {
    future: RefCell<Option<Polled>>,
    pollers: Arc<Pollers>,
}

#[derive(Default)]
struct Pollers(Mutex<Vec<Waker>>);

impl Pollers {
    fn add(&self, waker: &Waker) {
        let mut wakers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !wakers.iter().any(|known| known.will_wake(waker)) {
            wakers.push(waker.clone());
        }
    }

    fn wake_all(&self) {
        let mut wakers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let woken = std::mem::take(&mut *wakers);
        drop(wakers);
        woken.into_iter().for_each(Waker::wake);
    }
}

impl Wake for Pollers {
    fn wake(self: Arc<Self>) {
        self.wake_all();
    }
}

impl Shared {
    /// Polls the future, which is made if there is none.
    pub(super) fn poll<F: Future<Output = Result<()>> + 'static>(
        &self,
        cx: &Context<'_>,
        make: impl FnOnce() -> F,
    ) -> Poll<Result<()>> {
        let taken = self.future.take();
        let mut future = taken.unwrap_or_else(|| Box::pin(make()));
        self.pollers.add(cx.waker());
        let waker = Waker::from(self.pollers.clone());
        let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
        if polled.is_pending() {
            self.future.replace(Some(future));
        } else {
            self.pollers.wake_all();
        }
        polled
    }

    /// Drops the future. Those who poll for it begin anew.
    pub(super) fn give_up(&self) {
        if let Some(future) = self.future.take() {
            drop(future);
            self.pollers.wake_all();
        }
    }
}
