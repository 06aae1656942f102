//! What SQLite says, and what it means: the one table.

use std::path::{Path, PathBuf};

use rusqlite::ffi;
use store_core::shared::os;
use store_core::{Error, ErrorKind};

/// What can go wrong below the contract.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SqliteError {
    /// SQLite refused.
    #[error("SQLite: {source} (code {code})")]
    Engine {
        /// The extended result code; 0 if the wrapper refused.
        code: i32,
        source: rusqlite::Error,
    },
    /// A setting did not take.
    #[error("{name} was set to {wanted} but reads {found}")]
    Setting { name: &'static str, wanted: String, found: String },
    /// A row holds what this program never writes.
    #[error("the database holds {what}, which this program never writes")]
    Row { what: String },
}

impl From<rusqlite::Error> for SqliteError {
    fn from(source: rusqlite::Error) -> Self {
        use rusqlite::Error as E;
        match source {
            E::FromSqlConversionFailure(..) | E::IntegralValueOutOfRange(..) | E::InvalidColumnType(..) => {
                Self::Row { what: source.to_string() }
            }
            source => Self::Engine { code: source.sqlite_extended_error_code().unwrap_or(0), source },
        }
    }
}

impl SqliteError {
    /// Makes the contract's error of it.
    pub(crate) fn at(self, action: &str, path: &Path) -> Error {
        let (kind, advice) = self.meaning(path);
        Error::new(kind, format!("{action}{advice}")).with_path(path).with_source(self)
    }

    /// Returns the code of SQLite; 0 if it is not SQLite's.
    fn code(&self) -> i32 {
        match self {
            Self::Engine { code, .. } => *code,
            _ => 0,
        }
    }

    /// Whether the index of the log was found in pieces by one who may not mend it.
    pub(crate) fn says_index_is_in_pieces(&self) -> bool {
        self.code() == ffi::SQLITE_READONLY_RECOVERY
    }

    /// Whether a table is not there: that of a store which has moved, or of what is no store.
    pub(crate) fn misses_a_table(&self) -> bool {
        self.code() == ffi::SQLITE_ERROR && self.to_string().contains("no such table")
    }

    fn meaning(&self, path: &Path) -> (ErrorKind, &'static str) {
        let code = match self {
            Self::Engine { code, .. } => *code,
            Self::Setting { .. } => return (ErrorKind::Unsupported, "; this SQLite cannot be used"),
            Self::Row { .. } => return (ErrorKind::Corrupted, CORRUPTED),
        };
        // The primary code decides, unless an extended one says more.
        match (code, code & 0xff) {
            (ffi::SQLITE_IOERR_SHMSIZE, _) => (ErrorKind::StorageFull, FULL),
            (ffi::SQLITE_READONLY_DBMOVED, _) => {
                (ErrorKind::Corrupted, "; the database was moved or removed")
            }
            (ffi::SQLITE_READONLY_CANTINIT, _) => {
                (ErrorKind::PermissionDenied, "; its companions are missing, and this user may not make them")
            }
            (ffi::SQLITE_READONLY_RECOVERY, _) => (
                ErrorKind::PermissionDenied,
                "; a writer was killed within a commit, and this user may not mend the index of the log; let one who may \
                 write use the store once",
            ),
            (_, ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED | ffi::SQLITE_PROTOCOL) => (ErrorKind::Busy, ""),
            (_, ffi::SQLITE_CORRUPT) => (ErrorKind::Corrupted, CORRUPTED),
            (_, ffi::SQLITE_NOTADB) => (ErrorKind::IncompatibleFormat, "; it is not an SQLite database"),
            (_, ffi::SQLITE_FULL) => (ErrorKind::StorageFull, FULL),
            // It does not say why, and reads only where it cannot open to write. Where nobody is denied anything
            // the disk is to blame.
            (_, ffi::SQLITE_CANTOPEN | ffi::SQLITE_READONLY) if nothing_is_denied(path) => {
                (ErrorKind::Io, "; check the disk")
            }
            (_, ffi::SQLITE_PERM | ffi::SQLITE_AUTH | ffi::SQLITE_CANTOPEN) => (
                ErrorKind::PermissionDenied,
                "; check the rights of the database and of its -wal and -shm companions",
            ),
            (_, ffi::SQLITE_READONLY) => (ErrorKind::PermissionDenied, "; this user may only read it"),
            (_, ffi::SQLITE_TOOBIG) => (ErrorKind::TooLarge, ""),
            (_, ffi::SQLITE_IOERR | ffi::SQLITE_NOMEM) => (ErrorKind::Io, "; check the disk"),
            _ => (ErrorKind::Io, ""),
        }
    }
}

/// Whether SQLite refused to write to what it could open to read only.
pub(crate) fn is_readonly(error: &Error) -> bool {
    source(error).is_some_and(|source| source.code() & 0xff == ffi::SQLITE_READONLY)
}

/// Whether it is the one of [`SqliteError::says_index_is_in_pieces`].
pub(crate) fn is_index_in_pieces(error: &Error) -> bool {
    source(error).is_some_and(SqliteError::says_index_is_in_pieces)
}

fn source(error: &Error) -> Option<&SqliteError> {
    std::error::Error::source(error).and_then(|source| source.downcast_ref())
}

/// Whether the database and its companions are there and may be read and written.
fn nothing_is_denied(path: &Path) -> bool {
    let name = path.display().to_string();
    let database = name.strip_suffix("-wal").unwrap_or(&name);
    let beside = |suffix| PathBuf::from(format!("{database}{suffix}"));
    [beside(""), beside("-wal"), beside("-shm")].iter().all(|file| {
        // Who may write and not read is denied all the same.
        os::may_read(file).and_then(|()| os::may_write(file)).is_ok()
    })
}

const CORRUPTED: &str = "; stop its users, keep a copy of all its files, and restore a backup";
const FULL: &str = "; make room on the disk, then try again";

#[cfg(test)]
mod tests {
    use super::*;

    fn kind_of(code: i32) -> ErrorKind {
        let source = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
        SqliteError::from(source).at("cannot", Path::new("/s.db")).kind()
    }

    #[test]
    fn codes_and_their_kinds() {
        for (code, kind) in [
            (ffi::SQLITE_BUSY, ErrorKind::Busy),
            (ffi::SQLITE_BUSY_SNAPSHOT, ErrorKind::Busy),
            (ffi::SQLITE_PROTOCOL, ErrorKind::Busy),
            (ffi::SQLITE_CORRUPT_VTAB, ErrorKind::Corrupted),
            (ffi::SQLITE_NOTADB, ErrorKind::IncompatibleFormat),
            (ffi::SQLITE_FULL, ErrorKind::StorageFull),
            (ffi::SQLITE_IOERR_SHMSIZE, ErrorKind::StorageFull),
            (ffi::SQLITE_IOERR_FSYNC, ErrorKind::Io),
            (ffi::SQLITE_READONLY, ErrorKind::PermissionDenied),
            (ffi::SQLITE_CANTOPEN, ErrorKind::PermissionDenied),
        ] {
            assert_eq!(kind_of(code), kind, "{code}");
        }
    }
}
