//! What a worker is started for: a component's `jobs`.

use wasmtime::Store;

use super::Component;
use crate::bindings::jobs::{Guest as Exported, GuestIndices};
use crate::traps::Guest;
use crate::workers::Call;

/// The `jobs` of a running instance.
pub(crate) struct Jobs(Exported);

impl Component {
    /// Starts an instance for jobs.
    ///
    /// # Errors
    /// If the component has none, or the instance can't be started.
    pub(crate) async fn jobs(&self, store: &mut Store<Guest>) -> wasmtime::Result<Jobs> {
        let ready = self.ready().instance_pre();
        let indices = GuestIndices::new(ready)
            .map_err(|_| wasmtime::Error::msg("the component exports no curio:kernel/jobs"))?;
        let instance = ready.instantiate_async(&mut *store).await?;
        Ok(Jobs(indices.load(store, &instance)?))
    }
}

impl Jobs {
    /// Does a job, and returns what comes of it.
    pub(crate) async fn run(
        &self,
        store: &mut Store<Guest>,
        call: &Call,
    ) -> wasmtime::Result<Vec<u8>> {
        self.0.call_run(store, call.entry, &call.input.bytes).await
    }
}
