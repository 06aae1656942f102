//! One connection, with every setting set and read back: one peer that differs endangers all.

use std::path::Path;
use std::time::{Duration, Instant};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use store_core::{Error, ErrorKind, Seams};

use crate::config::SqliteConfig;
use crate::error::SqliteError;
use crate::schema;

/// The first SQLite without the WAL-reset bug, which corrupts when one process writes while another
/// checkpoints; present since 3.7.0.
const SAFE_SINCE: i32 = 3_051_003;
const STATEMENTS: usize = 64;

/// Opens the database; SQLite falls back to reading only if the file may not be written.
pub(crate) fn open(path: &Path, config: &SqliteConfig, read_only: bool) -> Result<Connection, SqliteError> {
    let access = if read_only { OpenFlags::SQLITE_OPEN_READ_ONLY } else { OpenFlags::SQLITE_OPEN_READ_WRITE };
    // The path is absolute with links resolved, so that it is never taken for a URI and no link is followed.
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    wait_at_most(&connection, Duration::from_secs(5))?;
    for (name, option, on) in [
        ("defensive", DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        ("trusted_schema", DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        ("no checkpoint on close", DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true),
    ] {
        check(name, &on, &connection.set_db_config(option, on)?)?;
    }
    keep_wal(&connection)?;
    let cache = i64::try_from(config.cache / 1024).unwrap_or(i64::MAX);
    set(&connection, "cell_size_check", 1, 1)?;
    set(&connection, "mmap_size", 0, 0)?;
    set(&connection, "cache_size", -cache, -cache)?;
    set(&connection, "wal_autocheckpoint", 0, 0)?;
    // NORMAL reads back as 1.
    set(&connection, "synchronous", 1, 1)?;
    let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    check("journal_mode", "wal", mode.as_str())?;
    Ok(connection)
}

fn set(connection: &Connection, name: &'static str, value: i64, reads: i64) -> Result<(), SqliteError> {
    connection.pragma_update(None, name, value)?;
    let found: Option<i64> = match connection.pragma_query_value(None, name, |row| row.get(0)) {
        Ok(found) => Some(found),
        // Without memory mapping in the build there is nothing to read back.
        Err(rusqlite::Error::QueryReturnedNoRows) => None,
        Err(error) => return Err(error.into()),
    };
    check(name, &reads, &found.unwrap_or(reads))
}

fn check<T: PartialEq + ToString + ?Sized>(
    name: &'static str,
    wanted: &T,
    found: &T,
) -> Result<(), SqliteError> {
    if found == wanted {
        return Ok(());
    }
    Err(SqliteError::Setting { name, wanted: wanted.to_string(), found: found.to_string() })
}

/// The companions stay when the last connection closes: made anew by somebody else they would carry that
/// one's group.
fn keep_wal(connection: &Connection) -> Result<(), SqliteError> {
    use rusqlite::FileControl;
    let (mut on, mut found) = (1, -1);
    connection.file_control(Some("main"), FileControl::PersistWal(&mut on))?;
    connection.file_control(Some("main"), FileControl::PersistWal(&mut found))?;
    check("persistent WAL", &1, &found)
}

/// Bounds how long SQLite waits for a lock.
pub(crate) fn wait_at_most(connection: &Connection, time: Duration) -> Result<(), SqliteError> {
    Ok(connection.busy_timeout(time)?)
}

/// Bounds how long SQLite waits for a lock by a deadline.
pub(crate) fn wait_until(connection: &Connection, deadline: Instant) -> Result<(), SqliteError> {
    wait_at_most(connection, deadline.saturating_duration_since(Instant::now()))
}

/// Returns the version of the SQLite in this program, or what a drill pretends.
pub(crate) fn version(seams: &Seams) -> i32 {
    seams.engine_version.unwrap_or_else(rusqlite::version_number)
}

/// Whether a version has no known way to corrupt a database shared by processes.
pub(crate) fn is_safe(version: i32) -> bool {
    version >= SAFE_SINCE
}

pub(crate) const NOT_IN_A_URI: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_');

/// What the header of a database says of itself.
#[derive(Debug)]
pub(crate) struct Header {
    application_id: i32,
    version: i32,
}

impl Header {
    /// Reads the header without locks, without companions and without changing anything; both numbers are
    /// set at creation only, so the main file has them.
    pub(crate) fn read_alone(path: &Path) -> Result<Self, SqliteError> {
        let path = percent_encode(path.as_os_str().as_encoded_bytes(), NOT_IN_A_URI);
        let uri = format!("file:{path}?immutable=1");
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_URI
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        Self::read(&Connection::open_with_flags(uri, flags)?)
    }

    /// Reads the header through a connection, which also attaches the log and its index.
    pub(crate) fn read(connection: &Connection) -> Result<Self, SqliteError> {
        let number = |name| connection.pragma_query_value(None, name, |row| row.get(0));
        Ok(Self { application_id: number("application_id")?, version: number("user_version")? })
    }

    /// Refuses what is not a store, or one of a newer program.
    pub(crate) fn check(&self, path: &Path) -> store_core::Result<()> {
        let why = if self.application_id != schema::APPLICATION_ID {
            "is an SQLite database, but not a store of this program; choose another path".to_owned()
        } else if self.version > schema::VERSION {
            let (found, known) = (self.version, schema::VERSION);
            format!("has format {found}, this program handles up to {known}; update this program")
        } else {
            return Ok(());
        };
        Err(Error::new(ErrorKind::IncompatibleFormat, why).with_path(path))
    }
}
