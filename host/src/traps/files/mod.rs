//! `curio:kernel/files`: files and directories, under the permissions.
//!
//! - `convert`: from what a guest says of files to what the host does, and back

mod convert;

use wasmtime::component::{Linker, Resource, WasmList};

use super::{Guest, TrapError, lock};
use crate::background::Lane;
use crate::bindings::files::{self, Answer, Entry, OpenFlags};
use crate::bindings::traps::Caller;
use crate::bindings::types;
use crate::files::{
    self as native, Directory, File, FileError, MAX_BLOCK, Operation, Owner, Spot, Task,
};
use crate::kernel::{Direction, SourceKey};
use crate::permissions::Access;

/// How long a path may be, in bytes: what Linux takes.
const MAX_PATH: usize = 4096;

impl Guest {
    /// Finds what a path leads to, if the guest may do this with it.
    pub(super) fn find(&self, path: &str, access: Access) -> Result<Spot, TrapError> {
        if path.len() > MAX_PATH {
            let what = "a path may have 4,096 bytes at most";
            return Err(TrapError::invalid_argument(what));
        }
        Ok(self.directories.find(path, access)?)
    }

    /// Does something with a handle's file.
    fn with_file<T>(
        &mut self,
        this: &Resource<File>,
        act: impl FnOnce(&mut File, &mut Owner<'_>) -> Result<T, FileError>,
    ) -> Result<T, TrapError> {
        let file = self.table.get_mut(this)?;
        let kernel = &mut lock(&self.kernel);
        let key = self.key;
        Ok(act(file, &mut Owner { kernel, key })?)
    }

    /// Begins something that has a handle, which is taken from the budget, and a source to wait for.
    fn begin<T: Send + 'static>(
        &mut self,
        begin: impl FnOnce(&mut Owner<'_>, &Lane) -> Result<T, FileError>,
        source: impl FnOnce(&T) -> SourceKey,
    ) -> Result<Resource<T>, TrapError> {
        self.with_handle(|guest| {
            let key = guest.key;
            let made = {
                let kernel = &mut lock(&guest.kernel);
                begin(&mut Owner { kernel, key }, &guest.lane)?
            };
            let source = source(&made);
            let pushed = guest.push(made);
            if pushed.is_err() {
                guest.kernel().remove_source(source);
            }
            pushed
        })
    }

    /// Begins what is done with a path.
    fn operate(&mut self, task: Task) -> Result<Resource<Operation>, TrapError> {
        self.begin(
            |owner, lane| Ok(Operation::begin(owner, lane, task)),
            Operation::source,
        )
    }

    /// Blocks a task until something is done.
    fn wait_until_done(&mut self, by: Caller, source: SourceKey) -> wasmtime::Result<u64> {
        let key = self.key;
        self.pend(|kernel| kernel.wait_for_source(key, by.into(), source, Direction::Read))
    }

    /// Gives the handle of something back that is no longer there.
    fn release(&mut self, close: impl FnOnce(&mut Owner<'_>, &Lane)) {
        let kernel = &mut lock(&self.kernel);
        let key = self.key;
        close(&mut Owner { kernel, key }, &self.lane);
        kernel.instance(key).budget().give_handle();
    }
}

impl files::Host for Guest {
    fn initial_directory(&mut self) -> wasmtime::Result<Option<String>> {
        trace_trap!("files.initial-directory");
        Ok(self.directories.places().initial().map(str::to_owned))
    }
}

impl files::HostFile for Guest {
    fn open(&mut self, path: String, how: OpenFlags) -> Result<Resource<File>, TrapError> {
        trace_trap!("file.open", ?path, ?how);
        let flags = native::OpenFlags::from(how);
        flags.check()?;
        let access = if flags.changes() {
            Access::Write
        } else {
            Access::Read
        };
        let at = self.find(&path, access)?;
        self.begin(
            |owner, lane| Ok(File::open(owner, lane, at, flags)),
            File::source,
        )
    }

    fn read(&mut self, this: Resource<File>, max: u32) -> Result<Vec<u8>, TrapError> {
        trace_trap!("file.read", file = this.rep(), max);
        self.with_file(&this, |file, owner| file.read(owner, max as usize))
    }

    fn start_write(&mut self, this: Resource<File>, data: Vec<u8>) -> Result<(), TrapError> {
        self.with_file(&this, |file, owner| file.write(owner, data))
    }

    fn start_set_length(&mut self, this: Resource<File>, length: u64) -> Result<(), TrapError> {
        trace_trap!("file.start-set-length", file = this.rep(), length);
        self.with_file(&this, |file, owner| file.set_length(owner, length))
    }

    fn start_sync(&mut self, this: Resource<File>, data_only: bool) -> Result<(), TrapError> {
        trace_trap!("file.start-sync", file = this.rep(), data_only);
        self.with_file(&this, |file, owner| file.sync(owner, data_only))
    }

    fn start_metadata(&mut self, this: Resource<File>) -> Result<(), TrapError> {
        trace_trap!("file.start-metadata", file = this.rep());
        self.with_file(&this, File::metadata)
    }

    fn finish(&mut self, this: Resource<File>) -> Result<Answer, TrapError> {
        trace_trap!("file.finish", file = this.rep());
        Ok(self.with_file(&this, File::finish)?.into())
    }

    fn position(&mut self, this: Resource<File>) -> Result<u64, TrapError> {
        trace_trap!("file.position", file = this.rep());
        self.with_file(&this, File::position)
    }

    fn set_position(&mut self, this: Resource<File>, position: u64) -> Result<(), TrapError> {
        trace_trap!("file.set-position", file = this.rep(), position);
        self.with_file(&this, |file, owner| file.set_position(owner, position))
    }

    fn wait(&mut self, this: Resource<File>, by: Caller) -> wasmtime::Result<u64> {
        trace_trap!("file.wait", file = this.rep(), task = self.serial(by.task));
        let source = self.table.get(&this)?.source();
        self.wait_until_done(by, source)
    }

    fn drop(&mut self, this: Resource<File>) -> wasmtime::Result<()> {
        trace_trap!("file.drop", file = this.rep());
        let file = self.table.delete(this)?;
        self.release(|owner, lane| file.close(owner, lane));
        Ok(())
    }
}

impl files::HostDirectory for Guest {
    fn open(&mut self, path: String) -> Result<Resource<Directory>, TrapError> {
        trace_trap!("directory.open", ?path);
        let at = self.find(&path, Access::Read)?;
        self.begin(
            |owner, lane| Directory::open(owner, lane, at),
            Directory::source,
        )
    }

    fn next(&mut self, this: Resource<Directory>) -> Result<Vec<Entry>, TrapError> {
        trace_trap!("directory.next", directory = this.rep());
        let entries = self.table.get_mut(&this)?.next()?;
        Ok(entries.into_iter().map(Entry::from).collect())
    }

    fn wait(&mut self, this: Resource<Directory>, by: Caller) -> wasmtime::Result<u64> {
        trace_trap!(
            "directory.wait",
            directory = this.rep(),
            task = self.serial(by.task)
        );
        let source = self.table.get(&this)?.source();
        self.wait_until_done(by, source)
    }

    fn drop(&mut self, this: Resource<Directory>) -> wasmtime::Result<()> {
        trace_trap!("directory.drop", directory = this.rep());
        let directory = self.table.delete(this)?;
        self.release(|owner, _| directory.close(owner));
        Ok(())
    }
}

impl files::HostOperation for Guest {
    fn metadata(&mut self, path: String, follow: bool) -> Result<Resource<Operation>, TrapError> {
        trace_trap!("operation.metadata", ?path, follow);
        let of = self.find(&path, Access::Read)?;
        self.operate(Task::Metadata { of, follow })
    }

    fn create_directory(
        &mut self,
        path: String,
        parents: bool,
    ) -> Result<Resource<Operation>, TrapError> {
        trace_trap!("operation.create-directory", ?path, parents);
        let at = self.find(&path, Access::Write)?;
        self.operate(Task::CreateDirectory { at, parents })
    }

    fn remove_file(&mut self, path: String) -> Result<Resource<Operation>, TrapError> {
        trace_trap!("operation.remove-file", ?path);
        let at = self.find(&path, Access::Write)?;
        self.operate(Task::RemoveFile { at })
    }

    fn remove_directory(&mut self, path: String) -> Result<Resource<Operation>, TrapError> {
        trace_trap!("operation.remove-directory", ?path);
        let at = self.find(&path, Access::Write)?;
        self.operate(Task::RemoveDirectory { at })
    }

    fn rename(&mut self, source: String, target: String) -> Result<Resource<Operation>, TrapError> {
        trace_trap!("operation.rename", ?source, ?target);
        let from = self.find(&source, Access::Write)?;
        let to = self.find(&target, Access::Write)?;
        self.operate(Task::Rename { from, to })
    }

    fn read_link(&mut self, path: String) -> Result<Resource<Operation>, TrapError> {
        trace_trap!("operation.read-link", ?path);
        let at = self.find(&path, Access::Read)?;
        self.operate(Task::ReadLink { at })
    }

    fn finish(&mut self, this: Resource<Operation>) -> Result<Answer, TrapError> {
        trace_trap!("operation.finish", operation = this.rep());
        Ok(self.table.get(&this)?.finish()?.into())
    }

    fn wait(&mut self, this: Resource<Operation>, by: Caller) -> wasmtime::Result<u64> {
        trace_trap!(
            "operation.wait",
            operation = this.rep(),
            task = self.serial(by.task)
        );
        let source = self.table.get(&this)?.source();
        self.wait_until_done(by, source)
    }

    fn drop(&mut self, this: Resource<Operation>) -> wasmtime::Result<()> {
        trace_trap!("operation.drop", operation = this.rep());
        let operation = self.table.delete(this)?;
        self.release(|owner, _| operation.close(owner));
        Ok(())
    }
}

/// Replaces `start-write` by one that copies the guest's bytes only if it does begin.
pub(super) fn add_write_without_copy(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    linker.instance("curio:kernel/files@0.1.0")?.func_wrap(
        "[method]file.start-write",
        |mut store, (this, data): (Resource<File>, WasmList<u8>)| {
            trace_trap!("file.start-write", file = this.rep(), bytes = data.len());
            let idle = store.data_mut().with_file(&this, File::check_idle);
            let begun = idle.and_then(|()| {
                let data = data.as_le_slice(&store);
                let data = data[..data.len().min(MAX_BLOCK)].to_vec();
                let guest: &mut Guest = store.data_mut();
                guest.with_file(&this, |file, owner| file.write(owner, data))
            });
            let result: Result<(), types::Error> = match begun {
                Ok(()) => Ok(()),
                Err(error) => Err(types::Host::convert_error(store.data_mut(), error)?),
            };
            Ok((result,))
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::background::Background;
    use crate::files::Directories;
    use crate::limits::Limits;
    use crate::permissions::Permissions;
    use crate::traps::tests::guest;

    /// Asks until it no longer would block.
    fn ask<T>(mut attempt: impl FnMut() -> Result<T, TrapError>) -> Result<T, TrapError> {
        loop {
            match attempt() {
                Err(TrapError::Told(types::Error::WouldBlock)) => std::thread::yield_now(),
                result => return result,
            }
        }
    }

    #[test]
    fn what_is_read_and_not_asked_for_counts_as_memory() {
        use files::{HostDirectory, HostFile};

        let background = Background::start().unwrap();
        let runtime = background.handle();
        let _entered = runtime.enter();
        let folder = tempfile::tempdir().unwrap();
        let mut permissions = Permissions::none();
        let grant = format!("{}::/data", folder.path().display());
        permissions.allow_dir(&grant).unwrap();

        let mut guest = guest(Limits::default().with_memory(100_000));
        guest.directories = Directories::open(&permissions).unwrap();
        let key = guest.key;
        let memory = |guest: &Guest| guest.kernel().instance(key).budget().memory();
        let before = memory(&guest);

        let path = "/data/file".to_owned();
        let how = OpenFlags::READ | OpenFlags::WRITE | OpenFlags::CREATE;
        let handle = HostFile::open(&mut guest, path, how).unwrap().rep();
        let file = || Resource::new_borrow(handle);
        ask(|| HostFile::finish(&mut guest, file())).unwrap();
        let too_much = guest.start_write(file(), vec![0; 200_000]).unwrap_err();
        assert!(matches!(too_much, TrapError::Told(types::Error::Limit(_))));
        guest.start_write(file(), vec![0; 60_000]).unwrap();
        assert_eq!(memory(&guest), before + 60_000);
        ask(|| HostFile::finish(&mut guest, file())).unwrap();
        assert_eq!(memory(&guest), before);

        guest.set_position(file(), 50_000).unwrap();
        let too_much = guest.read(file(), 200_000).unwrap_err();
        assert!(matches!(too_much, TrapError::Told(types::Error::Limit(_))));
        guest.read(file(), 90_000).unwrap_err();
        assert_eq!(memory(&guest), before + 90_000);
        ask(|| guest.position(file())).unwrap();
        assert_eq!(
            memory(&guest),
            before + 10_000,
            "it is what was read that is kept"
        );
        assert_eq!(guest.read(file(), 4_000).unwrap().len(), 4_000);
        assert_eq!(guest.read(file(), 9_000).unwrap().len(), 6_000);
        assert_eq!(memory(&guest), before);
        guest.read(file(), 10).unwrap_err();
        HostFile::drop(&mut guest, Resource::new_own(handle)).unwrap();
        assert_eq!(memory(&guest), before);

        let listed = HostDirectory::open(&mut guest, "/data".to_owned()).unwrap();
        let handle = listed.rep();
        let entries = ask(|| guest.next(Resource::new_borrow(handle))).unwrap();
        assert_eq!(entries.len(), 1);
        assert!(memory(&guest) > before);
        HostDirectory::drop(&mut guest, listed).unwrap();
        assert_eq!(memory(&guest), before);
    }
}
