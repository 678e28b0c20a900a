//! What signals there are.

use std::fmt;
use std::str::FromStr;

/// The first real-time signal.
const REAL_TIME_MIN: u8 = 34;

/// The last one.
const REAL_TIME_MAX: u8 = 64;

/// A signal. `Display` writes its name, and [`str::parse`] reads it: `SIGHUP`, `HUP`, `SIGRTMIN+1`, `1`.
///
/// ```
/// use curio::signal::Signal;
///
/// assert_eq!(Signal::USR1.to_string(), "SIGUSR1");
/// assert_eq!(Signal::USR1.number(), 10);
/// assert_eq!("HUP".parse(), Ok(Signal::HUP));
/// assert_eq!(Signal::real_time(1).map(|signal| signal.to_string()).as_deref(), Some("SIGRTMIN+1"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Signal(u8);

/// There is no signal of this name or number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no signal {0:?}; USR1 is one, and RTMIN+1")]
pub struct NoSuchSignal(String);

macro_rules! signals {
    ($($(#[$doc:meta])* $name:ident $sys:literal = $number:literal;)*) => {
        /// The standard signals.
        impl Signal {
            $(
                $(#[$doc])*
                #[doc(alias = $sys)]
                pub const $name: Self = Self($number);
            )*
        }

        /// The standard signals with their names.
        const NAMES: &[(&str, Signal)] = &[$((stringify!($name), Signal::$name),)*];
    };
}

signals! {
    /// The terminal is gone; for a service, to read its settings again.
    HUP "SIGHUP" = 1;
    /// Ctrl-C.
    INT "SIGINT" = 2;
    /// Ctrl-\.
    QUIT "SIGQUIT" = 3;
    /// A fault; can't be watched.
    ILL "SIGILL" = 4;
    /// A fault; can't be watched.
    TRAP "SIGTRAP" = 5;
    /// `abort`.
    ABRT "SIGABRT" = 6;
    /// A fault; can't be watched.
    BUS "SIGBUS" = 7;
    /// A fault; can't be watched.
    FPE "SIGFPE" = 8;
    /// The end; can't be watched.
    KILL "SIGKILL" = 9;
    /// For the program's own use.
    USR1 "SIGUSR1" = 10;
    /// A fault; can't be watched.
    SEGV "SIGSEGV" = 11;
    /// For the program's own use.
    USR2 "SIGUSR2" = 12;
    /// Nobody reads what was written.
    PIPE "SIGPIPE" = 13;
    /// An alarm clock.
    ALRM "SIGALRM" = 14;
    /// A request to end.
    TERM "SIGTERM" = 15;
    /// Not used.
    STKFLT "SIGSTKFLT" = 16;
    /// A child has ended or stopped.
    CHLD "SIGCHLD" = 17;
    /// To go on after a stop.
    CONT "SIGCONT" = 18;
    /// To stop; can't be watched.
    STOP "SIGSTOP" = 19;
    /// Ctrl-Z.
    TSTP "SIGTSTP" = 20;
    /// A read from the terminal in the background; can't be watched.
    TTIN "SIGTTIN" = 21;
    /// A write to the terminal in the background; can't be watched.
    TTOU "SIGTTOU" = 22;
    /// Urgent data at a socket.
    URG "SIGURG" = 23;
    /// The process has used its CPU time.
    XCPU "SIGXCPU" = 24;
    /// A file became too large.
    XFSZ "SIGXFSZ" = 25;
    /// An alarm clock of CPU time.
    VTALRM "SIGVTALRM" = 26;
    /// A profiler's alarm clock.
    PROF "SIGPROF" = 27;
    /// The terminal's window has another size.
    WINCH "SIGWINCH" = 28;
    /// Something can be read or written.
    IO "SIGIO" = 29;
    /// The power fails.
    PWR "SIGPWR" = 30;
    /// A wrong system call; can't be watched.
    SYS "SIGSYS" = 31;
}

impl Signal {
    /// The signal with this number.
    ///
    /// # Errors
    /// If there is none.
    pub fn new(number: u8) -> Result<Self, NoSuchSignal> {
        if matches!(number, 1..=31 | REAL_TIME_MIN..=REAL_TIME_MAX) {
            return Ok(Self(number));
        }
        Err(NoSuchSignal(number.to_string()))
    }

    /// A real-time signal: `SIGRTMIN+n`. There are 31. The system keeps all that are sent, and brings those with a low
    /// number first.
    #[doc(alias = "SIGRTMIN")]
    pub const fn real_time(n: u8) -> Option<Self> {
        if n <= REAL_TIME_MAX - REAL_TIME_MIN {
            Some(Self(REAL_TIME_MIN + n))
        } else {
            None
        }
    }

    /// Its number.
    #[doc(alias = "signo")]
    pub const fn number(self) -> u8 {
        self.0
    }

    /// One that the kernel has told of.
    pub(super) fn known(number: u8) -> Self {
        Self(number)
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.iter().find(|(_, known)| known == self) {
            Some((name, _)) => write!(f, "SIG{name}"),
            None if self.0 == REAL_TIME_MIN => f.write_str("SIGRTMIN"),
            None => write!(f, "SIGRTMIN+{}", self.0.saturating_sub(REAL_TIME_MIN)),
        }
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Signal {
    type Err = NoSuchSignal;

    fn from_str(text: &str) -> Result<Self, NoSuchSignal> {
        let none = || NoSuchSignal(text.to_owned());
        if let Ok(number) = text.parse() {
            return Self::new(number);
        }
        let name = text.strip_prefix("SIG").unwrap_or(text);
        if let Some((_, signal)) = NAMES.iter().find(|(known, _)| *known == name) {
            return Ok(*signal);
        }
        let offset = match name.strip_prefix("RTMIN").ok_or_else(none)? {
            "" => 0,
            rest => {
                let digits = rest.strip_prefix('+').ok_or_else(none)?;
                digits.parse().map_err(|_| none())?
            }
        };
        Self::real_time(offset).ok_or_else(none)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_name_the_same() {
        for number in (1..=31).chain(34..=64) {
            let signal = Signal::new(number).unwrap();
            assert_eq!(signal.number(), number);
            let name = signal.to_string();
            assert_eq!(name.parse(), Ok(signal));
            assert_eq!(name.trim_start_matches("SIG").parse(), Ok(signal));
            assert_eq!(number.to_string().parse(), Ok(signal));
        }
        assert_eq!(Signal::real_time(30).map(Signal::number), Some(64));
        assert_eq!(Signal::real_time(31), None);
    }

    #[test]
    fn what_is_no_signal_is_told() {
        for text in [
            "",
            "0",
            "32",
            "65",
            "300",
            "USR3",
            "RTMIN+31",
            "RTMIN1",
            "SIGSIGHUP",
        ] {
            let error = text.parse::<Signal>().unwrap_err().to_string();
            assert!(error.starts_with("there is no signal \""), "{error}");
        }
    }
}
