//! The child process: it makes a store, or says that it is ready, waits for the word, does its errand and reports.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::plan::{Case, Subject};
use super::{carry, peers, writers};
use crate::Result;
use crate::memory::Memory;
use crate::worker::{Report, tell, wait_for_the_word};

/// What a child is told.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Errand {
    pub(crate) case: Case,
    pub(crate) subject: Subject,
    pub(crate) task: Task,
    pub(crate) seed: u64,
}

/// What it does. What was prepared lies in the folder above its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Task {
    /// Makes what the case needs, in the current folder.
    Prepare,
    /// Exports or imports, once.
    Carry,
    /// Writes for a time.
    Write(Duration),
    /// Takes backups for a time.
    BackUp(Duration),
}

/// What came of one export or import.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Carried {
    pub(crate) time: Duration,
    /// What was written to a file or read from one: of the store the size of the dump without compression.
    pub(crate) bytes: u64,
    pub(crate) records: u64,
    /// None where the system does not tell.
    pub(crate) memory: Option<Memory>,
}

/// Does what it is told, in the current folder.
pub(crate) fn run(errand: &str) -> Result<()> {
    let errand: Errand = serde_json::from_str(errand)?;
    match errand.task {
        Task::Prepare => {
            carry::prepare(errand.case)?;
            peers::prepare(errand.case)
        }
        Task::Carry => {
            let memory = Memory::before();
            wait_for_the_word()?;
            let carried = match errand.subject {
                Subject::Bare => peers::carry(errand.case)?,
                subject => carry::carry(errand.case, subject)?,
            };
            tell(&Carried { memory: memory.and_then(Memory::after), ..carried })
        }
        Task::Write(time) => report(&errand, time, writers::write),
        Task::BackUp(time) => report(&errand, time, writers::back_up),
    }
}

/// How long work takes that reports a tally.
type Timed = fn(&Errand, Duration) -> Result<crate::meter::Tally>;

fn report(errand: &Errand, time: Duration, work: Timed) -> Result<()> {
    let memory = Memory::before();
    let tally = work(errand, time)?;
    tell(&Report { tallies: vec![tally], memory: memory.and_then(Memory::after) })
}
