//! The standard streams, for tasks: one that waits for input keeps no other from going on.
//!
//! ```no_run
//! #[curio::main]
//! async fn main() -> curio::Result<()> {
//!     let (input, output) = (curio::io::stdin(), curio::io::stdout());
//!     loop {
//!         let block = input.read(64 * 1024).await?;
//!         if block.is_empty() {
//!             return output.flush().await;
//!         }
//!         output.write_all(&block).await?;
//!     }
//! }
//! ```

pub use crate::stdio::{Stdin, Stdout, stderr, stdin, stdout};
