//! A job, from its argument to what it returns.

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::entry::{Outcome, encode, number_of};
use super::error::{JobError, JobErrorKind};
use super::output::JobOutput;
use crate::bindings::workers::{self as kernel, Place};
use crate::cancellation::disable_cancellation;
use crate::error::{Error, Result, tried};
use crate::traps::wait_for;

/// What is to be done, for a `T`.
pub(crate) struct Call<T> {
    entry: u32,
    input: Vec<u8>,
    returns: PhantomData<fn() -> T>,
}

/// It is being done.
pub(crate) struct UnderWay<T> {
    job: kernel::Job,
    returns: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Call<T> {
    /// A function and its argument.
    pub(crate) fn new<F, A, R, K>(function: F, argument: &A) -> Result<Self>
    where
        F: Fn(A) -> R + Copy + Send + 'static,
        A: Serialize + DeserializeOwned + 'static,
        R: JobOutput<K, Value = T> + 'static,
        K: 'static,
    {
        Ok(Self {
            entry: number_of(function),
            input: encode(argument)?,
            returns: PhantomData,
        })
    }

    /// Hands it to a worker.
    pub(crate) fn start(self, place: Place) -> Result<UnderWay<T>> {
        Ok(UnderWay {
            job: kernel::Job::start(place, self.entry, &self.input)?,
            returns: PhantomData,
        })
    }
}

impl<T: DeserializeOwned> UnderWay<T> {
    /// Blocks until it has ended. If it is given up before, the worker is stopped.
    pub(crate) async fn end(self) -> Result<T> {
        Ok(self.outcome().await??.map_err(JobError::from)?)
    }

    /// Blocks until it has ended, even if the task is interrupted meanwhile: then the worker's own operations are, too.
    pub(crate) async fn end_together(self) -> Result<T> {
        let interruption = match self.outcome().await {
            Err(error) if error.is_cancellation() => error,
            outcome => return Ok(outcome??.map_err(JobError::from)?),
        };
        self.job.interrupt();
        let outcome = disable_cancellation(self.outcome()).await?;
        match outcome {
            Ok(Err(failure)) if failure.cancelled => Err(interruption),
            // It was blocked where nothing can be returned from.
            Err(lost) if lost.kind() == JobErrorKind::Exited => Err(interruption),
            outcome => Ok(outcome?.map_err(JobError::from)?),
        }
    }

    async fn outcome(&self) -> Result<Result<Outcome<T>, JobError>> {
        loop {
            match tried(self.job.outcome())? {
                Some(kernel::Outcome::Returned(output)) => {
                    return decode(&output).map(Ok);
                }
                Some(kernel::Outcome::Lost(loss)) => return Ok(Err(loss.into())),
                None => wait_for(|by| self.job.read_wait(by)).await?,
            }
        }
    }
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<Outcome<T>> {
    postcard::from_bytes(bytes).map_err(|error| {
        Error::InvalidArgument(format!("what the job returned can't be read: {error}"))
    })
}
