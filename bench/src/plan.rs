//! What is measured, on whom, by how many.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::args::Args;

/// What a participant does again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Operation {
    /// Reads one of the 1,000 keys.
    Get,
    /// Writes one of the 1,000 keys.
    Put,
    /// Appends to the one log.
    Append,
}

/// What an acknowledged write survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Safety {
    /// Kills.
    Process,
    /// The loss of power.
    Power,
}

/// Who works at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Crowd {
    /// So many processes of one thread each.
    Processes(usize),
    /// So many tasks, or threads, of one process.
    Tasks(usize),
}

/// Whom it is measured on; a new engine is a line here, a file in `side` and a line in `side::open`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Subject {
    /// The state store on SQLite.
    Store,
    /// Bare rusqlite.
    Bare,
    /// Bare rusqlite that also keeps a revision a namespace.
    BareRevision,
}

/// One group of rows of the table: the same work for all subjects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Case {
    pub(crate) operation: Operation,
    /// For a read it is what the prepared data was written with, and makes no difference.
    pub(crate) safety: Safety,
    pub(crate) crowd: Crowd,
}

impl Case {
    /// Returns the subjects in the order in which they take turns.
    pub(crate) fn subjects(self) -> &'static [Subject] {
        match self.operation {
            Operation::Put => &[Subject::Store, Subject::Bare, Subject::BareRevision],
            Operation::Get | Operation::Append => &[Subject::Store, Subject::Bare],
        }
    }
}

/// Returns the cases that the options ask for.
pub(crate) fn cases(args: &Args) -> Vec<Case> {
    let crowds = || args.processes.iter().map(|&n| Crowd::Processes(n));
    let mut cases = Vec::new();
    for (operation, safeties) in [
        (Operation::Get, &[Safety::Process][..]),
        (Operation::Put, &[Safety::Process, Safety::Power]),
        (Operation::Append, &[Safety::Process, Safety::Power]),
    ] {
        for &safety in safeties {
            cases.extend(crowds().map(|crowd| Case { operation, safety, crowd }));
        }
    }
    let crowd = Crowd::Tasks(args.tasks);
    cases.push(Case { operation: Operation::Put, safety: Safety::Power, crowd });
    cases.retain(|case| {
        let name = case.to_string();
        let parts = || name.split([' ', '×']);
        args.filter.split_whitespace().all(|word| parts().any(|part| part == word))
    });
    cases
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.operation, self.safety) {
            (Operation::Get, _) => f.write_str("get"),
            (Operation::Put, Safety::Process) => f.write_str("put process"),
            (Operation::Put, Safety::Power) => f.write_str("put power"),
            (Operation::Append, Safety::Process) => f.write_str("append process"),
            (Operation::Append, Safety::Power) => f.write_str("append power"),
        }?;
        match self.crowd {
            Crowd::Processes(n) => write!(f, " ×{n}"),
            Crowd::Tasks(n) => write!(f, " {n} tasks"),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Store => "store",
            Self::Bare => "bare",
            Self::BareRevision => "bare+revision",
        })
    }
}
