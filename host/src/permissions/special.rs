//! Which addresses a name never grants: those that are not ordinary hosts of the public internet.
//!
//! A name's owner decides what it resolves to, so `--allow-net=example.com` must not open the
//! operator's own network or a cloud's metadata service. Invariant: an IPv6 address that carries an IPv4
//! address is as special as what it carries. Called by `net` only.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// The IANA registry of special-purpose IPv4 addresses, with multicast.
const SPECIAL_V4: [Ipv4Net; 15] = [
    v4([0, 0, 0, 0], 8),       // "this network", with the unspecified address
    v4([10, 0, 0, 0], 8),      // private
    v4([100, 64, 0, 0], 10),   // shared: carrier-grade NAT
    v4([127, 0, 0, 0], 8),     // loopback
    v4([169, 254, 0, 0], 16),  // link-local, with the clouds' metadata services
    v4([172, 16, 0, 0], 12),   // private
    v4([192, 0, 0, 0], 24),    // protocol assignments
    v4([192, 0, 2, 0], 24),    // documentation
    v4([192, 88, 99, 0], 24),  // the former 6to4 relays
    v4([192, 168, 0, 0], 16),  // private
    v4([198, 18, 0, 0], 15),   // benchmarking
    v4([198, 51, 100, 0], 24), // documentation
    v4([203, 0, 113, 0], 24),  // documentation
    v4([224, 0, 0, 0], 4),     // multicast
    v4([240, 0, 0, 0], 4),     // reserved, with broadcast
];

/// The IANA registry of special-purpose IPv6 addresses, with multicast and what is deprecated.
/// The unspecified address and loopback are found through the IPv4 address they would carry.
const SPECIAL_V6: [Ipv6Net; 11] = [
    v6([0x64, 0xff9b, 1, 0], 48),  // IPv4 translation inside one network
    v6([0x100, 0, 0, 0], 64),      // discarded
    v6([0x100, 0, 0, 1], 64),      // dummy prefix
    v6([0x2001, 0, 0, 0], 23),     // protocol assignments: Teredo, benchmarking and others
    v6([0x2001, 0xdb8, 0, 0], 32), // documentation
    v6([0x3fff, 0, 0, 0], 20),     // documentation
    v6([0x5f00, 0, 0, 0], 16),     // segment routing
    v6([0xfc00, 0, 0, 0], 7),      // unique local
    v6([0xfe80, 0, 0, 0], 10),     // link-local
    v6([0xfec0, 0, 0, 0], 10),     // site-local, deprecated
    v6([0xff00, 0, 0, 0], 8),      // multicast
];

const fn v4([a, b, c, d]: [u8; 4], prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6([a, b, c, d]: [u16; 4], prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0), prefix)
}

/// Whether only a numeric grant, or `*`, may allow `ip`.
pub(super) fn is_special(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_special_v4(ip),
        IpAddr::V6(ip) => {
            SPECIAL_V6.iter().any(|block| block.contains(&ip))
                || carried(ip).is_some_and(is_special_v4)
        }
    }
}

fn is_special_v4(ip: Ipv4Addr) -> bool {
    SPECIAL_V4.iter().any(|block| block.contains(&ip))
}

/// The IPv4 address that a gateway or the system itself may take `ip` for.
fn carried(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    // Compatible, mapped, translated (RFC 2765), the well-known prefix of NAT64, and 6to4.
    let ([0, 0, 0, 0, 0, 0 | 0xffff, high, low]
    | [0, 0, 0, 0, 0xffff, 0, high, low]
    | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
    | [0x2002, high, low, ..]) = ip.segments()
    else {
        return None;
    };
    Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_addresses_are_told_from_public_ones() {
        for (special, addresses) in [
            (
                true,
                "0.0.0.0 0.1.2.3 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.254 \
                 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.2.1 192.168.0.1 \
                 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 \
                 240.0.0.1 255.255.255.255 :: ::1 fc00::1 fd00:ec2::254 fe80::1 febf::1 fec0::1 \
                 ff02::1 2001:db8::1 2001::1 2001:2::1 3fff::1 100::1 100:0:0:1::1 5f00::1 \
                 64:ff9b:1::8.8.8.8",
            ),
            (
                true,
                "::ffff:127.0.0.1 ::127.0.0.1 ::10.0.0.1 ::ffff:0:10.0.0.1 64:ff9b::127.0.0.1 \
                 64:ff9b::169.254.169.254 2002:7f00:1:: 2002:a9fe:a9fe::1 2002:c0a8:1:ffff::1",
            ),
            (
                false,
                "1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 \
                 128.0.0.1 172.15.255.255 172.32.0.0 192.0.1.1 198.17.255.255 198.20.0.0 \
                 223.255.255.255 2606:4700::1111 2a00::1 2001:200::1 2001:4860:4860::8888 \
                 ::ffff:8.8.8.8 ::8.8.8.8 64:ff9b::8.8.8.8 2002:808:808::1 64:ff9c::127.0.0.1",
            ),
        ] {
            for text in addresses.split_whitespace() {
                assert_eq!(is_special(text.parse().unwrap()), special, "{text}");
            }
        }
    }
}
