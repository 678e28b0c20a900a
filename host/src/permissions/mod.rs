//! What a guest may do: nothing, until it is granted. Whoever acts for a guest asks here first.
//!
//! [`Permissions`] is filled by the command line, a file or an embedder, and then only read: one `check_…`
//! a kind of request, called by the trap before anything happens. Invariant: checks are pure, and no
//! check, whatever a guest asks, gives more than some grant says. This folder opens no file or socket
//! and looks up no name; but a program is looked for when it is granted.
//!
//! - `net`: connecting, sending, looking up names (`--allow-net`)
//! - `listen`: binding and accepting (`--allow-listen`)
//! - `unix`: Unix sockets, by both of these
//! - `path`: directory trees (`--dir`); `places`: which of them a path leads into
//! - `env`: environment variables (`--env`)
//! - `run`, `program`: programs (`--allow-run`)
//! - `identity`: TLS identities that stay in the host (`--tls-identity`)
//! - `signal`: signals (`--allow-signal`)
//! - `reach`: how far all of these lead
//! - `file`: all of these from a TOML file (`--permissions`)
//! - `address`: how hosts and ports are written
//! - `special`: the addresses that a name does not grant
//! - `denied`: what is said when the answer is no

mod address;
mod denied;
mod env;
mod file;
mod identity;
mod listen;
mod net;
mod path;
mod places;
mod program;
mod reach;
mod run;
mod run_env;
mod signal;
mod special;
#[cfg(test)]
mod tests;
mod unix;

use std::ffi::OsString;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

pub use self::denied::{Denied, InvalidPermission, SocketUse};
pub use self::identity::TlsIdentity;
pub use self::path::DirGrant;
pub(crate) use self::places::{Access, Places};
pub(crate) use self::program::find_program;
pub(crate) use self::reach::Ports;
pub(crate) use self::run::DEFAULT_PATH;
pub use self::run::Program;
pub(crate) use self::signal::SignalMask;
pub use self::signal::{InvalidSignal, Signal};
pub use self::unix::SocketPath;

/// What a guest may do.
///
/// Grants only add up, in any order; nothing takes one back. The exceptions are directories with the same
/// guest path and variables of the same name, of which the last one counts. A method that returns an
/// error has granted nothing.
///
/// # Examples
///
/// ```
/// use curio_host::Permissions;
///
/// let mut permissions = Permissions::none();
/// permissions
///     .allow_net("example.com:443, 10.0.0.0/8")?
///     .allow_listen("127.0.0.1:0")?
///     .allow_dir("./data::/data::ro")?
///     .allow_env("LANG=C")?;
///
/// assert!(permissions.check_connect("10.1.2.3:80".parse()?).is_ok());
/// assert!(permissions.check_connect("127.0.0.1:80".parse()?).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Permissions {
    /// Whether every check succeeds.
    all: bool,
    inherits_sockets: bool,
    net: net::NetGrants,
    unix_net: unix::UnixGrants,
    listen: listen::ListenGrants,
    unix_listen: unix::UnixGrants,
    dirs: path::DirGrants,
    env: env::EnvGrants,
    run_env: run_env::RunEnvGrants,
    run: run::RunGrants,
    identities: identity::IdentityGrants,
    signals: signal::SignalGrants,
}

/// Granting.
impl Permissions {
    /// Allows nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// Allows everything; see [`allow_all`](Self::allow_all).
    pub fn all() -> Self {
        let mut permissions = Self::none();
        permissions.allow_all();
        permissions
    }

    /// Allows everything: every check succeeds, [`dirs`](Self::dirs) has `/` and `.` under their own names,
    /// relative paths beginning in the latter, and [`env`](Self::env) the host's environment as far as it is UTF-8. Directories and variables that
    /// were or will be granted explicitly stay as granted.
    #[expect(
        clippy::disallowed_methods,
        reason = "the operator grants the host's environment"
    )]
    pub fn allow_all(&mut self) -> &mut Self {
        self.all = true;
        self.dirs.allow_all();
        self.env.allow_all(std::env::vars_os());
        self
    }

    /// Allows connecting, sending and looking up names. `spec` is one item or several, with commas between:
    ///
    /// | item | allows |
    /// |---|---|
    /// | `example.com` | exactly this name, and the public addresses it resolves to |
    /// | `*.example.com` | likewise every name below it, but not `example.com` |
    /// | `192.0.2.1`, `[2001:db8::1]` | this address |
    /// | `10.0.0.0/8`, `fc00::/7` | every address of the block |
    /// | `localhost` | this name, `127.0.0.1` and `::1` |
    /// | `*` | every name and address |
    /// | `unix:/run/app.sock` | the Unix socket with this path |
    /// | `unix:/run/app/` | every Unix socket below this directory |
    ///
    /// All but the last two may be followed by `:port`; without, every port is allowed. `*` does not include Unix
    /// sockets, which can be more powerful than any address. Of a path, the links up to its last slash are followed,
    /// and none behind that.
    ///
    /// # Examples
    ///
    /// ```
    /// use curio_host::Permissions;
    ///
    /// let mut permissions = Permissions::none();
    /// permissions.allow_net("*.example.com:443,[fd00::1]")?;
    /// assert!(permissions.check_resolve("www.example.com", 443).is_ok());
    /// assert!(permissions.check_resolve("example.com", 443).is_err());
    ///
    /// let error = permissions.allow_net("http://x").unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "--allow-net: \"http://x\" is a URL; give host[:port], for example x:80",
    /// );
    /// # Ok::<(), curio_host::InvalidPermission>(())
    /// ```
    pub fn allow_net(&mut self, spec: &str) -> Result<&mut Self, InvalidPermission> {
        let (mut paths, rest) = unix::take_out("--allow-net", spec)?;
        if let Some(rest) = rest {
            self.net.allow(&rest)?;
        }
        self.unix_net.append(&mut paths);
        Ok(self)
    }

    /// Allows listening. `spec` is one item or several, with commas between: an IP address, `localhost`
    /// (`127.0.0.1` and `::1`) or `*`, each with or without `:port`. `0.0.0.0` stands for every IPv4
    /// address, `[::]` and `*` for every address at all.
    ///
    /// Or `unix:` and the path of a Unix socket, or of a directory with a slash at the end, as with
    /// [`allow_net`](Self::allow_net); `*` does not include these.
    ///
    /// Without a port, every port is allowed. Port 0 allows asking for port 0, that is for any free port
    /// of the system's choice, but no port by its number.
    ///
    /// # Examples
    ///
    /// ```
    /// use curio_host::Permissions;
    ///
    /// let mut permissions = Permissions::none();
    /// permissions.allow_listen("127.0.0.1:8080,[::1]:0")?;
    /// assert!(permissions.check_listen("127.0.0.1:8080".parse()?).is_ok());
    /// assert!(permissions.check_listen("0.0.0.0:8080".parse()?).is_err());
    /// assert!(permissions.check_listen("[::1]:8080".parse()?).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn allow_listen(&mut self, spec: &str) -> Result<&mut Self, InvalidPermission> {
        let (mut paths, rest) = unix::take_out("--allow-listen", spec)?;
        if let Some(rest) = rest {
            self.listen.allow(&rest)?;
        }
        self.unix_listen.append(&mut paths);
        Ok(self)
    }

    /// Allows a directory tree: `HOST[::GUEST][::ro]`. The guest finds it under `GUEST`, or else under
    /// the host's path as typed, and may write to it unless `ro` says otherwise.
    ///
    /// # Examples
    ///
    /// ```
    /// use curio_host::Permissions;
    ///
    /// let mut permissions = Permissions::none();
    /// permissions.allow_dir("./data::/data::ro")?;
    /// assert_eq!(permissions.dirs()[0].guest, "/data");
    /// assert!(permissions.dirs()[0].read_only);
    /// # Ok::<(), curio_host::InvalidPermission>(())
    /// ```
    pub fn allow_dir(&mut self, spec: &str) -> Result<&mut Self, InvalidPermission> {
        self.dirs.allow(spec)?;
        Ok(self)
    }

    /// Allows an environment variable: `NAME=VALUE`, or `NAME` with the value it has in the host's own
    /// environment; one that is not set there is not passed either.
    ///
    /// # Examples
    ///
    /// ```
    /// use curio_host::Permissions;
    ///
    /// let mut permissions = Permissions::none();
    /// permissions.allow_env("LANG=C")?.allow_env("SURELY_NOT_SET")?;
    /// assert_eq!(permissions.env(), [("LANG".to_owned(), "C".to_owned())]);
    /// # Ok::<(), curio_host::InvalidPermission>(())
    /// ```
    #[expect(
        clippy::disallowed_methods,
        reason = "the operator grants the variable"
    )]
    pub fn allow_env(&mut self, spec: &str) -> Result<&mut Self, InvalidPermission> {
        self.allow_env_from(spec, |name| std::env::var_os(name))
    }

    /// As [`allow_env`](Self::allow_env), but takes the value of a bare name from `lookup`.
    pub fn allow_env_from(
        &mut self,
        spec: &str,
        lookup: impl FnOnce(&str) -> Option<OsString>,
    ) -> Result<&mut Self, InvalidPermission> {
        self.env.allow(spec, lookup)?;
        Ok(self)
    }

    /// Allows taking the sockets that the instance is given: see [`InheritedSockets`](crate::InheritedSockets).
    pub fn allow_inherited_sockets(&mut self) -> &mut Self {
        self.inherits_sockets = true;
        self
    }

    /// Adds what a permissions file grants. Its keys are the flags: the lists `allow-net`, `allow-listen`,
    /// `allow-run`, `dir`, `env`, `run-env`, `tls-identity` and `allow-signal`, and the booleans `inherit-sockets` and `allow-all`. Any other key is an error.
    ///
    /// # Examples
    ///
    /// ```
    /// use curio_host::Permissions;
    ///
    /// let mut permissions = Permissions::none();
    /// permissions.extend_from_toml("allow-net = ['example.com:443']\ndir = ['data::ro']")?;
    /// assert!(permissions.check_resolve("example.com", 443).is_ok());
    /// # Ok::<(), curio_host::InvalidPermission>(())
    /// ```
    pub fn extend_from_toml(&mut self, text: &str) -> Result<&mut Self, InvalidPermission> {
        // On a copy, so that an error in the last line leaves nothing of the first.
        let mut extended = self.clone();
        file::extend(&mut extended, text)?;
        *self = extended;
        Ok(self)
    }
}

/// Asking.
impl Permissions {
    /// Whether everything is allowed.
    pub fn is_all(&self) -> bool {
        self.all
    }

    /// Checks that the guest may connect or send to an address that it gave as a number. A name's
    /// grant does not count, even if the name resolves to this address.
    pub fn check_connect(&self, to: SocketAddr) -> Result<(), Denied> {
        self.check(|| self.net.check_connect(to))
    }

    /// Checks that `host` may be looked up at all, to connect to `port`: a lookup alone can carry data out.
    /// With port 0, for a lookup without a purpose yet, a grant of the name with any port will do.
    ///
    /// An IP address is granted as by [`check_connect`](Self::check_connect); with port 0, for a lookup of its
    /// names, a grant of the address with any port will do.
    pub fn check_resolve(&self, host: &str, port: u16) -> Result<(), Denied> {
        self.check(|| self.net.check_resolve(host, port))
    }

    /// Checks that the guest may know the name of the machine, which is `name`: if it may look it up.
    pub fn check_own_name(&self, name: &str) -> Result<(), Denied> {
        self.check(|| {
            let checked = self.net.check_resolve(name, 0);
            checked.map_err(|_| Denied::OwnName)
        })
    }

    /// Checks an address that the host got by looking up `host`, before it connects there. The name must
    /// be granted; and if the address is a special one (private, loopback, link-local and the like), so
    /// must be the address.
    ///
    /// `to` must be what the host's own lookup gave and what it connects to, not a guest's word for it.
    ///
    /// # Examples
    ///
    /// ```
    /// use curio_host::Permissions;
    ///
    /// let mut permissions = Permissions::none();
    /// permissions.allow_net("example.com")?;
    /// let denied = permissions.check_resolved("example.com", "127.0.0.1:80".parse()?).unwrap_err();
    /// assert_eq!(
    ///     denied.to_string(),
    ///     "\"example.com\" resolves to 127.0.0.1, which a name does not grant; \
    ///      add --allow-net=127.0.0.1:80",
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn check_resolved(&self, host: &str, to: SocketAddr) -> Result<(), Denied> {
        self.check(|| self.net.check_resolved(host, to))
    }

    /// Checks that the guest may listen on `addr`.
    pub fn check_listen(&self, addr: SocketAddr) -> Result<(), Denied> {
        self.check(|| self.listen.check(addr))
    }

    /// Checks that the guest may use a TLS identity of this name. No more than was named is there to be used, even if
    /// everything is allowed.
    pub fn check_tls_identity(&self, name: &str) -> Result<(), Denied> {
        if self.tls_identities().iter().any(|known| known.name == name) {
            return Ok(());
        }
        Err(Denied::tls_identity(name))
    }

    /// Checks that the guest may take the sockets that it is given.
    pub fn check_inherited_sockets(&self) -> Result<(), Denied> {
        self.check(|| {
            self.inherits_sockets
                .then_some(())
                .ok_or(Denied::InheritedSockets)
        })
    }

    /// The TLS identities the guest may use.
    pub fn tls_identities(&self) -> &[TlsIdentity] {
        self.identities.as_slice()
    }

    /// Checks that the guest may connect or send to the Unix socket with this path.
    pub fn check_connect_unix(&self, path: &str) -> Result<SocketPath, Denied> {
        self.unix_net.check(self.all, path, SocketUse::Connect)
    }

    /// Checks that the guest may make a Unix socket with this path.
    pub fn check_listen_unix(&self, path: &str) -> Result<SocketPath, Denied> {
        self.unix_listen.check(self.all, path, SocketUse::Listen)
    }

    /// The directory trees the guest may use.
    pub fn dirs(&self) -> &[DirGrant] {
        self.dirs.as_slice()
    }

    /// The environment variables the guest sees, as names and values.
    pub fn env(&self) -> &[(String, String)] {
        self.env.as_slice()
    }

    /// Where `--allow-all` overrides a check; those of Unix sockets do it on their own, since they find out a place.
    fn check(&self, check: impl FnOnce() -> Result<(), Denied>) -> Result<(), Denied> {
        if self.all { Ok(()) } else { check() }
    }
}
