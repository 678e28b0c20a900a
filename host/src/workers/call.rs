//! What a worker is asked.

use crate::limits::{Allowance, Held, LimitExceeded};

/// Bytes on their way between two instances. They count as the application's memory.
#[derive(Debug)]
pub(crate) struct Payload {
    /// The bytes.
    pub(crate) bytes: Vec<u8>,
    _held: Held,
}

impl Payload {
    /// Takes memory for bytes that are there already.
    ///
    /// # Errors
    /// If the application may not have so much.
    pub(crate) fn new(bytes: Vec<u8>, allowance: &Allowance) -> Result<Self, LimitExceeded> {
        let held = allowance.hold(bytes.len() as u64)?;
        Ok(Self { bytes, _held: held })
    }
}

/// A call of `jobs.run`.
#[derive(Debug)]
pub(crate) struct Call {
    /// What to do: a number of the guest's own.
    pub(crate) entry: u32,
    /// With what.
    pub(crate) input: Payload,
}
