//! A lookup: a question that is asked on another thread, and its answer.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use super::{Found, IpFamily, LookupError, Named, Names, Service};
use crate::background::{Brought, Errand};
use crate::kernel::{InstanceKey, Kernel, SourceKey};

/// What is asked.
#[derive(Debug)]
pub(crate) enum Question {
    /// Where a host is.
    Addresses(Arc<str>, Service, Option<IpFamily>),
    /// What an address is called.
    Names(SocketAddr, Named),
}

/// What is answered.
#[derive(Debug)]
pub(crate) enum Answer {
    /// Where the host of this name is.
    Addresses(Arc<str>, Found),
    /// What the host and the service are called.
    Names(String, String),
}

/// A lookup. Whoever drops it closes it first: see [`Lookup::close`].
#[expect(
    unreachable_pub,
    reason = "the generated bindings name it in a `pub` item"
)]
#[derive(Debug)]
pub struct Lookup {
    errand: Errand<Result<Answer, LookupError>>,
}

impl Lookup {
    /// How much memory a lookup takes, at the most, with its question and its answer.
    pub(crate) const SIZE: u64 = 8 << 10;

    /// Asks a question.
    ///
    /// # Panics
    /// If it is called outside of the background threads' runtime.
    pub(crate) fn new(
        kernel: &mut Kernel,
        owner: InstanceKey,
        names: &Names,
        question: Question,
    ) -> Self {
        let errand = Errand::new(kernel, owner, &names.lane);
        let resolver = names.resolver.clone();
        errand.send(move || match question {
            Question::Addresses(host, service, family) => {
                let found = resolver.addresses(&host, &service, family)?;
                Ok(Answer::Addresses(host, found))
            }
            Question::Names(address, how) => {
                let (host, service) = resolver.names(address, how)?;
                Ok(Answer::Names(host, service))
            }
        });
        Self { errand }
    }

    /// The answer, if it is there: or else none. An error also if it was told.
    pub(crate) fn answer(&self) -> Option<Result<Answer, LookupError>> {
        match self.errand.bring() {
            Brought::NotYet => None,
            Brought::Result(result) => Some(result),
            Brought::Nothing => Some(Err(LookupError::Told)),
            Brought::Lost => {
                let lost = io::Error::other("the lookup was lost by an error of the host's");
                Some(Err(LookupError::Io(lost)))
            }
        }
    }

    /// What a task waits for until the answer is there.
    pub(crate) fn source(&self) -> SourceKey {
        self.errand.source()
    }

    /// Gives it up. To be called when the handle is dropped.
    pub(crate) fn close(self, kernel: &mut Kernel) {
        self.errand.close(kernel);
    }
}
