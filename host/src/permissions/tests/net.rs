//! Tests of what `--allow-net` grants, refuses, and cannot be talked into granting.

use super::{allowing, at};
use crate::permissions::{Denied, Permissions};

#[test]
fn numbers_are_granted_by_numbers() {
    for (spec, granted, refused) in [
        (
            "10.0.0.1:80",
            "10.0.0.1:80 [::ffff:10.0.0.1]:80",
            "10.0.0.1:81 10.0.0.2:80 [::10.0.0.1]:80",
        ),
        ("10.0.0.1", "10.0.0.1:1 10.0.0.1:65535", "10.0.0.2:1"),
        (
            "[::ffff:127.0.0.1]:80",
            "127.0.0.1:80 [::ffff:127.0.0.1]:80",
            "[::1]:80",
        ),
        ("[::1]:80", "[::1]:80", "[::1]:81 127.0.0.1:80 [::]:80"),
        ("[fe80::1]", "[fe80::1]:1 [fe80::1%3]:1", "[fe80::2]:1"),
        (
            "10.0.0.0/8:80",
            "10.0.0.0:80 10.255.255.255:80 [::ffff:10.1.1.1]:80",
            "11.0.0.0:80 10.0.0.0:81",
        ),
        (
            "0.0.0.0/0",
            "127.0.0.1:1 8.8.8.8:1 [::ffff:8.8.8.8]:1",
            "[::1]:1 [2002:808:808::]:1",
        ),
        (
            "::/0",
            "[::1]:1 [2606::1]:1",
            "8.8.8.8:1 [::ffff:8.8.8.8]:1",
        ),
        ("fc00::/7", "[fd00::1]:1", "[fe80::1]:1 [::1]:1"),
        (
            "[::ffff:10.0.0.0/104]:80",
            "10.1.1.1:80 [::ffff:10.1.1.1]:80",
            "11.0.0.0:80 10.1.1.1:81",
        ),
        (
            "localhost:80",
            "127.0.0.1:80 [::1]:80 [::ffff:127.0.0.1]:80",
            "127.0.0.2:80 127.0.0.1:81",
        ),
        (
            "*",
            "127.0.0.1:1 169.254.169.254:80 [::1]:1 [::ffff:8.8.8.8]:1",
            "",
        ),
        ("*:443", "8.8.8.8:443 127.0.0.1:443", "8.8.8.8:80"),
        (
            "example.com,*.example.com",
            "",
            "93.184.215.14:80 127.0.0.1:80",
        ),
        ("0.0.0.0", "0.0.0.0:1", "127.0.0.1:1 8.8.8.8:1"),
    ] {
        for (allowed, addresses) in [(true, granted), (false, refused)] {
            for text in addresses.split_whitespace() {
                let result = allowing(spec).check_connect(at(text));
                assert_eq!(result.is_ok(), allowed, "{spec}: {text}");
            }
        }
    }
}

#[test]
fn names_are_granted_exactly() {
    for (spec, granted, refused) in [
        (
            "Example.com:443",
            "example.com:443 EXAMPLE.com.:443 example.com:0",
            "example.com:80 www.example.com:443 example.com.evil:443 xexample.com:443 com:443 \
             example.com..:443",
        ),
        (
            "example.com.",
            "example.com:1 example.com.:65535",
            "example.org:1",
        ),
        (
            "*.example.com",
            "www.example.com:1 a.b.example.com:1 WWW.Example.Com.:1",
            "example.com:1 evil-example.com:1 .example.com:1 *.example.com:1 www.example.com.evil:1",
        ),
        (
            "localhost:80",
            "localhost:80 LOCALHOST.:80 127.0.0.1:80",
            "x.localhost:80 localhost:81",
        ),
        ("*:443", "any.name:443 any.name:0", "any.name:80"),
        (
            "*",
            "any.name:1 8.8.8.8:1",
            "2130706433:1 0x7f.1:1 127.1:1 127.0.0.1.:1 bad_name!:1 :1",
        ),
        (
            "10.0.0.1:80",
            "10.0.0.1:80",
            "10.0.0.1:81 10.0.0.2:80 example.com:80 10.0.0.1.:80 167772161:80",
        ),
        ("0.0.0.0/0,::/0", "127.0.0.1:80", "example.com:80 127.1:80"),
    ] {
        for (allowed, targets) in [(true, granted), (false, refused)] {
            for text in targets.split_whitespace() {
                let (host, port) = text.rsplit_once(':').unwrap();
                let result = allowing(spec).check_resolve(host, port.parse().unwrap());
                assert_eq!(result.is_ok(), allowed, "{spec}: {text}");
            }
        }
    }
    for host in [
        "\0",
        "a b",
        "example.com\0.evil",
        "example.com\n",
        "exämple.com",
        &"a".repeat(1 << 20),
    ] {
        let denied = allowing("*").check_resolve(host, 1).unwrap_err();
        assert!(matches!(denied, Denied::NotAName { .. }), "{denied}");
    }
}

#[test]
fn a_resolved_address_needs_the_name_and_its_own_grant_if_special() {
    for (spec, host, granted, refused) in [
        (
            "example.com:80",
            "Example.com.",
            "8.8.8.8:80 [2606::1]:80 [::ffff:8.8.8.8]:80",
            "8.8.8.8:81 127.0.0.1:80 10.0.0.1:80 169.254.169.254:80 [::1]:80 [fd00:ec2::254]:80 \
             [::ffff:127.0.0.1]:80 [::127.0.0.1]:80 [64:ff9b::10.0.0.1]:80 [2002:7f00:1::]:80 \
             0.0.0.0:80 [::]:80 100.64.0.1:80 224.0.0.1:80 255.255.255.255:80 198.18.0.1:80",
        ),
        (
            "*.example.com",
            "www.example.com",
            "8.8.8.8:1",
            "127.0.0.1:1 [fe80::1%2]:1",
        ),
        (
            "example.com,10.0.0.0/8:80",
            "example.com",
            "10.1.1.1:80 [::ffff:10.1.1.1]:80 8.8.8.8:1",
            "10.1.1.1:81 192.168.0.1:80 [64:ff9b::10.0.0.1]:80",
        ),
        (
            "example.com:80,*:443",
            "example.com",
            "127.0.0.1:443",
            "127.0.0.1:80",
        ),
        ("*", "example.com", "127.0.0.1:80 169.254.169.254:80", ""),
        (
            "localhost:80",
            "localhost",
            "127.0.0.1:80 [::1]:80",
            "127.0.0.2:80 10.0.0.1:80 127.0.0.1:81",
        ),
        // An address alone does not grant the names that lead there.
        (
            "127.0.0.1,8.8.8.8",
            "example.com",
            "",
            "127.0.0.1:80 8.8.8.8:80",
        ),
        // An address is its own name, and nothing else's.
        (
            "10.0.0.1,10.0.0.2",
            "10.0.0.1",
            "10.0.0.1:80 [::ffff:10.0.0.1]:80",
            "10.0.0.2:80",
        ),
        ("*", "2130706433", "", "127.0.0.1:80"),
    ] {
        for (allowed, addresses) in [(true, granted), (false, refused)] {
            for text in addresses.split_whitespace() {
                let result = allowing(spec).check_resolved(host, at(text));
                assert_eq!(result.is_ok(), allowed, "{spec}: {host} at {text}");
            }
        }
    }
}

#[test]
fn only_a_star_grants_every_lookup() {
    for (spec, any) in [
        ("*", true),
        ("*:443", true),
        ("example.com,*", true),
        ("*.com", false),
        ("0.0.0.0/0,::/0", false),
        ("localhost", false),
    ] {
        assert_eq!(allowing(spec).allows_any_name_lookup(), any, "{spec}");
    }
}

#[test]
fn wrong_net_grants_are_refused_whole() {
    for (item, hint) in [
        ("", "is empty"),
        ("http://x", "is a URL; give host[:port], for example x:80"),
        ("example.com/path", "is neither a host nor a block"),
        ("example.com:80/path", "is neither a host nor a block"),
        ("example.com:0", "leave the port out"),
        ("example.com:*", "has no usable port"),
        ("::1", "give [::1]"),
        ("::1:80", "give [::1]:80 or [::1:80]"),
        ("2130706433", "looks like a number"),
        ("0x7f.1", "looks like a number"),
        ("127.0.0.1.", "looks like a number"),
        ("*.0x7f.1", "looks like a number"),
        ("*.1.2.3.4", "has a * before an address"),
        ("*.", "is not a host"),
        ("*com", "has a * inside"),
        ("a.*.com", "has a * inside"),
        ("*.*.com", "is not a host"),
        (
            "10.0.0.1/8",
            "give 10.0.0.0/8 for the block or 10.0.0.1/32 for the one address",
        ),
        ("10.0.0.0/33", "is neither a host nor a block"),
        ("10.0.0.0/+8", "is neither a host nor a block"),
        ("10.0.0.0/", "is neither a host nor a block"),
        ("10.0.0/8", "is neither a host nor a block"),
        ("::ffff:0:0/95", "has bits set behind its prefix"),
        ("exämple.com", "write an international name as xn--"),
        ("exa mple.com", "is not a host"),
    ] {
        let mut permissions = Permissions::none();
        let error = permissions
            .allow_net(&format!("8.8.8.8, {item} "))
            .unwrap_err();
        assert_eq!(error.flag(), "--allow-net");
        let error = error.to_string();
        assert!(
            error.starts_with(&format!("--allow-net: {item:?} ")),
            "{error}"
        );
        assert!(error.contains(hint), "{error}");
        assert!(
            permissions.check_connect(at("8.8.8.8:1")).is_err(),
            "{item}"
        );
    }
}
