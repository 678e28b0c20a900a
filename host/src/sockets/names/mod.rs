//! Names of hosts: looking them up, and what was found.
//!
//! - `lookup`: a guest's lookup, which is an errand
//! - `known`: the addresses that lookups have found, which may be connected to under their names
//! - `resolver`: what the system knows

mod known;
mod lookup;
mod resolver;

use std::sync::Arc;

pub(crate) use self::known::Known;
#[expect(
    unreachable_pub,
    reason = "the generated bindings name it in a `pub` item"
)]
pub use self::lookup::Lookup;
pub(crate) use self::lookup::{Answer, Question};
use self::resolver::System;
pub(crate) use self::resolver::{Found, IpFamily, LookupError, Named, Resolver, Service};
use crate::background::Lane;

/// How many lookups of an instance are under way at a time. Each keeps a thread, until it is answered or given
/// up by the system, and the host has some hundred for all that blocks.
const WIDTH: usize = 32;

/// What an instance has to do with names.
#[derive(Debug)]
pub(crate) struct Names {
    /// What its lookups have found.
    pub(crate) known: Known,
    lane: Lane,
    resolver: Arc<dyn Resolver>,
}

impl Names {
    /// Names as the system knows them.
    pub(crate) fn new() -> Self {
        Self::with(Arc::new(System))
    }

    /// Names as somebody knows them.
    pub(crate) fn with(resolver: Arc<dyn Resolver>) -> Self {
        Self {
            known: Known::new(),
            lane: Lane::new(WIDTH),
            resolver,
        }
    }
}
