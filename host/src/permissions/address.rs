//! Reads the `host[:port]` that grants are written in, and the host names that guests ask for.
//!
//! Invariant: a text means one thing or is refused. What some resolver would read as an address though
//! it is not written as one (`2130706433`, `0x7f.1`) is no name, IPv6 stands in brackets, and an
//! IPv4-mapped address is IPv4. Errors continue a sentence that begins with the text. Called by `net` and
//! `listen`.

use std::net::{IpAddr, Ipv6Addr};

use serde::{Deserialize, Serialize};

/// A host that can be compared: an address, or a name in lower case without a trailing dot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Host {
    Address(IpAddr),
    Name(String),
}

/// Reads a host, be it from a grant or from a guest.
pub(super) fn parse_host(text: &str) -> Result<Host, &'static str> {
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Ok(Host::Address(ip.to_canonical()));
    }
    // Longer than any name with its final dot; so a guest cannot have us copy a huge text.
    if text.len() > 254 {
        return Err("is too long; a host name has at most 253 characters");
    }
    if !text.is_ascii() {
        return Err("is not ASCII; write an international name as xn--…");
    }
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let label_ok = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    if name.len() > 253 || !name.split('.').all(label_ok) {
        return Err("is not a host; give host[:port], for example example.com:443 or [::1]:80");
    }
    if ends_in_number(&name) {
        return Err("looks like a number; give an IP address in full, for example 127.0.0.1");
    }
    Ok(Host::Name(name))
}

/// Whether the last label is a number, the rule by which browsers too tell addresses from names.
/// No top-level domain is one, and the C library's `inet_aton` takes nothing else for an address.
fn ends_in_number(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    match last.strip_prefix("0x") {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => last.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

/// Takes `host[:port]` apart; the brackets around IPv6 go, the host is not looked at any further.
pub(super) fn split_port(text: &str) -> Result<(&str, Option<u16>), String> {
    if text.is_empty() {
        return Err("is empty; give host[:port], for example example.com:443".to_owned());
    }
    if let Some((scheme, rest)) = text.split_once("://") {
        let hint = host_of_url(scheme, rest);
        return Err(format!("is a URL; give host[:port], for example {hint}"));
    }
    let (host, rest) = if let Some(inner) = text.strip_prefix('[') {
        let (host, rest) = inner
            .split_once(']')
            .ok_or("lacks a closing bracket; give [address]:port, for example [::1]:80")?;
        let address = host.split('/').next().unwrap_or_default();
        if address.parse::<Ipv6Addr>().is_err() {
            return Err(
                "has something other than an IPv6 address in brackets; give it without a zone, \
                 for example [::1]:80"
                    .to_owned(),
            );
        }
        (host, rest)
    } else {
        // The colons before a slash belong to the address of a block such as fc00::/7.
        let (address, tail) = text.split_at(text.find('/').unwrap_or(0));
        if tail.matches(':').count() > 1 {
            let hint = bracketed(text);
            return Err(format!("has IPv6 without brackets; give {hint}"));
        }
        text.split_at(address.len() + tail.find(':').unwrap_or(tail.len()))
    };
    if rest.is_empty() {
        return Ok((host, None));
    }
    let port = rest.strip_prefix(':').and_then(number).ok_or(
        "has no usable port; give a number up to 65535, or leave it out to allow every port",
    )?;
    Ok((host, Some(port)))
}

/// Plain digits; `str::parse` alone would let `+80` pass.
pub(super) fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// What to write instead of a URL.
fn host_of_url(scheme: &str, rest: &str) -> String {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let port = match scheme.to_ascii_lowercase().as_str() {
        "http" | "ws" => ":80",
        "https" | "wss" => ":443",
        _ => "",
    };
    [format!("{host}{port}"), host.to_owned()]
        .into_iter()
        .find(|hint| split_port(hint).is_ok_and(|(host, _)| parse_host(host).is_ok()))
        .unwrap_or_else(|| "example.com:443".to_owned())
}

/// What to write instead of IPv6 without brackets; `::1:80` may mean either of two things.
fn bracketed(text: &str) -> String {
    let whole = text.parse::<Ipv6Addr>().map(|ip| format!("[{ip}]"));
    let parts = text.rsplit_once(':').and_then(|(address, port)| {
        let ip = address.parse::<Ipv6Addr>().ok()?;
        let port = number::<u16>(port)?;
        Some(format!("[{ip}]:{port}"))
    });
    match (whole, parts) {
        (Ok(whole), Some(parts)) => format!("{parts} or {whole}"),
        (Ok(whole), None) => whole,
        (Err(_), Some(parts)) => parts,
        (Err(_), None) => "[address]:port, for example [::1]:80".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_split_off_hosts() {
        for (text, host, port) in [
            ("example.com", "example.com", None),
            ("example.com:443", "example.com", Some(443)),
            ("127.0.0.1:0", "127.0.0.1", Some(0)),
            ("[::1]", "::1", None),
            ("[::1]:80", "::1", Some(80)),
            ("10.0.0.0/8", "10.0.0.0/8", None),
            ("10.0.0.0/8:80", "10.0.0.0/8", Some(80)),
            ("fc00::/7", "fc00::/7", None),
            ("fc00::/7:80", "fc00::/7", Some(80)),
            ("[fc00::/7]:80", "fc00::/7", Some(80)),
        ] {
            assert_eq!(split_port(text), Ok((host, port)), "{text}");
        }
    }

    #[test]
    fn unclear_texts_are_refused_with_a_hint() {
        for (text, hint) in [
            ("", "is empty"),
            ("http://x", "is a URL; give host[:port], for example x:80"),
            ("HTTPS://me@x/path?q#f", "for example x:443"),
            ("https://x:8443/", "for example x:8443"),
            ("http://[::1]/", "for example [::1]:80"),
            ("ftp://x/", "for example x"),
            ("http://", "for example example.com:443"),
            ("a://b://c", "for example example.com:443"),
            ("::1", "give [::1]"),
            ("::1:80", "give [::1]:80 or [::1:80]"),
            ("::1:99999", "give [address]:port"),
            ("1:2:3:4:5:6:7:8:80", "give [1:2:3:4:5:6:7:8]:80"),
            ("fe80::1%eth0", "give [address]:port"),
            ("[::1", "lacks a closing bracket"),
            ("[fe80::1%2]:80", "without a zone"),
            ("[127.0.0.1]:80", "other than an IPv6 address in brackets"),
            ("[::1]80", "has no usable port"),
            ("x:", "has no usable port"),
            ("x:+80", "has no usable port"),
            ("x:65536", "has no usable port"),
            ("x:http", "has no usable port"),
        ] {
            let error = split_port(text).unwrap_err();
            assert!(error.contains(hint), "{text}: {error}");
        }
    }

    #[test]
    fn hosts_have_one_form() {
        let address = |text: &str| Host::Address(text.parse().unwrap());
        let name = |text: &str| Host::Name(text.to_owned());
        for (text, host) in [
            ("Example.COM.", name("example.com")),
            ("_sip.x-1.de", name("_sip.x-1.de")),
            ("cafe", name("cafe")),
            ("1.2.3.4.example", name("1.2.3.4.example")),
            ("127.0.0.1", address("127.0.0.1")),
            ("::ffff:127.0.0.1", address("127.0.0.1")),
            ("::1", address("::1")),
        ] {
            assert_eq!(parse_host(text), Ok(host), "{text}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        let long = "a.".repeat(127) + "de";
        let bad = "2130706433 0x7f.1 0X7F000001 0x 127.1 127.0.0.1. 256.0.0.1 0177.0.0.1 1.2.3.4.5 \
                   a..b .a . a.. a/b a:b [::1] *.a a%b exämple.com 127。0。0。1 a\u{0}b a\tb";
        for text in bad
            .split(' ')
            .chain(["", " a", "a b", "127.0.0.1 x", &long])
        {
            assert!(parse_host(text).is_err(), "{text}");
        }
    }
}
