//! What the system knows of a process, in `/proc`.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

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

    /// Waits until it has no more than a number of descriptors open.
    #[track_caller]
    pub(crate) fn has_no_more_descriptors_than(self, number: usize) {
        let deadline = Instant::now() + PATIENCE;
        while self.descriptors() > number {
            let is = self.descriptors();
            assert!(
                Instant::now() < deadline,
                "should have at most {number} descriptors open, and has {is}"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
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
        self.memory("VmRSS:")
    }

    /// How many bytes of memory it has occupied at the most.
    pub(crate) fn highest(self) -> usize {
        self.memory("VmHWM:")
    }

    fn memory(self, kind: &str) -> usize {
        let text = std::fs::read_to_string(self.path("status")).expect("it runs");
        let line = text.lines().find_map(|line| line.strip_prefix(kind));
        let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
        let number = number.and_then(|number| number.parse::<usize>().ok());
        number.expect("it is told in kB") << 10
    }

    /// What its descriptors lead to, each thing once.
    pub(crate) fn open_files(self) -> BTreeSet<String> {
        let entries = std::fs::read_dir(self.path("fd")).expect("it runs, and is ours");
        let targets = entries.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
        targets.map(|path| path.display().to_string()).collect()
    }

    /// Its children that run, or have ended and were not waited for.
    pub(crate) fn children(self) -> Vec<Self> {
        let tasks = std::fs::read_dir(self.path("task")).expect("it runs");
        let children = tasks.filter_map(|task| {
            let task = task.ok()?.path().join("children");
            std::fs::read_to_string(task).ok()
        });
        let children: String = children.collect();
        let ids = children.split_whitespace().map(str::parse);
        ids.map(|id| Self(id.expect("it is a number"))).collect()
    }

    /// Waits until it has a number of children.
    #[track_caller]
    pub(crate) fn has_children(self, number: usize) {
        let deadline = Instant::now() + PATIENCE;
        while self.children().len() != number {
            let are = self.children();
            assert!(
                Instant::now() < deadline,
                "should have {number} children, and has {are:?}"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until it has ended with all its threads, so that nothing is open any more.
    #[track_caller]
    pub(crate) fn is_ended(self) {
        self.becomes('Z');
        let deadline = Instant::now() + PATIENCE;
        while self.threads() > 1 {
            assert!(Instant::now() < deadline, "its threads should have ended");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// How many threads it has.
    pub(crate) fn threads(self) -> usize {
        let tasks = std::fs::read_dir(self.path("task"));
        tasks.expect("it runs").count()
    }

    /// Waits until the system has forgotten it.
    #[track_caller]
    pub(crate) fn is_gone(self) {
        let deadline = Instant::now() + PATIENCE;
        while self.path("stat").exists() {
            assert!(Instant::now() < deadline, "should have ended");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Sends it a signal.
    pub(crate) fn signal(self, signal: Signal) {
        let id = i32::try_from(self.0).expect("process numbers are small");
        kill(Pid::from_raw(id), signal).expect("it runs");
    }

    /// What one of its files holds.
    pub(crate) fn file(self, file: &str) -> String {
        let bytes = std::fs::read(self.path(file)).expect("it runs, and is ours");
        String::from_utf8_lossy(&bytes).into_owned()
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
