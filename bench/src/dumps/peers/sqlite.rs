//! Bare rusqlite.

use std::fs::File;
use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::super::contents::{Record, Spread};
use crate::Result;
use crate::load::Load;
use crate::side::{SQLITE_TABLES, now};

const PUT: &str = "INSERT INTO entries (namespace, key, value, revision, at) VALUES (?1, ?2, ?3, 1, ?4)";
const LOG: &str = "INSERT INTO logs (namespace, name) VALUES (?1, 'events')";
const APPEND: &str = "INSERT INTO log_entries (log, seq, at, entry) VALUES (?1, ?2, ?3, ?4)";

/// Copies the store's own database, and returns how large the copy is.
pub(super) fn export(above: &Path) -> Result<u64> {
    let connection = connect(&above.join("store.db"))?;
    connection.execute("VACUUM INTO 'copy.db'", ())?;
    let copy = File::open("copy.db")?;
    copy.sync_all()?;
    Ok(copy.metadata()?.len())
}

/// Inserts all entries in one transaction, and returns how large the database is.
pub(super) fn import(spread: Spread) -> Result<u64> {
    let path = Path::new("bare.db");
    let mut connection = connect(path)?;
    connection.execute_batch(SQLITE_TABLES)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut load = Load::<String>::new(spread.each(), 1, Ok::<_, rusqlite::Error>)?;
    let mut log = 0;
    spread.visit(&mut load, &mut |record| {
        match record {
            Record::Key { namespace, key, value } => {
                transaction.prepare_cached(PUT)?.execute((namespace, key, value, now()))?;
            }
            Record::Entry { namespace, seq, value } => {
                if seq == 1 {
                    transaction.execute(LOG, (namespace,))?;
                    log = transaction.last_insert_rowid();
                }
                let seq = i64::try_from(seq)?;
                transaction.prepare_cached(APPEND)?.execute((log, seq, now(), value))?;
            }
        }
        Ok(())
    })?;
    transaction.commit()?;
    connection.close().map_err(|(_, error)| error)?;
    Ok(path.metadata()?.len())
}

fn connect(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // In KiB, as the store has it.
    connection.pragma_update(None, "cache_size", -8192)?;
    Ok(connection)
}
