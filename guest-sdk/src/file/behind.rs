//! Writing behind: what a stream writes to a file is begun, and not waited for.

use std::cell::RefCell;
use std::io;

use crate::bindings::files::{self as kernel, Answer};
use crate::bindings::types;
use crate::error::{Error, Result};

/// What was begun to be written, and is not known to be. It is kept, since the system may write only a part of it.
#[derive(Default)]
pub(super) struct Behind {
    data: RefCell<Vec<u8>>,
}

impl Behind {
    /// Begins to write, if nothing else is under way. What was begun before must be settled.
    pub(super) fn begin(&self, file: &kernel::File, data: &[u8]) -> Result<Option<()>> {
        match file.start_write(data) {
            Err(types::Error::WouldBlock) => Ok(None),
            begun => {
                begun?;
                self.data.replace(data.to_vec());
                Ok(Some(()))
            }
        }
    }

    /// Looks whether what was begun is done. If only a part of it is, the rest is begun: so the system has to say what
    /// is in its way. An error is told once.
    pub(super) fn settle(&self, file: &kernel::File) -> Result<Option<()>> {
        let data = self.data.take();
        if data.is_empty() {
            return Ok(Some(()));
        }
        let written = match file.finish() {
            Err(types::Error::WouldBlock) => {
                self.data.replace(data);
                return Ok(None);
            }
            end => match end? {
                Answer::Written(count) => count as usize,
                other => unreachable!("the kernel answers with a count, not {other:?}"),
            },
        };
        match data.get(written..) {
            None | Some([]) => Ok(Some(())),
            Some(_) if written == 0 => Err(Error::Io(io::ErrorKind::WriteZero.into())),
            Some(rest) => {
                file.start_write(rest)?;
                self.data.replace(rest.to_vec());
                Ok(None)
            }
        }
    }
}
