//! A program: what each of its tasks does, as a tree of operations that can be read and told apart.

use std::fmt;

/// How many of each there are.
pub(crate) const LOCKS: usize = 2;
pub(crate) const RLOCKS: usize = 1;
pub(crate) const SEMAPHORES: [usize; 2] = [1, 2];
pub(crate) const EVENTS: usize = 2;
pub(crate) const CONDITIONS: usize = 1;
/// The sizes of the queues; 0 is any number.
pub(crate) const QUEUES: [usize; 2] = [0, 1];
pub(crate) const GATES: usize = 1;

/// What one task does, in order.
pub(crate) type Script = Vec<Op>;

/// A program: the scripts of its tasks. The first is the root, which spawns others.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) seed: u64,
    pub(crate) scripts: Vec<Script>,
}

/// One thing that a task does. Times are in ticks; tasks, locks and the like are named by their numbers.
#[derive(Debug)]
pub(crate) enum Op {
    Sleep(u32),
    Yield,
    /// Ends the task with an error.
    Fail,
    Spawn(usize),
    Join(usize),
    /// Cancels a task and waits for its end.
    Cancel(usize),
    /// The same with an error of the program's own.
    CancelWith(usize),
    RequestCancel(usize),
    /// A timeout block; whether its timeout is an error.
    Timeout(u32, bool, Script),
    Shield(Script),
    /// Looks whether something is pending.
    Check,
    /// Takes what is pending.
    Take,
    /// A lock, and what is done with it.
    Lock(usize, Script),
    RLock(usize, Script),
    Semaphore(usize, Script),
    SetEvent(usize),
    ClearEvent(usize),
    WaitEvent(usize),
    /// How many of those that wait for a condition are notified.
    Notify(usize, usize),
    WaitCondition(usize),
    Put(usize),
    /// Takes an item, and says that it is done.
    Get(usize),
    JoinQueue(usize),
    /// A gate is a future of another crate, of which curio knows nothing.
    OpenGate(usize),
    WaitGate(usize),
    Group(Policy, Vec<usize>, Script),
    /// Two branches of one task, both to their ends.
    Both(Way, Script, Script),
    /// Two branches of one task, until one ends.
    Race(Way, Script, Script),
    /// If the first script fails, the second cleans up; then the error goes on, or not.
    Catch(Script, Script, bool),
}

/// What a group waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    All,
    Any,
    /// The first even number.
    Even,
    None,
}

/// How two branches are polled.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    /// Both, whenever the task is.
    Together,
    /// Each has a waker of its own.
    ByWakers,
}

impl Op {
    /// The scripts in it, with a word for each.
    fn inner(&self) -> Vec<(&'static str, &Script)> {
        match self {
            Self::Timeout(_, _, inside)
            | Self::Shield(inside)
            | Self::Lock(_, inside)
            | Self::RLock(_, inside)
            | Self::Semaphore(_, inside)
            | Self::Group(_, _, inside) => vec![("", inside)],
            Self::Both(_, left, right) => vec![("", left), ("and", right)],
            Self::Race(_, left, right) => vec![("", left), ("against", right)],
            Self::Catch(inside, cleanup, swallow) => {
                let word = if *swallow { "catch" } else { "clean up" };
                vec![("", inside), (word, cleanup)]
            }
            _ => Vec::new(),
        }
    }

    /// What it is, without the scripts in it.
    pub(crate) fn title(&self) -> String {
        match self {
            Self::Timeout(ticks, true, _) => format!("timeout_after {ticks}"),
            Self::Timeout(ticks, false, _) => format!("ignore_after {ticks}"),
            Self::Shield(_) => "disable_cancellation".to_owned(),
            Self::Lock(lock, _) => format!("Lock {lock}"),
            Self::RLock(lock, _) => format!("RLock {lock}"),
            Self::Semaphore(number, _) => format!("Semaphore {number}"),
            Self::Group(policy, members, _) => format!("Group {policy:?} {members:?}"),
            Self::Both(way, ..) => format!("Both {way:?}"),
            Self::Race(way, ..) => format!("Race {way:?}"),
            Self::Catch(..) => "Try".to_owned(),
            other => format!("{other:?}"),
        }
    }
}

fn write(f: &mut fmt::Formatter<'_>, script: &Script, depth: usize) -> fmt::Result {
    for op in script {
        writeln!(f, "{:depth$}{}", "", op.title())?;
        for (word, inside) in op.inner() {
            if !word.is_empty() {
                writeln!(f, "{:depth$}{word}", "")?;
            }
            write(f, inside, depth + 2)?;
        }
    }
    Ok(())
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, script) in self.scripts.iter().enumerate() {
            writeln!(f, "task {number}")?;
            write(f, script, 2)?;
        }
        Ok(())
    }
}
