//! `tcp_server` and its handlers.

use std::cell::RefCell;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;

use curio::socket::Address;
use curio::{Error, Result, Socket, ignore_after, open_connection, sleep, spawn};
use test_guests::ms;

const MOMENT: Duration = ms(30);

test_guests::cases! {
    a_cancelled_server_waits_for_its_handlers
    a_failed_handler_is_alone_with_it
    the_limit_of_handles_is_told
    a_server_needs_a_free_address
}

fn listener() -> Result<(Socket, Address)> {
    let socket = curio::tcp_server_socket((Ipv4Addr::LOCALHOST, 0))?;
    let address = socket.local_address()?;
    Ok((socket, address))
}

async fn echo(client: Socket, _peer: Address) -> Result<()> {
    loop {
        let data = client.recv(1000).await?;
        if data.is_empty() {
            return Ok(());
        }
        client.send_all(&data).await?;
    }
}

async fn a_cancelled_server_waits_for_its_handlers() -> Result<()> {
    let (socket, address) = listener()?;
    let log = Rc::new(RefCell::new(Vec::new()));
    let notes = log.clone();
    let server = spawn(async move {
        let result = curio::run_server(socket, async move |client: Socket, peer| {
            let result = echo(client, peer).await;
            assert!(matches!(result, Err(Error::TaskCancelled)), "{result:?}");
            notes.borrow_mut().push("cancelled");
            sleep(MOMENT).await?;
            notes.borrow_mut().push("cleaned up");
            result
        })
        .await;
        result.map(drop)
    });
    let mut clients = Vec::new();
    for _ in 0..3 {
        let client = open_connection(&address).await?;
        client.send_all(b"x").await?;
        assert_eq!(client.recv(1).await?, b"x");
        clients.push(client);
    }
    assert!(server.cancel().await?);
    let expected = [["cancelled"; 3], ["cleaned up"; 3]].concat();
    assert_eq!(*log.borrow(), expected);
    for client in clients {
        assert!(client.recv(1).await?.is_empty());
    }
    assert!(matches!(open_connection(&address).await, Err(Error::Io(_))));
    Ok(())
}

async fn a_failed_handler_is_alone_with_it() -> Result<()> {
    let (socket, address) = listener()?;
    spawn(curio::run_server(socket, async |client: Socket, _| {
        loop {
            let data = client.recv(1000).await?;
            match data.as_slice() {
                b"" => return Ok(()),
                b"fail" => return Err(Error::other("this handler had enough")),
                data => client.send_all(data).await?,
            }
        }
    }));
    let good = open_connection(&address).await?;
    let bad = open_connection(&address).await?;
    for client in [&good, &bad] {
        client.send_all(b"x").await?;
        assert_eq!(client.recv(1).await?, b"x");
    }
    bad.send_all(b"fail").await?;
    assert!(bad.recv(1).await?.is_empty());
    good.send_all(b"y").await?;
    assert_eq!(good.recv(1).await?, b"y");
    let new = open_connection(&address).await?;
    new.send_all(b"z").await?;
    assert_eq!(new.recv(1).await?, b"z");
    Ok(())
}

/// To be run with `--max-handles=5`: a server, two clients and their two connections.
async fn the_limit_of_handles_is_told() -> Result<()> {
    let (socket, address) = listener()?;
    let mut held = Vec::new();
    for _ in 0..2 {
        held.push(open_connection(&address).await?);
    }
    for _ in 0..2 {
        held.push(socket.accept().await?.0);
    }
    // With nothing to accept, the limit is no matter.
    assert!(ignore_after(MOMENT, socket.accept()).await?.is_none());
    let Err(Error::Limit(text)) = open_connection(&address).await else {
        panic!("there is no handle for another socket");
    };
    assert!(text.contains("--max-handles"), "{text}");
    held.pop();
    held.push(open_connection(&address).await?);
    let Err(Error::Limit(text)) = socket.accept().await else {
        panic!("there is no handle for another connection");
    };
    assert!(text.contains("--max-handles"), "{text}");
    // The connection was not lost by that.
    held.remove(0);
    let (server, peer) = socket.accept().await?;
    let client = held.last().expect("it was pushed");
    assert_eq!(peer, client.local_address()?);
    client.send_all(b"x").await?;
    assert_eq!(server.recv(1).await?, b"x");
    Ok(())
}

async fn a_server_needs_a_free_address() -> Result<()> {
    let (_socket, address) = listener()?;
    let result = curio::tcp_server(address, echo).await;
    assert!(matches!(result, Err(Error::Io(_))), "{result:?}");
    Ok(())
}
