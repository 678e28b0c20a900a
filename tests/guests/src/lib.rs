//! What the test guests share. A guest holds several cases, asserts by itself, and exits with 0.

pub mod jobs;

use std::cell::RefCell;
use std::fmt;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;

use curio::queue::UniversalQueue;
use curio::{Error, Instant, Socket};
use futures::future::{Either, select};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Makes the main function of a guest whose first argument names the case to run: an `async fn` that
/// returns `curio::Result<()>`. The word `cases` lists them.
#[macro_export]
macro_rules! cases {
    ($($case:ident)*) => {
        fn main() -> curio::Result<()> {
            let case = std::env::args().nth(1).unwrap_or_default();
            match case.as_str() {
                $(stringify!($case) => curio::run($case()),)*
                "cases" => {
                    $crate::say(concat!($(stringify!($case), "\n",)*).trim_end());
                    Ok(())
                }
                _ => panic!("there is no case {case}"),
            }
        }
    };
}

/// Writes a line to standard output.
#[expect(clippy::print_stdout, reason = "tests read it")]
pub fn say(line: &str) {
    println!("{line}");
}

/// Milliseconds.
pub const fn ms(number: u64) -> Duration {
    Duration::from_millis(number)
}

/// The error of something that must fail.
#[track_caller]
pub fn fails<T: fmt::Debug>(result: curio::Result<T>) -> Error {
    match result {
        Ok(value) => panic!("should fail, and returned {value:?}"),
        Err(error) => error,
    }
}

/// Sleeps for so long that nobody can wait for it, and gives the error by which it is woken.
pub async fn sleep_until_told() -> Error {
    fails(curio::sleep(Duration::from_secs(1000)).await)
}

/// Both ends of a connection.
pub async fn socket_pair() -> curio::Result<(Socket, Socket)> {
    let listener = curio::tcp_server_socket((Ipv4Addr::LOCALHOST, 0))?;
    let client = curio::open_connection(listener.local_address()?).await?;
    let (server, _) = listener.accept().await?;
    Ok((client, server))
}

/// Another handle of something that instances share, as another instance would get it.
pub async fn another<T: Serialize + DeserializeOwned + Clone>(of: &T) -> curio::Result<T> {
    let post = UniversalQueue::new()?;
    post.put(of.clone()).await?;
    post.get().await
}

/// Asserts that something has to be waited for.
pub async fn still_waits<T>(future: &mut (impl Future<Output = curio::Result<T>> + Unpin)) {
    let waited = select(future, Box::pin(curio::sleep(ms(5)))).await;
    assert!(matches!(waited, Either::Right(_)));
}

/// Keeps the thread until a time has passed.
pub fn spin_until(time: Instant) {
    while curio::clock() < time {}
}

/// What happened, in its order.
#[derive(Clone, Debug, Default)]
pub struct Notes(Rc<RefCell<Vec<String>>>);

impl Notes {
    /// No notes yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a note.
    pub fn add(&self, note: impl fmt::Display) {
        self.0.borrow_mut().push(note.to_string());
    }

    /// Asserts what was noted, and forgets it.
    #[track_caller]
    pub fn are<S: fmt::Display>(&self, expected: impl IntoIterator<Item = S>) {
        let notes = self.0.take();
        let expected: Vec<_> = expected.into_iter().map(|note| note.to_string()).collect();
        assert_eq!(notes, expected);
    }
}
