//! Names of hosts. To be run with `--allow-net=localhost`.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use curio::socket::{
    IpFamily, NameFlags, getaddrinfo, getfqdn, gethostbyaddr, gethostbyname, gethostbyname_ex,
    gethostname, getnameinfo,
};
use curio::{Error, Result, Wait, ignore_after, spawn, task_group, yield_now};
use test_guests::{fails, ms};

test_guests::cases! {
    numbers_need_no_lookup
    localhost_is_found
    addresses_have_names
    what_is_not_there_is_told
    what_is_not_granted_is_refused
    a_thousand_lookups_at_once
    lookups_can_be_cancelled
    lookups_can_time_out
    the_machine_s_name_is_known
}

fn at(text: &str) -> SocketAddr {
    text.parse().expect("the address is one")
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T>) -> String {
    match result {
        Err(Error::Refused(text)) => text,
        other => panic!("should be refused: {other:?}"),
    }
}

#[track_caller]
fn not_found<T: std::fmt::Debug>(result: Result<T>) {
    match result {
        Err(Error::Io(error)) => assert_eq!(error.kind(), ErrorKind::NotFound, "{error}"),
        other => panic!("should not be found: {other:?}"),
    }
}

/// To be run without a grant.
async fn numbers_need_no_lookup() -> Result<()> {
    assert_eq!(getaddrinfo("8.8.8.8", 80, None).await?, [at("8.8.8.8:80")]);
    assert_eq!(
        getaddrinfo("::1", "80", IpFamily::V6).await?,
        [at("[::1]:80")]
    );
    not_found(getaddrinfo("::1", 80, IpFamily::V4).await);
    let numeric = NameFlags {
        numeric_host: true,
        numeric_service: true,
        name_required: false,
    };
    let told = getnameinfo(at("[2606::1]:80"), numeric).await?;
    assert_eq!(told, ("2606::1".to_owned(), "80".to_owned()));
    Ok(())
}

async fn localhost_is_found() -> Result<()> {
    let found = getaddrinfo("localhost", "http", IpFamily::V4).await?;
    assert_eq!(found, [at("127.0.0.1:80")]);
    let found = getaddrinfo("LOCALHOST", 25, None).await?;
    assert!(found.contains(&at("127.0.0.1:25")), "{found:?}");
    assert_eq!(gethostbyname("localhost").await?, Ipv4Addr::LOCALHOST);
    let entry = gethostbyname_ex("localhost").await?;
    assert!(
        entry.addresses.contains(&Ipv4Addr::LOCALHOST.into()),
        "{entry:?}"
    );
    assert!(!entry.name.is_empty());
    assert!(!getfqdn("localhost").await?.is_empty());
    Ok(())
}

async fn addresses_have_names() -> Result<()> {
    let (host, service) = getnameinfo(at("127.0.0.1:80"), NameFlags::default()).await?;
    assert_eq!(service, "http");
    let entry = gethostbyaddr(Ipv4Addr::LOCALHOST.into()).await?;
    assert_eq!(entry.name, host);
    assert_eq!(entry.addresses, [IpAddr::from(Ipv4Addr::LOCALHOST)]);
    let numeric = NameFlags {
        numeric_host: true,
        ..NameFlags::default()
    };
    let (host, _) = getnameinfo(at("127.0.0.1:80"), numeric).await?;
    assert_eq!(host, "127.0.0.1");
    Ok(())
}

async fn what_is_not_there_is_told() -> Result<()> {
    not_found(getaddrinfo("localhost", "no-such-service", None).await);
    let error = fails(getaddrinfo(&"a".repeat(255), 1, None).await);
    assert!(matches!(error, Error::InvalidArgument(_)), "{error}");
    let error = fails(getaddrinfo("localhost", "s".repeat(65).as_str(), None).await);
    assert!(matches!(error, Error::InvalidArgument(_)), "{error}");
    Ok(())
}

async fn what_is_not_granted_is_refused() -> Result<()> {
    let text = refused(getaddrinfo("example.com", 80, None).await);
    assert_eq!(
        text,
        "no permission to look up example.com; add --allow-net=example.com:80"
    );
    let text = refused(gethostbyname("example.com").await);
    assert!(text.ends_with("add --allow-net=example.com"), "{text}");
    let text = refused(gethostbyaddr([8, 8, 8, 8].into()).await);
    assert!(
        text.ends_with("look up 8.8.8.8; add --allow-net=8.8.8.8"),
        "{text}"
    );
    for text in ["2130706433", "127.1", "a b", "", "example.com\0"] {
        let text = refused(getaddrinfo(text, 80, None).await);
        assert!(text.contains("not a host name"), "{text}");
    }
    let text = refused(gethostname());
    assert!(
        text.contains("name of this machine; add --allow-net"),
        "{text}"
    );
    assert_eq!(refused(getfqdn("").await), text);
    // Numbers that a resolver would take for localhost, without its grant.
    for to in ["127.0.0.2:9", "0.0.0.0:9", "[::ffff:127.0.0.2]:9", "[::]:9"] {
        refused(curio::open_connection(at(to)).await);
    }
    Ok(())
}

async fn a_thousand_lookups_at_once() -> Result<()> {
    let group = task_group(Wait::All, async |group| {
        for port in 0..1000 {
            group.spawn(getaddrinfo("localhost", port, IpFamily::V4));
        }
        Ok(group)
    })
    .await?;
    let mut ports: Vec<_> = group
        .results()?
        .iter()
        .map(|found| found[0].port())
        .collect();
    ports.sort_unstable();
    assert!(ports.into_iter().eq(0..1000));
    Ok(())
}

async fn lookups_can_be_cancelled() -> Result<()> {
    let mut lookups = Vec::new();
    for _ in 0..500 {
        lookups.push(spawn(getaddrinfo("localhost", 80, IpFamily::V4)));
    }
    let (unbegun, begun) = lookups.split_at(250);
    // These begin, and are told where they wait.
    for lookup in unbegun {
        lookup.request_cancel();
    }
    yield_now().await?;
    for lookup in begun {
        lookup.request_cancel();
    }
    let mut cancelled = 0;
    for lookup in lookups {
        match lookup.join().await {
            Ok(found) => assert_eq!(found, [at("127.0.0.1:80")]),
            Err(error) => {
                assert!(
                    error.to_string().ends_with("the task was cancelled"),
                    "{error}"
                );
                cancelled += 1;
            }
        }
    }
    assert!(cancelled > 0, "none has its answer at once");
    // The others are in nobody's way.
    assert_eq!(gethostbyname("localhost").await?, Ipv4Addr::LOCALHOST);
    Ok(())
}

async fn lookups_can_time_out() -> Result<()> {
    let all = task_group(Wait::All, async |group| {
        for _ in 0..2000 {
            group.spawn(gethostbyname("localhost"));
        }
        Ok(())
    });
    assert!(ignore_after(ms(0), all).await?.is_none());
    assert_eq!(gethostbyname("localhost").await?, Ipv4Addr::LOCALHOST);
    Ok(())
}

/// To be run with `--allow-net=*`.
async fn the_machine_s_name_is_known() -> Result<()> {
    let name = gethostname()?;
    assert!(!name.is_empty());
    test_guests::say(&name);
    Ok(())
}
