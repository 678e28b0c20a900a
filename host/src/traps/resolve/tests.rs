//! Tests of lookups under permissions, with names that a fake knows.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};

use super::*;
use crate::background::Background;
use crate::bindings::resolve::HostLookup;
use crate::bindings::sockets::{self, HostSocket as _};
use crate::limits::Limits;
use crate::permissions::Permissions;
use crate::sockets::{Found, Names, Resolver};
use crate::traps::tests::guest;

/// Knows `public.example`, with a public address and some that are not; and any number of others by number.
#[derive(Debug, Default)]
struct Fake {
    /// Whether it answers.
    awake: Mutex<bool>,
    woken: Condvar,
    asked: AtomicUsize,
}

impl Fake {
    fn wake(&self) {
        *self.awake.lock().unwrap() = true;
        self.woken.notify_all();
    }
}

impl Resolver for Fake {
    fn addresses(
        &self,
        host: &str,
        service: &Service,
        _: Option<Family>,
    ) -> Result<Found, LookupError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut awake = self.awake.lock().unwrap();
        while !*awake {
            awake = self.woken.wait(awake).unwrap();
        }
        let Service::Port(port) = service else {
            return Err(LookupError::NotFound("no service".to_owned()));
        };
        let addresses = match host {
            "public.example" => "8.8.8.8 127.0.0.1 ::1 ::ffff:127.0.0.1 0.0.0.0 :: 10.0.0.1",
            "other.example" => "8.8.4.4",
            _ => return Err(LookupError::NoAnswer("nobody knows".to_owned())),
        };
        let addresses = addresses.split(' ').map(|ip| ip.parse().unwrap());
        Ok(Found {
            canonical_name: None,
            addresses: addresses.map(|ip| SocketAddr::new(ip, *port)).collect(),
        })
    }

    fn names(&self, _: SocketAddr, _: Named) -> Result<(String, String), LookupError> {
        Ok(("a.name".to_owned(), "service".to_owned()))
    }
}

/// A guest with a grant, that asks the fake.
fn granted(spec: &str) -> (Guest, Arc<Fake>) {
    let mut guest = guest(Limits::default());
    let fake = Arc::new(Fake::default());
    guest.names = Names::with(fake.clone());
    let mut permissions = Permissions::none();
    permissions.allow_net(spec).unwrap();
    guest.permissions = Arc::new(permissions);
    (guest, fake)
}

fn ask(guest: &mut Guest, host: &str, port: u16) -> Result<Resource<Lookup>, TrapError> {
    guest.addresses(host.to_owned(), resolve::Service::Port(port), None)
}

/// The handle again, as the guest has it.
fn same(lookup: &Resource<Lookup>) -> Resource<Lookup> {
    Resource::new_own(lookup.rep())
}

/// Waits for an answer.
fn answer(guest: &mut Guest, lookup: &Resource<Lookup>) -> Result<resolve::Answer, TrapError> {
    loop {
        match guest.answer(same(lookup)) {
            Err(TrapError::Told(types::Error::WouldBlock)) => std::thread::yield_now(),
            answer => return answer,
        }
    }
}

/// What comes of an attempt to connect: nothing is connected to, the check is all there is.
fn refusal(guest: &Guest, to: &str) -> Option<String> {
    let checked = guest.check_connect(to.parse().unwrap());
    checked.err().map(|denied| denied.to_string())
}

fn refused(error: Option<TrapError>) -> String {
    match error {
        Some(TrapError::Told(types::Error::Refused(text))) => text,
        other => panic!("should be refused: {other:?}"),
    }
}

#[test]
fn what_a_granted_name_led_to_may_be_connected_to() {
    let background = Background::start().unwrap();
    let runtime = background.handle();
    let _entered = runtime.enter();
    let (mut guest, fake) = granted("public.example:443");
    fake.wake();
    // Nothing rides on a name before the host has looked it up.
    let text = refusal(&guest, "8.8.8.8:443").unwrap();
    assert!(text.contains("add --allow-net=8.8.8.8:443"), "{text}");
    let lookup = ask(&mut guest, "public.example", 443).unwrap();
    let Ok(resolve::Answer::Addresses(found)) = answer(&mut guest, &lookup) else {
        panic!("should be found");
    };
    assert_eq!(found.addresses.len(), 7);
    assert_eq!(refusal(&guest, "8.8.8.8:443"), None);
    assert_eq!(refusal(&guest, "[::ffff:8.8.8.8]:443"), None);
    // Not with another port; and no special address, in whatever form.
    let text = refusal(&guest, "8.8.8.8:80").unwrap();
    assert!(text.contains("add --allow-net=public.example:80"), "{text}");
    for special in [
        "127.0.0.1:443",
        "[::1]:443",
        "[::ffff:127.0.0.1]:443",
        "0.0.0.0:443",
        "[::]:443",
        "10.0.0.1:443",
        "[::ffff:10.0.0.1]:443",
    ] {
        let text = refusal(&guest, special).unwrap();
        assert!(
            text.starts_with("\"public.example\" resolves to "),
            "{text}"
        );
    }
    let socket = guest
        .create(sockets::Family::Ipv4, sockets::Kind::Stream)
        .unwrap();
    let to = crate::sockets::Address::Ip(([127, 0, 0, 1], 443).into()).into();
    let text = refused(guest.connect(Resource::new_own(socket.rep()), to).err());
    assert!(text.contains("which a name does not grant"), "{text}");
    // An answer is told once.
    assert!(matches!(
        guest.answer(same(&lookup)),
        Err(TrapError::Told(types::Error::InvalidState(_)))
    ));
}

#[test]
fn what_is_not_granted_is_not_asked() {
    let background = Background::start().unwrap();
    let runtime = background.handle();
    let _entered = runtime.enter();
    let (mut guest, fake) = granted("public.example:443,10.0.0.0/8:80");
    fake.wake();
    for (host, port, remedy) in [
        ("other.example", 443, "add --allow-net=other.example:443"),
        ("public.example", 80, "add --allow-net=public.example:80"),
        ("8.8.8.8", 443, "add --allow-net=8.8.8.8:443"),
        ("11.0.0.1", 0, "look up 11.0.0.1; add --allow-net=11.0.0.1"),
        ("2130706433", 443, "not a host name"),
    ] {
        let text = refused(ask(&mut guest, host, port).err());
        assert!(text.contains(remedy), "{text}");
    }
    let names = |guest: &mut Guest, of: &str| {
        let of = of.parse::<SocketAddr>().unwrap().into();
        guest.names(of, NameFlags::empty())
    };
    let text = refused(names(&mut guest, "[2606::1]:80").err());
    assert!(text.contains("add --allow-net=[2606::1]"), "{text}");
    assert!(names(&mut guest, "8.8.8.8:80").is_err());
    assert_eq!(fake.asked.load(Ordering::SeqCst), 0);
    // The names of what is granted as a number may be asked for, and of what a lookup has found.
    assert!(names(&mut guest, "10.0.0.1:443").is_ok());
    let lookup = ask(&mut guest, "public.example", 0).unwrap();
    assert!(answer(&mut guest, &lookup).is_ok());
    assert!(names(&mut guest, "8.8.8.8:80").is_ok());
}

#[test]
fn lookups_are_bounded_and_give_back_what_they_took() {
    let background = Background::start().unwrap();
    let runtime = background.handle();
    let _entered = runtime.enter();
    let (mut guest, fake) = granted("public.example,lost.example");
    let key = guest.key;
    let memory = |guest: &Guest| guest.kernel().instance(key).budget().memory();
    let before = memory(&guest);
    let ask = |guest: &mut Guest| ask(guest, "lost.example", 1).unwrap();
    let lookups: Vec<_> = (0..1000).map(|_| ask(&mut guest)).collect();
    assert_eq!(memory(&guest) - before, 1000 * Lookup::SIZE);
    while fake.asked.load(Ordering::SeqCst) < 32 {
        std::thread::yield_now();
    }
    // Those that are given up in line are never asked.
    let mut lookups = lookups.into_iter();
    let kept: Vec<_> = lookups.by_ref().take(40).collect();
    for lookup in lookups {
        HostLookup::drop(&mut guest, lookup).unwrap();
    }
    fake.wake();
    for lookup in &kept {
        let answer = answer(&mut guest, lookup);
        let Err(TrapError::Told(types::Error::Os(error))) = answer else {
            panic!("nobody knows: {answer:?}");
        };
        assert_eq!(error.code, types::ErrorCode::NoAnswer);
    }
    assert_eq!(fake.asked.load(Ordering::SeqCst), 40);
    for lookup in kept {
        HostLookup::drop(&mut guest, lookup).unwrap();
    }
    assert_eq!(memory(&guest), before);
}

#[test]
fn names_that_are_too_long_are_told() {
    let (mut guest, _) = granted("*");
    guest.permissions = Arc::new(Permissions::all());
    let long = "a".repeat(255);
    let service = resolve::Service::Name(long.clone());
    for (host, service) in [
        (long, resolve::Service::Port(1)),
        ("a.example".to_owned(), service),
    ] {
        let asked = guest.addresses(host, service, None);
        assert!(matches!(
            asked,
            Err(TrapError::Told(types::Error::InvalidArgument(_)))
        ));
    }
}
