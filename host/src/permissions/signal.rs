//! Signals, and the grants to watch them: `--allow-signal`.
//!
//! Invariant: a [`Signal`] is one that can be watched: the system hands it over, nothing else depends on it, and the C
//! library does not keep it for itself. Used by `Permissions` and by `signals`.

use std::fmt;
use std::str::FromStr;

use nix::libc;

use serde::{Deserialize, Serialize};

use super::Permissions;
use super::denied::{Denied, InvalidPermission};

const FLAG: &str = "--allow-signal";

/// The signals with a name, as `signal(7)` has them. Of two names for one, the usual one comes first.
const NAMES: [(&str, i32); 34] = [
    ("HUP", libc::SIGHUP),
    ("INT", libc::SIGINT),
    ("QUIT", libc::SIGQUIT),
    ("ILL", libc::SIGILL),
    ("TRAP", libc::SIGTRAP),
    ("ABRT", libc::SIGABRT),
    ("IOT", libc::SIGABRT),
    ("BUS", libc::SIGBUS),
    ("FPE", libc::SIGFPE),
    ("KILL", libc::SIGKILL),
    ("USR1", libc::SIGUSR1),
    ("SEGV", libc::SIGSEGV),
    ("USR2", libc::SIGUSR2),
    ("PIPE", libc::SIGPIPE),
    ("ALRM", libc::SIGALRM),
    ("TERM", libc::SIGTERM),
    ("STKFLT", libc::SIGSTKFLT),
    ("CHLD", libc::SIGCHLD),
    ("CLD", libc::SIGCHLD),
    ("CONT", libc::SIGCONT),
    ("STOP", libc::SIGSTOP),
    ("TSTP", libc::SIGTSTP),
    ("TTIN", libc::SIGTTIN),
    ("TTOU", libc::SIGTTOU),
    ("URG", libc::SIGURG),
    ("XCPU", libc::SIGXCPU),
    ("XFSZ", libc::SIGXFSZ),
    ("VTALRM", libc::SIGVTALRM),
    ("PROF", libc::SIGPROF),
    ("WINCH", libc::SIGWINCH),
    ("IO", libc::SIGIO),
    ("POLL", libc::SIGIO),
    ("PWR", libc::SIGPWR),
    ("SYS", libc::SIGSYS),
];

/// The signals there are: the highest number.
const MAX: u8 = 64;

/// A signal that can be watched.
///
/// It is written with or without `SIG`, as `USR1`, `SIGHUP`, `RTMIN+3`, `RTMAX-1`, or as its number.
///
/// ```
/// use curio_host::Signal;
///
/// let signal: Signal = "SIGHUP".parse()?;
/// assert_eq!(signal, "hup".parse()?);
/// assert_eq!(signal, Signal::new(1)?);
/// assert_eq!(signal.to_string(), "SIGHUP");
///
/// let error = "KILL".parse::<Signal>().unwrap_err();
/// assert_eq!(error.to_string(), "can't be watched: the system never hands it over");
/// # Ok::<(), curio_host::InvalidSignal>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Signal(u8);

/// Why there is no such signal, or why nobody can watch it. The text continues a sentence that begins with the signal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidSignal(&'static str);

impl Signal {
    /// The signal with this number.
    ///
    /// # Errors
    /// If there is none, or it can't be watched.
    pub fn new(number: u8) -> Result<Self, InvalidSignal> {
        let problem = match i32::from(number) {
            libc::SIGKILL | libc::SIGSTOP => "can't be watched: the system never hands it over",
            libc::SIGSEGV
            | libc::SIGBUS
            | libc::SIGFPE
            | libc::SIGILL
            | libc::SIGTRAP
            | libc::SIGSYS => "can't be watched: it is how the processor reports a fault",
            libc::SIGTTIN | libc::SIGTTOU => {
                "can't be watched: it is how a terminal stops a program in the background"
            }
            0 => "is no signal; give a name such as USR1, or a number from 1 to 64",
            _ if number > MAX => "is no signal; give a name such as USR1, or a number from 1 to 64",
            number if (32..libc::SIGRTMIN()).contains(&number) => {
                "can't be watched: the C library keeps it for itself"
            }
            _ => return Ok(Self(number)),
        };
        Err(InvalidSignal(problem))
    }

    /// Its number.
    pub fn number(self) -> u8 {
        self.0
    }

    /// Its place in a set of bits.
    fn bit(self) -> u64 {
        1 << (self.0 - 1)
    }
}

impl FromStr for Signal {
    type Err = InvalidSignal;

    fn from_str(text: &str) -> Result<Self, InvalidSignal> {
        let unknown = InvalidSignal(
            "is no signal; give a name such as USR1, RTMIN+1, or a number from 1 to 64",
        );
        if text.starts_with(|c: char| c.is_ascii_digit()) {
            return Self::new(text.parse().map_err(|_| unknown)?);
        }
        let upper = text.to_ascii_uppercase();
        let name = upper.strip_prefix("SIG").unwrap_or(&upper);
        let by_name = NAMES.iter().find(|(known, _)| *known == name);
        let number = match by_name {
            Some((_, number)) => Some(*number),
            None => real_time(name),
        };
        let number = number.and_then(|number| u8::try_from(number).ok());
        Self::new(number.ok_or(unknown)?)
    }
}

/// A real-time signal: `RTMIN`, `RTMIN+n`, `RTMAX`, `RTMAX-n`.
fn real_time(name: &str) -> Option<i32> {
    let (min, max) = (libc::SIGRTMIN(), libc::SIGRTMAX());
    let offset = |rest: &str, sign: char| match rest {
        "" => Some(0),
        rest => {
            let digits = rest.strip_prefix(sign)?;
            let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| digits.parse::<u8>().ok()).flatten()
        }
    };
    let number = if let Some(rest) = name.strip_prefix("RTMIN") {
        min + i32::from(offset(rest, '+')?)
    } else {
        max - i32::from(offset(name.strip_prefix("RTMAX")?, '-')?)
    };
    (min..=max).contains(&number).then_some(number)
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = i32::from(self.0);
        match NAMES.iter().find(|(_, known)| *known == number) {
            Some((name, _)) => write!(f, "SIG{name}"),
            None if number == libc::SIGRTMIN() => f.write_str("SIGRTMIN"),
            None => write!(f, "SIGRTMIN+{}", number - libc::SIGRTMIN()),
        }
    }
}

/// A set of signals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SignalMask(u64);

impl SignalMask {
    /// All that can be watched.
    pub(crate) fn all() -> Self {
        (1..=MAX)
            .filter_map(|number| Signal::new(number).ok())
            .collect()
    }

    /// Whether a signal is among them.
    pub(crate) fn contains(self, signal: Signal) -> bool {
        self.0 & signal.bit() != 0
    }

    /// How many there are.
    pub(crate) fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// Each of them, in the order of their numbers.
    pub(crate) fn iter(self) -> impl Iterator<Item = Signal> {
        let all = (1..=MAX).map(Signal);
        all.filter(move |signal| self.contains(*signal))
    }
}

impl FromIterator<Signal> for SignalMask {
    fn from_iter<I: IntoIterator<Item = Signal>>(signals: I) -> Self {
        let bits = signals.into_iter().map(Signal::bit);
        Self(bits.fold(0, |all, bit| all | bit))
    }
}

/// All that `--allow-signal` granted.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct SignalGrants(SignalMask);

impl SignalGrants {
    /// Adds all items of a list separated by commas, or none if one is wrong.
    pub(super) fn allow(&mut self, spec: &str) -> Result<(), InvalidPermission> {
        let mut added = self.0;
        for item in spec.split(',').map(str::trim) {
            let signal: Signal = item.parse().map_err(|problem: InvalidSignal| {
                InvalidPermission::new(FLAG, item, &problem.to_string())
            })?;
            added.0 |= signal.bit();
        }
        self.0 = added;
        Ok(())
    }

    pub(super) fn check(self, signal: Signal) -> Result<(), Denied> {
        let granted = self.0.contains(signal);
        granted.then_some(()).ok_or(Denied::Signal { signal })
    }

    pub(super) fn signals(self) -> SignalMask {
        self.0
    }
}

/// Signals.
impl Permissions {
    /// Allows watching signals that are sent to the host's process. `spec` is one signal or several, with commas between:
    /// names with or without `SIG`, `RTMIN+n`, or numbers. The host must take them, too: see
    /// [`Host::watch_signals`](crate::Host::watch_signals).
    ///
    /// # Examples
    ///
    /// ```
    /// use curio_host::Permissions;
    ///
    /// let mut permissions = Permissions::none();
    /// permissions.allow_signal("USR1,HUP")?;
    /// assert!(permissions.check_signal("SIGHUP".parse()?).is_ok());
    ///
    /// let denied = permissions.check_signal("TERM".parse()?).unwrap_err();
    /// assert_eq!(denied.to_string(), "no permission to watch SIGTERM; add --allow-signal=TERM");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn allow_signal(&mut self, spec: &str) -> Result<&mut Self, InvalidPermission> {
        self.signals.allow(spec)?;
        Ok(self)
    }

    /// Checks that the guest may watch a signal.
    pub fn check_signal(&self, signal: Signal) -> Result<(), Denied> {
        self.check(|| self.signals.check(signal))
    }

    /// The signals that the guest may watch.
    pub(crate) fn signals(&self) -> SignalMask {
        if self.all {
            return SignalMask::all();
        }
        self.signals.signals()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signal(text: &str) -> Signal {
        text.parse().unwrap()
    }

    #[test]
    fn signals_have_several_names_and_a_number() {
        for (text, name) in [
            ("USR1", "SIGUSR1"),
            ("SIGUSR1", "SIGUSR1"),
            ("sigusr1", "SIGUSR1"),
            ("1", "SIGHUP"),
            ("CLD", "SIGCHLD"),
            ("poll", "SIGIO"),
            ("RTMIN", "SIGRTMIN"),
            ("SIGRTMIN+3", "SIGRTMIN+3"),
            ("64", "SIGRTMIN+30"),
            ("RTMAX", "SIGRTMIN+30"),
            ("RTMAX-1", "SIGRTMIN+29"),
        ] {
            assert_eq!(signal(text).to_string(), name);
        }
        for signal in SignalMask::all().iter() {
            assert_eq!(signal.to_string().parse(), Ok(signal));
            assert_eq!(signal.number().to_string().parse(), Ok(signal));
        }
        assert_eq!(SignalMask::all().len(), 52);
    }

    #[test]
    fn a_grant_allows_what_it_names() {
        let mut grants = SignalGrants::default();
        grants.allow("USR1, 1,RTMIN+1").unwrap();
        for text in ["SIGUSR1", "HUP", "35"] {
            assert_eq!(grants.check(signal(text)), Ok(()));
        }
        for text in ["USR2", "TERM", "RTMIN", "RTMIN+2"] {
            let denied = grants.check(signal(text)).unwrap_err().to_string();
            let (_, spec) = denied.split_once("--allow-signal=").unwrap();
            let mut remedy = SignalGrants::default();
            remedy.allow(spec).unwrap();
            assert_eq!(remedy.check(signal(text)), Ok(()), "{denied}");
        }
    }

    #[test]
    fn wrong_grants_are_refused_whole_and_say_why() {
        for (item, hint) in [
            ("KILL", "never hands it over"),
            ("SIGSTOP", "never hands it over"),
            ("9", "never hands it over"),
            ("SEGV", "reports a fault"),
            ("TTIN", "in the background"),
            ("32", "the C library"),
            ("0", "is no signal"),
            ("65", "is no signal"),
            ("300", "is no signal"),
            ("1x", "is no signal"),
            ("-1", "is no signal"),
            ("", "is no signal"),
            ("USR3", "give a name such as USR1"),
            ("RTMIN-1", "is no signal"),
            ("RTMIN+", "is no signal"),
            ("RTMIN++1", "is no signal"),
            ("RTMIN+31", "is no signal"),
            ("RTMAX+1", "is no signal"),
            ("RTMAX-200", "is no signal"),
        ] {
            let mut grants = SignalGrants::default();
            let error = grants.allow(&format!("USR1,{item}")).unwrap_err();
            let error = error.to_string();
            let start = format!("--allow-signal: {item:?} ");
            assert!(error.starts_with(&start) && error.contains(hint), "{error}");
            assert_eq!(grants.signals().len(), 0);
        }
    }
}
