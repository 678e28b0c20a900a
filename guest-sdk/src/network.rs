//! High-level networking: servers and connections in one call.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use crate::bindings::log;
use crate::error::{Error, Result};
use crate::runtime::short;
use crate::socket::{Address, BACKLOG, Socket, SocketOption};
use crate::task::{TaskId, TaskOptions, TaskRef};
use crate::time::sleep;

/// How long a server that can't take another connection waits before it tries again.
const BREATHER: Duration = Duration::from_millis(50);

/// Connects to a peer.
///
/// # Errors
/// As [`Socket::connect`].
///
/// # Cancellation
/// The socket is closed.
pub async fn open_connection(peer: impl Into<Address>) -> Result<Socket> {
    let peer = peer.into();
    let socket = Socket::stream_for(&peer)?;
    socket.connect(peer).await?;
    Ok(socket)
}

/// Makes a socket that listens at an address. Never blocks.
///
/// # Errors
/// As [`Socket::bind`] and [`Socket::listen`].
pub fn tcp_server_socket(address: impl Into<Address>) -> Result<Socket> {
    let address = SocketAddr::try_from(address.into())?;
    let socket = Socket::tcp_for(address)?;
    socket.set_option(SocketOption::ReuseAddress(true))?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?;
    Ok(socket)
}

/// Serves connections at an address, each by a task of its own that runs `handler`, until it is cancelled.
///
/// ```no_run
/// use std::net::{Ipv4Addr, SocketAddr};
///
/// #[curio::main]
/// async fn main() -> curio::Result<()> {
///     let address = (Ipv4Addr::LOCALHOST, 25000);
///     curio::tcp_server(address, async |client, _peer| {
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
/// A handler's error ends its connection, and is logged.
///
/// # Cancellation
/// The handlers are cancelled and waited for, and the socket is closed.
pub async fn tcp_server<H>(address: impl Into<Address>, handler: H) -> Result<Infallible>
where
    H: AsyncFn(Socket, Address) -> Result<()> + 'static,
{
    run_server(tcp_server_socket(address)?, handler).await
}

/// As [`tcp_server`], on a socket that listens already.
///
/// # Errors
/// As [`tcp_server`].
///
/// # Cancellation
/// As [`tcp_server`].
pub async fn run_server<H>(socket: Socket, handler: H) -> Result<Infallible>
where
    H: AsyncFn(Socket, Address) -> Result<()> + 'static,
{
    let handler = Rc::new(handler);
    let handlers = Handlers::default();
    let ended = accept_connections(&socket, |client, peer| {
        let handler = handler.clone();
        handlers.spawn::<H>(async move { handler(client, peer).await });
    })
    .await;
    drop(socket);
    handlers.cancel_all().await?;
    ended
}

/// Accepts connections until the socket fails for good, or the task is interrupted.
async fn accept_connections(
    socket: &Socket,
    mut serve: impl FnMut(Socket, Address),
) -> Result<Infallible> {
    let mut told = false;
    loop {
        match socket.accept().await {
            Ok((client, peer)) => {
                told = false;
                serve(client, peer);
            }
            Err(error) if is_about_one_connection(&error) => {}
            Err(error) if is_for_lack_of_room(&error) => {
                // Once, until it can again.
                if !std::mem::replace(&mut told, true) {
                    let message = format!("can't accept another connection for now: {error}");
                    log::write(log::Level::Warn, &message);
                }
                sleep(BREATHER).await?;
            }
            Err(error) => return Err(error),
        }
    }
}

fn is_about_one_connection(error: &Error) -> bool {
    use std::io::ErrorKind as Kind;

    matches!(error, Error::Io(io) if matches!(io.kind(), Kind::ConnectionAborted | Kind::ConnectionReset))
}

fn is_for_lack_of_room(error: &Error) -> bool {
    use std::io::ErrorKind as Kind;

    match error {
        Error::Limit(_) => true,
        Error::Io(io) => matches!(io.kind(), Kind::QuotaExceeded | Kind::OutOfMemory),
        _ => false,
    }
}

/// The tasks that serve connections.
#[derive(Clone, Default)]
struct Handlers {
    running: Rc<RefCell<HashMap<TaskId, TaskRef>>>,
}

/// Takes a task out of the list when its future is gone, however that comes.
struct Listed {
    running: Rc<RefCell<HashMap<TaskId, TaskRef>>>,
    id: Rc<Cell<Option<TaskId>>>,
}

impl Drop for Listed {
    fn drop(&mut self) {
        if let Some(id) = self.id.get() {
            self.running.borrow_mut().remove(&id);
        }
    }
}

impl Handlers {
    /// Spawns a task that is called like the handler's function.
    fn spawn<H>(&self, handler: impl Future<Output = Result<()>> + 'static) {
        let id = Rc::new(Cell::new(None));
        let listed = Listed {
            running: self.running.clone(),
            id: id.clone(),
        };
        let name = short(std::any::type_name::<H>());
        let options = TaskOptions::new().name(name).daemon(true);
        let task = options.spawn(async move {
            let _listed = listed;
            handler.await
        });
        if !task.is_terminated() {
            id.set(Some(task.id()));
            let mut running = self.running.borrow_mut();
            running.insert(task.id(), task.any().clone());
        }
    }

    /// Cancels all, then waits for all.
    async fn cancel_all(&self) -> Result<()> {
        let handlers: Vec<_> = self.running.borrow().values().cloned().collect();
        for handler in &handlers {
            handler.request_cancel();
        }
        for handler in &handlers {
            handler.wait().await?;
        }
        Ok(())
    }
}
