//! Opening a database of somebody else's without leaving a trace.

use std::ffi::OsString;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::Duration;

use percent_encoding::percent_encode;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, ffi};
use store_core::shared::os::{self, FileVersion};
use store_core::{Error, ErrorKind, Result};

use crate::connection::NOT_IN_A_URI;
use crate::error::SqliteError;

/// An open database, in a read transaction.
pub(super) struct Database {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
    /// What the files were when they were opened without locks.
    unlocked: Option<Files>,
}

/// How a database keeps its changes.
enum Mode {
    Rollback,
    Wal,
}

impl Database {
    /// Opens a database and begins to read.
    pub(super) fn open(path: &Path, timeout: Duration) -> Result<Self> {
        let path = path.canonicalize().map_err(|error| unreadable(path, error))?;
        if !path.is_file() {
            // Of a pipe nobody would see the end.
            return Err(unreadable(&path, std::io::ErrorKind::IsADirectory.into()));
        }
        os::may_read(&path).map_err(|error| unreadable(&path, error))?;
        let files = Files::of(&path);
        let (how, unlocked) = match Self::mode(&path)? {
            // Locks keep its writers out; nothing is made.
            Mode::Rollback => ("mode=ro", None),
            Mode::Wal => match (&files.wal, &files.shm) {
                // Without `readonly_shm` a missing `-shm` would be made, and one that nobody uses written. Whoever
                // closes the database last removes both: between this look and the open remains a moment.
                (Some(_), Some(_)) => ("mode=ro&readonly_shm=1", None),
                (Some(_), None) if files.wal_bytes > 0 => return Err(unmended(&path)),
                // Nobody has it open, for the companions of an open one are there; all is in the main file.
                _ => ("immutable=1", Some(files)),
            },
        };
        let database = Self { connection: connect(&path, how, timeout)?, path, unlocked };
        database.begin()?;
        Ok(database)
    }

    /// Tells the mode without making companions: what cannot have locks cannot be read in WAL mode.
    fn mode(path: &Path) -> Result<Mode> {
        let connection = connect(path, "mode=ro&nolock=1", Duration::ZERO)?;
        let version = connection.pragma_query_value(None, "schema_version", |row| row.get::<_, i64>(0));
        match version.map_err(|error| (error.sqlite_extended_error_code().unwrap_or(0), error)) {
            // Also with a journal, of a writer at work or of one that was killed: the locks tell which.
            Ok(_) | Err((ffi::SQLITE_READONLY_ROLLBACK, _)) => Ok(Mode::Rollback),
            Err((code, _)) if code & 0xff == ffi::SQLITE_CANTOPEN => Ok(Mode::Wal),
            Err((_, error)) => Err(said(path, error)),
        }
    }

    fn begin(&self) -> Result<()> {
        let hardened = || {
            for (option, on) in [
                (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
                (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
                (DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true),
            ] {
                self.connection.set_db_config(option, on)?;
            }
            self.connection.execute_batch("PRAGMA query_only = 1; PRAGMA cell_size_check = 1; BEGIN")?;
            // The transaction begins with the first read.
            self.connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))
        };
        hardened().map(drop).map_err(|error| self.said(error))
    }

    /// Ends reading; what was read without locks counts only if nobody came in between.
    pub(super) fn finish(self) -> Result<()> {
        match self.unlocked {
            Some(before) if Files::of(&self.path) != before => {
                let why = "somebody opened it while it was read, and what was read may be mixed; nothing was imported, \
                           try again";
                Err(Error::new(ErrorKind::Busy, why).with_path(&self.path))
            }
            _ => Ok(()),
        }
    }

    /// Makes the contract's error of what SQLite said.
    pub(super) fn said(&self, error: rusqlite::Error) -> Error {
        said(&self.path, error)
    }
}

fn connect(path: &Path, how: &str, timeout: Duration) -> Result<Connection> {
    let name = percent_encode(path.as_os_str().as_encoded_bytes(), NOT_IN_A_URI);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let open = || {
        let connection = Connection::open_with_flags(format!("file:{name}?{how}"), flags)?;
        connection.busy_timeout(timeout)?;
        Ok(connection)
    };
    open().map_err(|error| said(path, error))
}

fn said(path: &Path, error: rusqlite::Error) -> Error {
    let code = error.sqlite_extended_error_code().unwrap_or(0);
    let (kind, why) = match (code, code & 0xff) {
        (ffi::SQLITE_READONLY_ROLLBACK, _) => (
            ErrorKind::InvalidInput,
            "a writer was killed within a transaction; let its own program, or sqlite3, open and mend it once",
        ),
        (_, ffi::SQLITE_NOTADB) => (
            ErrorKind::InvalidInput,
            "it is no SQLite database, or an encrypted one; give the file of one, decrypted",
        ),
        (_, ffi::SQLITE_BUSY) => (
            ErrorKind::Busy,
            "a writer keeps readers out; try again when it is done, or with a longer --timeout",
        ),
        (_, ffi::SQLITE_CORRUPT) => (
            ErrorKind::Corrupted,
            "the database is damaged; import from a backup, or from what `sqlite3 FILE .recover` saves",
        ),
        _ => return SqliteError::from(error).at("cannot read the database", path),
    };
    Error::new(kind, why).with_path(path).with_source(error)
}

fn unreadable(path: &Path, error: std::io::Error) -> Error {
    use std::io::ErrorKind as K;
    match error.kind() {
        K::NotFound | K::IsADirectory | K::NotADirectory => {
            let why = "cannot read; give the file of a database that is there";
            Error::new(ErrorKind::InvalidInput, why).with_path(path).with_source(error)
        }
        _ => Error::from_io("cannot read", path, error),
    }
}

fn unmended(path: &Path) -> Error {
    let why = "its -wal holds changes, but its -shm is missing, as after a copy or a crash; let its own program, or sqlite3, \
               open it once";
    Error::new(ErrorKind::InvalidInput, why).with_path(path)
}

/// What can be seen of the files of a database without opening one.
#[derive(PartialEq)]
struct Files {
    main: Option<FileVersion>,
    wal: Option<FileVersion>,
    shm: Option<FileVersion>,
    wal_bytes: u64,
}

impl Files {
    fn of(path: &Path) -> Self {
        let seen = |suffix: &str| {
            let mut name = OsString::from(path);
            name.push(suffix);
            std::fs::symlink_metadata(name).ok()
        };
        let wal = seen("-wal");
        let wal_bytes = wal.as_ref().map_or(0, Metadata::len);
        let version = |file: Option<Metadata>| file.as_ref().map(os::version);
        Self { main: version(seen("")), wal: version(wal), shm: version(seen("-shm")), wal_bytes }
    }
}
