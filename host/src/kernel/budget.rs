//! What an instance may hold: memory, tasks, handles and processes, counted against its limits.
//!
//! Memory is one sum over everything held for the instance: its linear memories and tables, charged by
//! the wasm side, and the kernel's own entries for it, charged by the kernel.

use crate::limits::{LimitExceeded, Limits};

/// What an instance holds, and how much it may.
#[derive(Debug)]
pub(crate) struct Budget {
    limits: Limits,
    memory: u64,
    handles: u32,
    processes: u32,
}

impl Budget {
    /// A budget of which nothing is used.
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            memory: 0,
            handles: 0,
            processes: 0,
        }
    }

    /// The limits it was made from.
    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Takes `bytes` of memory.
    ///
    /// # Errors
    /// If that is more than is left; nothing is taken then.
    pub(crate) fn take_memory(&mut self, bytes: u64) -> Result<(), LimitExceeded> {
        let limit = self.limits.memory();
        match self.memory.checked_add(bytes) {
            Some(memory) if memory <= limit => {
                self.memory = memory;
                Ok(())
            }
            _ => Err(LimitExceeded::Memory { limit }),
        }
    }

    /// Gives `bytes` of memory back.
    pub(crate) fn give_memory(&mut self, bytes: u64) {
        self.memory = self.memory.saturating_sub(bytes);
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
        self.memory = self.memory.saturating_add(entry_size::<T>());
    }

    /// Checks that there is memory for one more entry.
    ///
    /// # Errors
    /// If there is not.
    pub(crate) fn check_entry<T>(&self) -> Result<(), LimitExceeded> {
        let limit = self.limits.memory();
        if self.memory.saturating_add(entry_size::<T>()) > limit {
            return Err(LimitExceeded::Memory { limit });
        }
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
        if count > self.handles_left() {
            return Err(LimitExceeded::Handles { limit });
        }
        self.handles += count;
        Ok(())
    }

    /// Takes one that can't be refused, even if none is left.
    pub(crate) fn charge_handle(&mut self) {
        self.handles = self.handles.saturating_add(1);
    }

    /// How many handles are left.
    pub(crate) fn handles_left(&self) -> u32 {
        self.limits.handles().saturating_sub(self.handles)
    }

    /// Gives one handle back.
    pub(crate) fn give_handle(&mut self) {
        self.give_handles(1);
    }

    /// Gives handles back.
    pub(crate) fn give_handles(&mut self, count: u32) {
        self.handles = self.handles.saturating_sub(count);
    }

    /// Takes a process.
    ///
    /// # Errors
    /// If there is none left; none is taken then.
    pub(crate) fn take_process(&mut self) -> Result<(), LimitExceeded> {
        let limit = self.limits.processes();
        if self.processes >= limit {
            return Err(LimitExceeded::Processes { limit });
        }
        self.processes += 1;
        Ok(())
    }

    /// Gives a process back.
    pub(crate) fn give_process(&mut self) {
        self.processes = self.processes.saturating_sub(1);
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

/// What an entry costs: itself, what the table and the timers keep for it.
const fn entry_size<T>() -> u64 {
    size_of::<T>() as u64 + 40
}
