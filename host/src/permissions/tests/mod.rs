//! Tests of the grants together, through the public interface.
//!
//! - `net`: connecting, sending, looking up names

mod net;

use std::net::SocketAddr;

use super::{Denied, Permissions};

type Check<'a> = &'a dyn Fn(&Permissions) -> Result<(), Denied>;

fn allowing(spec: &str) -> Permissions {
    let mut permissions = Permissions::none();
    permissions.allow_net(spec).unwrap();
    permissions
}

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

#[test]
fn nothing_is_allowed_by_default() {
    for none in [Permissions::none(), Permissions::default()] {
        assert!(!none.is_all() && !none.allows_any_name_lookup());
        assert!(none.check_connect(at("8.8.8.8:53")).is_err());
        assert!(none.check_resolve("example.com", 443).is_err());
        assert!(
            none.check_resolved("example.com", at("8.8.8.8:53"))
                .is_err()
        );
        assert!(none.check_listen(at("127.0.0.1:0")).is_err());
        assert!(none.dirs().is_empty() && none.env().is_empty());
    }
}

#[test]
fn everything_is_allowed_by_all() {
    let all = Permissions::all();
    assert!(all.is_all() && all.allows_any_name_lookup());
    assert_eq!(all.check_connect(at("169.254.169.254:80")), Ok(()));
    assert_eq!(all.check_resolve("0x7f.1", 443), Ok(()));
    assert_eq!(all.check_resolved("x", at("127.0.0.1:53")), Ok(()));
    assert_eq!(all.check_listen(at("[::]:1")), Ok(()));
    let guests: Vec<_> = all.dirs().iter().map(|dir| dir.guest.as_str()).collect();
    assert_eq!(guests, ["/", "."]);
    assert!(
        all.dirs()
            .iter()
            .all(|dir| dir.host.as_os_str() == dir.guest.as_str() && !dir.read_only)
    );
    let path = all.env().iter().find(|(name, _)| name == "PATH");
    assert!(path.is_some_and(|(_, value)| !value.is_empty()));
}

#[test]
fn explicit_grants_stand_beside_all_in_either_order() {
    let mut before = Permissions::none();
    before
        .allow_env("PATH=/x")
        .unwrap()
        .allow_dir("jail::/")
        .unwrap()
        .allow_all();
    let mut after = Permissions::all();
    after
        .allow_env("PATH=/x")
        .unwrap()
        .allow_dir("jail::/")
        .unwrap();
    for permissions in [before, after] {
        let paths = permissions.env().iter().filter(|(name, _)| name == "PATH");
        assert_eq!(
            paths.map(|(_, value)| value.as_str()).collect::<Vec<_>>(),
            ["/x"]
        );
        let roots = permissions.dirs().iter().filter(|dir| dir.guest == "/");
        assert_eq!(
            roots.map(|dir| dir.host.to_str()).collect::<Vec<_>>(),
            [Some("jail")]
        );
    }
}

#[test]
fn the_remedy_is_a_grant_that_helps() {
    let connect = |text: &'static str| move |p: &Permissions| p.check_connect(at(text));
    let resolve = |host: &'static str, port| move |p: &Permissions| p.check_resolve(host, port);
    let resolved = |text: &'static str| move |p: &Permissions| p.check_resolved("a.b", at(text));
    let checks: [Check<'_>; 9] = [
        &connect("8.8.8.8:53"),
        &connect("8.8.8.8:0"),
        &connect("[fe80::1%3]:80"),
        &connect("[::ffff:1.2.3.4]:0"),
        &resolve("EXAMPLE.com.", 443),
        &resolve("localhost", 0),
        &resolve("::1", 80),
        &resolved("127.0.0.1:80"),
        &resolved("[64:ff9b::7f00:1]:0"),
    ];
    for (number, check) in checks.into_iter().enumerate() {
        let mut permissions = allowing("a.b");
        let denied = check(&permissions).unwrap_err().to_string();
        let (_, spec) = denied.split_once("--allow-net=").unwrap();
        permissions.allow_net(spec).unwrap();
        assert_eq!(check(&permissions), Ok(()), "{number}: {denied}");
    }
}
