//! Servers: each connection is served by a task of its own.

use std::convert::Infallible;
use std::future::{Future, pending, poll_fn};
use std::panic::Location;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use super::Endpoint;
use crate::bindings::log;
use crate::error::{Error, Result};
use crate::names::IpFamily;
use crate::runtime::short;
use crate::socket::{Address, BACKLOG, Socket, SocketOption};
use crate::task::{TaskGroup, TaskOptions, Wait, task_group};
use crate::time::sleep;

/// How long a server that can't take another connection waits before it tries again.
const BREATHER: Duration = Duration::from_millis(50);

/// Something that connections can be accepted from: a socket that listens.
pub trait Listener {
    /// A connection. Dropping it closes it.
    type Connection: 'static;
    /// Where it comes from.
    type Address: 'static;

    /// Accepts a connection.
    ///
    /// # Cancellation
    /// No connection is lost.
    fn accept(&self) -> impl Future<Output = Result<(Self::Connection, Self::Address)>>;
}

impl Listener for Socket {
    type Connection = Self;
    type Address = Address;

    fn accept(&self) -> impl Future<Output = Result<(Self, Address)>> {
        Socket::accept(self)
    }
}

/// Makes a socket that listens at an address. Never blocks.
///
/// # Errors
/// As [`Socket::bind`] and [`Socket::listen`].
pub fn tcp_server_socket(address: impl Into<Address>) -> Result<Socket> {
    ServerOptions::new().socket(address)
}

/// Serves connections at an address, each by a task of its own that runs `handler`, until it is cancelled.
///
/// A host may be given by name: `localhost` is `127.0.0.1`, the empty name is every address, others are looked up. Of a
/// name with several addresses, the first one of IPv4 is taken: see [`ServerOptions::family`].
///
/// ```no_run
/// #[curio::main]
/// async fn main() -> curio::Result<()> {
///     curio::tcp_server(("localhost", 25000), async |client, _peer| {
///         loop {
///             let data = client.recv(100_000).await?;
///             if data.is_empty() {
///                 return Ok(());
///             }
///             client.send_all(&data).await?;
///         }
///     })
///     .await?;
///     Ok(())
/// }
/// ```
///
/// # Errors
/// If the socket can't be made, or fails for good. The handlers are cancelled then.
/// A handler's error ends its connection, and is logged with the place of this call.
///
/// # Cancellation
/// The socket is closed, and the handlers are cancelled and waited for.
#[track_caller]
pub fn tcp_server<H>(
    address: impl Into<Endpoint>,
    handler: H,
) -> impl Future<Output = Result<Infallible>>
where
    H: AsyncFn(Socket, Address) -> Result<()> + 'static,
{
    ServerOptions::new().serve(address, handler)
}

/// As [`tcp_server`], on a socket that listens already, of whatever kind.
///
/// # Errors
/// As [`tcp_server`].
///
/// # Cancellation
/// As [`tcp_server`].
#[track_caller]
pub fn run_server<L, H>(listener: L, handler: H) -> impl Future<Output = Result<Infallible>>
where
    L: Listener,
    H: AsyncFn(L::Connection, L::Address) -> Result<()> + 'static,
{
    serve_until(pending(), listener, Rc::new(handler), Location::caller())
}

/// How a server's socket is made.
///
/// ```no_run
/// use curio::network::ServerOptions;
///
/// # async fn example() -> curio::Result<()> {
/// let options = ServerOptions::new().backlog(1000).reuse_port(true);
/// options.serve(("", 25000), async |client, _peer| client.send_all(b"hello\n").await).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ServerOptions {
    family: Option<IpFamily>,
    backlog: u32,
    reuse_address: bool,
    reuse_port: bool,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            family: None,
            backlog: BACKLOG,
            reuse_address: true,
            reuse_port: false,
        }
    }
}

impl ServerOptions {
    /// The options that [`tcp_server`] uses.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets which addresses of a name are meant; IPv4, unless it is set.
    #[must_use]
    pub fn family(mut self, family: IpFamily) -> Self {
        self.family = Some(family);
        self
    }

    /// Sets how many connections may wait to be accepted; 128, unless it is set.
    #[must_use]
    pub fn backlog(mut self, backlog: u32) -> Self {
        self.backlog = backlog;
        self
    }

    /// Sets whether an address may be taken whose last owner's connections are not all forgotten. So it is,
    /// unless it is set.
    #[doc(alias = "SO_REUSEADDR")]
    #[must_use]
    pub fn reuse_address(mut self, reuse: bool) -> Self {
        self.reuse_address = reuse;
        self
    }

    /// Sets whether several sockets may listen at the same address, and share its connections. They may not,
    /// unless it is set for all of them.
    #[doc(alias = "SO_REUSEPORT")]
    #[must_use]
    pub fn reuse_port(mut self, reuse: bool) -> Self {
        self.reuse_port = reuse;
        self
    }

    /// Makes a socket that listens at an address: see [`tcp_server_socket`]. Never blocks.
    ///
    /// # Errors
    /// As [`tcp_server_socket`].
    pub fn socket(&self, address: impl Into<Address>) -> Result<Socket> {
        let address = address.into();
        let socket = Socket::stream_for(&address)?;
        if address.ip().is_some() {
            socket.set_option(SocketOption::ReuseAddress(self.reuse_address))?;
            if self.reuse_port {
                socket.set_option(SocketOption::ReusePort(true))?;
            }
        }
        socket.bind(address)?;
        socket.listen(self.backlog)?;
        Ok(socket)
    }

    /// As [`ServerOptions::socket`], for a host that may be given by name.
    pub(super) async fn socket_at(&self, endpoint: &Endpoint) -> Result<Socket> {
        self.socket(endpoint.local(self.family).await?)
    }

    /// Serves connections: see [`tcp_server`].
    ///
    /// # Errors
    /// As [`tcp_server`]; [`Error::InvalidArgument`] if the address is of another family than was set.
    ///
    /// # Cancellation
    /// As [`tcp_server`].
    #[track_caller]
    pub fn serve<H>(
        self,
        address: impl Into<Endpoint>,
        handler: H,
    ) -> impl Future<Output = Result<Infallible>>
    where
        H: AsyncFn(Socket, Address) -> Result<()> + 'static,
    {
        let place = Location::caller();
        let endpoint = address.into();
        async move {
            let socket = self.socket_at(&endpoint).await?;
            serve_until(pending(), socket, Rc::new(handler), place).await
        }
    }
}

/// Serves connections until `stop` is done or the listener fails for good. Then the listener is closed, and the
/// handlers are cancelled and waited for. `place` is where the program has started the server.
pub(super) async fn serve_until<L, H, T>(
    stop: impl Future<Output = Result<T>>,
    listener: L,
    handler: Rc<H>,
    place: &'static Location<'static>,
) -> Result<T>
where
    L: Listener,
    H: AsyncFn(L::Connection, L::Address) -> Result<()> + 'static,
{
    let options = TaskOptions::new()
        .name(short(std::any::type_name::<H>()))
        .daemon(true)
        .spawned_at(place);
    // Nobody waits for daemons: they are cancelled when the block is left.
    task_group(Wait::All, async move |group: TaskGroup<()>| {
        let stop = pin!(stop);
        accept_until(stop, &listener, |client, peer| {
            let handler = handler.clone();
            let serving = async move { handler(client, peer).await };
            group.spawn_with(options.clone(), serving);
        })
        .await
    })
    .await
}

/// Accepts connections until `stop` is done, the listener fails for good, or the task is interrupted.
async fn accept_until<L: Listener, T>(
    mut stop: Pin<&mut impl Future<Output = Result<T>>>,
    listener: &L,
    mut serve: impl FnMut(L::Connection, L::Address),
) -> Result<T> {
    loop {
        match unless(stop.as_mut(), accept_next(listener)).await {
            Next::Stop(result) => return result,
            Next::Go(accepted) => {
                let (client, peer) = accepted?;
                serve(client, peer);
            }
        }
    }
}

/// Accepts the next connection of which something can come. If there is no room for one, waits until there is.
pub(crate) async fn accept_next<L: Listener>(listener: &L) -> Result<(L::Connection, L::Address)> {
    let mut told = false;
    loop {
        match listener.accept().await {
            Err(error) if is_about_one_connection(&error) => {}
            Err(error) if is_for_lack_of_room(&error) => {
                // Once, until it can again.
                if !std::mem::replace(&mut told, true) {
                    let message = format!("can't accept another connection for now: {error}");
                    log::write(log::Level::Warn, &message);
                }
                sleep(BREATHER).await?;
            }
            accepted => return accepted,
        }
    }
}

/// What came first.
enum Next<S, T> {
    Stop(S),
    Go(T),
}

/// Waits for `go`, unless `stop` comes first.
async fn unless<S, T>(
    mut stop: Pin<&mut impl Future<Output = S>>,
    go: impl Future<Output = T>,
) -> Next<S, T> {
    let mut go = pin!(go);
    poll_fn(|cx| {
        if let Poll::Ready(stop) = stop.as_mut().poll(cx) {
            return Poll::Ready(Next::Stop(stop));
        }
        go.as_mut().poll(cx).map(Next::Go)
    })
    .await
}

/// Whether the next connection may be in order. Linux also tells here of errors that came in on the network.
fn is_about_one_connection(error: &Error) -> bool {
    use std::io::ErrorKind as Kind;

    let Error::Io(io) = error else { return false };
    matches!(
        io.kind(),
        Kind::ConnectionAborted
            | Kind::ConnectionReset
            | Kind::HostUnreachable
            | Kind::NetworkUnreachable
    )
}

fn is_for_lack_of_room(error: &Error) -> bool {
    use std::io::ErrorKind as Kind;

    match error {
        Error::Limit(_) => true,
        Error::Io(io) => matches!(io.kind(), Kind::QuotaExceeded | Kind::OutOfMemory),
        _ => false,
    }
}
