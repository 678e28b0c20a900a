//! Files, TCP ports and other processes, by Landlock.
//!
//! What the running system's Landlock does not know yet is left out, and told.

use std::path::PathBuf;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, LandlockStatus, NetPort, PathBeneath, PathFd,
    RestrictionStatus, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError, Scope,
    make_bitflags, path_beneath_rules,
};

use super::{Force, Measure};
use crate::permissions::{Permissions, Ports};

/// The Landlock that this is written for: what later ones add is not asked for.
const KNOWN: ABI = ABI::V7;

/// What a directory that is granted for reading is for.
const READ: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ReadFile | ReadDir});

/// What one that is granted for writing is for besides. No devices or pipes are made by anybody here.
const WRITE: BitFlags<AccessFs> = make_bitflags!(AccessFs::{
    WriteFile | Truncate | Refer | RemoveDir | RemoveFile | MakeDir | MakeReg | MakeSym
});

/// What names of hosts are looked up with: settings, and the C library's modules for that, which it loads when it needs them.
const NAMES: [&str; 16] = [
    "/etc/hosts",
    "/etc/resolv.conf",
    "/etc/nsswitch.conf",
    "/etc/host.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/protocols",
    "/etc/hostname",
    "/etc/ld.so.cache",
    "/run/systemd/resolve",
    "/run/resolvconf",
    "/run/NetworkManager",
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
];

/// Where systems keep the certificates of authorities.
const AUTHORITIES: [&str; 6] = [
    "/etc/ssl",
    "/etc/pki",
    "/etc/ca-certificates",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
    "/usr/local/ssl",
];

/// Variables by which the operator says where they are.
const AUTHORITY_VARIABLES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// Where name servers listen.
const DOMAIN: u16 = 53;

/// Restricts this thread and those that it starts.
pub(super) fn restrict(permissions: &Permissions) -> [(Measure, Force); 3] {
    let (connect, listen) = (permissions.connect_ports(), permissions.listen_ports());
    let every_port = connect == Ports::All && listen == Ports::All;
    let forces = match enforce(permissions, &connect, &listen) {
        Ok(status) => forces(&status),
        Err(error) => [(); 3].map(|()| Force::Missing(error.to_string())),
    };
    let [files, ports, processes] = forces;
    let ports = if every_port {
        Force::Unwanted("every port is granted")
    } else {
        ports
    };
    [
        (Measure::Files, files),
        (Measure::Ports, ports),
        (Measure::Processes, processes),
    ]
}

fn enforce(
    permissions: &Permissions,
    connect: &Ports,
    listen: &Ports,
) -> Result<RestrictionStatus, RulesetError> {
    let mut ruleset = Ruleset::default()
        .handle_access(AccessFs::from_all(KNOWN))?
        .scope(Scope::from_all(KNOWN))?;
    if *connect != Ports::All {
        ruleset = ruleset.handle_access(AccessNet::ConnectTcp)?;
    }
    if *listen != Ports::All {
        ruleset = ruleset.handle_access(AccessNet::BindTcp)?;
    }
    let uses_network = !connect.is_none() || !listen.is_none();
    let mut readable: Vec<PathBuf> = Vec::new();
    if !connect.is_none() {
        readable.extend(NAMES.map(PathBuf::from));
    }
    if uses_network || permissions.uses_unix_sockets() {
        readable.extend(authorities());
    }
    let mut ruleset = ruleset
        .create()?
        .add_rules(path_beneath_rules(readable, READ))?;
    for grant in permissions.dirs() {
        let access = if grant.read_only { READ } else { READ | WRITE };
        if let Ok(directory) = PathFd::new(&grant.host) {
            ruleset = ruleset.add_rule(PathBeneath::new(directory, access))?;
        }
    }
    let directories = permissions.unix_listen_directories();
    ruleset = ruleset.add_rules(path_beneath_rules(directories, AccessFs::MakeSock))?;
    if let Ports::Some(ports) = connect {
        // Who looks up names may have to ask by TCP.
        let domain = (!ports.is_empty()).then_some(DOMAIN);
        for port in ports.iter().copied().chain(domain) {
            ruleset = ruleset.add_rule(NetPort::new(port, AccessNet::ConnectTcp))?;
        }
    }
    if let Ports::Some(ports) = listen {
        // Who connects may bind any free port before.
        let free = (!connect.is_none()).then_some(0);
        for port in ports.iter().copied().chain(free) {
            ruleset = ruleset.add_rule(NetPort::new(port, AccessNet::BindTcp))?;
        }
    }
    ruleset.restrict_self()
}

/// Where the certificates of authorities are.
#[expect(
    clippy::disallowed_methods,
    reason = "the operator says where the certificates are"
)]
fn authorities() -> Vec<PathBuf> {
    let mut paths: Vec<_> = AUTHORITIES.map(PathBuf::from).into();
    for variable in AUTHORITY_VARIABLES {
        let value = std::env::var_os(variable).unwrap_or_default();
        paths.extend(std::env::split_paths(&value));
    }
    paths
}

/// How far the files, the ports and the processes are restricted.
fn forces(status: &RestrictionStatus) -> [Force; 3] {
    let LandlockStatus::Available { effective_abi, .. } = status.landlock else {
        let missing = "the system has no Landlock, or has it switched off; Linux 5.13 has it";
        return [(); 3].map(|()| Force::Missing(missing.to_owned()));
    };
    let since = |abi, missing: &str| {
        if effective_abi >= abi {
            Force::Full
        } else {
            Force::Missing(missing.to_owned())
        }
    };
    let files = if effective_abi >= ABI::V5 {
        Force::Full
    } else {
        let missing =
            "renaming, truncating or devices are not restricted; from Linux 6.10 on they are";
        Force::Part(missing.to_owned())
    };
    [
        files,
        since(ABI::V4, "Linux has it from 6.7 on"),
        since(ABI::V6, "Linux has it from 6.12 on"),
    ]
}
