//! What of the confinement is in force.

use std::fmt;

/// One thing that a process is confined by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measure {
    /// It ends when its starter does.
    ParentDeath,
    /// It has no descriptors but those that it should.
    Descriptors,
    /// It leaves no image of its memory.
    CoreDumps,
    /// Others of its user's can't look into it.
    Tracing,
    /// It never gets further privileges.
    Privileges,
    /// It has only so many descriptors.
    DescriptorLimit,
    /// It opens no file outside what is granted.
    Files,
    /// It binds and connects no TCP port outside what is granted.
    Ports,
    /// It can't signal or, by abstract sockets, talk to processes outside.
    Processes,
    /// It makes no system call that is never needed.
    Calls,
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ParentDeath => "ending with its starter",
            Self::Descriptors => "closing other descriptors",
            Self::CoreDumps => "no core dumps",
            Self::Tracing => "no tracing by others",
            Self::Privileges => "no new privileges",
            Self::DescriptorLimit => "a limit of descriptors",
            Self::Files => "files by Landlock",
            Self::Ports => "TCP ports by Landlock",
            Self::Processes => "other processes by Landlock",
            Self::Calls => "system calls by seccomp",
        })
    }
}

/// How far a measure is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Force {
    /// Wholly.
    Full,
    /// In part; the text says what is missing.
    Part(String),
    /// Not at all; the text says why.
    Missing(String),
    /// Not at all, and it should not be; the text says why.
    Unwanted(&'static str),
}

impl Force {
    /// What came of an attempt.
    pub(super) fn of<E: fmt::Display>(result: Result<(), E>) -> Self {
        match result {
            Ok(()) => Self::Full,
            Err(error) => Self::Missing(error.to_string()),
        }
    }
}

/// What a process is confined by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    measures: Vec<(Measure, Force)>,
}

impl Report {
    /// Notes what came of a measure.
    pub(super) fn note(&mut self, measure: Measure, force: Force) {
        self.measures.push((measure, force));
    }

    /// How far a measure is in force.
    #[cfg(test)]
    pub(crate) fn force(&self, measure: Measure) -> Option<&Force> {
        let found = self.measures.iter().find(|(known, _)| *known == measure);
        found.map(|(_, force)| force)
    }

    /// Whether all that should be is wholly in force.
    pub(crate) fn is_full(&self) -> bool {
        self.lacking().next().is_none()
    }

    /// What is not, or not wholly, in force and should be.
    fn lacking(&self) -> impl Iterator<Item = (Measure, &String)> {
        let measures = self.measures.iter();
        measures.filter_map(|(measure, force)| match force {
            Force::Part(why) | Force::Missing(why) => Some((*measure, why)),
            Force::Full | Force::Unwanted(_) => None,
        })
    }

    /// Tells the log.
    pub(super) fn log(&self) {
        if self.is_full() {
            tracing::debug!("the process is confined");
        }
        for (measure, why) in self.lacking() {
            tracing::warn!("the process is not wholly confined: {measure}: {why}");
        }
    }
}
