//! Sockets that the host was given to hand over: those of a supervisor's, say.

use super::Socket;
use crate::bindings::sockets as kernel;
use crate::error::Result;

/// A socket that the host was given for this program, and that is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inherited {
    position: u32,
    name: Option<String>,
}

impl Inherited {
    /// Its place among all that the host was given, from 0.
    pub fn position(&self) -> u32 {
        self.position
    }

    /// What it is called, if whoever gave it says that: systemd has `FileDescriptorName=`. Several may have the same
    /// name.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Takes it. Never blocks.
    ///
    /// # Errors
    /// [`Error::InvalidState`](crate::Error::InvalidState) if it was taken by now,
    /// [`Error::Limit`](crate::Error::Limit) if the program may not have another handle,
    /// [`Error::Io`](crate::Error::Io).
    pub fn take(&self) -> Result<Socket> {
        let choice = kernel::InheritedChoice::Position(self.position);
        Ok(Socket::from_handle(kernel::take_inherited(&choice)?))
    }
}

/// The sockets that the host was given for this program and that are not taken, in their order. There are none unless
/// the host was started with `--inherit-sockets`. Never blocks.
///
/// ```no_run
/// # async fn serve(client: curio::Socket, _peer: curio::socket::Address) -> curio::Result<()> { Ok(()) }
/// # async fn example() -> curio::Result<()> {
/// // A supervisor's socket if there is one, or else one of our own.
/// let listener = match curio::socket::inherited().first() {
///     Some(inherited) => inherited.take()?,
///     None => curio::tcp_server_socket(([127, 0, 0, 1], 25000))?,
/// };
/// curio::run_server(listener, serve).await?;
/// # Ok(())
/// # }
/// ```
#[doc(alias = "sd_listen_fds")]
pub fn inherited() -> Vec<Inherited> {
    let all = kernel::inherited().into_iter();
    all.map(|kernel::InheritedSocket { position, name }| Inherited { position, name })
        .collect()
}

/// Sockets of a supervisor's.
impl Socket {
    /// Takes the first socket of this name that the host was given for this program and that is not taken. It keeps
    /// the state that it has: one that listens accepts, whatever its address; whoever connects or sends
    /// with it needs the right to, as with any other. [`inherited`] tells which there are. Never blocks.
    ///
    /// ```no_run
    /// # async fn serve(client: curio::Socket, _peer: curio::socket::Address) -> curio::Result<()> { Ok(()) }
    /// # async fn example() -> curio::Result<()> {
    /// let listener = curio::Socket::inherited("http")?;
    /// curio::run_server(listener, serve).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Refused`](crate::Error::Refused) unless the host was started with `--inherit-sockets`;
    /// [`Error::InvalidArgument`](crate::Error::InvalidArgument) if there is none of this name,
    /// [`Error::InvalidState`](crate::Error::InvalidState) if all of this name are taken,
    /// [`Error::Limit`](crate::Error::Limit) if the program may not have another handle,
    /// [`Error::Io`](crate::Error::Io).
    #[doc(alias = "fromfd")]
    #[doc(alias = "socket(fileno=…)")]
    pub fn inherited(name: &str) -> Result<Self> {
        let choice = kernel::InheritedChoice::Name(name.to_owned());
        Ok(Self::from_handle(kernel::take_inherited(&choice)?))
    }
}
