//! Lines of waiting tasks: first come, first served.

use std::cell::Cell;

use slab::Slab;

use super::wait::{Ends, Kind, WaitKey, Waits, What};
use crate::runtime;

/// A line of waiting tasks. It has a place in the table from the first one that waits on, until it is dropped.
#[derive(Default)]
pub(crate) struct Line {
    pub(super) key: Cell<Option<LineKey>>,
}

/// A line's place in the table.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct LineKey(u32);

/// All lines in which somebody has waited.
pub(super) struct Lines {
    entries: Slab<Standing>,
}

/// Those that stand in a line.
#[derive(Default)]
struct Standing {
    ends: Ends,
    len: usize,
}

impl Line {
    pub(crate) const fn new() -> Self {
        Self {
            key: Cell::new(None),
        }
    }

    /// How many tasks wait.
    pub(crate) fn len(&self) -> usize {
        let len = |key| runtime::with(|runtime| runtime.waiting.line_len(key));
        self.key.get().map_or(0, len)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(key) = self.key.get() {
            runtime::with(|runtime| runtime.waiting.close_line(key));
        }
    }
}

impl Lines {
    pub(super) const fn new() -> Self {
        Self {
            entries: Slab::new(),
        }
    }

    /// How many have a place.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Gives a line its place.
    pub(super) fn open(&mut self) -> LineKey {
        let index = self.entries.insert(Standing::default());
        LineKey(u32::try_from(index).expect("a guest's memory has no room for so many"))
    }

    /// Takes a line's place. Whoever still stands there was forgotten, and waits for ever.
    pub(super) fn close(&mut self, waits: &mut Waits, line: LineKey) {
        while let Some(wait) = self.first(line) {
            self.leave(waits, line, wait);
            waits[wait].what = What::Lost;
        }
        self.entries.remove(line.0 as usize);
    }

    /// The one that has waited for longest.
    pub(super) fn first(&self, line: LineKey) -> Option<WaitKey> {
        self.entries[line.0 as usize].ends.first
    }

    /// How many tasks wait in a line.
    pub(super) fn len_of(&self, line: LineKey) -> usize {
        self.entries[line.0 as usize].len
    }

    /// Puts a wait at the end of a line.
    pub(super) fn stand(&mut self, waits: &mut Waits, line: LineKey, wait: WaitKey) {
        let standing = &mut self.entries[line.0 as usize];
        waits.append(&mut standing.ends, wait, Kind::InLine);
        standing.len += 1;
    }

    /// Takes a wait out of the line in which it stands.
    pub(super) fn leave(&mut self, waits: &mut Waits, line: LineKey, wait: WaitKey) {
        let standing = &mut self.entries[line.0 as usize];
        waits.take_out(&mut standing.ends, wait, Kind::InLine);
        standing.len -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::super::Running;
    use super::*;

    #[test]
    fn a_line_is_left_from_anywhere() {
        let mut waits = Waits::new();
        let mut lines = Lines::new();
        let line = lines.open();
        let keys: Vec<_> = (0..4)
            .map(|_| {
                let key = waits.insert(Running::default(), What::Line(line, "test"), None);
                lines.stand(&mut waits, line, key);
                key
            })
            .collect();
        lines.leave(&mut waits, line, keys[1]);
        assert_eq!(lines.len_of(line), 3);
        for left in [keys[0], keys[2]] {
            assert_eq!(lines.first(line), Some(left));
            lines.leave(&mut waits, line, left);
        }
        lines.close(&mut waits, line);
        assert!(waits[keys[3]].what == What::Lost);
    }
}
