//! `curio:kernel/sockets`: sockets, under the permissions.

use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::time::Duration;

use wasmtime::component::{Linker, Resource, ResourceTableError, WasmList};

use super::{Guest, TrapError};
use crate::bindings::sockets::{
    self, IpFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress, ShutdownHow,
    SocketOption, SocketOptionName,
};
use crate::bindings::traps::Caller;
use crate::bindings::types;
use crate::kernel::Direction;
use crate::limits::LimitExceeded;
use crate::sockets::{OptionName, SocketError, SocketOption as Native, TcpSocket};

/// How many bytes one `recv` brings at the most.
pub(super) const MAX_RECV: usize = 256 * 1024;

impl From<SocketError> for TrapError {
    fn from(error: SocketError) -> Self {
        match error {
            SocketError::Io(error) => error.into(),
            SocketError::State(what) => Self::invalid_state(what),
            SocketError::Argument(what) => Self::invalid_argument(what),
        }
    }
}

impl From<IpSocketAddress> for SocketAddr {
    fn from(address: IpSocketAddress) -> Self {
        match address {
            IpSocketAddress::Ipv4(v4) => {
                let address = Ipv4Addr::from(<[u8; 4]>::from(v4.address));
                SocketAddrV4::new(address, v4.port).into()
            }
            IpSocketAddress::Ipv6(v6) => {
                let address = Ipv6Addr::from(<[u16; 8]>::from(v6.address));
                SocketAddrV6::new(address, v6.port, v6.flow_info, v6.scope_id).into()
            }
        }
    }
}

impl From<SocketAddr> for IpSocketAddress {
    fn from(address: SocketAddr) -> Self {
        match address {
            SocketAddr::V4(v4) => Self::Ipv4(Ipv4SocketAddress {
                address: v4.ip().octets().into(),
                port: v4.port(),
            }),
            SocketAddr::V6(v6) => Self::Ipv6(Ipv6SocketAddress {
                address: v6.ip().segments().into(),
                port: v6.port(),
                flow_info: v6.flowinfo(),
                scope_id: v6.scope_id(),
            }),
        }
    }
}

impl From<SocketOption> for Native {
    fn from(option: SocketOption) -> Self {
        match option {
            SocketOption::ReuseAddress(on) => Self::ReuseAddress(on),
            SocketOption::ReusePort(on) => Self::ReusePort(on),
            SocketOption::NoDelay(on) => Self::NoDelay(on),
            SocketOption::KeepAlive(on) => Self::KeepAlive(on),
            SocketOption::Linger(time) => Self::Linger(time.map(Duration::from_nanos)),
            SocketOption::ReceiveBuffer(bytes) => Self::ReceiveBuffer(bytes),
            SocketOption::SendBuffer(bytes) => Self::SendBuffer(bytes),
            SocketOption::Ipv6Only(on) => Self::Ipv6Only(on),
            SocketOption::TimeToLive(hops) => Self::TimeToLive(hops),
        }
    }
}

impl From<Native> for SocketOption {
    fn from(option: Native) -> Self {
        match option {
            Native::ReuseAddress(on) => Self::ReuseAddress(on),
            Native::ReusePort(on) => Self::ReusePort(on),
            Native::NoDelay(on) => Self::NoDelay(on),
            Native::KeepAlive(on) => Self::KeepAlive(on),
            Native::Linger(time) => {
                Self::Linger(time.map(|time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)))
            }
            Native::ReceiveBuffer(bytes) => Self::ReceiveBuffer(bytes),
            Native::SendBuffer(bytes) => Self::SendBuffer(bytes),
            Native::Ipv6Only(on) => Self::Ipv6Only(on),
            Native::TimeToLive(hops) => Self::TimeToLive(hops),
        }
    }
}

impl From<SocketOptionName> for OptionName {
    fn from(name: SocketOptionName) -> Self {
        match name {
            SocketOptionName::ReuseAddress => Self::ReuseAddress,
            SocketOptionName::ReusePort => Self::ReusePort,
            SocketOptionName::NoDelay => Self::NoDelay,
            SocketOptionName::KeepAlive => Self::KeepAlive,
            SocketOptionName::Linger => Self::Linger,
            SocketOptionName::ReceiveBuffer => Self::ReceiveBuffer,
            SocketOptionName::SendBuffer => Self::SendBuffer,
            SocketOptionName::Ipv6Only => Self::Ipv6Only,
            SocketOptionName::TimeToLive => Self::TimeToLive,
        }
    }
}

impl From<ShutdownHow> for Shutdown {
    fn from(how: ShutdownHow) -> Self {
        match how {
            ShutdownHow::Read => Self::Read,
            ShutdownHow::Write => Self::Write,
            ShutdownHow::Both => Self::Both,
        }
    }
}

impl Guest {
    /// Gives the guest a handle of something, which a handle was taken from the budget for.
    pub(super) fn push<T: Send + 'static>(&mut self, made: T) -> Result<Resource<T>, TrapError> {
        match self.table.push(made) {
            // What the standard library holds has taken what was left.
            Err(ResourceTableError::Full) => {
                let limit = self.kernel().instance(self.key).budget().limits().handles();
                Err(LimitExceeded::Handles { limit }.into())
            }
            pushed => Ok(pushed?),
        }
    }

    /// Makes room for received bytes, which is kept and counts as the instance's memory.
    pub(super) fn widen_scratch(&mut self, size: usize) -> Result<(), LimitExceeded> {
        let more = size.saturating_sub(self.scratch.len());
        if more > 0 {
            let key = self.key;
            self.kernel()
                .instance(key)
                .budget()
                .take_memory(more as u64)?;
            self.scratch.reserve_exact(more);
            self.scratch.resize(size, 0);
        }
        Ok(())
    }

    /// Takes a handle from the budget for what `make` makes; gives it back if that fails.
    pub(super) fn with_handle<T>(
        &mut self,
        make: impl FnOnce(&mut Self) -> Result<T, TrapError>,
    ) -> Result<T, TrapError> {
        let key = self.key;
        self.kernel().instance(key).budget().take_handle()?;
        let result = make(self);
        if result.is_err() {
            self.kernel().instance(key).budget().give_handle();
        }
        result
    }

    fn wait_for(
        &mut self,
        this: &Resource<TcpSocket>,
        by: Caller,
        direction: Direction,
    ) -> wasmtime::Result<u64> {
        let key = self.key;
        let source = self.table.get(this)?.source();
        let Some(source) = source else {
            wasmtime::bail!("the guest waits for a socket that neither listens nor is connected");
        };
        self.pend(|kernel| kernel.wait_for_source(key, by.into(), source, direction))
    }
}

impl sockets::Host for Guest {}

impl sockets::HostTcpSocket for Guest {
    fn create(&mut self, family: IpFamily) -> Result<Resource<TcpSocket>, TrapError> {
        trace_trap!("tcp-socket.create", ?family);
        self.with_handle(|guest| {
            let socket = TcpSocket::new(family == IpFamily::Ipv6)?;
            guest.push(socket)
        })
    }

    fn bind(&mut self, this: Resource<TcpSocket>, to: IpSocketAddress) -> Result<(), TrapError> {
        let address = SocketAddr::from(to);
        trace_trap!("tcp-socket.bind", socket = this.rep(), %address);
        self.permissions.check_listen(address)?;
        Ok(self.table.get_mut(&this)?.bind(address)?)
    }

    fn listen(&mut self, this: Resource<TcpSocket>, backlog: u32) -> Result<(), TrapError> {
        trace_trap!("tcp-socket.listen", socket = this.rep(), backlog);
        let kernel = self.kernel.clone();
        let socket = self.table.get_mut(&this)?;
        Ok(socket.listen(&mut super::lock(&kernel), self.key, backlog)?)
    }

    fn accept(
        &mut self,
        this: Resource<TcpSocket>,
    ) -> Result<(Resource<TcpSocket>, IpSocketAddress), TrapError> {
        trace_trap!("tcp-socket.accept", socket = this.rep());
        let key = self.key;
        if self.kernel().instance(key).budget().check_handle().is_err() {
            // The limit is not named when there is nothing to accept.
            self.table.get(&this)?.check_acceptable()?;
        }
        self.with_handle(|guest| {
            let listener = guest.table.get(&this)?;
            let (socket, peer) = listener.accept(&mut super::lock(&guest.kernel), guest.key)?;
            Ok((guest.push(socket)?, peer.into()))
        })
    }

    fn connect(&mut self, this: Resource<TcpSocket>, to: IpSocketAddress) -> Result<(), TrapError> {
        let address = SocketAddr::from(to);
        trace_trap!("tcp-socket.connect", socket = this.rep(), %address);
        self.check_connect(address)?;
        let kernel = self.kernel.clone();
        let socket = self.table.get_mut(&this)?;
        Ok(socket.connect(&mut super::lock(&kernel), self.key, address)?)
    }

    fn finish_connect(&mut self, this: Resource<TcpSocket>) -> Result<(), TrapError> {
        trace_trap!("tcp-socket.finish-connect", socket = this.rep());
        Ok(self.table.get_mut(&this)?.finish_connect()?)
    }

    fn recv(&mut self, this: Resource<TcpSocket>, max: u32) -> Result<Vec<u8>, TrapError> {
        trace_trap!("tcp-socket.recv", socket = this.rep(), max);
        let max = (max as usize).min(MAX_RECV);
        self.widen_scratch(max)?;
        let buffer = &mut self.scratch[..max];
        let received = self.table.get(&this)?.recv(buffer)?;
        Ok(buffer[..received].to_vec())
    }

    fn send(&mut self, this: Resource<TcpSocket>, data: Vec<u8>) -> Result<u32, TrapError> {
        send(self, &this, &data)
    }

    fn shutdown(&mut self, this: Resource<TcpSocket>, how: ShutdownHow) -> Result<(), TrapError> {
        trace_trap!("tcp-socket.shutdown", socket = this.rep(), ?how);
        Ok(self.table.get(&this)?.shutdown(how.into())?)
    }

    fn local_address(&mut self, this: Resource<TcpSocket>) -> Result<IpSocketAddress, TrapError> {
        trace_trap!("tcp-socket.local-address", socket = this.rep());
        Ok(self.table.get(&this)?.local_address()?.into())
    }

    fn peer_address(&mut self, this: Resource<TcpSocket>) -> Result<IpSocketAddress, TrapError> {
        trace_trap!("tcp-socket.peer-address", socket = this.rep());
        Ok(self.table.get(&this)?.peer_address()?.into())
    }

    fn set_option(
        &mut self,
        this: Resource<TcpSocket>,
        option: SocketOption,
    ) -> Result<(), TrapError> {
        trace_trap!("tcp-socket.set-option", socket = this.rep(), ?option);
        Ok(self.table.get(&this)?.set_option(option.into())?)
    }

    fn get_option(
        &mut self,
        this: Resource<TcpSocket>,
        name: SocketOptionName,
    ) -> Result<SocketOption, TrapError> {
        trace_trap!("tcp-socket.get-option", socket = this.rep(), ?name);
        Ok(self.table.get(&this)?.option(name.into())?.into())
    }

    fn read_wait(&mut self, this: Resource<TcpSocket>, by: Caller) -> wasmtime::Result<u64> {
        trace_trap!(
            "tcp-socket.read-wait",
            socket = this.rep(),
            task = self.serial(by.task)
        );
        self.wait_for(&this, by, Direction::Read)
    }

    fn write_wait(&mut self, this: Resource<TcpSocket>, by: Caller) -> wasmtime::Result<u64> {
        trace_trap!(
            "tcp-socket.write-wait",
            socket = this.rep(),
            task = self.serial(by.task)
        );
        self.wait_for(&this, by, Direction::Write)
    }

    fn drop(&mut self, this: Resource<TcpSocket>) -> wasmtime::Result<()> {
        trace_trap!("tcp-socket.drop", socket = this.rep());
        let socket = self.table.delete(this)?;
        let mut kernel = super::lock(&self.kernel);
        socket.close(&mut kernel);
        kernel.instance(self.key).budget().give_handle();
        Ok(())
    }
}

fn send(guest: &Guest, this: &Resource<TcpSocket>, data: &[u8]) -> Result<u32, TrapError> {
    trace_trap!("tcp-socket.send", socket = this.rep(), bytes = data.len());
    let sent = guest.table.get(this)?.send(data)?;
    Ok(u32::try_from(sent).unwrap_or(u32::MAX))
}

/// Replaces `send` by one that reads the guest's memory where it is. The generated one gets its data in
/// a vector, a copy that costs more than everything else on the way to the system call.
pub(super) fn add_send_without_copy(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    linker.instance("curio:kernel/sockets@0.1.0")?.func_wrap(
        "[method]tcp-socket.send",
        |mut store, (this, data): (Resource<TcpSocket>, WasmList<u8>)| {
            let sent = send(store.data(), &this, data.as_le_slice(&store));
            let result: Result<u32, types::Error> = match sent {
                Ok(sent) => Ok(sent),
                Err(error) => Err(types::Host::convert_error(store.data_mut(), error)?),
            };
            Ok((result,))
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::limits::Limits;
    use crate::traps::tests::guest;

    #[test]
    fn what_is_received_into_counts_as_memory() {
        let mut guest = guest(Limits::default().with_memory(100));
        assert!(guest.widen_scratch(60).is_ok());
        assert!(guest.widen_scratch(50).is_ok());
        assert!(guest.widen_scratch(100).is_ok());
        assert!(guest.widen_scratch(101).is_err());
        assert_eq!(guest.scratch.len(), 100);
    }
}
