//! What can be wrong with a file of the store, and what it means: the one table.

use std::io;
use std::path::Path;

use store_core::shared::access::explain_denial;
use store_core::shared::files::folder_of;
use store_core::{Error, ErrorKind};

/// What can go wrong below the contract.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    /// It does not hold what this program wrote.
    #[error("line {line}: {what}")]
    Changed { line: usize, what: String },
    /// It has lost its contents.
    #[error("it has zero bytes, which this program never leaves")]
    Empty,
    /// It is of a newer program.
    #[error("it has format {found}; this program knows {known}")]
    Newer { found: u64, known: u64 },
    /// It is somebody else's.
    #[error("it is not what this program writes")]
    Foreign,
    /// A link, a folder or a pipe stands in its place.
    #[error("it is not a plain file")]
    NoFile,
    /// Something else stands in the place of a folder.
    #[error("it is not a folder, as one of logs must be")]
    NoFolder,
    /// It says that the store has moved.
    #[error("the store has been migrated to {to}")]
    Moved { to: String },
    /// It was there, and is not any more.
    #[error("it was removed, moved or renamed")]
    Gone,
    /// The system refused.
    #[error(transparent)]
    Io(io::Error),
}

impl From<io::Error> for FileError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // What `open_plain` says.
            io::ErrorKind::InvalidInput => Self::NoFile,
            _ => Self::Io(error),
        }
    }
}

impl FileError {
    /// Says that a line is not what this program wrote there.
    pub(crate) fn changed(line: usize, what: impl Into<String>) -> Self {
        Self::Changed { line, what: what.into() }
    }

    /// Makes the contract's error of it.
    pub(crate) fn at(self, path: &Path) -> Error {
        let (kind, advice) = match self {
            Self::Io(error) => return explain_denial("cannot read or write", path, error),
            Self::Moved { to } => return Error::moved(&to).with_path(folder_of(path)),
            Self::Changed { .. } => (
                ErrorKind::Corrupted,
                "; it was changed by hand or damaged: `statestore adopt` takes a change over, `statestore edit` is how to \
                 change it; else restore a backup",
            ),
            Self::Newer { .. } => (ErrorKind::IncompatibleFormat, "; use the newer program"),
            Self::Empty => (ErrorKind::Corrupted, "; restore a backup"),
            Self::NoFile => (ErrorKind::Corrupted, "; put the file back"),
            Self::NoFolder => {
                (ErrorKind::Corrupted, "; put the folder back, or move away what is not the store's")
            }
            Self::Foreign => {
                (ErrorKind::IncompatibleFormat, "; name another folder, or put the store's own file back")
            }
            Self::Gone => {
                (ErrorKind::Corrupted, "; put it back, or open the store again to go on without what it held")
            }
        };
        Error::new(kind, format!("{self}{advice}")).with_path(path)
    }
}
