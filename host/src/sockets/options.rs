//! Socket options, by the names of POSIX.

use std::io;
use std::time::Duration;

use socket2::Socket as System;

use super::SocketError;
use super::buffers::Buffer;
use super::socket::{Family, Socket};

/// The longest linger time the system takes.
const MAX_LINGER: Duration = Duration::from_secs(65_535);

/// An option and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Option {
    ReuseAddress(bool),
    ReusePort(bool),
    NoDelay(bool),
    KeepAlive(bool),
    Linger(std::option::Option<Duration>),
    ReceiveBuffer(u32),
    SendBuffer(u32),
    Ipv6Only(bool),
    TimeToLive(u32),
    Broadcast(bool),
}

/// An option's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    ReuseAddress,
    ReusePort,
    NoDelay,
    KeepAlive,
    Linger,
    ReceiveBuffer,
    SendBuffer,
    Ipv6Only,
    TimeToLive,
    Broadcast,
}

impl Socket {
    /// Sets an option.
    pub(crate) fn set_option(&mut self, option: Option) -> Result<(), SocketError> {
        check(option).map_err(SocketError::Argument)?;
        let is_ipv6 = self.family() == Family::Ipv6;
        let mut option = option;
        if let Option::Linger(time) = &mut option {
            // The system would have `close` wait for this time, and take less than a second for zero, which resets. It goes
            // on sending for longer without that.
            let waits = |time: &mut Duration| !time.is_zero();
            self.linger = time.take_if(waits);
        }
        let system = self.system()?;
        match option {
            Option::SendBuffer(bytes) => self.buffers.ask(system, Buffer::Send, bytes),
            Option::ReceiveBuffer(bytes) => self.buffers.ask(system, Buffer::Receive, bytes),
            option => Ok(set(system, is_ipv6, option)?),
        }
    }

    /// Reads an option.
    pub(crate) fn option(&self, name: Name) -> Result<Option, SocketError> {
        let system = self.system()?;
        if name == Name::Linger && self.linger.is_some() {
            return Ok(Option::Linger(self.linger));
        }
        let is_ipv6 = self.family() == Family::Ipv6;
        Ok(get(system, is_ipv6, name)?)
    }
}

/// Checks that a value makes sense to the system, which may crash or wrap on it otherwise, or take it for
/// another one: a time to live of -1 is its own default.
fn check(option: Option) -> Result<(), &'static str> {
    match option {
        Option::Linger(Some(time)) if time > MAX_LINGER => {
            Err("a linger time may be 65,535 seconds at most")
        }
        Option::TimeToLive(hops) if !(1..=255).contains(&hops) => {
            Err("a time to live is from 1 to 255")
        }
        _ => Ok(()),
    }
}

/// Sets an option of a socket of the IPv6 family, or of IPv4.
fn set(socket: &System, is_ipv6: bool, option: Option) -> io::Result<()> {
    match option {
        Option::ReuseAddress(on) => socket.set_reuse_address(on),
        Option::ReusePort(on) => socket.set_reuse_port(on),
        Option::NoDelay(on) => socket.set_tcp_nodelay(on),
        Option::KeepAlive(on) => socket.set_keepalive(on),
        Option::Linger(time) => socket.set_linger(time),
        // Their sizes are set by `buffers`, which holds memory for them.
        Option::ReceiveBuffer(_) | Option::SendBuffer(_) => Err(io::ErrorKind::Unsupported.into()),
        Option::Ipv6Only(on) => socket.set_only_v6(on),
        Option::TimeToLive(hops) if is_ipv6 => socket.set_unicast_hops_v6(hops),
        Option::TimeToLive(hops) => socket.set_ttl_v4(hops),
        Option::Broadcast(on) => socket.set_broadcast(on),
    }
}

/// Reads an option of a socket of the IPv6 family, or of IPv4.
fn get(socket: &System, is_ipv6: bool, name: Name) -> io::Result<Option> {
    let size = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
    Ok(match name {
        Name::ReuseAddress => Option::ReuseAddress(socket.reuse_address()?),
        Name::ReusePort => Option::ReusePort(socket.reuse_port()?),
        Name::NoDelay => Option::NoDelay(socket.tcp_nodelay()?),
        Name::KeepAlive => Option::KeepAlive(socket.keepalive()?),
        Name::Linger => Option::Linger(socket.linger()?),
        Name::ReceiveBuffer => Option::ReceiveBuffer(size(socket.recv_buffer_size()?)),
        Name::SendBuffer => Option::SendBuffer(size(socket.send_buffer_size()?)),
        Name::Ipv6Only => Option::Ipv6Only(socket.only_v6()?),
        Name::TimeToLive if is_ipv6 => Option::TimeToLive(socket.unicast_hops_v6()?),
        Name::TimeToLive => Option::TimeToLive(socket.ttl_v4()?),
        Name::Broadcast => Option::Broadcast(socket.broadcast()?),
    })
}
