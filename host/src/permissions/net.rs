//! Grants to connect, to send and to look up names: `--allow-net`.
//!
//! Two kinds of grant are kept apart. A *numeric* one (an address, a block, `*`) allows addresses; a
//! *name* (`example.com`, `*.example.com`) allows looking up and reaching what it resolves to, except for
//! special addresses. Invariant: a name never allows an address that the guest gave as a number, and an
//! address never allows a lookup. Called by `Permissions` only, which answers for `--allow-all` itself.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::address::{Host, number, parse_host, split_port};
use super::denied::{Denied, InvalidPermission};
use super::special::is_special;

const FLAG: &str = "--allow-net";

/// All that `--allow-net` granted.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct NetGrants(Vec<Grant>);

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Grant {
    scope: Scope,
    /// The only port, or every one.
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Scope {
    /// `*`: every address and every name.
    Any,
    /// An address is a block of one.
    Block(IpNet),
    Name(String),
    /// `*.example.com`, kept as `example.com`, which it does not include.
    Below(String),
}

impl NetGrants {
    /// Adds all items of a list separated by commas, or none if one is wrong.
    pub(super) fn allow(&mut self, spec: &str) -> Result<(), InvalidPermission> {
        let mut added = Vec::new();
        for item in spec.split(',').map(str::trim) {
            let (scopes, port) =
                parse(item).map_err(|problem| InvalidPermission::new(FLAG, item, &problem))?;
            added.extend(scopes.into_iter().map(|scope| Grant { scope, port }));
        }
        self.0.append(&mut added);
        Ok(())
    }

    /// The port of each grant; none stands for every one.
    pub(super) fn ports(&self) -> impl Iterator<Item = Option<u16>> {
        self.0.iter().map(|grant| grant.port)
    }

    pub(super) fn check_connect(&self, to: SocketAddr) -> Result<(), Denied> {
        let ip = to.ip().to_canonical();
        let granted = self.0.iter().any(|grant| match &grant.scope {
            Scope::Any => grant.covers_port(to.port()),
            Scope::Block(block) => grant.covers_port(to.port()) && block.contains(&ip),
            Scope::Name(_) | Scope::Below(_) => false,
        });
        granted.then_some(()).ok_or_else(|| Denied::connect(to))
    }

    pub(super) fn check_resolve(&self, host: &str, port: u16) -> Result<(), Denied> {
        match parse_host(host) {
            Ok(Host::Address(ip)) if port == 0 => self.check_names_of(ip),
            Ok(Host::Address(ip)) => self.check_connect(SocketAddr::new(ip, port)),
            // A lookup for no port in particular tells nobody more than one for the granted port.
            Ok(Host::Name(host)) => self
                .check_name(host, |grant| port == 0 || grant.covers_port(port), port)
                .map(drop),
            Err(_) => Err(Denied::not_a_name(host)),
        }
    }

    /// Checks that somebody may be asked for the names of an address: that alone can carry data out, too.
    fn check_names_of(&self, ip: IpAddr) -> Result<(), Denied> {
        let granted = self.0.iter().any(|grant| match &grant.scope {
            Scope::Any => true,
            Scope::Block(block) => block.contains(&ip),
            Scope::Name(_) | Scope::Below(_) => false,
        });
        granted.then_some(()).ok_or_else(|| Denied::names_of(ip))
    }

    pub(super) fn check_resolved(&self, host: &str, to: SocketAddr) -> Result<(), Denied> {
        let ip = to.ip().to_canonical();
        match parse_host(host) {
            // An address resolves to itself; anything else did not come from a lookup.
            Ok(Host::Address(same)) if same == ip => self.check_connect(to),
            Ok(Host::Address(_)) => Err(Denied::connect(to)),
            Ok(Host::Name(host)) => {
                let port = to.port();
                let host = self.check_name(host, |grant| grant.covers_port(port), port)?;
                if is_special(ip) && self.check_connect(to).is_err() {
                    return Err(Denied::special(host, to));
                }
                Ok(())
            }
            Err(_) => Err(Denied::not_a_name(host)),
        }
    }

    /// Whether every name may be looked up, be it for one port only.
    pub(super) fn allows_any_name(&self) -> bool {
        self.0.iter().any(|grant| grant.scope == Scope::Any)
    }

    /// Gives `host` back if a grant names it and is for the right port.
    fn check_name(
        &self,
        host: String,
        covers_port: impl Fn(&Grant) -> bool,
        port: u16,
    ) -> Result<String, Denied> {
        let granted = self
            .0
            .iter()
            .any(|grant| covers_port(grant) && grant.scope.names(&host));
        if granted {
            Ok(host)
        } else {
            Err(Denied::Resolve { host, port })
        }
    }
}

impl Grant {
    fn covers_port(&self, port: u16) -> bool {
        self.port.is_none_or(|granted| granted == port)
    }
}

impl Scope {
    fn names(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Block(_) => false,
            Self::Name(name) => name == host,
            // The dot keeps evil-example.com out. Something stands before it, since no name starts with one.
            Self::Below(domain) => host
                .strip_suffix(domain.as_str())
                .is_some_and(|labels| labels.ends_with('.')),
        }
    }
}

/// Reads one item; `localhost` is three grants.
fn parse(item: &str) -> Result<(Vec<Scope>, Option<u16>), String> {
    let (host, port) = split_port(item)?;
    if port == Some(0) {
        return Err("names port 0; leave the port out to allow every port".to_owned());
    }
    let scopes = if host == "*" {
        vec![Scope::Any]
    } else if let Some(domain) = host.strip_prefix("*.") {
        match parse_host(domain)? {
            Host::Name(domain) => vec![Scope::Below(domain)],
            Host::Address(_) => {
                return Err(
                    "has a * before an address; give a block, for example 10.0.0.0/8".into(),
                );
            }
        }
    } else if host.contains('*') {
        return Err("has a * inside; it stands alone, or first as in *.example.com".to_owned());
    } else if let Some((address, prefix)) = host.split_once('/') {
        vec![Scope::Block(parse_block(address, prefix)?)]
    } else {
        match parse_host(host)? {
            Host::Address(ip) => vec![Scope::Block(ip.into())],
            Host::Name(name) if name == "localhost" => vec![
                Scope::Name(name),
                Scope::Block(IpAddr::from(Ipv4Addr::LOCALHOST).into()),
                Scope::Block(IpAddr::from(Ipv6Addr::LOCALHOST).into()),
            ],
            Host::Name(name) => vec![Scope::Name(name)],
        }
    };
    Ok((scopes, port))
}

fn parse_block(address: &str, prefix: &str) -> Result<IpNet, String> {
    let block = address
        .parse::<IpAddr>()
        .ok()
        .zip(number::<u8>(prefix))
        .and_then(|(ip, prefix)| IpNet::new(ip, prefix).ok())
        .ok_or("is neither a host nor a block; give host[:port] or a block such as 10.0.0.0/8")?;
    // 10.0.0.1/8 may be a slip for /32, which would open 16 million addresses for one.
    if block.addr() != block.network() {
        return Err(format!(
            "has bits set behind its prefix; give {} for the block or {} for the one address",
            block.trunc(),
            IpNet::from(block.addr()),
        ));
    }
    // Addresses are compared as IPv4 where they are mapped, so blocks are, too.
    match (
        block.addr().to_canonical(),
        block.prefix_len().checked_sub(96),
    ) {
        (ip @ IpAddr::V4(_), Some(prefix)) if block.addr().is_ipv6() => {
            IpNet::new(ip, prefix).map_err(|error| error.to_string())
        }
        _ => Ok(block),
    }
}
