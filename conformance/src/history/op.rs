//! What a history is made of: operations, each with its call, its outcome and its time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One call of one client, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Who called: a client that makes one call after the other, such as a thread of a process.
    pub process: u32,
    /// When it was called, in nanoseconds of the machine's monotonic clock; not later than it was.
    pub called: u64,
    /// When it had returned, by the same clock; not earlier than it did. None if it never did.
    pub returned: Option<u64>,
    /// What was asked.
    pub call: Call,
    /// What became of it.
    pub outcome: Outcome,
}

/// What was asked of the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Call {
    /// The entry under a key.
    Get {
        /// The namespace.
        namespace: String,
        /// The key.
        key: String,
    },
    /// All entries of a namespace, and its revision.
    Object {
        /// The namespace.
        namespace: String,
    },
    /// A page of a log.
    ReadLog {
        /// The namespace.
        namespace: String,
        /// The log.
        log: String,
        /// Where it starts.
        start: Start,
        /// How many entries at most, the first of the page.
        limit: Option<u64>,
    },
    /// The logs of a namespace with their extents.
    Logs {
        /// The namespace.
        namespace: String,
    },
    /// One write, by the call that is made for it.
    Write(Write),
    /// A batch: writes under checks.
    Commit {
        /// What must hold before it.
        checks: Vec<Check>,
        /// What it writes, in order.
        writes: Vec<Write>,
    },
}

/// Where a page of a log starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Start {
    /// At a number, or at the first entry that is kept if that is later.
    From(u64),
    /// So many entries before the end.
    Tail(u64),
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Write {
    /// Puts a value under a key.
    Put {
        /// The namespace.
        namespace: String,
        /// The key.
        key: String,
        /// The value, as JSON text.
        value: String,
    },
    /// Deletes a key.
    Delete {
        /// The namespace.
        namespace: String,
        /// The key.
        key: String,
    },
    /// Deletes all keys and inserts these.
    ReplaceObject {
        /// The namespace.
        namespace: String,
        /// The values by key, as JSON text.
        object: BTreeMap<String, String>,
    },
    /// Appends an entry to a log.
    Append {
        /// The namespace.
        namespace: String,
        /// The log.
        log: String,
        /// The entry, as JSON text.
        entry: String,
    },
    /// Drops the entries of a log before a number.
    TrimLog {
        /// The namespace.
        namespace: String,
        /// The log.
        log: String,
        /// The first number that stays.
        before: u64,
    },
    /// Deletes all keys and logs of a namespace.
    DeleteNamespace {
        /// The namespace.
        namespace: String,
    },
}

impl Write {
    /// Returns the namespace that it changes.
    pub fn namespace(&self) -> &str {
        match self {
            Self::Put { namespace, .. }
            | Self::Delete { namespace, .. }
            | Self::ReplaceObject { namespace, .. }
            | Self::Append { namespace, .. }
            | Self::TrimLog { namespace, .. }
            | Self::DeleteNamespace { namespace } => namespace,
        }
    }
}

/// One condition on the state before a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Check {
    /// A key is at a revision, or absent.
    Key {
        /// The namespace.
        namespace: String,
        /// The key.
        key: String,
        /// The revision; none for absent.
        revision: Option<u64>,
    },
    /// An object is at a revision; 0 for one never written.
    Object {
        /// The namespace.
        namespace: String,
        /// The revision.
        revision: u64,
    },
    /// A log ends with a number; 0 for one without entries.
    Log {
        /// The namespace.
        namespace: String,
        /// The log.
        log: String,
        /// The number.
        last: u64,
    },
}

impl Check {
    /// Returns the namespace that it looks at.
    pub fn namespace(&self) -> &str {
        match self {
            Self::Key { namespace, .. } | Self::Object { namespace, .. } | Self::Log { namespace, .. } => {
                namespace
            }
        }
    }
}

/// An entry as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The value, as JSON text.
    pub value: String,
    /// The revision that wrote it.
    pub revision: u64,
}

/// What became of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// The entry that was got, or none.
    Got(Option<Entry>),
    /// The object that was read.
    Object {
        /// Its revision.
        revision: u64,
        /// Its entries by key.
        entries: BTreeMap<String, Entry>,
    },
    /// The entries of a page with their numbers, the values as JSON text.
    Page(Vec<(u64, String)>),
    /// The logs by name, each with its first and its last number.
    Logs(BTreeMap<String, (u64, u64)>),
    /// The write was acknowledged.
    Done(Receipt),
    /// A check did not hold; it says what was found in its place.
    Conflict(Check),
    /// It failed and surely did not happen; why.
    Refused(String),
    /// It may have happened, or happen at any time after the call, or never: its answer was lost, or it was
    /// in doubt.
    Unknown(String),
}

/// What an acknowledged write was given.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Receipt {
    /// The revision of each object that it changed, and of no other; none if the call does not tell.
    pub revisions: Option<BTreeMap<String, u64>>,
    /// What each write did, in order.
    pub outcomes: Vec<Did>,
}

/// What one write did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Did {
    /// The object was changed by this revision.
    Written(u64),
    /// Whether there was something to delete.
    Deleted(bool),
    /// The entry got this number.
    Appended(u64),
    /// The entries before the number are gone.
    Trimmed,
}
