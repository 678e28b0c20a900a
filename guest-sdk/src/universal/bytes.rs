//! Values as they travel between instances.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

/// How many bytes the kernel takes at a time.
const MAX_SIZE: usize = 16_000_000;

/// Writes a value.
pub(super) fn write(value: &impl Serialize) -> Result<Vec<u8>> {
    let bytes = postcard::to_stdvec(value);
    let bytes = bytes.map_err(|error| {
        Error::InvalidArgument(format!("the value can't be serialised: {error}"))
    })?;
    if bytes.len() > MAX_SIZE {
        let (len, max) = (bytes.len(), MAX_SIZE);
        return Err(Error::InvalidArgument(format!(
            "{len} bytes are too many for one item, which has at most {max}; split it"
        )));
    }
    Ok(bytes)
}

/// Reads a value.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    postcard::from_bytes(bytes).map_err(|error| {
        let to = std::any::type_name::<T>();
        Error::InvalidState(format!("what came is no {to}: {error}"))
    })
}
