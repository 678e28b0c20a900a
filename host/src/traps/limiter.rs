//! Counts what wasm itself takes, linear memories and tables, against the instance's memory limit.
//!
//! A growth over the limit fails the way the guest's language knows, as an allocation that failed. Most programs
//! end at that; then the limit is named as the reason.

use wasmtime::ResourceLimiter;

use super::Guest;

/// What one element of a table takes on the host.
const TABLE_ELEMENT: usize = 16;

/// How many core instances, memories and tables of each kind an instance may be made of. Each takes some memory
/// that is not counted; a component of one language's program has a handful.
const MAX_PARTS: usize = 100;

impl Guest {
    /// Takes memory for a growth.
    fn grow(&mut self, bytes: usize) -> bool {
        let take = |guest: &Self| {
            let mut kernel = guest.kernel();
            kernel
                .instance(guest.key)
                .budget()
                .take_memory(bytes as u64)
        };
        let mut taken = take(self);
        if taken.is_err() && self.note_arrived() {
            taken = take(self);
        }
        match taken {
            Ok(()) => {
                // It has survived the last refusal, if there was one.
                if bytes > 0 {
                    self.refused = None;
                }
                true
            }
            Err(limit) => {
                self.refused = Some(limit);
                false
            }
        }
    }
}

impl ResourceLimiter for Guest {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        Ok(self.grow(desired.saturating_sub(current)))
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let elements = desired.saturating_sub(current);
        Ok(self.grow(elements.saturating_mul(TABLE_ELEMENT)))
    }

    fn instances(&self) -> usize {
        MAX_PARTS
    }

    fn tables(&self) -> usize {
        MAX_PARTS
    }

    fn memories(&self) -> usize {
        MAX_PARTS
    }
}
