//! A server as a thing of its own, which can be closed from elsewhere.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::rc::Rc;

use super::Endpoint;
use super::server::{Listener, ServerOptions, serve_until};
use crate::error::{Error, Result};
use crate::socket::{Address, Socket};
use crate::sync::Event;

/// A server that listens, and serves its connections while [`Server::serve_forever`] runs.
///
/// ```no_run
/// use std::rc::Rc;
///
/// use curio::{create_server, spawn};
///
/// # async fn example() -> curio::Result<()> {
/// let server = create_server(("localhost", 0), async |client, _peer| {
///     client.send_all(b"hello\n").await
/// });
/// let server = Rc::new(server.await?);
/// if let Some(socket) = server.socket() {
///     println!("listening on {}", socket.local_address()?);
/// }
/// let runs = server.clone();
/// let task = spawn(async move { runs.serve_forever().await });
/// server.cancel().await?;
/// task.join().await?;
/// # Ok(())
/// # }
/// ```
pub struct Server<H, L = Socket> {
    listener: RefCell<Option<Rc<L>>>,
    handler: Rc<H>,
    /// Where the program has made it.
    place: &'static Location<'static>,
    phase: Cell<Phase>,
    closing: Event,
    closed: Event,
}

/// How far a server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Listening,
    Serving,
    Closed,
}

/// Makes a server, which listens from now on: see [`tcp_server`](super::tcp_server).
///
/// # Errors
/// If the socket can't be made.
///
/// # Cancellation
/// Nothing listens.
#[track_caller]
pub fn create_server<H>(
    address: impl Into<Endpoint>,
    handler: H,
) -> impl Future<Output = Result<Server<H>>>
where
    H: AsyncFn(Socket, Address) -> Result<()> + 'static,
{
    ServerOptions::new().create(address, handler)
}

impl ServerOptions {
    /// Makes a server: see [`create_server`].
    ///
    /// # Errors
    /// As [`create_server`]; [`Error::InvalidArgument`] if the address is of another family than was set.
    ///
    /// # Cancellation
    /// As [`create_server`].
    #[track_caller]
    pub fn create<H>(
        self,
        address: impl Into<Endpoint>,
        handler: H,
    ) -> impl Future<Output = Result<Server<H>>>
    where
        H: AsyncFn(Socket, Address) -> Result<()> + 'static,
    {
        let place = Location::caller();
        let endpoint = address.into();
        async move {
            let socket = self.socket_at(&endpoint).await?;
            Ok(Server::at(place, socket, handler))
        }
    }
}

impl<H, L> Server<H, L>
where
    L: Listener,
    H: AsyncFn(L::Connection, L::Address) -> Result<()> + 'static,
{
    /// A server on a socket that listens already, of whatever kind.
    #[track_caller]
    pub fn new(listener: L, handler: H) -> Self {
        Self::at(Location::caller(), listener, handler)
    }

    fn at(place: &'static Location<'static>, listener: L, handler: H) -> Self {
        Self {
            listener: RefCell::new(Some(Rc::new(listener))),
            handler: Rc::new(handler),
            place,
            phase: Cell::new(Phase::Listening),
            closing: Event::new(),
            closed: Event::new(),
        }
    }

    /// The socket that listens; none, once the server is closed. While somebody has it, it goes on listening.
    #[doc(alias = "sockets")]
    pub fn socket(&self) -> Option<Rc<L>> {
        self.listener.borrow().clone()
    }

    /// Serves connections until the server is closed. To be called once.
    ///
    /// # Errors
    /// If the socket fails for good. The handlers are cancelled then. [`Error::InvalidState`] if it was called before,
    /// or the server was closed. A handler's error ends its connection, and is logged with the place where the
    /// server was made.
    ///
    /// # Cancellation
    /// The server is closed, as by [`Server::cancel`].
    pub async fn serve_forever(&self) -> Result<()> {
        let listener = self.socket();
        let listener = match (self.phase.get(), listener) {
            (Phase::Listening, Some(listener)) => listener,
            (Phase::Serving, _) => {
                return Err(Error::InvalidState("the server serves already".to_owned()));
            }
            _ => return Err(Error::InvalidState("the server was closed".to_owned())),
        };
        self.phase.set(Phase::Serving);
        let _serving = Serving(self);
        let stop = async {
            let told = self.closing.wait().await;
            // Nothing but this and the loop has it.
            self.listener.take();
            told
        };
        serve_until(stop, Shared(listener), self.handler.clone(), self.place).await
    }

    /// Closes the server: nothing is accepted any more, and the handlers are cancelled. Never blocks, so that
    /// they may still clean up when this returns.
    pub fn close(&self) {
        self.listener.take();
        match self.phase.get() {
            Phase::Serving => self.closing.set(),
            Phase::Listening | Phase::Closed => self.phase.set(Phase::Closed),
        }
    }

    /// Closes the server, and waits until all handlers have ended.
    ///
    /// A handler must not do that: it would wait for itself. It may [`close`](Server::close) its server.
    ///
    /// # Cancellation
    /// The server closes all the same.
    pub async fn cancel(&self) -> Result<()> {
        self.close();
        match self.phase.get() {
            Phase::Serving => self.closed.wait().await,
            Phase::Listening | Phase::Closed => Ok(()),
        }
    }
}

/// What is left of a server when it does not serve any more, however that came.
struct Serving<'a, H, L>(&'a Server<H, L>);

impl<H, L> Drop for Serving<'_, H, L> {
    fn drop(&mut self) {
        self.0.listener.take();
        self.0.phase.set(Phase::Closed);
        self.0.closed.set();
    }
}

/// A listener that others may ask for its address meanwhile.
struct Shared<L>(Rc<L>);

impl<L: Listener> Listener for Shared<L> {
    type Connection = L::Connection;
    type Address = L::Address;

    fn accept(&self) -> impl Future<Output = Result<(L::Connection, L::Address)>> {
        self.0.accept()
    }
}

impl<H, L: fmt::Debug> fmt::Debug for Server<H, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("listener", &self.listener.borrow())
            .field("phase", &self.phase.get())
            .finish_non_exhaustive()
    }
}
