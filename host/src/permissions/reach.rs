//! How far grants lead, for whoever has the operating system hold a process to them: wider than the checks, since the
//! system can tell ports and directories apart, and no names.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::Permissions;

/// Which ports grants lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ports {
    /// Every one.
    All,
    /// These; none if it is empty. Port 0 is any free port of the system's choice.
    Some(BTreeSet<u16>),
}

impl Ports {
    /// Whether there is none.
    pub(crate) fn is_none(&self) -> bool {
        matches!(self, Self::Some(ports) if ports.is_empty())
    }
}

/// Every port if one of the grants has none.
impl FromIterator<Option<u16>> for Ports {
    fn from_iter<I: IntoIterator<Item = Option<u16>>>(ports: I) -> Self {
        let ports: Option<BTreeSet<_>> = ports.into_iter().collect();
        ports.map_or(Self::All, Self::Some)
    }
}

/// How far the grants lead.
impl Permissions {
    /// Whether every name may be looked up, by `*` or `--allow-all`: the answer for interfaces, such as
    /// WASI's, that allow either all lookups or none.
    pub fn allows_any_name_lookup(&self) -> bool {
        self.all || self.net.allows_any_name()
    }

    /// The ports that may be connected or sent to.
    pub(crate) fn connect_ports(&self) -> Ports {
        if self.all {
            return Ports::All;
        }
        self.net.ports().collect()
    }

    /// The ports that may be bound.
    pub(crate) fn listen_ports(&self) -> Ports {
        if self.all {
            return Ports::All;
        }
        self.listen.ports().collect()
    }

    /// Whether any Unix socket with a path may be used.
    pub(crate) fn uses_unix_sockets(&self) -> bool {
        self.all || !self.unix_net.is_empty() || !self.unix_listen.is_empty()
    }

    /// The directories that Unix sockets may be made in, or below.
    pub(crate) fn unix_listen_directories(&self) -> Vec<PathBuf> {
        self.unix_listen.directories().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_lead_to_ports_and_directories() {
        let mut permissions = Permissions::none();
        assert!(permissions.connect_ports().is_none() && permissions.listen_ports().is_none());
        assert!(!permissions.uses_unix_sockets());
        permissions
            .allow_net("example.com:443,10.0.0.0/8:80")
            .unwrap()
            .allow_listen("127.0.0.1:0,unix:/run/a.sock,unix:/run/app/")
            .unwrap();
        let some = |ports: &[u16]| Ports::Some(ports.iter().copied().collect());
        assert_eq!(permissions.connect_ports(), some(&[80, 443]));
        assert_eq!(permissions.listen_ports(), some(&[0]));
        assert!(permissions.uses_unix_sockets());
        let directories = ["/run/", "/run/app/"].map(PathBuf::from);
        assert_eq!(permissions.unix_listen_directories(), directories);
        permissions.allow_net("example.com").unwrap();
        assert_eq!(permissions.connect_ports(), Ports::All);
        let all = Permissions::all();
        assert_eq!(all.connect_ports(), Ports::All);
        assert_eq!(all.listen_ports(), Ports::All);
    }
}
