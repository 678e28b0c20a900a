//! From a file to a component that can be started.
//!
//! - `engine`: the compiler's settings, the compiled-code cache, and what a guest may import
//! - `ticker`: the clock that interrupts guests, and runs while guests may
//! - `component`: telling a component from what is not one
//! - `jobs`: what a worker is started for

mod component;
mod engine;
mod jobs;
mod ticker;

pub use self::component::Component;
pub use self::engine::{Cache, Engine, EngineOptions, Pool};
pub(crate) use self::ticker::{Active, TICK, Ticker};
