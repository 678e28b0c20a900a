//! Files and directories, under what `--dir` grants.
//!
//! What has to do with a disk is done by the kernel on another thread, and blocks the task alone. That is what tells this
//! module from `std::fs`, which works as well but keeps all tasks of the program waiting. Both find the same
//! under the same path.
//!
//! There are two ways to use a file. [`FileStream`], which [`aopen`] opens, reads in advance and writes behind: that is
//! for lines, and whatever comes in small pieces. [`File`] is the file itself: every operation is one on the disk, and
//! has its result. Each can be had of the other, by [`File::into_stream`] and
//! [`Stream::into_inner`](crate::io::Stream::into_inner).
//!
//! ```no_run
//! use curio::aopen;
//! use curio::file::{self, File};
//!
//! #[curio::main]
//! async fn main() -> curio::Result<()> {
//!     let log = file::OpenOptions::new().append(true).create(true).open("log").await?;
//!     log.write_all(b"started\n").await?;
//!
//!     let input = File::open("input").await?;
//!     loop {
//!         let block = input.read(64 * 1024).await?;
//!         if block.is_empty() {
//!             break;
//!         }
//!         println!("{} bytes", block.len());
//!     }
//!
//!     let mut poem = aopen("poem", "r").await?;
//!     println!("{}", poem.read_line().await?.escape_ascii());
//!
//!     let mut folder = file::list_dir(".").await?;
//!     while let Some(entry) = folder.next().await? {
//!         println!("{}", entry.name());
//!     }
//!     Ok(())
//! }
//! ```

mod behind;
mod directory;
mod handle;
mod metadata;
mod open;
mod path;
mod stream;

use self::behind::Behind;
pub use self::directory::{DirEntry, ReadDir, list_dir};
pub(crate) use self::handle::BLOCK;
pub use self::handle::File;
pub use self::metadata::{FileKind, Metadata};
pub use self::open::{OpenOptions, aopen};
pub use self::path::{
    create_dir, create_dir_all, exists, metadata, read, read_link, read_to_string, remove_dir,
    remove_file, rename, symlink_metadata, write,
};
pub(crate) use self::path::{enter_initial_directory, text};
pub use self::stream::FileStream;
