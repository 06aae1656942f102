//! The subjects: each opens a database of its own in the current folder and does the same work.

mod bare;
mod store;

use std::time::Duration;

use crate::Result;
use crate::meter::Tally;
use crate::plan::{Case, Subject};

pub(crate) use self::bare::BareSide;
pub(crate) use self::store::StoreSide;

/// Why an operation did not succeed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It did not end within the 5 s that every subject allows, because somebody, or the disk, was in the way;
    /// it is counted and the work goes on.
    TimedOut,
    /// Anything else ends the run.
    Broken(Box<dyn std::error::Error + Send + Sync>),
}

/// A subject of a case, opened in this process.
pub(crate) trait Side {
    /// Writes all keys once, and leaves a database that participants find ready.
    fn prepare(&mut self) -> Result<()>;

    /// Does the operation once, so that connections and statements are there.
    fn warm_up(&mut self) -> Result<()>;

    /// Repeats the operation for a time; a tally for each task or thread of this process.
    ///
    /// It calls `start` when everybody is ready, which returns when all processes are.
    fn work(&mut self, time: Duration, start: &mut dyn FnMut() -> Result<()>) -> Result<Vec<Tally>>;

    /// Closes it, in good order.
    fn close(self: Box<Self>) -> Result<()>;
}

/// Opens a subject in the current folder.
pub(crate) fn open(subject: Subject, case: Case, seed: u64) -> Result<Box<dyn Side>> {
    Ok(match subject {
        Subject::Store => Box::new(StoreSide::open(case, seed)?),
        Subject::Bare => Box::new(BareSide::open(case, seed, false)?),
        Subject::BareRevision => Box::new(BareSide::open(case, seed, true)?),
    })
}
