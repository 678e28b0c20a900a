//! The sockets that a supervisor starts the host with: systemd's protocol of socket activation, see `sd_listen_fds(3)`.
//!
//! `LISTEN_FDS` descriptors from 3 on are for the process that `LISTEN_PID` names; `LISTEN_FDNAMES` has their names,
//! with colons between. The variables are for the host alone: `permissions::env` keeps them from guests.

use std::ffi::OsString;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};

use nix::errno::Errno;
use nix::libc;

use crate::Error;
use crate::permissions::Permissions;
use crate::sockets::InheritedSockets;

/// The first one.
const FIRST: RawFd = 3;

/// More than any process has, unless somebody raises the system's own limit.
const MAX: u32 = 1 << 20;

/// What was handed over, in its order, with names.
pub(super) type Handed = Vec<(Option<String>, OwnedFd)>;

/// Takes over the descriptors that are for this process. To be called before anything is opened, lest that be
/// taken for one of them. They are handed over once: another call finds none.
///
/// # Errors
/// If the variables contradict themselves or each other, or a descriptor is not there.
#[expect(
    clippy::disallowed_methods,
    reason = "the supervisor speaks to the host by these variables"
)]
pub(super) fn take() -> Result<Handed, Error> {
    static TAKEN: AtomicBool = AtomicBool::new(false);

    let names = announced(|name| std::env::var_os(name), std::process::id())?;
    if TAKEN.swap(true, Ordering::Relaxed) {
        return Ok(Vec::new());
    }
    (FIRST..)
        .zip(names)
        .map(|(number, name)| Ok((name, own(number)?)))
        .collect()
}

/// What of it the guest gets. The rest is closed.
///
/// # Errors
/// If the guest is to have them, and they could not be taken over or are no sockets that a guest can have.
pub(super) fn for_guest(
    handed: Result<Handed, Error>,
    permissions: &Permissions,
) -> Result<InheritedSockets, Error> {
    if permissions.check_inherited_sockets().is_err() {
        match handed {
            Ok(handed) if handed.is_empty() => {}
            Ok(handed) => tracing::warn!(
                "{} sockets were handed over, and are closed; add --inherit-sockets to let the guest have them",
                handed.len()
            ),
            Err(error) => tracing::warn!("nothing is taken over: {error}"),
        }
        return Ok(InheritedSockets::new());
    }
    let mut sockets = InheritedSockets::new();
    for (name, fd) in handed? {
        sockets.add(name.as_deref(), fd)?;
    }
    Ok(sockets)
}

/// The names of what is for this process, which has the number `process`: as many as there are descriptors.
fn announced(
    variable: impl Fn(&str) -> Option<OsString>,
    process: u32,
) -> Result<Vec<Option<String>>, Error> {
    let wrong = |text: String| Error::InheritedSocket(format!("{text}; see sd_listen_fds(3)"));
    let number = |name: &str| {
        let Some(text) = variable(name) else {
            return Ok(None);
        };
        let text = text.to_string_lossy();
        match text.parse::<u32>() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(wrong(format!("{name} is {text:?}, which is no number"))),
        }
    };
    if number("LISTEN_PID")? != Some(process) {
        return Ok(Vec::new());
    }
    let count = number("LISTEN_FDS")?.unwrap_or(0);
    if count > MAX {
        return Err(wrong(format!(
            "LISTEN_FDS is {count}, more than a process has"
        )));
    }
    let count = count as usize;
    let Some(names) = variable("LISTEN_FDNAMES").filter(|_| count > 0) else {
        return Ok(vec![None; count]);
    };
    let names = names.into_string();
    let names = names.map_err(|_| wrong("LISTEN_FDNAMES is not UTF-8".to_owned()))?;
    let names: Vec<_> = names.split(':').collect();
    if names.len() != count {
        return Err(wrong(format!(
            "LISTEN_FDS is {count}, and LISTEN_FDNAMES has {} names",
            names.len()
        )));
    }
    let given = names
        .iter()
        .map(|name| (!name.is_empty()).then(|| (*name).to_owned()));
    Ok(given.collect())
}

/// Takes over one descriptor.
#[expect(unsafe_code, reason = "nothing but its number is handed over")]
fn own(number: RawFd) -> Result<OwnedFd, Error> {
    // SAFETY: it asks for a flag, whatever the number.
    let flags = unsafe { libc::fcntl(number, libc::F_GETFD) };
    if flags < 0 {
        return Err(Error::InheritedSocket(format!(
            "descriptor {number} was to be handed over, but: {}; see sd_listen_fds(3)",
            Errno::last().desc()
        )));
    }
    // SAFETY: it is open, and the supervisor says that it is this process's to own. Nobody else here has it:
    // nothing was opened before, and `take` asks for it once.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<Vec<Option<String>>, String> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.into())
        };
        announced(variable, 7).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_for_this_process_is_counted() {
        let (own, two) = (("LISTEN_PID", "7"), ("LISTEN_FDS", "2"));
        let named = |names| ("LISTEN_FDNAMES", names);
        for (variables, expected) in [
            (&[][..], &[][..]),
            (&[two], &[]),
            (&[own], &[]),
            (&[("LISTEN_PID", "8"), two, named("a:b")], &[]),
            (&[own, ("LISTEN_FDS", "0"), named("")], &[]),
            (&[own, two], &[None, None]),
            (&[own, two, named("a:b")], &[Some("a"), Some("b")]),
            (&[own, two, named(":b")], &[None, Some("b")]),
        ] {
            let expected: Vec<_> = expected
                .iter()
                .map(|name| name.map(str::to_owned))
                .collect();
            assert_eq!(of(variables), Ok(expected), "{variables:?}");
        }
    }

    #[test]
    fn contradictions_are_told() {
        let own = ("LISTEN_PID", "7");
        for (variables, hint) in [
            (&[("LISTEN_PID", "x")][..], "LISTEN_PID is \"x\""),
            (&[own, ("LISTEN_FDS", "-1")], "LISTEN_FDS is \"-1\""),
            (&[own, ("LISTEN_FDS", "")], "LISTEN_FDS is \"\""),
            (
                &[own, ("LISTEN_FDS", "4294967295")],
                "more than a process has",
            ),
            (
                &[own, ("LISTEN_FDS", "2"), ("LISTEN_FDNAMES", "a")],
                "LISTEN_FDS is 2, and LISTEN_FDNAMES has 1 names",
            ),
        ] {
            let error = of(variables).unwrap_err();
            assert!(
                error.contains(hint) && error.contains("sd_listen_fds(3)"),
                "{error}"
            );
        }
    }
}
