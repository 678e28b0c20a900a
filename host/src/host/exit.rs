//! How an instance ended.

use std::fmt;

use wasmtime::component::ResourceTableError;
use wasmtime::{Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

use crate::kernel::Fault;
use crate::limits::{LimitExceeded, Limits};

/// How an instance ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exit {
    /// By itself, with a status: 0 if all went well.
    Code(i32),
    /// By a fault: a panic, a stack that overflowed, a broken contract.
    /// The text says which, with a backtrace of the guest.
    Fault(String),
    /// It passed one of its limits.
    Limit(LimitExceeded),
    /// The host ended it.
    Stopped,
}

impl Exit {
    /// What became of a call of `wasi:cli/run`. `refused` is the limit that a growth just ran into.
    pub(super) fn new(
        result: wasmtime::Result<Result<(), ()>>,
        refused: Option<LimitExceeded>,
        limits: &Limits,
    ) -> Self {
        let error = match result {
            Ok(Ok(())) => return Self::Code(0),
            Ok(Err(())) => return Self::Code(1),
            Err(error) => error,
        };
        if let Some(exit) = error.downcast_ref::<I32Exit>() {
            return Self::Code(exit.0);
        }
        let limit = error.chain().find_map(|cause| {
            if let Some(Fault::Limit(limit)) = cause.downcast_ref() {
                return Some(*limit);
            }
            if let Some(ResourceTableError::Full) = cause.downcast_ref() {
                let limit = limits.handles();
                return Some(LimitExceeded::Handles { limit });
            }
            cause.downcast_ref::<LimitExceeded>().copied()
        });
        if let Some(limit) = limit {
            return Self::Limit(limit);
        }
        // A program whose allocation fails aborts, and can't start if its first one does.
        let aborted = match error.downcast_ref::<Trap>() {
            Some(trap) => *trap == Trap::UnreachableCodeReached,
            None => true,
        };
        let text = describe(&error);
        match refused {
            Some(limit) if aborted => {
                // Most likely, but it may have been another fault: here is which.
                tracing::debug!("{limit}; then the guest faulted: {text}");
                Self::Limit(limit)
            }
            _ => Self::Fault(text),
        }
    }
}

/// What went wrong, then where in the guest.
fn describe(error: &wasmtime::Error) -> String {
    let backtrace = error.downcast_ref::<WasmBacktrace>();
    let backtrace = backtrace.map(ToString::to_string);
    // The backtrace is one of the causes; it is left out where the others are told.
    let causes = error.chain().map(ToString::to_string);
    let causes: Vec<_> = causes
        .filter(|cause| Some(cause) != backtrace.as_ref())
        .collect();
    let frames = backtrace.as_deref().and_then(|text| text.split_once('\n'));
    match frames {
        Some((_, frames)) => format!("{}\n{frames}", causes.join(": ")),
        None => causes.join(": "),
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exited with status {code}"),
            Self::Fault(text) => write!(f, "faulted: {text}"),
            Self::Limit(limit) => write!(f, "{limit}"),
            Self::Stopped => f.write_str("was stopped"),
        }
    }
}
