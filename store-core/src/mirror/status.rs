//! What a mirror has to tell: how it stands, what it wrote, what it found.

use std::path::PathBuf;

use crate::error::{Error, ErrorKind};
use crate::numbers::{Revision, Timestamp};

/// How a mirror stands in this process, for people who operate it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct MirrorStatus {
    /// The folder.
    pub dir: PathBuf,
    /// How many files this handle has written or removed.
    pub written: u64,
    /// How many attempts failed.
    pub failures: u64,
    /// The last failure, also if all went well since.
    pub last_error: Option<MirrorFailure>,
    /// The namespaces that are still to be written.
    pub pending: Vec<String>,
    /// Whether it is still to be seen what other processes, or earlier ones, left to be written.
    pub catching_up: bool,
}

/// A failure of a mirror, which failed no write.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MirrorFailure {
    /// Its kind.
    pub kind: ErrorKind,
    /// What, where and why.
    pub message: String,
    /// The file or folder that it is about, if there is one.
    pub path: Option<PathBuf>,
    /// When it happened.
    pub at: Timestamp,
}

impl MirrorFailure {
    /// Keeps what an error says, with its sources.
    pub(super) fn of(error: &Error) -> Self {
        let mut message = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            message = format!("{message}: {cause}");
            source = cause.source();
        }
        let path = error.path().map(ToOwned::to_owned);
        Self { kind: error.kind(), message, path, at: Timestamp::now() }
    }
}

/// What became of a file in a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MirrorAction {
    /// It was written.
    Written,
    /// It was removed: what it showed is no more.
    Removed,
}

/// A file that was written, or removed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MirrorChange {
    /// The file.
    pub file: PathBuf,
    /// The namespace that it shows.
    pub namespace: String,
    /// The log that it shows; none if it shows the object.
    pub log: Option<String>,
    /// What was done.
    pub action: MirrorAction,
    /// The revision of the object that it shows now; of a log the number of its last entry.
    pub revision: u64,
}

/// What a pass did; what could not be read or written failed alone.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct MirrorPass {
    /// The files that were written or removed.
    pub changes: Vec<MirrorChange>,
    /// The namespaces of which something could not be mirrored, and why.
    pub failed: Vec<(String, Error)>,
}

/// How a file of a mirror stands against its store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MirrorState {
    /// It shows what the store holds.
    Fresh,
    /// It shows what the store held before, or is not written yet.
    Stale,
    /// It shows what was there once and is no more, or what the store never held.
    Superfluous,
    /// It was there and is gone.
    Missing,
    /// It was changed by somebody else, such as by hand.
    Drifted,
}

impl MirrorState {
    /// Returns the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Stale => "stale",
            Self::Superfluous => "superfluous",
            Self::Missing => "missing",
            Self::Drifted => "drifted",
        }
    }
}

/// What was found of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MirrorCheck {
    /// The file.
    pub file: PathBuf,
    /// The namespace that it shows.
    pub namespace: String,
    /// The log that it shows; none if it shows the object.
    pub log: Option<String>,
    /// How it stands.
    pub state: MirrorState,
    /// The revision of the object that it shows, of a log the number of its last entry; 0 if that is not known.
    pub revision: u64,
    /// By how many revisions, or entries, it is behind; none if that cannot be told, as over a restart of the
    /// machine, which begins a new series of revisions.
    pub behind: Option<u64>,
}

/// Returns by how many revisions one is behind another.
pub(super) fn distance(shown: Revision, current: Revision) -> Option<u64> {
    let same_series = shown == Revision::NEVER || shown.epoch() == current.epoch();
    let from =
        if shown == Revision::NEVER { Revision::NEVER.next(current.epoch()).get() - 1 } else { shown.get() };
    same_series.then(|| current.get().checked_sub(from)).flatten()
}
