//! The addresses that an instance's lookups have found, and for which names.
//!
//! A guest connects to an address, which is a number to the system; the grant may be of a name. So the host remembers
//! which addresses its own lookups gave for a name: a guest's word for it does not count. Invariant: there
//! are no more than [`MAX_KNOWN`], of which the oldest goes first.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;

/// How many addresses are remembered.
const MAX_KNOWN: usize = 1024;

/// What lookups have found.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// The last one found is the last.
    found: VecDeque<Entry>,
}

/// An address, and the name that led there.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    /// In its canonical form: IPv4, if it is that in disguise.
    address: IpAddr,
    name: Arc<str>,
}

impl Entry {
    /// How much memory it takes.
    fn size(&self) -> u64 {
        (size_of::<Self>() + self.name.len()) as u64
    }
}

impl Known {
    /// Nothing yet.
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// How much memory remembering an address takes, at the most.
    pub(crate) fn size(name: &str) -> u64 {
        (size_of::<Entry>() + name.len()) as u64
    }

    /// Remembers an address. Returns the memory of what is forgotten for it.
    pub(crate) fn note(&mut self, name: &Arc<str>, address: IpAddr) -> u64 {
        let entry = Entry {
            address: address.to_canonical(),
            name: name.clone(),
        };
        let before = self.found.iter().position(|known| *known == entry);
        let gone = match before {
            Some(index) => self.found.remove(index),
            None if self.found.len() >= MAX_KNOWN => self.found.pop_front(),
            None => None,
        };
        self.found.push_back(entry);
        gone.as_ref().map_or(0, Entry::size)
    }

    /// The names for which an address was found, the last one first.
    pub(crate) fn names(&self, address: IpAddr) -> impl Iterator<Item = &str> {
        let address = address.to_canonical();
        let known = self.found.iter().rev();
        let known = known.filter(move |known| known.address == address);
        known.map(|known| &*known.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: u32) -> IpAddr {
        IpAddr::V4(n.into())
    }

    #[test]
    fn an_address_is_known_by_its_names() {
        let mut known = Known::new();
        let (a, b) = (Arc::from("a.example"), Arc::from("b.example"));
        assert_eq!(known.note(&a, address(1)), 0);
        assert_eq!(known.note(&b, "::ffff:0.0.0.1".parse().unwrap()), 0);
        assert_eq!(known.note(&b, address(2)), 0);
        let names = |ip: &str| known.names(ip.parse().unwrap()).collect::<Vec<_>>();
        assert_eq!(names("0.0.0.1"), ["b.example", "a.example"]);
        assert_eq!(names("::ffff:0.0.0.1"), ["b.example", "a.example"]);
        assert_eq!(names("0.0.0.2"), ["b.example"]);
        assert!(names("0.0.0.3").is_empty());
    }

    #[test]
    fn the_oldest_is_forgotten_first() {
        let mut known = Known::new();
        let name: Arc<str> = Arc::from("many.example");
        let size = Known::size(&name);
        for n in 0..1024 {
            assert_eq!(known.note(&name, address(n)), 0);
        }
        // What is found again is new, and takes no more room.
        assert_eq!(known.note(&name, address(0)), size);
        assert_eq!(known.note(&name, address(1024)), size);
        assert_eq!(known.found.len(), 1024);
        let is_known = |n| known.names(address(n)).next().is_some();
        assert!(is_known(0) && !is_known(1) && is_known(2) && is_known(1024));
    }
}
