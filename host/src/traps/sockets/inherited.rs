//! The sockets that an instance is given at its start.

use super::Handle;
use crate::bindings::sockets::{self, InheritedChoice, InheritedSocket};
use crate::sockets::{Missing, Which};
use crate::traps::{Guest, TrapError, lock};

impl From<Missing> for TrapError {
    fn from(missing: Missing) -> Self {
        match missing {
            Missing::Unknown(what) => Self::invalid_argument(&what),
            Missing::Taken(what) => Self::invalid_state(&what),
        }
    }
}

impl sockets::Host for Guest {
    fn inherited(&mut self) -> wasmtime::Result<Vec<InheritedSocket>> {
        trace_trap!("sockets.inherited");
        if self.permissions.check_inherited_sockets().is_err() {
            return Ok(Vec::new());
        }
        let left = self.inherited.left();
        let left = left.map(|(position, name)| InheritedSocket {
            position,
            name: name.map(str::to_owned),
        });
        Ok(left.collect())
    }

    fn take_inherited(&mut self, which: InheritedChoice) -> Result<Handle, TrapError> {
        trace_trap!("sockets.take-inherited", ?which);
        self.permissions.check_inherited_sockets()?;
        let which = match &which {
            InheritedChoice::Position(position) => Which::Position(*position),
            InheritedChoice::Name(name) => Which::Name(name),
        };
        let position = self.inherited.find(which)?;
        self.with_handle(|guest| {
            let mut kernel = lock(&guest.kernel);
            let socket = guest.inherited.open(position, &mut kernel, guest.key)?;
            drop(kernel);
            let handle = guest.push(socket)?;
            guest.inherited.forget(position);
            Ok(handle)
        })
    }
}
