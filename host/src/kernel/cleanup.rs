//! Freeing what tasks and instances have left: some of it in each pass, since there may be millions.

use super::{Fault, InstanceKey, Kernel, TaskKey};

/// How many traps of ended tasks are freed in one pass.
const FREED_TRAPS: usize = 2048;

/// How many sources of removed instances are freed in one pass.
const FREED_SOURCES: usize = 2048;

impl Kernel {
    /// Forgets a task that has ended, and withdraws its traps.
    ///
    /// # Errors
    /// If there is no such task.
    pub(crate) fn exit_task(&mut self, key: InstanceKey, task: TaskKey) -> Result<(), Fault> {
        let instance = self.instance(key);
        let was_untidy = instance.has_orphans();
        instance.exit(task)?;
        if instance.has_orphans() && !was_untidy {
            self.untidy.push_back(key);
        }
        Ok(())
    }

    /// Whether something is left to be freed.
    pub(super) fn has_to_clean_up(&self) -> bool {
        !self.untidy.is_empty() || !self.unowned.is_empty()
    }

    /// Frees some of what is left.
    pub(super) fn clean_up(&mut self) {
        if let Some(key) = self.untidy.pop_front()
            && let Some(instance) = self.instances.get_mut(key)
            && instance.free_orphans(FREED_TRAPS)
        {
            self.untidy.push_back(key);
        }
        for _ in 0..FREED_SOURCES {
            let Some(sources) = self.unowned.last_mut() else {
                return;
            };
            match sources.pop() {
                Some(source) => drop(self.sources.remove(source)),
                None => drop(self.unowned.pop()),
            }
        }
    }
}
