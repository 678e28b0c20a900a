//! How much a guest may use, and what is said when it has used it.
//!
//! Nothing is counted here: whoever hands out memory, tasks, handles or time compares with [`Limits`]
//! and reports [`LimitExceeded`]. Invariant: every message is one line that names the flag. Filled by the
//! command line or an embedder; `parse` has the forms in which limits are written.

mod allowance;
pub(crate) mod descriptors;
mod parse;
mod places;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub(crate) use self::allowance::{Allowance, Held};
pub(crate) use self::descriptors::Descriptors;
use self::parse::size;
pub use self::parse::{InvalidLimit, parse_count, parse_count_or_none, parse_duration, parse_size};
pub(crate) use self::places::{Place, Places};

/// How much a guest may use.
///
/// # What counts as memory
///
/// One sum over all that is held for a program, by the host or by the system:
///
/// - linear memories and tables with all they have grown to, and the kernel's entries for tasks and what they wait for
/// - what is on its way between a program and its workers. A program's worker threads count with it, tasks and
///   handles apart, which each may have so many of. A worker process has limits of its own, of the same size.
/// - sockets: 4 KiB each, and the sizes of their buffers in the system, full or not, until a socket is closed. A
///   connection by TCP has 128 KiB to receive and 32 KiB to send at first; a Unix socket 32 KiB to send, and nothing to
///   receive, for what is on its way is the sender's; a socket for datagrams by IP 208 and 64 KiB. Buffers that are too small
///   grow to 416 KiB each by themselves, as long as half of the memory is free. A program may ask for 4 MiB, which the
///   system doubles. What a Unix socket has sent, and the sockets that it has passed on, count until they are received, even if
///   it is closed meanwhile.
/// - a listener: 132 KiB for each connection that may wait to be accepted, or 4 KiB by a Unix socket. If that were more than
///   half of the memory, fewer may wait, and never more than 4096.
/// - pipes to programs that are run: 68 KiB each
/// - TLS: a configuration as long as it or one of its connections is there, with 16 KiB, the texts of its own certificate and
///   key, and three times that of authorities; a connection with 192 KiB until its handshake is done, and 72 KiB and the
///   peer's certificates then
/// - what is read from files or to be written, while that is under way
///
/// Not counted is what the host needs besides, which is bounded all the same:
///
/// - compiled code, which all instances of a component share, and the instance's stack: 2 MiB at the most
/// - a copy of what one call takes or returns, while it is answered: 16 MiB of what a guest passes, 256 KiB of what is received
/// - what an instance is besides its memories: at most a hundred core instances, tables and memories each
/// - what `wasi:*` keeps of each handle: about 64 KiB of a stream or socket at the most
/// - what standard output and error have not taken yet: 1 MiB each
/// - what closed TCP connections have not delivered yet: that is the system's own, which has limits for it
///   (`net.ipv4.tcp_max_orphans`, `tcp_mem`)
/// - one packet more than fits, of each socket: the system looks at its limit before it takes one
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use curio_host::Limits;
///
/// let limits = Limits::default()
///     .with_memory(64 << 20)
///     .with_cpu_time(Duration::from_secs(1));
/// assert_eq!(limits.memory(), 64 << 20);
/// assert_eq!(limits.cpu_time(), Some(Duration::from_secs(1)));
/// assert_eq!(limits.time(), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    memory: u64,
    tasks: u32,
    handles: u32,
    threads: u32,
    processes: u32,
    time: Option<Duration>,
    cpu_time: Option<Duration>,
}

impl Default for Limits {
    /// 4 GiB of memory, 4 194 304 tasks, 65 536 handles, 256 worker threads, 64
    /// processes, and all the time in the world.
    fn default() -> Self {
        Self {
            memory: 4 << 30,
            tasks: 4 << 20,
            handles: 64 << 10,
            threads: 256,
            processes: 64,
            time: None,
            cpu_time: None,
        }
    }
}

/// What may be used.
impl Limits {
    /// Bytes of memory: the sum over linear memories, tables and what the host holds for the guest.
    pub fn memory(&self) -> u64 {
        self.memory
    }

    /// Tasks at one time.
    pub fn tasks(&self) -> u32 {
        self.tasks
    }

    /// Handles at one time: of sockets, and of all that `wasi:*` has, such as files, directories,
    /// streams, errors, and what is waited for. A few beyond are free, for what a standard library holds by
    /// itself.
    ///
    /// There are never more than an instance's share of the descriptors that the system allows the process
    /// (`RLIMIT_NOFILE`): a thirty-second of them, but at least 64, is the host's own, and of the rest an instance may have half
    /// of what other instances of the process do not use. So each has some, whatever another one takes. `curio-host` itself
    /// runs one program, which may have seven eighths; the rest is for its worker threads.
    pub fn handles(&self) -> u32 {
        self.handles
    }

    /// Worker threads at one time.
    pub fn threads(&self) -> u32 {
        self.threads
    }

    /// Processes at one time: workers, and programs that were started.
    pub fn processes(&self) -> u32 {
        self.processes
    }

    /// Time from the start to the end, if limited. It may be any duration: add it to an instant with
    /// `checked_add`.
    pub fn time(&self) -> Option<Duration> {
        self.time
    }

    /// Time spent running the guest's own code, if limited.
    pub fn cpu_time(&self) -> Option<Duration> {
        self.cpu_time
    }
}

/// The same limits but for one.
impl Limits {
    /// Sets the bytes of memory.
    #[must_use]
    pub fn with_memory(self, memory: u64) -> Self {
        Self { memory, ..self }
    }

    /// Sets the number of tasks.
    #[must_use]
    pub fn with_tasks(self, tasks: u32) -> Self {
        Self { tasks, ..self }
    }

    /// Sets the number of handles.
    #[must_use]
    pub fn with_handles(self, handles: u32) -> Self {
        Self { handles, ..self }
    }

    /// Sets the number of worker threads; 0 allows none.
    #[must_use]
    pub fn with_threads(self, threads: u32) -> Self {
        Self { threads, ..self }
    }

    /// Sets the number of processes; 0 allows none.
    #[must_use]
    pub fn with_processes(self, processes: u32) -> Self {
        Self { processes, ..self }
    }

    /// Sets the time from start to end; `None` lifts the limit.
    #[must_use]
    pub fn with_time(self, time: impl Into<Option<Duration>>) -> Self {
        let time = time.into();
        Self { time, ..self }
    }

    /// Sets the time spent running; `None` lifts the limit.
    #[must_use]
    pub fn with_cpu_time(self, cpu_time: impl Into<Option<Duration>>) -> Self {
        let cpu_time = cpu_time.into();
        Self { cpu_time, ..self }
    }
}

/// A guest has used all it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LimitExceeded {
    /// Memories, tables and buffers together.
    #[error("limit of {} of memory reached; raise it with --max-memory", size(*limit))]
    Memory {
        /// Bytes.
        limit: u64,
    },
    /// Tasks at one time.
    #[error("limit of {limit} tasks reached; raise it with --max-tasks")]
    Tasks {
        /// How many.
        limit: u32,
    },
    /// Handles at one time.
    #[error("limit of {limit} handles reached; raise it with --max-handles")]
    Handles {
        /// How many.
        limit: u32,
    },
    /// Handles at one time, of which each takes one of the descriptors that the system allows the process.
    #[error(
        "limit of {limit} handles reached, which is the program's share of the descriptors that the system allows; raise \
         that with ulimit -n, or bound other programs of this process with --max-handles"
    )]
    Descriptors {
        /// How many.
        limit: u32,
    },
    /// Worker threads at one time.
    #[error("limit of {limit} worker threads reached; raise it with --max-threads")]
    Threads {
        /// How many.
        limit: u32,
    },
    /// Processes at one time: workers, and programs that were started.
    #[error("limit of {limit} processes reached; raise it with --max-processes")]
    Processes {
        /// How many.
        limit: u32,
    },
    /// Time from start to end.
    #[error("limit of {} of time reached; raise it with --max-time", humantime::format_duration(*limit))]
    Time {
        /// How long.
        limit: Duration,
    },
    /// Time spent running the guest's code.
    #[error(
        "limit of {} of CPU time reached; raise it with --max-cpu-time",
        humantime::format_duration(*limit)
    )]
    CpuTime {
        /// How long.
        limit: Duration,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reached_limit_names_its_flag() {
        let limit = Duration::from_secs(1);
        for (error, text) in [
            (
                LimitExceeded::Memory { limit: 64 << 20 },
                "limit of 64 MiB of memory reached; raise it with --max-memory",
            ),
            (
                LimitExceeded::Memory { limit: 1_000_000 },
                "limit of 1000000 B of memory reached; raise it with --max-memory",
            ),
            (
                LimitExceeded::Memory { limit: 0 },
                "limit of 0 B of memory reached; raise it with --max-memory",
            ),
            (
                LimitExceeded::Tasks { limit: 10 },
                "limit of 10 tasks reached; raise it with --max-tasks",
            ),
            (
                LimitExceeded::Handles { limit: 10 },
                "limit of 10 handles reached; raise it with --max-handles",
            ),
            (
                LimitExceeded::Threads { limit: 10 },
                "limit of 10 worker threads reached; raise it with --max-threads",
            ),
            (
                LimitExceeded::Processes { limit: 10 },
                "limit of 10 processes reached; raise it with --max-processes",
            ),
            (
                LimitExceeded::Time { limit: limit * 90 },
                "limit of 1m 30s of time reached; raise it with --max-time",
            ),
            (
                LimitExceeded::CpuTime { limit },
                "limit of 1s of CPU time reached; raise it with --max-cpu-time",
            ),
        ] {
            assert_eq!(error.to_string(), text);
        }
    }

    #[test]
    fn setters_change_one_limit_each() {
        let limits = Limits::default();
        assert_eq!(
            (limits.memory(), limits.tasks(), limits.handles()),
            (4 << 30, 4_194_304, 65_536)
        );
        assert_eq!(limits.processes(), 64);
        assert_eq!((limits.time(), limits.cpu_time()), (None, None));
        let second = Duration::from_secs(1);
        let set = limits
            .with_memory(1)
            .with_tasks(2)
            .with_handles(3)
            .with_processes(4)
            .with_time(second);
        assert_eq!((set.memory(), set.tasks(), set.handles()), (1, 2, 3));
        assert_eq!(set.processes(), 4);
        assert_eq!((set.time(), set.cpu_time()), (Some(second), None));
        assert_eq!(
            set.with_time(None).with_cpu_time(second).cpu_time(),
            Some(second)
        );
    }
}
