//! How a worker finds what it is to do.
//!
//! Every instance of a program has the same code, and so the same table of functions. A job is told by the number of a
//! function there: of one that is made for its types, reads the argument and calls it.

use std::io::Write;
use std::sync::Once;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::Failure;
use super::output::JobOutput;
use crate::bindings::{jobs, workers};
use crate::error::{Error, Result};
use crate::runtime;

/// How much a job may return, and be given: what may pass between two instances, and a little less.
pub(super) const MAX_BYTES: usize = (16 << 20) - 1024;

/// What a worker answers.
pub(super) type Outcome<T> = Result<T, Failure>;

/// What a job's number stands for.
type Entry = fn(&[u8]) -> Vec<u8>;

/// The number of a job.
pub(super) fn number_of<F, A, R, K>(function: F) -> u32
where
    F: Fn(A) -> R + Copy + Send + 'static,
    A: DeserializeOwned + 'static,
    R: JobOutput<K> + 'static,
    K: 'static,
{
    const {
        assert!(
            size_of::<F>() == 0,
            "a job is a function or a closure that captures nothing: pass what it needs as its argument"
        );
    }
    let _ = function;
    let entry: Entry = entry::<F, A, R, K>;
    u32::try_from(entry as usize).expect("a pointer has 32 bits here")
}

/// Reads the argument, calls the function, and writes what it returns.
fn entry<F, A, R, K>(input: &[u8]) -> Vec<u8>
where
    F: Fn(A) -> R + Copy + Send + 'static,
    A: DeserializeOwned + 'static,
    R: JobOutput<K> + 'static,
    K: 'static,
{
    #[expect(unsafe_code, reason = "a function is no value that could be passed")]
    // SAFETY: it has no bytes, as `number_of` has checked, so that any pointer that is aligned leads to one; and since
    // somebody had one to call that with, and may copy it and send it elsewhere, there may be another one here.
    let function: F = unsafe { std::ptr::dangling::<F>().read() };
    let argument = postcard::from_bytes(input)
        .map_err(|error| Error::InvalidArgument(format!("the argument can't be read: {error}")));
    let output = argument.and_then(|argument| function(argument).finish());
    let output: Outcome<R::Value> = output.map_err(|error| Failure::new(&error));
    encode(&output).unwrap_or_else(|error| {
        let failed: Outcome<()> = Err(Failure::new(&error));
        encode(&failed).expect("an error is short, and can be written")
    })
}

/// Writes something that is to go to another instance.
pub(super) fn encode(value: &impl Serialize) -> Result<Vec<u8>> {
    let bytes = postcard::to_stdvec(value)
        .map_err(|error| Error::InvalidArgument(format!("it can't be serialised: {error}")))?;
    if bytes.len() > MAX_BYTES {
        let text = format!(
            "it takes {} bytes, and at most {MAX_BYTES} can pass between a program and its workers",
            bytes.len()
        );
        return Err(Error::InvalidArgument(text));
    }
    Ok(bytes)
}

/// What the kernel calls in a worker.
pub(crate) struct Jobs;

impl jobs::Guest for Jobs {
    fn run(entry: u32, input: Vec<u8>) -> Vec<u8> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            std::panic::set_hook(Box::new(|info| {
                workers::panicked(&info.to_string());
            }));
        });
        crate::file::enter_initial_directory();
        #[expect(
            unsafe_code,
            reason = "a function's number comes from another instance"
        )]
        // SAFETY: the number was made by `number_of` in another instance of the same component, where every function has
        // the same one. Whoever might pass another one could run into a fault by it, as in any call.
        let entry: Entry = unsafe { std::mem::transmute(entry as usize) };
        let output = entry(&input);
        runtime::with(runtime::Runtime::shut_down);
        drop(std::io::stdout().flush());
        output
    }
}
