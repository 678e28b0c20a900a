//! Task groups: when one has waited for long enough, and what its join returns.

use super::super::kind::Kind;
use super::super::program::Policy;
use super::entries::{Line, Ticket};
use super::{Model, Place};

/// A task group.
#[derive(Debug)]
pub(super) struct Group {
    policy: Policy,
    /// Those that were spawned, in that order.
    pub(super) members: Vec<usize>,
    /// Those that have ended, in that order, and whether well.
    ended: Vec<(usize, bool)>,
    /// The first that returned what is waited for while the group was open.
    completed: Option<usize>,
    failure: Option<usize>,
    phase: Phase,
    /// How the block ended.
    block: Result<(), Kind>,
    /// What the owner was told while it waited.
    told: Option<Kind>,
    /// The owner's wait.
    wait: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The block runs.
    Block,
    /// The block has ended, and the group waits as its policy says.
    Joining,
    /// The rest is being cancelled.
    Ending,
}

/// How a group must have ended.
#[derive(Debug)]
pub(crate) struct GroupEnd {
    pub(crate) result: Result<(), Kind>,
    pub(crate) completed: Option<usize>,
}

/// What has come of the members so far.
enum Verdict {
    Wait,
    Enough,
    Failed(usize),
}

impl Group {
    pub(super) fn ended(&mut self, member: usize, result: &Result<(), Kind>) {
        let well = result.is_ok();
        self.ended.push((member, well));
        let wanted = match self.policy {
            Policy::All | Policy::Any => true,
            Policy::Even => member.is_multiple_of(2),
            Policy::None => false,
        };
        if well && wanted && self.phase != Phase::Ending && self.completed.is_none() {
            self.completed = Some(member);
        }
    }

    fn verdict(&self) -> Verdict {
        let completed = match self.policy {
            Policy::Any | Policy::Even => self.completed,
            Policy::All | Policy::None => None,
        };
        let turn = |member| self.ended.iter().position(|(ended, _)| *ended == member);
        let completed = completed.and_then(turn);
        let failed = self.ended.iter().position(|(_, well)| !well);
        if let Some(failed) = failed
            && completed.is_none_or(|completed| completed > failed)
        {
            return Verdict::Failed(self.ended[failed].0);
        }
        let all = self.ended.len() == self.members.len();
        if completed.is_some() || self.policy == Policy::None || all {
            return Verdict::Enough;
        }
        Verdict::Wait
    }

    fn note_told(&mut self, kind: Kind) {
        self.told = Some(match self.told.take() {
            Some(before) => weightier(before, kind),
            None => kind,
        });
    }
}

/// Which of two interruptions goes on.
fn weightier(before: Kind, later: Kind) -> Kind {
    if before == Kind::Cancelled {
        before
    } else {
        later
    }
}

impl Model {
    pub(crate) fn new_group(&mut self, policy: Policy) -> usize {
        self.groups.push(Group {
            policy,
            members: Vec::new(),
            ended: Vec::new(),
            completed: None,
            failure: None,
            phase: Phase::Block,
            block: Ok(()),
            told: None,
            wait: None,
        });
        self.groups.len() - 1
    }

    /// A group's block has ended.
    pub(crate) fn block_ended(&mut self, group: usize, result: Result<(), Kind>) {
        self.groups[group].phase = Phase::Joining;
        self.groups[group].block = result;
    }

    /// A group's owner goes on: looks at its wait.
    pub(crate) fn before_group(&mut self, group: usize) {
        let Some(id) = self.groups[group].wait else {
            return;
        };
        if self.is_over(id) {
            self.groups[group].wait = None;
            if let Some(kind) = self.end_wait(id) {
                self.groups[group].note_told(kind);
            }
        }
    }

    /// Ends a wait as foretold, and says with which error.
    fn end_wait(&mut self, id: u64) -> Option<Kind> {
        let result = self.foretold(id);
        self.finish(id, &result);
        result.err()
    }

    /// A group's owner has gone on, and waits or not. `is_cancelled` says of whom cancellation was requested.
    pub(crate) fn after_group(
        &mut self,
        place: Place,
        group: usize,
        waits: bool,
        is_cancelled: impl Fn(usize) -> bool,
    ) {
        self.sync();
        let of_group = &mut self.groups[group];
        if of_group.phase == Phase::Joining {
            if of_group.told.is_some() || of_group.block.is_err() {
                of_group.phase = Phase::Ending;
            } else {
                match of_group.verdict() {
                    Verdict::Wait => {}
                    Verdict::Enough => of_group.phase = Phase::Ending,
                    Verdict::Failed(member) => {
                        of_group.failure = Some(member);
                        of_group.phase = Phase::Ending;
                    }
                }
            }
        }
        if waits && of_group.phase != Phase::Block && of_group.wait.is_none() {
            let wait = loop {
                match self.begin(place, Line::Group(group), true) {
                    Ticket::Interrupted(kind) => {
                        self.groups[group].note_told(kind);
                        self.groups[group].phase = Phase::Ending;
                    }
                    Ticket::Waits(id) => break id,
                    Ticket::Unknown | Ticket::Immediate => unreachable!("it blocks"),
                }
            };
            self.groups[group].wait = Some(wait);
        }
        self.close_group(group, is_cancelled);
    }

    /// If a group ends, all its members are cancelled.
    fn close_group(&mut self, group: usize, is_cancelled: impl Fn(usize) -> bool) {
        let ending = self.groups[group].phase == Phase::Ending;
        for member in self.groups[group].members.clone() {
            if !self.tasks[member].alive {
                continue;
            }
            let cancelled = is_cancelled(member);
            if ending {
                assert!(cancelled, "group {group} ends, and {member} goes on");
                self.cancel(member, Kind::Cancelled);
            } else {
                let expected = self.tasks[member].cancelled;
                assert_eq!(cancelled, expected, "{member}, while group {group} waits");
            }
        }
    }

    /// A group's future is dropped.
    pub(crate) fn group_dropped(&mut self, group: usize, is_cancelled: impl Fn(usize) -> bool) {
        self.groups[group].phase = Phase::Ending;
        self.close_group(group, is_cancelled);
        if let Some(id) = self.groups[group].wait.take() {
            self.abandon(id);
        }
    }

    /// How a group must have ended.
    pub(crate) fn group_end(&mut self, group: usize) -> GroupEnd {
        let of_group = &self.groups[group];
        assert_eq!(of_group.wait, None, "group {group} has no reason to end");
        for member in &of_group.members {
            let alive = self.tasks[*member].alive;
            assert!(!alive, "group {group} has ended, and {member} has not");
        }
        let outcome = |member: usize| self.tasks[member].outcome.clone();
        let failed = |member| outcome(member).and_then(Result::err).expect("it failed");
        let result = match (&of_group.block, &of_group.told) {
            (Err(error), Some(told)) if *told == Kind::Cancelled || is_timeout(error) => {
                Err(weightier(error.clone(), told.clone()))
            }
            (Err(error), _) => Err(error.clone()),
            (Ok(()), Some(told)) => Err(told.clone()),
            (Ok(()), None) => match of_group.failure {
                Some(member) => Err(Kind::Task(Box::new(failed(member)))),
                None => Ok(()),
            },
        };
        let completed = of_group.failure.or(of_group.completed);
        GroupEnd { result, completed }
    }
}

fn is_timeout(kind: &Kind) -> bool {
    kind.timed_out_at().is_some()
}
