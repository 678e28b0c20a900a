//! A compiled component, and telling one from what is not one.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wasmtime_wasi::p2::bindings::CommandPre;

use super::Engine;
use crate::error::Error;
use crate::traps::Guest;

/// How every WebAssembly file begins.
const MAGIC: &[u8] = b"\0asm";

/// What follows in a core module …
const MODULE: &[u8] = &[1, 0, 0, 0];

/// … and in a component, whose version may differ but whose layer is this.
const COMPONENT_LAYER: &[u8] = &[1, 0];

/// How compiled code begins: it is an ELF file.
const COMPILED: &[u8] = b"\x7fELF";

/// A compiled component: code that can be started, any number of times. Cheap to clone.
#[derive(Clone)]
pub struct Component {
    path: PathBuf,
    ready: CommandPre<Guest>,
    /// What it was compiled from, if that is known.
    source: Option<Arc<[u8]>>,
}

impl Component {
    /// Reads and compiles a component.
    ///
    /// # Errors
    /// If the file can't be read or is not a component that this host can run; the text says what
    /// it is instead and what to do.
    pub fn load(engine: &Engine, path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let bytes = read(path)?;
        if bytes.starts_with(COMPILED) {
            return Err(component_error(
                path,
                "this is compiled code, which can't be checked; \
                 if it is your own, run it with --allow-precompiled",
            ));
        }
        Self::from_bytes(engine, path, &bytes)
    }

    /// Compiles a component that is in memory; `name` is what errors call it.
    ///
    /// # Errors
    /// As [`Component::load`].
    pub fn from_bytes(
        engine: &Engine,
        name: impl AsRef<Path>,
        bytes: &[u8],
    ) -> Result<Self, Error> {
        let path = name.as_ref();
        check_is_component(path, bytes)?;
        let component = wasmtime::component::Component::new(engine.wasmtime(), bytes)
            .map_err(|error| component_error(path, &describe_invalid(&error)))?;
        let linked = Self::link(engine, path, &component)?;
        Ok(Self {
            source: Some(bytes.into()),
            ..linked
        })
    }

    /// Reads a component that [`Component::compile`] made, which runs as it is.
    ///
    /// Only for files of one's own making: a file that somebody else made is native code, and nothing
    /// holds it to a sandbox. A file that is no compiled code is loaded as [`Component::load`] does.
    ///
    /// # Errors
    /// As [`Component::load`], and if another version or another machine's compiler made it.
    pub fn load_precompiled(engine: &Engine, path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let bytes = read(path)?;
        if !bytes.starts_with(COMPILED) {
            return Self::from_bytes(engine, path, &bytes);
        }
        #[expect(unsafe_code, reason = "the only way in wasmtime to load compiled code")]
        // SAFETY: the caller vouches for the file, as this function's documentation demands.
        let component =
            unsafe { wasmtime::component::Component::deserialize(engine.wasmtime(), &bytes) };
        let component = component.map_err(|error| {
            component_error(
                path,
                &format!(
                    "this curio-host can't use the compiled code ({}); compile the component again",
                    one_line(&error)
                ),
            )
        })?;
        Self::link(engine, path, &component)
    }

    /// Compiles a component to code that [`Component::load_precompiled`] can load.
    ///
    /// # Errors
    /// As [`Component::load`].
    pub fn compile(engine: &Engine, path: impl AsRef<Path>) -> Result<Vec<u8>, Error> {
        let path = path.as_ref();
        let bytes = read(path)?;
        check_is_component(path, &bytes)?;
        let compiled = engine
            .wasmtime()
            .precompile_component(&bytes)
            .map_err(|error| component_error(path, &describe_invalid(&error)))?;
        Ok(compiled)
    }

    /// Its compiled code, for another process of this program.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub(crate) fn serialize(&self) -> wasmtime::Result<Vec<u8>> {
        self.ready.instance_pre().component().serialize()
    }

    /// The same, compiled so that it can't be interrupted; nothing, if it was compiled by somebody else. That takes as
    /// long as compiling does, unless the cache has it.
    ///
    /// # Errors
    /// If it can't be compiled, or there is no memory for it.
    pub(crate) fn serialize_uninterrupted(
        &self,
        engine: &Engine,
    ) -> wasmtime::Result<Option<Vec<u8>>> {
        let Some(source) = &self.source else {
            return Ok(None);
        };
        let engine = engine.uninterrupted().map_err(wasmtime::Error::new)?;
        let component = wasmtime::component::Component::new(&engine, source)?;
        component.serialize().map(Some)
    }

    /// What [`Component::serialize`] made in another process of this program.
    ///
    /// # Errors
    /// If it is something else.
    pub(crate) fn from_serialized(
        engine: &Engine,
        path: &Path,
        code: &[u8],
    ) -> Result<Self, Error> {
        #[expect(unsafe_code, reason = "the only way in wasmtime to load compiled code")]
        // SAFETY: the process that started this one made it, by the same program.
        let component =
            unsafe { wasmtime::component::Component::deserialize(engine.wasmtime(), code) };
        let component = component.map_err(|error| component_error(path, &one_line(&error)))?;
        Self::link(engine, path, &component)
    }

    /// Where it was read from, or what the embedder called it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn ready(&self) -> &CommandPre<Guest> {
        &self.ready
    }

    /// Connects a component with its imports.
    fn link(
        engine: &Engine,
        path: &Path,
        component: &wasmtime::component::Component,
    ) -> Result<Self, Error> {
        let ready = engine
            .linker()
            .instantiate_pre(component)
            .map_err(|error| component_error(path, &describe_import(&error)))?;
        let ready = CommandPre::new(ready).map_err(|error| {
            component_error(
                path,
                &format!(
                    "the component is no program ({}); build it from a program, whose main it \
                     exports as wasi:cli/run",
                    one_line(&error)
                ),
            )
        })?;
        Ok(Self {
            path: path.to_owned(),
            ready,
            source: None,
        })
    }
}

impl fmt::Debug for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Component")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

#[expect(clippy::disallowed_methods, reason = "the operator names the file")]
fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let bytes = File::open(path).and_then(|mut file| {
        let mut bytes = Vec::new();
        // What has no end, such as a device, shows by its beginning that it is no component.
        (&mut file).take(4).read_to_end(&mut bytes)?;
        if bytes == MAGIC || bytes == COMPILED {
            file.read_to_end(&mut bytes)?;
        }
        Ok(bytes)
    });
    bytes.map_err(|source| Error::File {
        path: path.to_owned(),
        source,
    })
}

fn component_error(path: &Path, reason: &str) -> Error {
    Error::Component {
        path: path.to_owned(),
        reason: reason.to_owned(),
    }
}

fn check_is_component(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let Some(rest) = bytes.strip_prefix(MAGIC) else {
        let reason = if bytes.starts_with(COMPILED) {
            "this is compiled code already; give the component it was made from"
        } else if bytes.is_empty() {
            "the file is empty; build it again"
        } else {
            "this is not WebAssembly; give a component, built with --target wasm32-wasip2"
        };
        return Err(component_error(path, reason));
    };
    if rest.starts_with(MODULE) {
        return Err(component_error(
            path,
            "this is a core module, not a component; build it with --target wasm32-wasip2",
        ));
    }
    if rest.get(2..4) != Some(COMPONENT_LAYER) {
        return Err(component_error(
            path,
            "this is cut off, or no WebAssembly that this host knows; build it again",
        ));
    }
    Ok(())
}

fn describe_invalid(error: &wasmtime::Error) -> String {
    format!(
        "this is no valid component, or is cut off ({}); build it again",
        one_line(error)
    )
}

/// Names the import that curio-host does not have, and what in it.
fn describe_import(error: &wasmtime::Error) -> String {
    // The outermost text names the interface, the others what in it is missing or different.
    let outermost = error.to_string();
    let name = outermost.split('`').nth(1).unwrap_or("an import");
    let causes = error.chain().skip(1).map(ToString::to_string);
    let causes = causes.collect::<Vec<_>>().join(": ");
    let causes = causes.replace(" has the wrong type", "");
    format!(
        "{name} is imported by the component, but this curio-host does not offer it ({causes}); \
         build it with wasi:* 0.2 and this version's curio:kernel"
    )
}

/// An error with its causes on one line.
fn one_line(error: &wasmtime::Error) -> String {
    let text = format!("{error:#}");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
