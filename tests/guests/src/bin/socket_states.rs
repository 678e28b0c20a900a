//! What a socket can be asked in which state, its options and its addresses.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr};
use std::time::Duration;

use curio::socket::{SocketOption, SocketOptionName as Name};
use curio::{Error, Result, Socket};

test_guests::cases! {
    options_are_read_as_they_were_set
    both_ends_know_both_addresses
    an_address_can_t_be_used_twice
    an_unbound_socket
    a_bound_socket
    a_listening_socket
    a_connected_socket
    addresses_of_the_other_family
}

const V4: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
const V6: SocketAddr = SocketAddr::new(std::net::IpAddr::V6(Ipv6Addr::LOCALHOST), 0);

#[track_caller]
fn invalid_state(result: Result<impl Sized>) {
    match result {
        Err(Error::InvalidState(text)) => assert!(!text.is_empty()),
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("it should have failed"),
    }
}

#[track_caller]
fn io(result: Result<impl Sized>) -> ErrorKind {
    match result {
        Err(Error::Io(error)) => error.kind(),
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("it should have failed"),
    }
}

async fn options_are_read_as_they_were_set() -> Result<()> {
    for address in [V4, V6] {
        let socket = Socket::tcp_for(address)?;
        for option in [
            (Name::ReuseAddress, SocketOption::ReuseAddress(true)),
            (Name::ReuseAddress, SocketOption::ReuseAddress(false)),
            (Name::ReusePort, SocketOption::ReusePort(true)),
            (Name::ReusePort, SocketOption::ReusePort(false)),
            (Name::NoDelay, SocketOption::NoDelay(true)),
            (Name::NoDelay, SocketOption::NoDelay(false)),
            (Name::KeepAlive, SocketOption::KeepAlive(true)),
            (Name::KeepAlive, SocketOption::KeepAlive(false)),
            (
                Name::Linger,
                SocketOption::Linger(Some(Duration::from_secs(7))),
            ),
            (Name::Linger, SocketOption::Linger(Some(Duration::ZERO))),
            (Name::Linger, SocketOption::Linger(None)),
            (Name::TimeToLive, SocketOption::TimeToLive(5)),
        ] {
            let (name, value) = option;
            socket.set_option(value)?;
            assert_eq!(socket.option(name)?, value);
        }
        // The system takes what it is asked for as a hint.
        socket.set_option(SocketOption::ReceiveBuffer(50_000))?;
        socket.set_option(SocketOption::SendBuffer(50_000))?;
        for name in [Name::ReceiveBuffer, Name::SendBuffer] {
            let (SocketOption::ReceiveBuffer(size) | SocketOption::SendBuffer(size)) =
                socket.option(name)?
            else {
                panic!("another option than was asked for");
            };
            assert!((50_000..1_000_000).contains(&size), "{size}");
        }
        for huge in [u32::MAX, 1 << 31] {
            socket.set_option(SocketOption::ReceiveBuffer(huge)).ok();
            socket.set_option(SocketOption::SendBuffer(huge)).ok();
            assert!(
                socket.set_option(SocketOption::TimeToLive(huge)).is_err(),
                "{huge}"
            );
        }
        let long = Some(Duration::from_secs(65_536));
        for linger in [long, Some(Duration::MAX)] {
            let error = socket.set_option(SocketOption::Linger(linger));
            assert!(matches!(error, Err(Error::InvalidArgument(_))));
        }
        assert_eq!(
            socket.option(Name::TimeToLive)?,
            SocketOption::TimeToLive(5)
        );
    }
    let socket = Socket::tcp_v6()?;
    for on in [true, false] {
        socket.set_option(SocketOption::Ipv6Only(on))?;
        assert_eq!(socket.option(Name::Ipv6Only)?, SocketOption::Ipv6Only(on));
    }
    let socket = Socket::tcp_v4()?;
    assert!(socket.set_option(SocketOption::Ipv6Only(true)).is_err());
    assert!(socket.option(Name::Ipv6Only).is_err());
    Ok(())
}

async fn both_ends_know_both_addresses() -> Result<()> {
    for any in [V4, V6] {
        let listener = curio::tcp_server_socket(any)?;
        let at = listener.local_address()?;
        assert_eq!(at.ip().map(|at| at.ip()), Some(any.ip()));
        assert_ne!(at.port(), Some(0));
        assert_eq!(io(listener.peer_address()), ErrorKind::NotConnected);
        let client = Socket::stream_for(&at)?;
        assert_eq!(io(client.peer_address()), ErrorKind::NotConnected);
        client.connect(&at).await?;
        let (server, peer) = listener.accept().await?;
        assert_eq!(client.peer_address()?, at);
        assert_eq!(server.local_address()?, at);
        assert_eq!(peer, client.local_address()?);
        assert_eq!(server.peer_address()?, peer);
        client.send_all(b"hello").await?;
        assert_eq!(server.recv(10).await?, b"hello");
    }
    Ok(())
}

async fn an_address_can_t_be_used_twice() -> Result<()> {
    let listener = curio::tcp_server_socket(V4)?;
    let at = listener.local_address()?;
    let Err(Error::Io(error)) = curio::tcp_server_socket(&at) else {
        panic!("two sockets listen at {at}");
    };
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    assert!(error.to_string().contains("in use"), "{error}");
    drop(listener);
    curio::tcp_server_socket(&at)?;
    let nobodys: SocketAddr = ([203, 0, 113, 77], 0).into();
    let error = io(Socket::tcp_v4()?.bind(nobodys));
    assert_eq!(error, ErrorKind::AddrNotAvailable);
    Ok(())
}

async fn an_unbound_socket() -> Result<()> {
    let socket = Socket::tcp_v4()?;
    invalid_state(socket.listen(1));
    invalid_state(socket.accept().await);
    assert_eq!(io(socket.recv(1).await), ErrorKind::NotConnected);
    assert!(matches!(
        io(socket.send(b"x").await),
        ErrorKind::NotConnected | ErrorKind::BrokenPipe
    ));
    assert_eq!(io(socket.shutdown(Shutdown::Both)), ErrorKind::NotConnected);
    // It is as good as new after all that.
    let listener = curio::tcp_server_socket(V4)?;
    socket.connect(listener.local_address()?).await
}

async fn a_bound_socket() -> Result<()> {
    let socket = Socket::tcp_v4()?;
    socket.bind(V4)?;
    invalid_state(socket.bind(V4));
    invalid_state(socket.accept().await);
    let own = socket.local_address()?;
    let listener = curio::tcp_server_socket(V4)?;
    socket.connect(listener.local_address()?).await?;
    assert_eq!(listener.accept().await?.1, own);
    Ok(())
}

async fn a_listening_socket() -> Result<()> {
    let listener = curio::tcp_server_socket(V4)?;
    let at = listener.local_address()?;
    invalid_state(listener.listen(1));
    invalid_state(listener.bind(V4));
    invalid_state(listener.connect(&at).await);
    assert_eq!(io(listener.recv(1).await), ErrorKind::NotConnected);
    // And it still listens.
    let client = curio::open_connection(at).await?;
    assert_eq!(listener.accept().await?.1, client.local_address()?);
    Ok(())
}

async fn a_connected_socket() -> Result<()> {
    let listener = curio::tcp_server_socket(V4)?;
    let at = listener.local_address()?;
    let client = curio::open_connection(&at).await?;
    let (server, _) = listener.accept().await?;
    for socket in [&client, &server] {
        invalid_state(socket.connect(&at).await);
        invalid_state(socket.bind(V4));
        invalid_state(socket.listen(1));
        invalid_state(socket.accept().await);
    }
    client.send_all(b"undisturbed").await?;
    assert_eq!(server.recv(100).await?, b"undisturbed");
    Ok(())
}

async fn addresses_of_the_other_family() -> Result<()> {
    for (socket, address) in [(Socket::tcp_v4()?, V6), (Socket::tcp_v6()?, V4)] {
        let bound = socket.bind(address);
        assert!(matches!(bound, Err(Error::InvalidArgument(_))), "{bound:?}");
        let address = SocketAddr::new(address.ip(), 9);
        let connected = socket.connect(address).await;
        assert!(matches!(connected, Err(Error::InvalidArgument(_))));
    }
    Ok(())
}
