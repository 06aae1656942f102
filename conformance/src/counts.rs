//! What is counted while cases run, beside the cases: kills, cuts, operations and the like.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// Something that a run of the suite counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Count {
    /// Processes that were killed in the middle of their work.
    Kills,
    /// Processes that were stopped in the middle of their work.
    Stops,
    /// Losses of power: clones of a disk that others go on writing to.
    Cuts,
    /// States of a disk after a loss of power that were put together from recorded writes.
    DiskStates,
    /// Places in the work of a store where a system call can fail.
    FaultPoints,
    /// System calls that failed, or were the last, one in each run.
    Faults,
    /// Files that were spoilt.
    Mutations,
    /// Files that were spoilt without anybody noticing: their engine does not verify what it reads.
    Unnoticed,
    /// Operations whose order a checker found.
    Operations,
}

impl Count {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 9] = [
        Self::Kills,
        Self::Stops,
        Self::Cuts,
        Self::DiskStates,
        Self::FaultPoints,
        Self::Faults,
        Self::Mutations,
        Self::Unnoticed,
        Self::Operations,
    ];

    /// Returns what is counted, in the plural.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kills => "kills",
            Self::Stops => "stops",
            Self::Cuts => "power cuts",
            Self::DiskStates => "disk states",
            Self::FaultPoints => "points of failure",
            Self::Faults => "faults",
            Self::Mutations => "mutations",
            Self::Unnoticed => "mutations unnoticed",
            Self::Operations => "operations checked",
        }
    }
}

/// Numbers that grow while a run goes on.
#[derive(Debug, Default)]
pub(crate) struct Counts([AtomicU64; Count::ALL.len()]);

impl Counts {
    fn add(&self, what: Count, more: u64) {
        if let Some(number) = self.0.get(what as usize) {
            number.fetch_add(more, Ordering::Relaxed);
        }
    }

    /// Returns what was counted at all, by what it is.
    pub(crate) fn counted(&self) -> BTreeMap<Count, u64> {
        let numbers = Count::ALL.into_iter().zip(&self.0);
        let numbers = numbers.map(|(what, number)| (what, number.load(Ordering::Relaxed)));
        numbers.filter(|(_, number)| *number > 0).collect()
    }
}

/// Where one case counts: for itself, and for the run that it is a part of.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    case: Arc<Counts>,
    run: Arc<Counts>,
}

impl Ledger {
    /// Opens the ledger of a case of a run.
    pub(crate) fn of_case(run: Arc<Counts>) -> Self {
        Self { case: Arc::default(), run }
    }

    /// Counts something.
    pub(crate) fn count(&self, what: Count, more: u64) {
        self.case.add(what, more);
        self.run.add(what, more);
    }

    /// Returns what the case counted.
    pub(crate) fn counted(&self) -> BTreeMap<Count, u64> {
        self.case.counted()
    }
}
