//! The engine: the compiler's settings, the cache of compiled code, and the imports a guest may have.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wasmtime::component::Linker;
use wasmtime::{CacheConfig, Config, PoolingAllocationConfig, WasmBacktraceDetails};

use super::Ticker;
use crate::error::Error;
use crate::selector::reserve_descriptors;
use crate::traps::{self, Guest};
use crate::workers::Interruption;

/// Where compiled code is kept between runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Cache {
    /// In the user's cache directory: `$XDG_CACHE_HOME/curio-host`, or `~/.cache/curio-host`.
    #[default]
    User,
    /// In a directory of the embedder's.
    Directory(PathBuf),
    /// Nowhere.
    Off,
}

/// How an [`Engine`] is set up.
#[derive(Clone, Debug, Default)]
pub struct EngineOptions {
    /// Where compiled code is kept between runs.
    pub cache: Cache,
    /// For many instances: reserve room for this many at once, which makes starting one cheap.
    pub pool: Option<Pool>,
}

/// Room for many instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// How many instances there may be at once.
    pub instances: u32,
    /// How many bytes of linear memory each may have. Address space for all is reserved at once.
    pub memory: usize,
}

/// Compiles components, and holds what all their instances share. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

struct Shared {
    engine: wasmtime::Engine,
    linker: Linker<Guest>,
    ticker: Ticker,
    options: EngineOptions,
}

impl Engine {
    /// Sets an engine up.
    ///
    /// # Errors
    /// If the machine can't run compiled WebAssembly, or has no thread or address space left.
    pub fn new(options: &EngineOptions) -> Result<Self, Error> {
        reserve_descriptors();
        Self::with(options, Interruption::Ticks)
    }

    /// Sets an engine up whose guests can be interrupted, or can't.
    ///
    /// # Errors
    /// As [`Engine::new`].
    pub(crate) fn with(options: &EngineOptions, interruption: Interruption) -> Result<Self, Error> {
        let engine = compiler(options, interruption)?;
        let mut linker = Linker::new(&engine);
        traps::add_to_linker(&mut linker).map_err(engine_error)?;
        let ticker = Ticker::start(&engine)?;
        Ok(Self {
            shared: Arc::new(Shared {
                engine,
                linker,
                ticker,
                options: options.clone(),
            }),
        })
    }

    /// What compiles as this engine does, but so that guests can't be interrupted.
    ///
    /// # Errors
    /// As [`Engine::new`].
    pub(crate) fn uninterrupted(&self) -> Result<wasmtime::Engine, Error> {
        compiler(&self.shared.options, Interruption::Never)
    }

    pub(crate) fn wasmtime(&self) -> &wasmtime::Engine {
        &self.shared.engine
    }

    pub(crate) fn linker(&self) -> &Linker<Guest> {
        &self.shared.linker
    }

    /// The room for many instances, if it was reserved.
    pub(crate) fn pool(&self) -> Option<Pool> {
        self.shared.options.pool
    }

    pub(crate) fn ticker(&self) -> &Ticker {
        &self.shared.ticker
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

fn compiler(
    options: &EngineOptions,
    interruption: Interruption,
) -> Result<wasmtime::Engine, Error> {
    let mut config = Config::new();
    config
        .epoch_interruption(interruption == Interruption::Ticks)
        // Support for the component model's own tasks makes every call slower, and curio has its own.
        .concurrency_support(false)
        // A fault's backtrace names files and lines, if the component has them.
        .wasm_backtrace_details(WasmBacktraceDetails::Enable)
        .cache(open_cache(&options.cache));
    if let Some(pool) = options.pool {
        config.allocation_strategy(pooling(pool));
    }
    wasmtime::Engine::new(&config).map_err(engine_error)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is what errors are mapped with"
)]
fn engine_error(error: wasmtime::Error) -> Error {
    Error::Engine(format!("{error:#}"))
}

fn pooling(pool: Pool) -> PoolingAllocationConfig {
    // A component of one language runtime has a few core instances, memories and tables at the most.
    let (instances, each) = (pool.instances, 4);
    let mut config = PoolingAllocationConfig::new();
    config
        .total_component_instances(instances)
        .total_core_instances(instances.saturating_mul(each))
        .total_memories(instances)
        .total_tables(instances.saturating_mul(each))
        .total_stacks(instances)
        .max_memory_size(pool.memory);
    config
}

/// Opens the cache. Without one everything works, only slower; so a failure is logged.
fn open_cache(cache: &Cache) -> Option<wasmtime::Cache> {
    let directory = match cache {
        Cache::User => user_cache()?,
        Cache::Directory(directory) => directory.clone(),
        Cache::Off => return None,
    };
    let directory = std::path::absolute(&directory).unwrap_or(directory);
    let mut config = CacheConfig::new();
    config.with_directory(&directory);
    match wasmtime::Cache::new(config) {
        Ok(cache) => Some(cache),
        Err(error) => {
            let directory = directory.display();
            tracing::warn!("compiled code is not cached in {directory}: {error:#}");
            None
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the host's own settings")]
fn user_cache() -> Option<PathBuf> {
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache"));
    let base = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|base| base.is_absolute())
        .or_else(home)?;
    Some(base.join("curio-host"))
}
