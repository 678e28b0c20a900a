//! What an instance may hold: memory, tasks, handles and processes, counted against its limits.
//!
//! Memory is one sum over everything held for the instance: its linear memories and tables, charged by
//! the wasm side, and the kernel's own entries for it, charged by the kernel. An application's
//! instances share what they may have of it.

use crate::limits::{Allowance, Descriptors, LimitExceeded, Limits, Place};

/// How much memory is taken from the allowance at a time, so that those who share it seldom meet.
const PIECE: u64 = 64 << 10;

/// What an instance holds, and how much it may.
#[derive(Debug)]
pub(crate) struct Budget {
    limits: Limits,
    /// What its application may use, over all its instances.
    allowance: Allowance,
    /// How much was taken from that …
    taken: u64,
    /// … and how much of it is in use.
    memory: u64,
    /// How many handles there are: each counts as a descriptor.
    handles: Descriptors,
    /// The places of its processes.
    processes: Vec<Place>,
}

impl Budget {
    /// A budget of which nothing is used.
    pub(crate) fn new(limits: Limits, allowance: Allowance) -> Self {
        Self {
            limits,
            allowance,
            taken: 0,
            memory: 0,
            handles: Descriptors::new(),
            processes: Vec::new(),
        }
    }

    /// The limits it was made from.
    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What the application may use, over all its instances.
    pub(crate) fn allowance(&self) -> &Allowance {
        &self.allowance
    }

    /// Takes `bytes` of memory.
    ///
    /// # Errors
    /// If that is more than is left; nothing is taken then.
    pub(crate) fn take_memory(&mut self, bytes: u64) -> Result<(), LimitExceeded> {
        let limit = self.allowance.limit();
        let memory = self.memory.checked_add(bytes);
        let memory = memory.ok_or(LimitExceeded::Memory { limit })?;
        if let Some(missing) = memory
            .checked_sub(self.taken)
            .filter(|missing| *missing > 0)
        {
            let piece = missing.max(PIECE);
            let taken = self.allowance.take(piece).map(|()| piece);
            let taken = taken.or_else(|_| self.allowance.take(missing).map(|()| missing))?;
            self.taken += taken;
        }
        self.memory = memory;
        Ok(())
    }

    /// Gives `bytes` of memory back.
    pub(crate) fn give_memory(&mut self, bytes: u64) {
        self.memory = self.memory.saturating_sub(bytes);
        let unused = self.taken.saturating_sub(self.memory);
        if unused > 2 * PIECE {
            self.allowance.give(unused - PIECE);
            self.taken -= unused - PIECE;
        }
    }

    /// Takes memory for one entry of a kernel table.
    ///
    /// # Errors
    /// As [`Budget::take_memory`].
    pub(crate) fn take_entry<T>(&mut self) -> Result<(), LimitExceeded> {
        self.take_memory(entry_size::<T>())
    }

    /// Takes memory for one entry of a kernel table and a text of `extra` bytes that it holds.
    ///
    /// # Errors
    /// As [`Budget::take_memory`].
    pub(crate) fn take_entry_and<T>(&mut self, extra: usize) -> Result<(), LimitExceeded> {
        self.take_memory(entry_size::<T>().saturating_add(extra as u64))
    }

    /// Takes memory for an entry that can't be refused, even if that is more than is left.
    pub(crate) fn charge_entry<T>(&mut self) {
        if self.take_entry::<T>().is_err() {
            self.allowance.charge(entry_size::<T>());
            self.taken += entry_size::<T>();
            self.memory += entry_size::<T>();
        }
    }

    /// Checks that there is memory for one more entry.
    ///
    /// # Errors
    /// If there is not.
    pub(crate) fn check_entry<T>(&mut self) -> Result<(), LimitExceeded> {
        self.take_entry::<T>()?;
        self.give_entry::<T>();
        Ok(())
    }

    /// Gives the memory of one entry of a kernel table back.
    pub(crate) fn give_entry<T>(&mut self) {
        self.give_memory(entry_size::<T>());
    }

    /// Gives the memory of `count` entries of a kernel table back.
    pub(crate) fn give_entries<T>(&mut self, count: usize) {
        self.give_memory(entry_size::<T>().saturating_mul(count as u64));
    }

    /// Takes handles.
    ///
    /// # Errors
    /// If there are not so many left; none is taken then.
    pub(crate) fn take_handles(&mut self, count: u32) -> Result<(), LimitExceeded> {
        let limit = self.limits.handles();
        if count > limit.saturating_sub(self.handles.own()) {
            return Err(LimitExceeded::Handles { limit });
        }
        self.handles.take(count)
    }

    /// Takes one that can't be refused, even if none is left.
    pub(crate) fn charge_handle(&mut self) {
        self.handles.charge();
    }

    /// How many handles are left.
    pub(crate) fn handles_left(&self) -> u32 {
        let left = self.limits.handles().saturating_sub(self.handles.own());
        left.min(self.handles.left())
    }

    /// Gives one handle back.
    pub(crate) fn give_handle(&mut self) {
        self.give_handles(1);
    }

    /// Gives handles back.
    pub(crate) fn give_handles(&mut self, count: u32) {
        self.handles.give(count);
    }

    /// Takes a process.
    ///
    /// # Errors
    /// If there is none left; none is taken then.
    pub(crate) fn take_process(&mut self) -> Result<(), LimitExceeded> {
        let processes = self.allowance.processes();
        let limit = processes.limit();
        let place = processes.take();
        self.processes
            .push(place.ok_or(LimitExceeded::Processes { limit })?);
        Ok(())
    }

    /// Gives a process back.
    pub(crate) fn give_process(&mut self) {
        drop(self.processes.pop());
    }

    /// Checks that one more task than `tasks` is allowed.
    ///
    /// # Errors
    /// If it is not.
    pub(crate) fn check_tasks(&self, tasks: usize) -> Result<(), LimitExceeded> {
        let limit = self.limits.tasks();
        if tasks >= limit as usize {
            return Err(LimitExceeded::Tasks { limit });
        }
        Ok(())
    }

    /// How much memory is taken.
    #[cfg(test)]
    pub(crate) fn memory(&self) -> u64 {
        self.memory
    }
}

impl Drop for Budget {
    fn drop(&mut self) {
        self.allowance.give(self.taken);
    }
}

/// What an entry costs: itself, what the table and the timers keep for it.
const fn entry_size<T>() -> u64 {
    size_of::<T>() as u64 + 40
}
