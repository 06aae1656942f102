//! What redb says, and what it means: the one table.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use store_core::{Error, ErrorKind, Result};

use crate::schema::VERSION;

/// What can go wrong below the contract.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RedbError {
    /// redb refused.
    #[error("redb: {0}")]
    Engine(redb::Error),
    /// redb ended in a panic, as it does on some contents that it never writes.
    #[error("redb gave up: {what}")]
    Panicked { what: String },
    /// The table is of a newer program.
    #[error("the database has format {found}, this program handles up to {VERSION}")]
    Newer { found: u32 },
    /// The store has moved.
    #[error("the store has been migrated to {to}")]
    Moved { to: String },
    /// The database holds what this program never writes.
    #[error("the database holds {what}, which this program never writes")]
    Row { what: String },
}

macro_rules! from_engine {
    ($($source:ident),*) => {
        $(impl From<redb::$source> for RedbError {
            fn from(source: redb::$source) -> Self {
                Self::Engine(source.into())
            }
        })*
    };
}

from_engine!(StorageError, TableError, TransactionError, CommitError, DatabaseError);

impl From<io::Error> for RedbError {
    fn from(source: io::Error) -> Self {
        Self::Engine(redb::Error::Io(source))
    }
}

impl RedbError {
    /// Makes the contract's error of it.
    pub(crate) fn at(self, action: &str, path: &Path) -> Error {
        if let Self::Moved { to } = &self {
            return Error::moved(to).with_path(path);
        }
        let (kind, advice) = self.meaning();
        Error::new(kind, format!("{action}{advice}")).with_path(path).with_source(self)
    }

    /// Whether somebody held a lock: nothing was done.
    pub(crate) fn is_busy(&self) -> bool {
        self.meaning().0 == ErrorKind::Busy
    }

    fn meaning(&self) -> (ErrorKind, &'static str) {
        use redb::Error as E;
        let engine = match self {
            Self::Engine(engine) => engine,
            Self::Panicked { .. } | Self::Row { .. } => return (ErrorKind::Corrupted, CORRUPTED),
            Self::Newer { .. } => return (ErrorKind::IncompatibleFormat, NEWER),
            Self::Moved { .. } => return (ErrorKind::Moved, ""),
        };
        match engine {
            E::Io(error) => meaning_of_io(error.kind()),
            E::Corrupted(_) => (ErrorKind::Corrupted, CORRUPTED),
            E::DatabaseAlreadyOpen => {
                (ErrorKind::Busy, "; a program that shares it with nobody has the database open")
            }
            E::ValueTooLarge(_) => (ErrorKind::TooLarge, ""),
            E::Unsupported => (
                ErrorKind::ConfigInvalid,
                "; this filesystem cannot lock ranges of a file, choose a folder on a local disk",
            ),
            E::UpgradeRequired(_) => {
                (ErrorKind::IncompatibleFormat, "; it is of an older redb, which has to convert it")
            }
            E::RepairAborted => (ErrorKind::Io, "; it could not be mended, check the disk"),
            E::TableTypeMismatch { .. }
            | E::TableIsMultimap(_)
            | E::TableIsNotMultimap(_)
            | E::TypeDefinitionChanged { .. }
            | E::TableDoesNotExist(_) => (ErrorKind::IncompatibleFormat, NOT_OURS),
            _ => (ErrorKind::Io, "; try again"),
        }
    }
}

fn meaning_of_io(kind: io::ErrorKind) -> (ErrorKind, &'static str) {
    use io::ErrorKind as K;
    match kind {
        K::WouldBlock => (ErrorKind::Busy, ""),
        K::UnexpectedEof => (ErrorKind::Corrupted, CUT),
        K::InvalidData => (ErrorKind::IncompatibleFormat, NOT_OURS),
        K::StorageFull | K::QuotaExceeded | K::FileTooLarge => (ErrorKind::StorageFull, FULL),
        K::PermissionDenied => (ErrorKind::PermissionDenied, "; this user may only read it"),
        K::ReadOnlyFilesystem => (ErrorKind::ReadOnly, "; nothing can be written here"),
        _ => (ErrorKind::Io, "; check the disk"),
    }
}

const CORRUPTED: &str = "; stop its users, keep a copy of all its files, and restore a backup";
const CUT: &str = ", which is cut short; stop its users, keep a copy of all its files, and restore a backup";
const FULL: &str = "; make room on the disk, then try again";
const NEWER: &str = ", whose format is of a newer program; update this program";
const NOT_OURS: &str = "; it is not a store of this program";

/// Runs work of redb's, which panics on some contents that it never writes.
pub(crate) fn shielded<T>(action: &str, path: &Path, work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(RedbError::Panicked { what: words_of(panic.as_ref()) }.at(action, path)))
}

fn words_of(panic: &(dyn Any + Send)) -> String {
    let words = panic.downcast_ref::<&str>().map(|words| (*words).to_owned());
    words.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a word".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind_of(error: impl Into<RedbError>) -> ErrorKind {
        error.into().at("cannot", Path::new("/s.redb")).kind()
    }

    #[test]
    fn errors_and_their_kinds() {
        use redb::{DatabaseError, StorageError, TableError};
        for (kind, expected) in [
            (io::ErrorKind::WouldBlock, ErrorKind::Busy),
            (io::ErrorKind::UnexpectedEof, ErrorKind::Corrupted),
            (io::ErrorKind::StorageFull, ErrorKind::StorageFull),
            (io::ErrorKind::QuotaExceeded, ErrorKind::StorageFull),
            (io::ErrorKind::PermissionDenied, ErrorKind::PermissionDenied),
            (io::ErrorKind::Other, ErrorKind::Io),
        ] {
            assert_eq!(kind_of(StorageError::Io(kind.into())), expected, "{kind:?}");
        }
        assert_eq!(kind_of(StorageError::Corrupted(String::new())), ErrorKind::Corrupted);
        assert_eq!(kind_of(StorageError::PreviousIo), ErrorKind::Io);
        assert_eq!(kind_of(DatabaseError::DatabaseAlreadyOpen), ErrorKind::Busy);
        assert_eq!(kind_of(DatabaseError::UpgradeRequired(2)), ErrorKind::IncompatibleFormat);
        assert_eq!(kind_of(TableError::TableDoesNotExist("t".into())), ErrorKind::IncompatibleFormat);
    }

    #[test]
    fn a_panic_is_an_error() {
        let panicking = || -> Result<()> { panic!("odd page {}", 7) };
        let error = shielded("cannot read", Path::new("/s.redb"), panicking).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupted);
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains("odd page 7"), "{source}");
    }
}
