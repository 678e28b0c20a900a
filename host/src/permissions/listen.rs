//! Grants to listen: `--allow-listen`.
//!
//! Invariant: a grant for one address never allows a wider one; only `0.0.0.0`, `[::]` and `*` stand for
//! more than themselves, as they do for the system. A grant of port 0 allows only asking for port 0,
//! which is to say any free port of the system's choice. Called by `Permissions` only.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::address::{Host, parse_host, split_port};
use super::denied::{Denied, InvalidPermission};

const FLAG: &str = "--allow-listen";

/// All that `--allow-listen` granted.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct ListenGrants(Vec<Grant>);

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Grant {
    /// The address; the unspecified ones stand for every address, of IPv4 or at all.
    ip: IpAddr,
    /// The only port (0: one of the system's choice), or every one.
    port: Option<u16>,
}

impl ListenGrants {
    /// Adds all items of a list separated by commas, or none if one is wrong.
    pub(super) fn allow(&mut self, spec: &str) -> Result<(), InvalidPermission> {
        let mut added = Vec::new();
        for item in spec.split(',').map(str::trim) {
            let (ips, port) =
                parse(item).map_err(|problem| InvalidPermission::new(FLAG, item, &problem))?;
            added.extend(ips.into_iter().map(|ip| Grant { ip, port }));
        }
        self.0.append(&mut added);
        Ok(())
    }

    /// The port of each grant; none stands for every one.
    pub(super) fn ports(&self) -> impl Iterator<Item = Option<u16>> {
        self.0.iter().map(|grant| grant.port)
    }

    pub(super) fn check(&self, addr: SocketAddr) -> Result<(), Denied> {
        let granted = self.0.iter().any(|grant| grant.covers(addr));
        granted.then_some(()).ok_or_else(|| Denied::listen(addr))
    }
}

impl Grant {
    fn covers(&self, addr: SocketAddr) -> bool {
        let ip = addr.ip().to_canonical();
        let ip_granted = match self.ip {
            IpAddr::V6(Ipv6Addr::UNSPECIFIED) => true,
            IpAddr::V4(Ipv4Addr::UNSPECIFIED) => ip.is_ipv4(),
            granted => granted == ip,
        };
        ip_granted && self.port.is_none_or(|port| port == addr.port())
    }
}

/// Reads one item; `localhost` is two grants.
fn parse(item: &str) -> Result<(Vec<IpAddr>, Option<u16>), String> {
    let (host, port) = split_port(item)?;
    let ips = if host == "*" {
        // A socket on [::] takes IPv4 as well, so there is nothing beyond it to grant.
        vec![Ipv6Addr::UNSPECIFIED.into()]
    } else if host.contains('/') {
        return Err("is not one address; give each address, or 0.0.0.0 for all of IPv4".to_owned());
    } else {
        match parse_host(host)? {
            Host::Address(ip) => vec![ip],
            Host::Name(name) if name == "localhost" => {
                vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
            }
            Host::Name(_) => {
                return Err("is a name; give an IP address, localhost or *".to_owned());
            }
        }
    };
    Ok((ips, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grants(spec: &str) -> ListenGrants {
        let mut grants = ListenGrants::default();
        grants.allow(spec).unwrap();
        grants
    }

    #[test]
    fn a_grant_allows_its_addresses_and_no_wider_ones() {
        for (spec, granted, refused) in [
            (
                "127.0.0.1:8080",
                "127.0.0.1:8080 [::ffff:127.0.0.1]:8080",
                "127.0.0.1:8081 127.0.0.1:0 127.0.0.2:8080 0.0.0.0:8080 [::]:8080 [::1]:8080 \
                 [::ffff:0.0.0.0]:8080",
            ),
            (
                "127.0.0.1",
                "127.0.0.1:1 127.0.0.1:0 127.0.0.1:65535",
                "0.0.0.0:1 [::]:1",
            ),
            (
                "127.0.0.1:0",
                "127.0.0.1:0",
                "127.0.0.1:1 127.0.0.1:8080 0.0.0.0:0",
            ),
            (
                "0.0.0.0:80",
                "0.0.0.0:80 10.0.0.1:80 [::ffff:0.0.0.0]:80 [::ffff:10.0.0.1]:80",
                "0.0.0.0:81 [::]:80 [::1]:80",
            ),
            (
                "[::]:80",
                "[::]:80 [::1]:80 0.0.0.0:80 10.0.0.1:80",
                "[::]:81 0.0.0.0:0",
            ),
            ("*", "[::]:80 0.0.0.0:0 10.0.0.1:1", ""),
            (
                "*:80",
                "[::]:80 0.0.0.0:80 10.0.0.1:80",
                "10.0.0.1:81 [::]:0",
            ),
            (
                "LocalHost.:80",
                "127.0.0.1:80 [::1]:80",
                "127.0.0.2:80 0.0.0.0:80 [::]:80 [::1]:81",
            ),
            (
                "[::1]:80, 10.0.0.1:0",
                "[::1]:80 10.0.0.1:0",
                "[::1]:0 10.0.0.1:80 [::]:80 [::2]:80",
            ),
            (
                "[::ffff:127.0.0.1]:80",
                "127.0.0.1:80",
                "[::1]:80 0.0.0.0:80",
            ),
        ] {
            for (allowed, addresses) in [(true, granted), (false, refused)] {
                for text in addresses.split_whitespace() {
                    let result = grants(spec).check(text.parse().unwrap());
                    assert_eq!(result.is_ok(), allowed, "{spec}: {text}");
                }
            }
        }
        assert!(
            ListenGrants::default()
                .check("[::1]:0".parse().unwrap())
                .is_err()
        );
    }

    #[test]
    fn the_remedy_is_a_grant() {
        for text in [
            "127.0.0.1:0",
            "[::ffff:1.2.3.4]:80",
            "[fe80::1%3]:80",
            "[::]:1",
        ] {
            let addr = text.parse().unwrap();
            let denied = ListenGrants::default().check(addr).unwrap_err().to_string();
            let (_, spec) = denied.split_once("--allow-listen=").unwrap();
            assert_eq!(grants(spec).check(addr), Ok(()), "{text}");
        }
    }

    #[test]
    fn wrong_grants_are_refused_whole() {
        for (item, hint) in [
            ("example.com:80", "is a name"),
            ("10.0.0.0/8", "is not one address"),
            ("http://127.0.0.1", "for example 127.0.0.1:80"),
            ("::1:80", "give [::1]:80 or [::1:80]"),
            ("127.1:80", "looks like a number"),
            ("*.de", "is not a host"),
            ("", "is empty"),
        ] {
            let mut grants = ListenGrants::default();
            let error = grants
                .allow(&format!("127.0.0.1,{item}"))
                .unwrap_err()
                .to_string();
            assert!(
                error.starts_with(&format!("--allow-listen: {item:?} ")),
                "{error}"
            );
            assert!(error.contains(hint), "{error}");
            assert!(grants.0.is_empty(), "{item}");
        }
    }
}
