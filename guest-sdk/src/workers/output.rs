//! What a job may return.

use std::future::Future;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};
use crate::thread::AWAIT;

/// What a job may return. The compiler finds `Kind` by itself: there is one for each sort of type.
///
/// | a job returns | whoever waits for it gets |
/// |---|---|
/// | a `T` that can be serialised | `Ok(T)` |
/// | a [`Result<T>`](crate::Result) | `Ok(T)`, or [`Error::Job`](crate::Error::Job) |
/// | a future (it is an `async fn`) | as for what that returns |
#[diagnostic::on_unimplemented(
    message = "a job can't return `{Self}`",
    note = "it may return what is `Serialize` and `DeserializeOwned`, a `curio::Result` of that, or be an `async fn` that does"
)]
pub trait JobOutput<Kind> {
    /// What the one who waits for the job gets.
    type Value: Serialize + DeserializeOwned + 'static;

    /// Brings it to an end.
    #[doc(hidden)]
    fn finish(self) -> Result<Self::Value>;
}

/// The kind of a job that returns a value.
#[derive(Debug)]
pub struct Plain;

/// The kind of a job that returns a [`Result`](crate::Result).
#[derive(Debug)]
pub struct Fallible;

/// The kind of a job that is an `async fn`.
#[derive(Debug)]
pub struct Asynchronous<Kind>(PhantomData<Kind>);

impl<T: Serialize + DeserializeOwned + 'static> JobOutput<Plain> for T {
    type Value = T;

    fn finish(self) -> Result<T> {
        Ok(self)
    }
}

impl<T: Serialize + DeserializeOwned + 'static> JobOutput<Fallible> for Result<T, Error> {
    type Value = T;

    fn finish(self) -> Self {
        self
    }
}

impl<F, Kind> JobOutput<Asynchronous<Kind>> for F
where
    F: Future,
    F::Output: JobOutput<Kind>,
{
    type Value = <F::Output as JobOutput<Kind>>::Value;

    fn finish(self) -> Result<Self::Value> {
        AWAIT(self).finish()
    }
}
