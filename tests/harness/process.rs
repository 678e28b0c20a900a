//! What the system knows of a process, in `/proc`.

use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How long a process may take to become as it should.
const PATIENCE: Duration = Duration::from_secs(30);

/// A process that runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process(u32);

impl Process {
    pub(super) fn new(id: u32) -> Self {
        Self(id)
    }

    /// How many descriptors it has open.
    pub(crate) fn descriptors(self) -> usize {
        let entries = std::fs::read_dir(self.path("fd"));
        entries.expect("it runs, and is ours").count()
    }

    /// Waits until it has a number of descriptors open.
    #[track_caller]
    pub(crate) fn has_descriptors(self, number: usize) {
        let deadline = Instant::now() + PATIENCE;
        while self.descriptors() != number {
            let is = self.descriptors();
            assert!(
                Instant::now() < deadline,
                "should have {number} descriptors open, and has {is}"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Its number.
    pub(crate) fn id(self) -> u32 {
        self.0
    }

    /// Waits until it has a state: `T` if it was stopped, say.
    #[track_caller]
    pub(crate) fn becomes(self, state: char) {
        let deadline = Instant::now() + PATIENCE;
        while !self.stat().starts_with(state) {
            let is = self.stat();
            assert!(Instant::now() < deadline, "should be {state}, and is {is}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// How long it has run on processors, in the system's ticks: hundredths of a second.
    pub(crate) fn ticks(self) -> u64 {
        let stat = self.stat();
        let fields = stat.split(' ').skip(11).take(2);
        fields
            .map(|field| field.parse::<u64>().expect("it is a number"))
            .sum()
    }

    /// How many bytes of memory it occupies.
    pub(crate) fn resident(self) -> usize {
        let text = std::fs::read_to_string(self.path("status")).expect("it runs");
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
        let number = number.and_then(|number| number.parse::<usize>().ok());
        number.expect("it is told in kB") << 10
    }

    /// What the system says of it, from its state on.
    fn stat(self) -> String {
        let text = std::fs::read_to_string(self.path("stat")).expect("it runs");
        // The name, in parentheses, may have anything in it.
        let (_, fields) = text.rsplit_once(") ").expect("the name is in parentheses");
        fields.to_owned()
    }

    fn path(self, file: &str) -> PathBuf {
        ["/proc", &self.0.to_string(), file].iter().collect()
    }
}
