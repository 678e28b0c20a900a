//! Happy eyeballs (RFC 8305), the showpiece of curio's README: connects to a host that has several addresses, some of
//! which may be slow or dead. An attempt has a head start of 300 ms; then the next one begins beside it. One
//! that fails makes way for the next at once. As soon as one succeeds, the others are cancelled.
//!
//! That is what `curio::open_connection` does; with a host to connect to, this program lets it. Without one, it shows how it
//! is done, with a network that is made of tables, so that every run is the same.
//!
//! ```text
//! curio-host happy_eyeballs.wasm
//! curio-host --allow-net=example.com:80 happy_eyeballs.wasm example.com:80
//! ```
#![expect(clippy::print_stdout, reason = "it is what the example is for")]

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use curio::network::Endpoint;
use curio::{Error, Result, Wait, ignore_after, sleep, task_group};

const HEAD_START: Duration = Duration::from_millis(300);

/// What an address does with those who connect to it.
#[derive(Clone, Copy)]
enum Address {
    /// It answers after so many milliseconds.
    Answers(&'static str, u64),
    /// It refuses after so many.
    Refuses(&'static str, u64),
}

use Address::{Answers, Refuses};

/// A connection: here, just to whom.
type Connection = &'static str;

async fn connect(address: Address) -> Result<Connection> {
    let (Answers(name, millis) | Refuses(name, millis)) = address;
    println!("  {name}: connecting");
    if let Err(error) = sleep(Duration::from_millis(millis)).await {
        println!("  {name}: cancelled");
        return Err(error);
    }
    match address {
        Answers(..) => Ok(name),
        Refuses(..) => Err(Error::other(format!("{name} refused the connection"))),
    }
}

/// An attempt. If it is the network that fails, it leaves the error behind and gives nothing.
async fn try_connect(
    address: Address,
    errors: Rc<RefCell<Vec<String>>>,
) -> Result<Option<Connection>> {
    match connect(address).await {
        Err(error) if !error.is_cancellation() => {
            println!("  {error}");
            errors.borrow_mut().push(error.to_string());
            Ok(None)
        }
        result => result.map(Some),
    }
}

async fn open_connection(addresses: &[Address]) -> Result<Connection> {
    let errors = Rc::new(RefCell::new(Vec::new()));
    let group = task_group(Wait::Object(Option::is_some), async |group| {
        for address in addresses {
            group.spawn(try_connect(*address, errors.clone()));
            ignore_after(HEAD_START, group.next_done()).await?;
            if group.completed().is_some() {
                break;
            }
        }
        Ok(group)
    })
    .await?;
    // All others have been cancelled by now.
    let connection = group.completed().map(|attempt| attempt.result());
    let connection = connection.transpose()?.flatten();
    connection.ok_or_else(|| Error::other(errors.take().join(", ")))
}

/// Connects to a real host.
async fn connect_to(host: &Endpoint) -> Result<()> {
    for address in host.addresses().await? {
        println!("{host} is at {address}");
    }
    let client = curio::open_connection(host.clone()).await?;
    println!("connected to {}", client.peer_address()?);
    Ok(())
}

#[curio::main]
async fn main() -> Result<()> {
    if let Some(host) = std::env::args().nth(1) {
        return connect_to(&host.parse()?).await;
    }
    let networks: [(&str, &[Address]); 5] = [
        ("the first is quick", &[Answers("a", 10), Answers("b", 10)]),
        (
            "the first is slow",
            &[Answers("a", 5_000), Answers("b", 10), Answers("c", 10)],
        ),
        (
            "the first is just in time",
            &[Answers("a", 600), Answers("b", 5_000)],
        ),
        (
            "the first is dead",
            &[Refuses("a", 10), Answers("b", 10), Answers("c", 10)],
        ),
        ("all are dead", &[Refuses("a", 500), Refuses("b", 10)]),
    ];
    for (title, addresses) in networks {
        println!("{title}:");
        match open_connection(addresses).await {
            Ok(connection) => println!("  connected to {connection}"),
            Err(error) => println!("  not connected: {error}"),
        }
    }
    Ok(())
}
