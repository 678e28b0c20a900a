//! Standard input, output and error.

use std::io::Write;

use crate::bindings::stdio::{self as kernel, Output};
use crate::bindings::types;
use crate::error::Result;
use crate::partial::move_all;
use crate::traps::wait_for;

/// How much the kernel reads or writes at a time.
pub(crate) const BLOCK: usize = 64 * 1024;

/// Standard input: see [`stdin`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Stdin;

/// Standard output or error: see [`stdout`] and [`stderr`].
#[derive(Clone, Copy, Debug)]
pub struct Stdout {
    output: Output,
}

/// Standard input. `std::io::stdin` keeps all tasks waiting, and reads ahead what this then does not see.
#[doc(alias = "sys.stdin")]
pub fn stdin() -> Stdin {
    Stdin
}

/// Standard output. What is written here and by `println!` comes out in that order.
#[doc(alias = "sys.stdout")]
pub fn stdout() -> Stdout {
    Stdout {
        output: Output::Stdout,
    }
}

/// Standard error.
#[doc(alias = "sys.stderr")]
pub fn stderr() -> Stdout {
    Stdout {
        output: Output::Stderr,
    }
}

impl Stdin {
    /// Reads up to `max` bytes: at least one, or none at the end of the input. Not more than 64 KiB come at a time.
    ///
    /// # Errors
    /// [`Error::ResourceBusy`](crate::Error::ResourceBusy) if another task waits for input,
    /// [`Error::Io`](crate::Error::Io).
    ///
    /// # Cancellation
    /// Nothing is lost: what comes is for the next one to read.
    pub async fn read(&self, max: usize) -> Result<Vec<u8>> {
        let max = u32::try_from(max).unwrap_or(u32::MAX);
        loop {
            match kernel::read(max) {
                Err(types::Error::WouldBlock) => wait_for(kernel::read_wait).await?,
                result => return Ok(result?),
            }
        }
    }

    /// Reads into `buffer`, and returns how many bytes came: at least one, or none at the end of the input.
    ///
    /// # Errors
    /// As [`Stdin::read`].
    ///
    /// # Cancellation
    /// Nothing is lost.
    #[doc(alias = "readinto1")]
    pub async fn read_into(&self, buffer: &mut [u8]) -> Result<usize> {
        let bytes = self.read(buffer.len()).await?;
        buffer[..bytes.len()].copy_from_slice(&bytes);
        Ok(bytes.len())
    }
}

impl Stdout {
    /// Writes, and returns how much was: at least one byte, unless `data` is empty. Not more than 64 KiB are
    /// at a time.
    ///
    /// What was written is on its way: the kernel keeps what nobody takes yet, and blocks the next write until it
    /// is gone.
    ///
    /// # Errors
    /// [`Error::ResourceBusy`](crate::Error::ResourceBusy) if another task waits for it,
    /// [`Error::Io`](crate::Error::Io), perhaps for what was written before.
    ///
    /// # Cancellation
    /// Nothing is written.
    pub async fn write(&self, data: &[u8]) -> Result<usize> {
        self.flush_std()?;
        let data = &data[..data.len().min(BLOCK)];
        loop {
            match kernel::write(self.output, data) {
                Err(types::Error::WouldBlock) => {
                    let output = self.output;
                    wait_for(move |by| kernel::write_wait(output, by)).await?;
                }
                result => return Ok(result? as usize),
            }
        }
    }

    /// Writes all of `data`.
    ///
    /// # Errors
    /// As [`Stdout::write`]. A part may have been written: [`Error::moved`](crate::Error::moved) says how much.
    ///
    /// # Cancellation
    /// As with any other error.
    pub async fn write_all(&self, data: &[u8]) -> Result<()> {
        move_all(data, async |data| self.write(data).await).await
    }

    /// Waits until the kernel keeps nothing of what was written.
    ///
    /// # Errors
    /// As [`Stdout::write`].
    ///
    /// # Cancellation
    /// Nothing is lost.
    pub async fn flush(&self) -> Result<()> {
        self.write(&[]).await.map(drop)
    }

    /// Which of the two it is, for the kernel.
    pub(crate) fn output(self) -> Output {
        self.output
    }

    /// Has the standard library write what it still has of an unfinished line, which comes first.
    pub(crate) fn flush_std(self) -> Result<()> {
        if self.output == Output::Stdout {
            std::io::stdout().flush()?;
        }
        Ok(())
    }
}
