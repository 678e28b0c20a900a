//! A chat server: whatever one says goes to all the others. Clients are plain, `nc` or `telnet`.
//!
//! ```text
//! curio-host --allow-listen=127.0.0.1:25000 chat.wasm
//! nc 127.0.0.1 25000
//! ```
#![expect(clippy::print_stdout, reason = "it says where it listens")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use curio::network::{Endpoint, ServerOptions};
use curio::queue::Queue;
use curio::{Error, Result, Socket, Wait, spawn, task_group};

/// How long a line may be. What is longer comes in pieces.
const MAX_LINE: usize = 1000;

/// How many messages may wait for a client that is slow to read. It misses the rest.
const MAX_BEHIND: usize = 100;

/// A message, and who it is from.
type Message = (Rc<str>, Rc<str>);

/// Who is there, and what has been said.
struct Room {
    messages: Queue<Message>,
    subscribers: RefCell<BTreeMap<u64, Rc<Queue<Message>>>>,
}

impl Room {
    fn new() -> Self {
        Self {
            messages: Queue::bounded(MAX_BEHIND),
            subscribers: RefCell::default(),
        }
    }

    async fn publish(&self, name: &Rc<str>, text: &str) -> Result<()> {
        self.messages.put((name.clone(), text.into())).await
    }

    /// Hands every message to all that are there.
    async fn dispatch(&self) -> Result<()> {
        loop {
            let message = self.messages.get().await?;
            let subscribers: Vec<_> = self.subscribers.borrow().values().cloned().collect();
            for queue in subscribers {
                if !queue.is_full() {
                    queue.put(message.clone()).await?;
                }
            }
        }
    }
}

/// Somebody's place among the subscribers, which is given up when this is dropped.
struct Subscription {
    room: Rc<Room>,
    number: u64,
    queue: Rc<Queue<Message>>,
}

impl Subscription {
    fn new(room: &Rc<Room>) -> Self {
        let queue = Rc::new(Queue::bounded(MAX_BEHIND));
        let mut subscribers = room.subscribers.borrow_mut();
        let number = subscribers.last_key_value().map_or(0, |(last, _)| last + 1);
        subscribers.insert(number, queue.clone());
        let room = room.clone();
        Self {
            room,
            number,
            queue,
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.room.subscribers.borrow_mut().remove(&self.number);
    }
}

/// What a client says, by lines.
struct Lines {
    client: Rc<Socket>,
    received: Vec<u8>,
}

impl Lines {
    /// The next line, without its end; none when the client has no more to say.
    async fn next(&mut self) -> Result<Option<String>> {
        loop {
            let end = self.received.iter().position(|byte| *byte == b'\n');
            let end = end.map(|end| end + 1);
            let full = (self.received.len() >= MAX_LINE).then_some(MAX_LINE);
            if let Some(end) = end.or(full) {
                let line: Vec<u8> = self.received.drain(..end).collect();
                return Ok(Some(String::from_utf8_lossy(&line).trim_end().to_owned()));
            }
            let data = self.client.recv(MAX_LINE).await?;
            if data.is_empty() {
                return Ok(None);
            }
            self.received.extend(data);
        }
    }
}

/// Sends a client what the others say.
async fn outgoing(client: Rc<Socket>, name: Rc<str>, heard: Subscription) -> Result<()> {
    loop {
        let (from, text) = heard.queue.get().await?;
        if !Rc::ptr_eq(&from, &name) {
            client
                .send_all(format!("{from}: {text}\n").as_bytes())
                .await?;
        }
    }
}

/// Tells the others what a client says.
async fn incoming(mut lines: Lines, name: Rc<str>, room: Rc<Room>) -> Result<()> {
    loop {
        match lines.next().await {
            Ok(Some(line)) => room.publish(&name, &line).await?,
            Ok(None) => return Ok(()),
            Err(Error::TaskCancelled) => {
                let client = &lines.client;
                client.send_all(b"The server is going away.\n").await?;
                return Err(Error::TaskCancelled);
            }
            Err(error) => return Err(error),
        }
    }
}

/// Serves a client.
async fn chat(client: Socket, room: Rc<Room>) -> Result<()> {
    let client = Rc::new(client);
    client.send_all(b"Your name: ").await?;
    let mut lines = Lines {
        client: client.clone(),
        received: Vec::new(),
    };
    let Some(name) = lines.next().await? else {
        return Ok(());
    };
    let name: Rc<str> = name.into();
    let heard = Subscription::new(&room);
    room.publish(&name, "has joined").await?;
    let talked = task_group(Wait::Any, async |group| {
        group.spawn(outgoing(client, name.clone(), heard));
        group.spawn(incoming(lines, name.clone(), room.clone()));
        Ok(())
    })
    .await;
    room.publish(&name, "has gone away").await?;
    match talked {
        // It has hung up in the middle of something.
        Err(Error::Task(error)) if matches!(error.cause(), Error::Io(_)) => Ok(()),
        talked => talked,
    }
}

#[curio::main]
async fn main() -> Result<()> {
    let address = std::env::args().nth(1);
    let address = address.as_deref().unwrap_or("127.0.0.1:25000");
    let address: Endpoint = address.parse()?;
    let room = Rc::new(Room::new());
    let dispatching = room.clone();
    let dispatcher = spawn(async move { dispatching.dispatch().await });
    let server = ServerOptions::new().create(address, async move |client, _peer| {
        chat(client, room.clone()).await
    });
    let server = server.await?;
    if let Some(socket) = server.socket() {
        println!("listening on {}", socket.local_address()?);
    }
    let served = server.serve_forever().await;
    dispatcher.cancel().await?;
    match served {
        // Asked to end, it has said good-bye to its clients by now.
        Err(error) if error.is_cancellation() => Ok(()),
        served => served,
    }
}
