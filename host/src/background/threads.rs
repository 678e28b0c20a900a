//! The threads: for `wasi:*`, and for errands.

use std::io;
use std::sync::Arc;

use tokio::runtime::{Builder, Handle, Runtime};

/// A runtime whose end waits for nobody: a guest may have ended, or been ended, while one of the threads reads
/// something that never comes, and the host must not hang on that. Clones are the same threads.
#[derive(Clone, Debug)]
pub(crate) struct Background(Option<Arc<Runtime>>);

impl Background {
    /// Starts the threads.
    ///
    /// # Errors
    /// If the system gives none.
    pub(crate) fn start() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("curio-background")
            .enable_all()
            .build()?;
        Ok(Self(Some(Arc::new(runtime))))
    }

    /// By which work is handed to them.
    pub(crate) fn handle(&self) -> Handle {
        let runtime = self.0.as_ref();
        runtime.expect("it is taken by drop alone").handle().clone()
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take().and_then(Arc::into_inner) {
            runtime.shutdown_background();
        }
    }
}
