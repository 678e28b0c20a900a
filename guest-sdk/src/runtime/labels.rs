//! The names that the kernel knows tasks by: each is told once, however many tasks carry it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::panic::Location;

use crate::bindings::traps;

/// The labels that the kernel was told.
pub(crate) struct Labels {
    /// By the addresses of the name of the future's type and of the place: these are constants of the program.
    of_types: RefCell<BTreeMap<(usize, usize), u32>>,
    /// By a name that the program gave.
    of_names: RefCell<BTreeMap<String, u32>>,
    /// The last one of `of_types`: programs spawn in loops.
    last: Cell<((usize, usize), u32)>,
}

impl Labels {
    pub(super) const fn new() -> Self {
        Self {
            of_types: RefCell::new(BTreeMap::new()),
            of_names: RefCell::new(BTreeMap::new()),
            last: Cell::new(((0, 0), 0)),
        }
    }

    /// The label of tasks that run a future of this type, spawned here.
    pub(crate) fn of_type(&self, name: &'static str, at: &'static Location<'static>) -> u32 {
        let key = (name.as_ptr().addr(), std::ptr::from_ref(at).addr());
        let (last, label) = self.last.get();
        if last == key {
            return label;
        }
        let label = *self
            .of_types
            .borrow_mut()
            .entry(key)
            .or_insert_with(|| traps::label(short(name), at.file(), at.line()));
        self.last.set((key, label));
        label
    }

    /// The label of tasks with a name that the program gave.
    pub(crate) fn of_name(&self, name: &str, at: &'static Location<'static>) -> u32 {
        let mut of_names = self.of_names.borrow_mut();
        if let Some(label) = of_names.get(name) {
            return *label;
        }
        let label = traps::label(name, at.file(), at.line());
        // Past its limit the kernel has no more of them, and remembering that for each would be a leak.
        if label != 0 {
            of_names.insert(name.to_owned(), label);
        }
        label
    }
}

/// The name of a future's type as a person would say it: the function that it is the body of.
pub(crate) fn short(type_name: &str) -> &str {
    let mut name = type_name;
    while let Some(rest) = name.strip_suffix("::{{closure}}") {
        name = rest;
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_async_function_s_future_is_called_like_the_function() {
        assert_eq!(short("app::main::{{closure}}::{{closure}}"), "app::main");
        assert_eq!(short("app::echo::{{closure}}"), "app::echo");
        assert_eq!(short("core::future::Ready<()>"), "core::future::Ready<()>");
    }
}
