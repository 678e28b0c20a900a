//! `curio:kernel/tls`: TLS connections, under the permissions.

use wasmtime::component::{Linker, Resource, WasmList};

use super::sockets::at_most;
use super::{Guest, TrapError};
use crate::bindings::sockets::Address;
use crate::bindings::tls::{
    self, CertificateAndKey, ClientCheck, ClientSettings, HandshakeProgress, ServerCheck,
    ServerSettings, Taken, Version,
};
use crate::bindings::traps::Caller;
use crate::bindings::types;
use crate::kernel::{Direction, SourceKey};
use crate::sockets::Socket;
use crate::tls::{
    self as native, ClientConfig, Identity, PeerErrorKind, Prepared, Progress, ServerConfig,
    TlsError, TlsStream,
};

impl From<TlsError> for TrapError {
    fn from(error: TlsError) -> Self {
        match error {
            TlsError::Io(error) => error.into(),
            TlsError::State(what) => Self::invalid_state(what),
            TlsError::Argument(what) => Self::invalid_argument(&what),
            TlsError::Limit(limit) => limit.into(),
            TlsError::Peer(error) => Self::Told(types::Error::Tls(types::TlsError {
                kind: match error.kind {
                    PeerErrorKind::Certificate => types::TlsErrorKind::Certificate,
                    PeerErrorKind::Alert => types::TlsErrorKind::Alert,
                    PeerErrorKind::Protocol => types::TlsErrorKind::Protocol,
                    PeerErrorKind::UnexpectedEof => types::TlsErrorKind::UnexpectedEof,
                },
                message: error.to_string(),
            })),
        }
    }
}

impl From<Version> for native::Version {
    fn from(version: Version) -> Self {
        match version {
            Version::Tls12 => Self::Tls12,
            Version::Tls13 => Self::Tls13,
        }
    }
}

impl Guest {
    /// Reads an identity, or looks up one that stays in the host.
    fn tls_identity(&self, identity: tls::Identity) -> Result<Identity, TrapError> {
        match identity {
            tls::Identity::Given(CertificateAndKey { chain, key }) => {
                Ok(self.tls.read_identity(&chain, &key)?)
            }
            tls::Identity::Named(name) => {
                self.permissions.check_tls_identity(&name)?;
                let identity = self.tls.identity(&name).cloned();
                identity.ok_or_else(|| TrapError::invalid_state("the host has lost this identity"))
            }
        }
    }

    /// Makes a connection of a socket, whose handle and place it takes; closes it if there is none to be made.
    fn wrap(
        &mut self,
        mut socket: Socket,
        connection: Result<Prepared, TrapError>,
    ) -> Result<Resource<TlsStream>, TrapError> {
        match connection {
            Ok(connection) => self.push(TlsStream::new(socket, connection)),
            Err(error) => {
                let mut kernel = super::lock(&self.kernel);
                let lingering = socket.close_and_linger(&mut kernel);
                kernel.instance(self.key).budget().give_handle();
                drop(kernel);
                self.note_lingering(lingering);
                Err(error)
            }
        }
    }

    fn wait_for_tls(
        &mut self,
        source: Option<SourceKey>,
        by: Caller,
        direction: Direction,
    ) -> wasmtime::Result<u64> {
        let Some(source) = source else {
            wasmtime::bail!("the guest waits for a TLS configuration that it has not asked about");
        };
        let key = self.key;
        self.pend(|kernel| kernel.wait_for_source(key, by.into(), source, direction))
    }
}

impl tls::Host for Guest {}

impl tls::HostClientConfig for Guest {
    fn create(&mut self, settings: ClientSettings) -> Result<Resource<ClientConfig>, TrapError> {
        trace_trap!("client-config.create");
        self.with_handle(|guest| {
            let allowance = guest.kernel().allowance(guest.key);
            let identity = settings
                .identity
                .map(|identity| guest.tls_identity(identity));
            let config = ClientConfig::new(
                &guest.tls,
                native::ClientSettings {
                    system_authorities: settings.system_authorities,
                    authorities: settings.authorities,
                    check: match settings.check {
                        ServerCheck::Full => native::ServerCheck::Full,
                        ServerCheck::AnyName => native::ServerCheck::AnyName,
                        ServerCheck::None => native::ServerCheck::None,
                    },
                    identity: identity.transpose()?,
                    alpn: settings.alpn,
                    minimum_version: settings.minimum_version.into(),
                },
                &allowance,
            )?;
            guest.push(config)
        })
    }

    fn ready(&mut self, this: Resource<ClientConfig>) -> Result<(), TrapError> {
        trace_trap!("client-config.ready", config = this.rep());
        let kernel = self.kernel.clone();
        let config = self.table.get_mut(&this)?;
        Ok(config.get_ready(&mut super::lock(&kernel), self.key, &self.lane)?)
    }

    fn read_wait(&mut self, this: Resource<ClientConfig>, by: Caller) -> wasmtime::Result<u64> {
        trace_trap!(
            "client-config.read-wait",
            config = this.rep(),
            task = self.serial(by.task)
        );
        let source = self.table.get(&this)?.source();
        self.wait_for_tls(source, by, Direction::Read)
    }

    fn wrap(
        &mut self,
        this: Resource<ClientConfig>,
        socket: Resource<Socket>,
        server_name: Option<String>,
    ) -> Result<Resource<TlsStream>, TrapError> {
        trace_trap!(
            "client-config.wrap",
            config = this.rep(),
            socket = socket.rep(),
            ?server_name
        );
        let socket = self.table.delete(socket)?;
        let connection = match self.table.get(&this) {
            Ok(config) => config.connect(&socket, server_name).map_err(Into::into),
            Err(error) => Err(error.into()),
        };
        Self::wrap(self, socket, connection)
    }

    fn drop(&mut self, this: Resource<ClientConfig>) -> wasmtime::Result<()> {
        trace_trap!("client-config.drop", config = this.rep());
        let config = self.table.delete(this)?;
        let mut kernel = super::lock(&self.kernel);
        config.close(&mut kernel);
        kernel.instance(self.key).budget().give_handle();
        Ok(())
    }
}

impl tls::HostServerConfig for Guest {
    fn create(&mut self, settings: ServerSettings) -> Result<Resource<ServerConfig>, TrapError> {
        trace_trap!("server-config.create");
        self.with_handle(|guest| {
            let allowance = guest.kernel().allowance(guest.key);
            let config = ServerConfig::new(
                &guest.tls,
                native::ServerSettings {
                    identity: guest.tls_identity(settings.identity)?,
                    client_check: match settings.client_check {
                        ClientCheck::None => native::ClientCheck::None,
                        ClientCheck::Optional => native::ClientCheck::Optional,
                        ClientCheck::Required => native::ClientCheck::Required,
                    },
                    client_authorities: settings.client_authorities,
                    alpn: settings.alpn,
                    minimum_version: settings.minimum_version.into(),
                },
                &allowance,
            )?;
            guest.push(config)
        })
    }

    fn wrap(
        &mut self,
        this: Resource<ServerConfig>,
        socket: Resource<Socket>,
    ) -> Result<Resource<TlsStream>, TrapError> {
        trace_trap!(
            "server-config.wrap",
            config = this.rep(),
            socket = socket.rep()
        );
        let socket = self.table.delete(socket)?;
        let connection = match self.table.get(&this) {
            Ok(config) => config.accept(&socket).map_err(Into::into),
            Err(error) => Err(error.into()),
        };
        Self::wrap(self, socket, connection)
    }

    fn drop(&mut self, this: Resource<ServerConfig>) -> wasmtime::Result<()> {
        trace_trap!("server-config.drop", config = this.rep());
        drop(self.table.delete(this)?);
        self.give_handles(1);
        Ok(())
    }
}

impl tls::HostTlsStream for Guest {
    fn handshake(&mut self, this: Resource<TlsStream>) -> Result<HandshakeProgress, TrapError> {
        trace_trap!("tls-stream.handshake", stream = this.rep());
        Ok(match self.table.get_mut(&this)?.handshake()? {
            Progress::Done => HandshakeProgress::Done,
            Progress::WantsRead => HandshakeProgress::WantsRead,
            Progress::WantsWrite => HandshakeProgress::WantsWrite,
        })
    }

    fn recv(&mut self, this: Resource<TlsStream>, max: u32) -> Result<Vec<u8>, TrapError> {
        trace_trap!("tls-stream.recv", stream = this.rep(), max);
        Ok(self.table.get_mut(&this)?.recv(at_most(max))?)
    }

    fn send(&mut self, this: Resource<TlsStream>, data: Vec<u8>) -> Result<Taken, TrapError> {
        send(self, &this, &data)
    }

    fn flush(&mut self, this: Resource<TlsStream>) -> Result<(), TrapError> {
        trace_trap!("tls-stream.flush", stream = this.rep());
        Ok(self.table.get_mut(&this)?.flush()?)
    }

    fn close_notify(&mut self, this: Resource<TlsStream>) -> Result<(), TrapError> {
        trace_trap!("tls-stream.close-notify", stream = this.rep());
        Ok(self.table.get_mut(&this)?.close_notify()?)
    }

    fn peer_certificates(&mut self, this: Resource<TlsStream>) -> wasmtime::Result<Vec<Vec<u8>>> {
        trace_trap!("tls-stream.peer-certificates", stream = this.rep());
        Ok(self.table.get(&this)?.peer_certificates())
    }

    fn alpn(&mut self, this: Resource<TlsStream>) -> wasmtime::Result<Option<Vec<u8>>> {
        trace_trap!("tls-stream.alpn", stream = this.rep());
        Ok(self.table.get(&this)?.alpn())
    }

    fn version(&mut self, this: Resource<TlsStream>) -> wasmtime::Result<Option<Version>> {
        trace_trap!("tls-stream.version", stream = this.rep());
        let version = self.table.get(&this)?.version();
        Ok(version.map(|version| match version {
            native::Version::Tls12 => Version::Tls12,
            native::Version::Tls13 => Version::Tls13,
        }))
    }

    fn cipher(&mut self, this: Resource<TlsStream>) -> wasmtime::Result<Option<String>> {
        trace_trap!("tls-stream.cipher", stream = this.rep());
        Ok(self.table.get(&this)?.cipher())
    }

    fn requested_name(&mut self, this: Resource<TlsStream>) -> wasmtime::Result<Option<String>> {
        trace_trap!("tls-stream.requested-name", stream = this.rep());
        Ok(self.table.get(&this)?.requested_name())
    }

    fn local_address(&mut self, this: Resource<TlsStream>) -> Result<Address, TrapError> {
        trace_trap!("tls-stream.local-address", stream = this.rep());
        Ok(self.table.get(&this)?.local_address()?.into())
    }

    fn peer_address(&mut self, this: Resource<TlsStream>) -> Result<Address, TrapError> {
        trace_trap!("tls-stream.peer-address", stream = this.rep());
        Ok(self.table.get(&this)?.peer_address()?.into())
    }

    fn read_wait(&mut self, this: Resource<TlsStream>, by: Caller) -> wasmtime::Result<u64> {
        trace_trap!(
            "tls-stream.read-wait",
            stream = this.rep(),
            task = self.serial(by.task)
        );
        let source = self.table.get(&this)?.source();
        self.wait_for_tls(source, by, Direction::Read)
    }

    fn write_wait(&mut self, this: Resource<TlsStream>, by: Caller) -> wasmtime::Result<u64> {
        trace_trap!(
            "tls-stream.write-wait",
            stream = this.rep(),
            task = self.serial(by.task)
        );
        let source = self.table.get(&this)?.source();
        self.wait_for_tls(source, by, Direction::Write)
    }

    fn drop(&mut self, this: Resource<TlsStream>) -> wasmtime::Result<()> {
        trace_trap!("tls-stream.drop", stream = this.rep());
        let stream = self.table.delete(this)?;
        let mut kernel = super::lock(&self.kernel);
        let lingering = stream.close(&mut kernel);
        kernel.instance(self.key).budget().give_handle();
        drop(kernel);
        self.note_lingering(lingering);
        Ok(())
    }
}

fn send(guest: &Guest, this: &Resource<TlsStream>, data: &[u8]) -> Result<Taken, TrapError> {
    trace_trap!("tls-stream.send", stream = this.rep(), bytes = data.len());
    let (sent, kept) = guest.table.get(this)?.send(data)?;
    let bytes = u32::try_from(sent).unwrap_or(u32::MAX);
    Ok(Taken { bytes, kept })
}

/// Replaces `send` by one that reads the guest's memory where it is, as for sockets.
pub(super) fn add_send_without_copy(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    linker.instance("curio:kernel/tls@0.1.0")?.func_wrap(
        "[method]tls-stream.send",
        |mut store, (this, data): (Resource<TlsStream>, WasmList<u8>)| {
            let sent = send(store.data(), &this, data.as_le_slice(&store));
            let result: Result<Taken, types::Error> = match sent {
                Ok(sent) => Ok(sent),
                Err(error) => Err(types::Host::convert_error(store.data_mut(), error)?),
            };
            Ok((result,))
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}
