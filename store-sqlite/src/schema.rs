//! The tables, and the bytes of a new database, which comes into sight complete.

use rusqlite::Connection;

use crate::error::SqliteError;

/// "STAT": marks the database as a store of ours.
pub(crate) const APPLICATION_ID: i32 = 0x5354_4154;
/// The version of the tables; a larger one is of a newer program.
pub(crate) const VERSION: i32 = 1;

/// Values are text that `sqlite3` and its JSON functions read. Tables with large rows have row numbers: a
/// value of 10 KB is read and written three times as fast as without. `guard` bears no meaning: it is
/// changed to overwrite a commit that failed.
const TABLES: &str = "
    CREATE TABLE namespaces (
        name TEXT NOT NULL PRIMARY KEY,
        revision INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE entries (
        namespace TEXT NOT NULL,
        key TEXT NOT NULL,
        value TEXT NOT NULL,
        revision INTEGER NOT NULL,
        at INTEGER NOT NULL,
        UNIQUE (namespace, key)
    ) STRICT;
    CREATE TABLE logs (
        id INTEGER PRIMARY KEY,
        namespace TEXT NOT NULL,
        name TEXT NOT NULL,
        first INTEGER NOT NULL,
        last INTEGER NOT NULL,
        UNIQUE (namespace, name)
    ) STRICT;
    CREATE TABLE log_entries (
        log INTEGER NOT NULL REFERENCES logs (id),
        seq INTEGER NOT NULL,
        at INTEGER NOT NULL,
        entry TEXT NOT NULL,
        UNIQUE (log, seq)
    ) STRICT;
    CREATE TABLE store (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        epoch INTEGER NOT NULL,
        boot TEXT NOT NULL,
        guard INTEGER NOT NULL
    ) STRICT;
    INSERT INTO store VALUES (1, 0, '', 0);
";

/// Takes the tables out of the way of all who have the store open, and makes the one that says where it moved: whoever
/// misses a table looks there, so that nobody has to look before.
pub(crate) const BURY: &str = "
    ALTER TABLE namespaces RENAME TO moved_namespaces;
    ALTER TABLE entries RENAME TO moved_entries;
    ALTER TABLE logs RENAME TO moved_logs;
    ALTER TABLE log_entries RENAME TO moved_log_entries;
    ALTER TABLE store RENAME TO moved_store;
    CREATE TABLE moved (target TEXT NOT NULL) STRICT;
";

/// Returns where the store has moved; none if it has not, or if that cannot be told.
pub(crate) fn moved_to(connection: &Connection) -> Option<String> {
    connection.query_row("SELECT target FROM moved", (), |row| row.get(0)).ok()
}

/// Returns the bytes of an empty store, in WAL mode.
pub(crate) fn fresh_database() -> Result<Vec<u8>, SqliteError> {
    let mut memory = Connection::open_in_memory()?;
    memory.execute_batch(TABLES)?;
    memory.pragma_update(None, "application_id", APPLICATION_ID)?;
    memory.pragma_update(None, "user_version", VERSION)?;
    let mut bytes = memory.serialize("main")?.to_vec();
    // A database in memory cannot be in WAL mode; bytes 18 and 19 of the header, the versions needed to
    // write and to read it, say so (https://www.sqlite.org/fileformat2.html).
    for version in bytes.iter_mut().skip(18).take(2) {
        *version = 2;
    }
    Ok(bytes)
}
