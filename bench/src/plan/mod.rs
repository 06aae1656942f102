//! What is measured, on whom, by how many.

mod cases;
mod names;
mod subjects;

use serde::{Deserialize, Serialize};

pub(crate) use self::cases::cases;

/// What a participant does again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Operation {
    /// Reads a key that is drawn.
    Get,
    /// Writes a key that is drawn.
    Put,
    /// Appends to the one log.
    Append,
    /// Writes an object anew, all its keys.
    Replace,
    /// Reads an object, all its keys.
    Object,
    /// Reads the last 10 entries of the one log.
    Tail,
}

/// What an acknowledged write survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Safety {
    /// Kills; only SQLite is cheaper with it.
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

/// What lies under the store, and which peers it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Engine {
    /// SQLite in WAL mode.
    Sqlite,
    /// redb.
    Redb,
    /// A folder of JSON files.
    Json,
}

/// Whom it is measured on; a new peer is a line here and in `subjects`, a file in `side` and a line in
/// `side::open`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Subject {
    /// The state store on the engine of the case.
    Store,
    /// The engine without the store: rusqlite, redb shared by processes, or the JSON file written by hand.
    Bare,
    /// Bare rusqlite that also keeps a revision a namespace.
    BareRevision,
    /// Bare redb that one process has for itself.
    Exclusive,
    /// The JSON file written by hand whose folder is not synced.
    Unsynced,
}

/// Which of the two parts of the run a case belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Part {
    /// How much is done, by how many at once.
    Throughput,
    /// What one process pays, in time and memory, for how much is stored.
    Size,
}

/// One group of rows: the same work for all subjects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Case {
    pub(crate) part: Part,
    pub(crate) engine: Engine,
    pub(crate) operation: Operation,
    /// For a read it is what the prepared data was written with, and makes no difference.
    pub(crate) safety: Safety,
    pub(crate) crowd: Crowd,
    /// How many keys, or entries of the log, there are before the work begins.
    pub(crate) size: usize,
}
