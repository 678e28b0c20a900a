//! `curio:kernel/sockets`: sockets, under the permissions.
//!
//! - `handles`: what they count as
//! - `inherited`: those that are there from the start
//! - `hearing`: whose datagrams they receive
//! - `targets`: the addresses that the guest may use
//! - `convert`: from what a guest says to what the host does, and back

mod convert;
mod handles;
mod hearing;
mod inherited;
mod targets;

use std::io;
use std::os::fd::AsFd;

use wasmtime::component::{Linker, Resource, WasmList};

pub(crate) use self::handles::Passing;
use super::{Guest, TrapError, lock};
use crate::bindings::sockets::{
    self, Address, Family, Kind, Message, ShutdownHow, SocketOption, SocketOptionName,
};
use crate::bindings::traps::Caller;
use crate::bindings::types;
use crate::kernel::{Direction, Outcome};
use crate::sockets::{MAX_PASSED, Socket, SocketError, Target};

/// How many bytes one `recv` brings at the most.
const MAX_RECV: usize = 256 * 1024;

/// A guest's handle of a socket.
type Handle = Resource<Socket>;

impl Guest {
    fn wait_for(
        &mut self,
        this: &Handle,
        by: Caller,
        direction: Direction,
    ) -> wasmtime::Result<u64> {
        let key = self.key;
        let socket = self.table.get(this)?;
        let (source, closed) = (socket.waits_for(direction), socket.is_closed());
        self.pend(|kernel| match source {
            Some((source, direction)) => kernel.wait_for_source(key, by.into(), source, direction),
            None => kernel.end_at_once(
                key,
                by.into(),
                if closed {
                    Outcome::Closed
                } else {
                    Outcome::InvalidState
                },
            ),
        })
    }
}

/// A process that is confined to its rights has no sockets at all, if none of them is for sockets.
fn not_without_rights(error: SocketError) -> TrapError {
    match error {
        SocketError::Io(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            TrapError::Told(types::Error::Refused(
                "no permission to have sockets; add --allow-net=HOST or --allow-listen=ADDR"
                    .to_owned(),
            ))
        }
        error => error.into(),
    }
}

impl sockets::HostSocket for Guest {
    fn create(&mut self, family: Family, kind: Kind) -> Result<Handle, TrapError> {
        trace_trap!("socket.create", ?family, ?kind);
        self.with_handle(|guest| {
            let mut kernel = lock(&guest.kernel);
            let socket = Socket::new(family.into(), kind.into(), &mut kernel, guest.key);
            drop(kernel);
            guest.push(socket.map_err(not_without_rights)?)
        })
    }

    fn pair(&mut self, kind: Kind) -> Result<(Handle, Handle), TrapError> {
        trace_trap!("socket.pair", ?kind);
        self.with_handle(|guest| {
            guest.with_handle(|guest| {
                let mut kernel = lock(&guest.kernel);
                let (one, other) = Socket::pair(kind.into(), &mut kernel, guest.key)?;
                drop(kernel);
                Ok((guest.push(one)?, guest.push(other)?))
            })
        })
    }

    fn bind(&mut self, this: Handle, to: Address) -> Result<(), TrapError> {
        trace_trap!("socket.bind", socket = this.rep(), address = %to);
        let to = self.to_bind(to)?;
        Ok(self.table.get_mut(&this)?.bind(to)?)
    }

    fn listen(&mut self, this: Handle, backlog: u32) -> Result<(), TrapError> {
        trace_trap!("socket.listen", socket = this.rep(), backlog);
        let kernel = self.kernel.clone();
        let socket = self.table.get_mut(&this)?;
        Ok(socket.listen(&mut lock(&kernel), self.key, backlog)?)
    }

    fn accept(&mut self, this: Handle) -> Result<(Handle, Address), TrapError> {
        trace_trap!("socket.accept", socket = this.rep());
        if self.handles_left(1) == 0 {
            // The limit is not named when there is nothing to accept.
            self.table.get(&this)?.check_acceptable()?;
        }
        self.with_handle(|guest| {
            let listener = guest.table.get_mut(&this)?;
            let mut kernel = lock(&guest.kernel);
            let (socket, peer) = listener.accept(&mut kernel, guest.key, &guest.lane)?;
            drop(kernel);
            Ok((guest.push(socket)?, peer.into()))
        })
    }

    fn connect(&mut self, this: Handle, to: Address) -> Result<(), TrapError> {
        trace_trap!("socket.connect", socket = this.rep(), address = %to);
        let to = self.to_reach(to)?;
        let kernel = self.kernel.clone();
        let socket = self.table.get_mut(&this)?;
        Ok(socket.connect(&mut lock(&kernel), self.key, &self.lane, &to)?)
    }

    fn finish_connect(&mut self, this: Handle) -> Result<(), TrapError> {
        trace_trap!("socket.finish-connect", socket = this.rep());
        let kernel = self.kernel.clone();
        let socket = self.table.get_mut(&this)?;
        Ok(socket.finish_connect(&mut lock(&kernel), self.key)?)
    }

    fn recv(&mut self, this: Handle, max: u32) -> Result<Vec<u8>, TrapError> {
        trace_trap!("socket.recv", socket = this.rep(), max);
        self.skip_unheard(&this)?;
        Ok(self.table.get(&this)?.recv(at_most(max))?)
    }

    fn peek(&mut self, this: Handle, max: u32) -> Result<Vec<u8>, TrapError> {
        trace_trap!("socket.peek", socket = this.rep(), max);
        Ok(self.recv_from(this, max, true)?.0)
    }

    fn recv_from(
        &mut self,
        this: Handle,
        max: u32,
        peek: bool,
    ) -> Result<(Vec<u8>, Address), TrapError> {
        trace_trap!("socket.recv-from", socket = this.rep(), max, peek);
        self.skip_unheard(&this)?;
        let socket = self.table.get(&this)?;
        let (data, from) = socket.recv_from(at_most(max), peek)?;
        Ok((data, from.into()))
    }

    fn recv_msg(&mut self, this: Handle, max: u32, room: u32) -> Result<Message, TrapError> {
        trace_trap!("socket.recv-msg", socket = this.rep(), max, room);
        let room = count(MAX_PASSED).min(room);
        let room = self.handles_left(room) as usize;
        self.skip_unheard(&this)?;
        let mut received = {
            let mut kernel = lock(&self.kernel);
            let socket = self.table.get(&this)?;
            socket.recv_msg(at_most(max), room, &mut kernel, self.key)?
        };
        let mut sockets = Vec::with_capacity(received.sockets.len());
        for mut socket in received.sockets.drain(..) {
            // There is room for as many, unless others than sockets have taken it.
            if self.handles_left(1) == 0 {
                socket.close(&mut self.kernel());
                received.refused += 1;
                continue;
            }
            sockets.push(self.with_handle(|guest| guest.push(socket))?);
        }
        Ok(Message {
            data: received.data,
            sockets,
            from: received.from.into(),
            cut: received.cut,
            refused: received.refused,
        })
    }

    fn send(&mut self, this: Handle, data: Vec<u8>) -> Result<u32, TrapError> {
        send(self, &this, &data)
    }

    fn send_to(&mut self, this: Handle, data: Vec<u8>, to: Address) -> Result<u32, TrapError> {
        trace_trap!(
            "socket.send-to",
            socket = this.rep(),
            bytes = data.len(),
            %to
        );
        let to = self.to_reach(to)?;
        let sent = self.table.get(&this)?.send_to(&data, &to)?;
        Ok(count(sent))
    }

    fn send_msg(
        &mut self,
        this: Handle,
        data: Vec<u8>,
        passed: Vec<Handle>,
        to: Option<Address>,
    ) -> Result<u32, TrapError> {
        trace_trap!(
            "socket.send-msg",
            socket = this.rep(),
            bytes = data.len(),
            sockets = passed.len(),
            ?to
        );
        let to = to.map(|to| self.to_reach(to)).transpose()?;
        let number = count(passed.len());
        self.table.get(&this)?.check_passing(&data, passed.len())?;
        self.take_handles(number)?;
        let sent = self.pass(&this, &data, &passed, to.as_ref());
        match sent {
            Ok(_) if number > 0 => self.note_passing(&this),
            Ok(_) => {}
            Err(_) => self.give_handles(number),
        }
        sent
    }

    fn shutdown(&mut self, this: Handle, how: ShutdownHow) -> Result<(), TrapError> {
        trace_trap!("socket.shutdown", socket = this.rep(), ?how);
        Ok(self.table.get(&this)?.shutdown(how.into())?)
    }

    fn close(&mut self, this: Handle) -> wasmtime::Result<()> {
        trace_trap!("socket.close", socket = this.rep());
        let kernel = self.kernel.clone();
        let lingering = (self.table.get_mut(&this)?).close_and_linger(&mut lock(&kernel));
        self.note_lingering(lingering);
        Ok(())
    }

    fn local_address(&mut self, this: Handle) -> Result<Address, TrapError> {
        trace_trap!("socket.local-address", socket = this.rep());
        Ok(self.table.get(&this)?.local_address()?.into())
    }

    fn peer_address(&mut self, this: Handle) -> Result<Address, TrapError> {
        trace_trap!("socket.peer-address", socket = this.rep());
        Ok(self.table.get(&this)?.peer_address()?.into())
    }

    fn set_option(&mut self, this: Handle, option: SocketOption) -> Result<(), TrapError> {
        trace_trap!("socket.set-option", socket = this.rep(), ?option);
        Ok(self.table.get_mut(&this)?.set_option(option.into())?)
    }

    fn get_option(
        &mut self,
        this: Handle,
        name: SocketOptionName,
    ) -> Result<SocketOption, TrapError> {
        trace_trap!("socket.get-option", socket = this.rep(), ?name);
        Ok(self.table.get(&this)?.option(name.into())?.into())
    }

    fn read_wait(&mut self, this: Handle, by: Caller) -> wasmtime::Result<u64> {
        trace_trap!(
            "socket.read-wait",
            socket = this.rep(),
            task = self.serial(by.task)
        );
        self.wait_for(&this, by, Direction::Read)
    }

    fn write_wait(&mut self, this: Handle, by: Caller) -> wasmtime::Result<u64> {
        trace_trap!(
            "socket.write-wait",
            socket = this.rep(),
            task = self.serial(by.task)
        );
        self.wait_for(&this, by, Direction::Write)
    }

    fn waiting(&mut self, this: Handle) -> wasmtime::Result<(u64, u64)> {
        trace_trap!("socket.waiting", socket = this.rep());
        let socket = self.table.get(&this)?;
        let sources = [Direction::Read, Direction::Write].map(|way| socket.waits_for(way));
        let key = self.key;
        let mut kernel = self.kernel();
        let [reader, writer] = sources.map(|source| {
            let task = source.and_then(|(source, way)| kernel.waiter(key, source, way));
            task.map_or(0, super::tasks::number)
        });
        Ok((reader, writer))
    }

    fn drop(&mut self, this: Handle) -> wasmtime::Result<()> {
        trace_trap!("socket.drop", socket = this.rep());
        let mut socket = self.table.delete(this)?;
        let mut kernel = lock(&self.kernel);
        let lingering = socket.close_and_linger(&mut kernel);
        kernel.instance(self.key).budget().give_handle();
        drop(kernel);
        self.note_lingering(lingering);
        Ok(())
    }
}

impl Guest {
    /// Sends, and passes sockets along that handles were taken for.
    fn pass(
        &mut self,
        this: &Handle,
        data: &[u8],
        passed: &[Handle],
        to: Option<&Target>,
    ) -> Result<u32, TrapError> {
        debug_assert!(passed.len() <= MAX_PASSED, "it was checked");
        let mut descriptors = Vec::with_capacity(passed.len());
        let mut memory = 0;
        for socket in passed {
            let (descriptor, bytes) = self.table.get(socket)?.to_pass()?;
            descriptors.push(descriptor);
            memory += bytes;
        }
        let descriptors: Vec<_> = descriptors.iter().map(AsFd::as_fd).collect();
        let socket = self.table.get_mut(this)?;
        Ok(count(socket.send_msg(data, &descriptors, memory, to)?))
    }
}

fn send(guest: &Guest, this: &Handle, data: &[u8]) -> Result<u32, TrapError> {
    trace_trap!("socket.send", socket = this.rep(), bytes = data.len());
    Ok(count(guest.table.get(this)?.send(data)?))
}

/// How many bytes to receive of those that the guest would take.
pub(super) fn at_most(max: u32) -> usize {
    (max as usize).min(MAX_RECV)
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Replaces `send` by one that reads the guest's memory where it is. The generated one gets its data in
/// a vector, a copy that costs more than everything else on the way to the system call.
pub(super) fn add_send_without_copy(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    linker.instance("curio:kernel/sockets@0.1.0")?.func_wrap(
        "[method]socket.send",
        |mut store, (this, data): (Handle, WasmList<u8>)| {
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
