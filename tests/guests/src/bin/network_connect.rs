//! Connecting to hosts with several addresses. To be run with rights to connect to itself, and few handles.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use curio::network::{ConnectError, ConnectionOptions, Endpoint};
use curio::socket::IpFamily;
use curio::{
    Error, Result, Socket, create_connection, ignore_after, open_connection, spawn,
    tcp_server_socket, yield_now,
};
use test_guests::{fails, ms};

const LONG: Duration = Duration::from_secs(1000);

test_guests::cases! {
    a_name_is_connected_to
    one_that_is_refused_makes_way_at_once
    one_that_is_slow_gets_company
    one_by_one_none_gets_company
    the_losers_are_closed
    an_interrupted_attempt_is_closed
    all_failures_are_told
    all_refusals_are_told
    the_source_address_is_used
    one_family_alone_is_tried
    nowhere_is_an_error
    endpoints_are_read
}

fn listener() -> Result<(Socket, SocketAddr)> {
    let socket = tcp_server_socket((Ipv4Addr::LOCALHOST, 0))?;
    let address = socket.local_address()?.try_into()?;
    Ok((socket, address))
}

/// An address where nobody listens.
fn dead() -> Result<SocketAddr> {
    let (_socket, address) = listener()?;
    Ok(address)
}

/// An address that does not answer: there is no place in its queue.
async fn silent() -> Result<(Vec<Socket>, SocketAddr)> {
    let socket = Socket::tcp_v4()?;
    socket.bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.listen(0)?;
    let address = socket.local_address()?.try_into()?;
    let mut held = vec![socket];
    while let Some(client) = ignore_after(ms(300), open_connection(address)).await? {
        held.push(client);
    }
    Ok((held, address))
}

/// Asserts that a client is connected to a listener.
async fn is_served(client: Socket, listener: &Socket) -> Result<()> {
    let (server, peer) = listener.accept().await?;
    assert_eq!(peer, client.local_address()?);
    client.send_all(b"x").await?;
    assert_eq!(server.recv(1).await?, b"x");
    Ok(())
}

async fn a_name_is_connected_to() -> Result<()> {
    let (listener, address) = listener()?;
    let client = open_connection(("localhost", address.port())).await?;
    is_served(client, &listener).await?;
    let client = create_connection(("localhost", address.port())).await?;
    is_served(client, &listener).await
}

async fn one_that_is_refused_makes_way_at_once() -> Result<()> {
    let (listener, address) = listener()?;
    let no_v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, address.port()));
    for addresses in [[dead()?, address], [no_v6, address]] {
        let options = ConnectionOptions::new().head_start(LONG);
        let client = options.open_any(addresses).await?;
        is_served(client, &listener).await?;
        let options = ConnectionOptions::new().one_by_one();
        let client = options.open_any(addresses).await?;
        is_served(client, &listener).await?;
    }
    Ok(())
}

async fn one_that_is_slow_gets_company() -> Result<()> {
    let (_held, silent) = silent().await?;
    let (listener, address) = listener()?;
    let begun = curio::clock();
    let options = ConnectionOptions::new().head_start(ms(50));
    let client = options.open_any([silent, address]).await?;
    assert!(curio::clock().since(begun) >= ms(50));
    is_served(client, &listener).await
}

async fn one_by_one_none_gets_company() -> Result<()> {
    let (_held, silent) = silent().await?;
    let (listener, address) = listener()?;
    let options = ConnectionOptions::new().one_by_one();
    let client = options.open_any([silent, address]);
    assert!(ignore_after(ms(500), client).await?.is_none());
    // Nobody has come.
    assert!(ignore_after(ms(30), listener.accept()).await?.is_none());
    Ok(())
}

/// More often than there are handles for.
async fn the_losers_are_closed() -> Result<()> {
    let (_held, silent) = silent().await?;
    let (listener, address) = listener()?;
    for _ in 0..20 {
        let options = ConnectionOptions::new().head_start(ms(5));
        let client = options.open_any([silent, dead()?, silent, address]).await?;
        is_served(client, &listener).await?;
    }
    Ok(())
}

/// More often than there are handles for.
async fn an_interrupted_attempt_is_closed() -> Result<()> {
    let (_held, silent) = silent().await?;
    for _ in 0..20 {
        let options = ConnectionOptions::new().head_start(ms(0));
        let task = spawn(options.open_any([silent, silent, silent]));
        yield_now().await?;
        assert!(task.cancel().await?);
        let error = fails(task.join().await);
        assert!(
            matches!(&error, Error::Task(error) if matches!(error.cause(), Error::TaskCancelled))
        );
        let options = ConnectionOptions::new().head_start(ms(2));
        let opened = options.open_any([silent, silent, silent]);
        assert!(ignore_after(ms(7), opened).await?.is_none());
    }
    Ok(())
}

async fn all_failures_are_told() -> Result<()> {
    let addresses = [dead()?, dead()?, SocketAddr::from(([203, 0, 113, 1], 9))];
    let error = fails(ConnectionOptions::new().open_any(addresses).await);
    let text = error.to_string();
    let Error::Io(error) = error else {
        panic!("should be of the system: {text}");
    };
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    for address in addresses {
        assert!(text.contains(&address.to_string()), "{text}");
    }
    assert!(text.contains("--allow-net=203.0.113.1:9"), "{text}");
    let inner = error
        .get_ref()
        .and_then(|error| error.downcast_ref::<ConnectError>());
    let attempts = inner.expect("it tells of all").attempts();
    let mut told: Vec<_> = attempts.iter().map(|(address, _)| *address).collect();
    told.sort_unstable();
    let mut expected = addresses.to_vec();
    expected.sort_unstable();
    assert_eq!(told, expected);
    // A single one is told as it is.
    let error = fails(open_connection(addresses[0]).await);
    assert!(matches!(error, Error::Io(error) if error.kind() == ErrorKind::ConnectionRefused));
    Ok(())
}

async fn all_refusals_are_told() -> Result<()> {
    let addresses = [1, 2].map(|n| SocketAddr::from(([203, 0, 113, n], 9)));
    let error = fails(ConnectionOptions::new().open_any(addresses).await);
    let Error::Refused(text) = error else {
        panic!("should be refused: {error}");
    };
    for n in [1, 2] {
        let remedy = format!("add --allow-net=203.0.113.{n}:9");
        assert!(text.contains(&remedy), "{text}");
    }
    let error = fails(open_connection(("example.com", 80)).await);
    assert!(matches!(error, Error::Refused(_)), "{error}");
    Ok(())
}

async fn the_source_address_is_used() -> Result<()> {
    let (listener, address) = listener()?;
    let source = dead()?;
    let options = ConnectionOptions::new().source_address((source.ip(), 0).into());
    let client = options.clone().open(address).await?;
    assert_eq!(
        client.local_address()?.ip().map(|address| address.ip()),
        Some(source.ip())
    );
    is_served(client, &listener).await?;
    let error = fails(options.open((Ipv6Addr::LOCALHOST, 9)).await);
    assert!(matches!(error, Error::InvalidArgument(_)), "{error}");
    let elsewhere = ConnectionOptions::new().source_address(([203, 0, 113, 1], 0).into());
    let error = fails(elsewhere.open(address).await);
    assert!(
        matches!(&error, Error::Refused(text) if text.contains("--allow-listen")),
        "{error}"
    );
    Ok(())
}

async fn one_family_alone_is_tried() -> Result<()> {
    let (v4, at_v4) = listener()?;
    let v6 = tcp_server_socket((Ipv6Addr::LOCALHOST, 0))?;
    let at_v6 = v6.local_address()?.try_into()?;
    let of = |family| ConnectionOptions::new().head_start(LONG).family(family);
    for addresses in [[at_v4, at_v6], [at_v6, at_v4]] {
        is_served(of(IpFamily::V4).open_any(addresses).await?, &v4).await?;
        is_served(of(IpFamily::V6).open_any(addresses).await?, &v6).await?;
        // It is that of the source address, if there is one.
        let options = ConnectionOptions::new().source_address((Ipv6Addr::LOCALHOST, 0).into());
        is_served(options.open_any(addresses).await?, &v6).await?;
    }
    let localhost = ("localhost", at_v4.port());
    is_served(of(IpFamily::V4).open(localhost).await?, &v4).await?;
    let from_v4 = of(IpFamily::V6).source_address((Ipv4Addr::LOCALHOST, 0).into());
    for (options, address, text) in [
        (of(IpFamily::V6), at_v4, "is of IPv6"),
        (of(IpFamily::V4), at_v6, "is of IPv4"),
        (from_v4.clone(), at_v4, "is of IPv6"),
        (from_v4, at_v6, "is of IPv4, as the source address is"),
    ] {
        let error = fails(options.open(address).await);
        assert!(matches!(error, Error::InvalidArgument(_)), "{error}");
        assert!(error.to_string().contains(text), "{error}");
    }
    Ok(())
}

async fn nowhere_is_an_error() -> Result<()> {
    let error = fails(ConnectionOptions::new().open_any([]).await);
    assert!(matches!(error, Error::InvalidArgument(_)), "{error}");
    Ok(())
}

async fn endpoints_are_read() -> Result<()> {
    for (text, name, port) in [
        ("example.com:80", Some("example.com"), 80),
        (":80", Some(""), 80),
        ("127.0.0.1:0", None, 0),
        ("[::1]:65535", None, 65535),
    ] {
        let endpoint: Endpoint = text.parse()?;
        assert_eq!((endpoint.name(), endpoint.port()), (name, Some(port)));
        assert_eq!(endpoint.to_string(), text);
    }
    assert_eq!(
        Endpoint::from(("::1", 80)),
        Endpoint::from((Ipv6Addr::LOCALHOST, 80))
    );
    let many = [
        "", "80", "a", "a:", "a:b", "a:65536", "a:+1", "::1:80", "[::1]", "[a]:80",
    ];
    for text in many {
        let error = fails(text.parse::<Endpoint>());
        assert!(
            matches!(error, Error::InvalidArgument(_)),
            "{text}: {error}"
        );
    }
    Ok(())
}
