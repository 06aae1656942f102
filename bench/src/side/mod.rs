//! The subjects: each opens a database of its own in the current folder and does the same work.

mod hand;
mod peer;
mod redb;
mod sqlite;
mod store;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use self::hand::HandWritten;
use self::peer::PeerSide;
use self::redb::BareRedb;
pub(crate) use self::redb::CACHE as REDB_CACHE;
use self::sqlite::BareSqlite;
pub(crate) use self::sqlite::TABLES as SQLITE_TABLES;
use self::store::StoreSide;
use crate::Result;
use crate::meter::Tally;
use crate::plan::{Case, Engine, Subject};

/// Why an operation did not succeed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It did not end within its 5 s, because somebody, or the disk, was in the way; it is counted and the
    /// work goes on. Bare redb and the lock of a file written by hand wait without limit.
    TimedOut,
    /// Anything else ends the run.
    Broken(Box<dyn std::error::Error + Send + Sync>),
}

/// How many of the newest entries of a log are read.
const TAIL: u8 = 10;

/// How an operation ended.
type Performed = std::result::Result<(), Failure>;

/// A subject of a case, opened in this process.
pub(crate) trait Side {
    /// Writes all keys, or the log, and leaves a database that participants find ready.
    fn prepare(&mut self) -> Result<()>;

    /// Does the operation once, so that connections, statements and caches are there.
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
    Ok(match (subject, case.engine) {
        (Subject::Store, _) => Box::new(StoreSide::open(case, seed)?),
        (Subject::Bare, Engine::Sqlite) => {
            Box::new(PeerSide::new(BareSqlite::open(case.safety, false)?, case, seed)?)
        }
        (Subject::BareRevision, _) => {
            Box::new(PeerSide::new(BareSqlite::open(case.safety, true)?, case, seed)?)
        }
        (Subject::Bare, Engine::Redb) => Box::new(PeerSide::new(BareRedb::open(true)?, case, seed)?),
        (Subject::Exclusive, _) => Box::new(PeerSide::new(BareRedb::open(false)?, case, seed)?),
        (Subject::Bare, Engine::Json) => Box::new(PeerSide::new(HandWritten::open(true)?, case, seed)?),
        (Subject::Unsynced, _) => Box::new(PeerSide::new(HandWritten::open(false)?, case, seed)?),
    })
}

/// Returns the time as milliseconds since 1970.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
