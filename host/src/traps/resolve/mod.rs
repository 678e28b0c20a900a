//! `curio:kernel/resolve`: names of hosts, under the permissions.

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;

use nix::unistd::gethostname;
use wasmtime::component::{Resource, ResourceTableError};

use super::{Guest, TrapError};
use crate::bindings::resolve::{self, IpFamily, IpSocketAddress, NameFlags};
use crate::bindings::traps::Caller;
use crate::bindings::types;
use crate::kernel::Direction;
use crate::limits::LimitExceeded;
use crate::permissions::Denied;
use crate::sockets::{
    Answer, IpFamily as Family, Known, Lookup, LookupError, Named, Question, Service,
};

/// How long a host's name may be: longer than any that there is.
const MAX_HOST: usize = 254;

/// How long a service's name may be.
const MAX_SERVICE: usize = 64;

impl From<LookupError> for TrapError {
    fn from(error: LookupError) -> Self {
        let told = |code, message| Self::Told(types::Error::Os(types::OsError { code, message }));
        match error {
            LookupError::NotFound(text) => told(types::ErrorCode::NameNotFound, text),
            LookupError::NoAnswer(text) => told(types::ErrorCode::NoAnswer, text),
            LookupError::Told => Self::invalid_state("the answer was told before"),
            LookupError::Io(error) => error.into(),
        }
    }
}

impl From<IpSocketAddress> for SocketAddr {
    fn from(address: IpSocketAddress) -> Self {
        match address {
            IpSocketAddress::Ipv4(v4) => v4.into(),
            IpSocketAddress::Ipv6(v6) => v6.into(),
        }
    }
}

impl From<SocketAddr> for IpSocketAddress {
    fn from(address: SocketAddr) -> Self {
        match address {
            SocketAddr::V4(v4) => Self::Ipv4(v4.into()),
            SocketAddr::V6(v6) => Self::Ipv6(v6.into()),
        }
    }
}

impl Guest {
    /// Checks that the guest may connect or send to an address: because that was granted, or because a
    /// lookup of a granted name has found it.
    pub(super) fn check_connect(&self, to: SocketAddr) -> Result<(), Denied> {
        let Err(mut denied) = self.permissions.check_connect(to) else {
            return Ok(());
        };
        let mut is_first = true;
        for name in self.names.known.names(to.ip()) {
            match self.permissions.check_resolved(name, to) {
                Ok(()) => return Ok(()),
                // The name is what the guest knows it by.
                Err(error) if std::mem::take(&mut is_first) => denied = error,
                Err(_) => {}
            }
        }
        Err(denied)
    }

    /// Checks that the names of an address may be looked up.
    fn check_names_of(&self, address: SocketAddr) -> Result<(), Denied> {
        let checked = self.permissions.check_resolve(&address.ip().to_string(), 0);
        if checked.is_err() && self.names.known.names(address.ip()).next().is_some() {
            return Ok(());
        }
        checked
    }

    /// Begins a lookup.
    fn look_up(&mut self, question: Question) -> Result<Resource<Lookup>, TrapError> {
        self.with_handle(|guest| {
            let key = guest.key;
            guest
                .kernel()
                .instance(key)
                .budget()
                .take_memory(Lookup::SIZE)?;
            let lookup = Lookup::new(&mut super::lock(&guest.kernel), key, &guest.names, question);
            guest.table.push(lookup).map_err(|error| {
                let mut kernel = guest.kernel();
                let budget = kernel.instance(key).budget();
                budget.give_memory(Lookup::SIZE);
                match error {
                    // Others than lookups have taken what was left.
                    ResourceTableError::Full => {
                        let limit = budget.limits().handles();
                        LimitExceeded::Handles { limit }.into()
                    }
                    error => error.into(),
                }
            })
        })
    }

    /// Remembers where a host was found.
    fn note_found(&mut self, name: &Arc<str>, addresses: &[SocketAddr]) -> Result<(), TrapError> {
        if self.permissions.is_all() {
            return Ok(());
        }
        let key = self.key;
        let size = Known::size(name);
        for address in addresses {
            let mut kernel = super::lock(&self.kernel);
            let budget = kernel.instance(key).budget();
            budget.take_memory(size)?;
            budget.give_memory(self.names.known.note(name, address.ip()));
        }
        Ok(())
    }
}

impl resolve::Host for Guest {
    fn host_name(&mut self) -> Result<String, TrapError> {
        trace_trap!("resolve.host-name");
        let name = gethostname().map_err(std::io::Error::from)?;
        let name = name.to_string_lossy().into_owned();
        self.permissions.check_own_name(&name)?;
        Ok(name)
    }
}

impl resolve::HostLookup for Guest {
    fn addresses(
        &mut self,
        host: String,
        service: resolve::Service,
        family: Option<IpFamily>,
    ) -> Result<Resource<Lookup>, TrapError> {
        trace_trap!("lookup.addresses", ?host, ?service, ?family);
        if host.len() > MAX_HOST {
            return Err(TrapError::invalid_argument(
                "the name of the host is too long; a name has at most 253 characters",
            ));
        }
        let (service, port) = match service {
            resolve::Service::Port(port) => (Service::Port(port), port),
            resolve::Service::Name(name) if name.len() > MAX_SERVICE => {
                return Err(TrapError::invalid_argument(
                    "the name of the service is too long; give a name such as https, or a port",
                ));
            }
            resolve::Service::Name(name) => (Service::Name(name), 0),
        };
        self.permissions.check_resolve(&host, port)?;
        let family = family.map(|family| match family {
            IpFamily::Ipv4 => Family::V4,
            IpFamily::Ipv6 => Family::V6,
        });
        self.look_up(Question::Addresses(host.into(), service, family))
    }

    fn names(
        &mut self,
        address: IpSocketAddress,
        how: NameFlags,
    ) -> Result<Resource<Lookup>, TrapError> {
        trace_trap!("lookup.names", ?address, ?how);
        let address = SocketAddr::from(address);
        self.check_names_of(address)?;
        let how = Named {
            numeric_host: how.contains(NameFlags::NUMERIC_HOST),
            numeric_service: how.contains(NameFlags::NUMERIC_SERVICE),
            required: how.contains(NameFlags::NAME_REQUIRED),
        };
        self.look_up(Question::Names(address, how))
    }

    fn answer(&mut self, this: Resource<Lookup>) -> Result<resolve::Answer, TrapError> {
        trace_trap!("lookup.answer", lookup = this.rep());
        let Some(answer) = self.table.get(&this)?.answer() else {
            return Err(TrapError::Told(types::Error::WouldBlock));
        };
        match answer? {
            Answer::Addresses(host, found) => {
                self.note_found(&host, &found.addresses)?;
                Ok(resolve::Answer::Addresses(resolve::Addresses {
                    canonical_name: found.canonical_name,
                    addresses: found.addresses.into_iter().map(Into::into).collect(),
                }))
            }
            Answer::Names(host, service) => {
                Ok(resolve::Answer::Names(resolve::Names { host, service }))
            }
        }
    }

    fn read_wait(&mut self, this: Resource<Lookup>, by: Caller) -> wasmtime::Result<u64> {
        trace_trap!(
            "lookup.read-wait",
            lookup = this.rep(),
            task = self.serial(by.task)
        );
        let key = self.key;
        let source = self.table.get(&this)?.source();
        self.pend(|kernel| kernel.wait_for_source(key, by.into(), source, Direction::Read))
    }

    fn drop(&mut self, this: Resource<Lookup>) -> wasmtime::Result<()> {
        trace_trap!("lookup.drop", lookup = this.rep());
        let lookup = self.table.delete(this)?;
        let mut kernel = super::lock(&self.kernel);
        lookup.close(&mut kernel);
        let budget = kernel.instance(self.key).budget();
        budget.give_memory(Lookup::SIZE);
        budget.give_handle();
        Ok(())
    }
}
