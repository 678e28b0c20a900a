//! `wasi:*`: what a guest's standard library needs, under the same permissions as the traps.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use wasmtime_wasi::sockets::SocketAddrUse;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use super::{Guest, Streams};
use crate::files::NoSuchDirectory;
use crate::permissions::{Permissions, Places};

/// How many random bytes one call makes at the most. No other instance has the thread meanwhile.
const MAX_RANDOM: u64 = 16 << 20;

/// Where a guest's standard streams lead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stdio {
    /// To the host's own.
    #[default]
    Inherit,
    /// Nowhere: reads end at once, writes vanish.
    Null,
}

/// What a guest's standard library is given.
#[derive(Clone, Debug)]
pub(crate) struct WasiOptions<'a> {
    /// The arguments, the program's name first.
    pub(crate) args: &'a [String],
    /// The standard streams, if they are the host's own.
    pub(crate) streams: Option<&'a Streams>,
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

/// Builds the context of one instance.
pub(crate) fn context(
    permissions: &Arc<Permissions>,
    places: &Places,
    options: &WasiOptions<'_>,
) -> Result<WasiCtx, NoSuchDirectory> {
    let mut builder = WasiCtxBuilder::new();
    builder
        .args(options.args)
        .envs(permissions.env())
        .max_random_size(MAX_RANDOM);
    if let Some(streams) = options.streams {
        builder
            .inherit_stdin()
            .stdout(streams.stdout.clone())
            .stderr(streams.stderr.clone());
    }
    for grant in places.grants() {
        let perms = if grant.read_only {
            FsPerms::ReadOnly
        } else {
            FsPerms::ReadWrite
        };
        builder
            .preopened_dir(&grant.host, &grant.guest, perms)
            .map_err(|cause| NoSuchDirectory::new(&grant.host, io::Error::other(cause)))?;
    }
    if let Some(initial) = places.initial() {
        builder.initial_cwd(initial);
    }
    builder.allow_ip_name_lookup(permissions.allows_any_name_lookup());
    // Each address is checked below.
    builder.allow_tcp(true).allow_udp(true);
    let permissions = permissions.clone();
    builder.socket_addr_check(move |address, usage| {
        let allowed = is_allowed(&permissions, address, usage);
        Box::pin(async move { allowed })
    });
    Ok(builder.build())
}

/// Whether a use of an address through `wasi:sockets` is covered.
fn is_allowed(permissions: &Permissions, address: SocketAddr, usage: SocketAddrUse) -> bool {
    match usage {
        // What `connect` and `send` do by themselves. Nothing comes in by it: see the uses below.
        SocketAddrUse::TcpBind | SocketAddrUse::UdpBind
            if address.ip().is_unspecified() && address.port() == 0 =>
        {
            true
        }
        SocketAddrUse::TcpBind | SocketAddrUse::UdpBind => {
            permissions.check_listen(address).is_ok()
        }
        // By now the socket has a port; it may have got it by asking for any.
        SocketAddrUse::TcpListen => [address.port(), 0]
            .map(|port| SocketAddr::new(address.ip(), port))
            .iter()
            .any(|address| permissions.check_listen(*address).is_ok()),
        // Who may listen, may accept.
        SocketAddrUse::TcpAccept => true,
        SocketAddrUse::TcpConnect | SocketAddrUse::UdpSend | SocketAddrUse::UdpReceive => {
            permissions.check_connect(address).is_ok()
        }
    }
}
