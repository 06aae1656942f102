//! Bare rusqlite, as a careful programmer writes it, and nothing that the store promises beyond.

use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, TransactionBehavior};

use super::peer::Peer;
use super::{Failure, Performed, TAIL, now};
use crate::Result;
use crate::load::{LOG, Load, NAMESPACE};
use crate::plan::{Operation, Safety};

/// The tables of the store, but for those that a bare program has no use for.
pub(crate) const TABLES: &str = "
    CREATE TABLE namespaces (name TEXT NOT NULL PRIMARY KEY, revision INTEGER NOT NULL)
        STRICT, WITHOUT ROWID;
    CREATE TABLE entries (
        namespace TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
        revision INTEGER NOT NULL, at INTEGER NOT NULL, UNIQUE (namespace, key)
    ) STRICT;
    CREATE TABLE logs (id INTEGER PRIMARY KEY, namespace TEXT NOT NULL, name TEXT NOT NULL,
        UNIQUE (namespace, name)) STRICT;
    CREATE TABLE log_entries (
        log INTEGER NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL, entry TEXT NOT NULL,
        UNIQUE (log, seq)
    ) STRICT;";

const GET: &str = "SELECT value, revision, at FROM entries WHERE namespace = ?1 AND key = ?2";
const OBJECT: &str = "SELECT key, value, revision, at FROM entries WHERE namespace = ?1 ORDER BY key";
const CLEAR: &str = "DELETE FROM entries WHERE namespace = ?1";
const UPSERT: &str = "INSERT INTO entries (namespace, key, value, revision, at) VALUES (?1, ?2, ?3, 1, ?4)
    ON CONFLICT (namespace, key) DO UPDATE
    SET value = excluded.value, revision = revision + 1, at = excluded.at";
const UPSERT_REVISION: &str = "INSERT INTO entries (namespace, key, value, revision, at)
    VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (namespace, key) DO UPDATE
    SET value = excluded.value, revision = excluded.revision, at = excluded.at";
/// Read and written back by two statements: one with RETURNING takes three times as long as both, for it
/// makes a temporary table each time.
const REVISION: &str = "SELECT revision FROM namespaces WHERE name = ?1";
const SET_REVISION: &str = "INSERT INTO namespaces (name, revision) VALUES (?1, ?2)
    ON CONFLICT (name) DO UPDATE SET revision = excluded.revision";
const LAST: &str = "SELECT coalesce(max(seq), 0) FROM log_entries
    WHERE log = (SELECT id FROM logs WHERE namespace = ?1 AND name = ?2)";
const APPEND: &str = "INSERT INTO log_entries (log, seq, at, entry)
    SELECT id, ?3, ?4, ?5 FROM logs WHERE namespace = ?1 AND name = ?2";
const NEWEST: &str = "SELECT seq, at, entry FROM log_entries
    WHERE log = (SELECT id FROM logs WHERE namespace = ?1 AND name = ?2) ORDER BY seq DESC LIMIT ?3";

/// Bare rusqlite; each thread has a connection of its own.
#[derive(Debug)]
pub(crate) struct BareSqlite {
    connection: Connection,
    safety: Safety,
    keeps_revision: bool,
}

impl BareSqlite {
    pub(crate) fn open(safety: Safety, keeps_revision: bool) -> Result<Self> {
        let connection = Connection::open("bare.db")?;
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        let synchronous = match safety {
            Safety::Process => "NORMAL",
            Safety::Power => "FULL",
        };
        connection.pragma_update(None, "synchronous", synchronous)?;
        // In KiB, as the store has it.
        connection.pragma_update(None, "cache_size", -8192)?;
        Ok(Self { connection, safety, keeps_revision })
    }

    fn make_tables(&self) -> rusqlite::Result<()> {
        self.connection.execute_batch(TABLES)?;
        let log = "INSERT INTO logs (id, namespace, name) VALUES (1, ?1, ?2)";
        self.connection.execute(log, (NAMESPACE, LOG)).map(drop)
    }

    fn do_once(&self, operation: Operation, load: &mut Load<String>) -> rusqlite::Result<()> {
        let on = &self.connection;
        match operation {
            Operation::Get => {
                std::hint::black_box(get(on, load.draw().0)?);
                Ok(())
            }
            Operation::Object => {
                std::hint::black_box(rows(on, OBJECT, [NAMESPACE], entry)?);
                Ok(())
            }
            Operation::Tail => {
                let mut entries = rows(on, NEWEST, (NAMESPACE, LOG, TAIL), log_entry)?;
                entries.reverse();
                std::hint::black_box(entries);
                Ok(())
            }
            Operation::Put => {
                let (key, value) = load.draw();
                write(on, || {
                    if self.keeps_revision { raise_and_put(on, key, value) } else { put(on, key, value) }
                })
            }
            Operation::Append => write(on, || append(on, load.draw().1)),
            Operation::Replace => write(on, || replace(on, load)),
        }
    }
}

impl Peer for BareSqlite {
    type Value = String;

    fn form(text: String) -> Result<String> {
        Ok(text)
    }

    fn fill(&mut self, load: &mut Load<String>) -> Result<()> {
        self.make_tables()?;
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute(SET_REVISION, (NAMESPACE, 1))?;
        for n in 0..load.size() {
            let (key, value) = load.pair(n);
            put(&transaction, key, value)?;
        }
        Ok(transaction.commit()?)
    }

    fn fill_log(&mut self, load: &mut Load<String>) -> Result<()> {
        self.make_tables()?;
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for _ in 0..load.size() {
            append(&transaction, load.draw().1)?;
        }
        Ok(transaction.commit()?)
    }

    fn perform(&mut self, operation: Operation, load: &mut Load<String>) -> Performed {
        self.do_once(operation, load).map_err(|error| match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy) => Failure::TimedOut,
            _ => Failure::Broken(error.into()),
        })
    }

    fn another(&self) -> Result<Self> {
        Self::open(self.safety, self.keeps_revision)
    }

    fn close(self) -> Result<()> {
        self.connection.close().map_err(|(_, error)| error.into())
    }
}

fn write(connection: &Connection, work: impl FnOnce() -> rusqlite::Result<()>) -> rusqlite::Result<()> {
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute(())?;
    let written = work().and_then(|()| connection.prepare_cached("COMMIT")?.execute(()).map(drop));
    if written.is_err() && !connection.is_autocommit() {
        connection.prepare_cached("ROLLBACK")?.execute(())?;
    }
    written
}

fn get(connection: &Connection, key: &str) -> rusqlite::Result<Option<(String, i64, i64)>> {
    let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    connection.prepare_cached(GET)?.query_row((NAMESPACE, key), row).optional()
}

fn rows<T>(
    connection: &Connection,
    statement: &str,
    parameters: impl rusqlite::Params,
    row: fn(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    connection.prepare_cached(statement)?.query_map(parameters, row)?.collect()
}

fn entry(row: &Row<'_>) -> rusqlite::Result<(String, String, i64, i64)> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
}

fn log_entry(row: &Row<'_>) -> rusqlite::Result<(i64, i64, String)> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
}

fn put(connection: &Connection, key: &str, value: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(UPSERT)?.execute((NAMESPACE, key, value, now())).map(drop)
}

fn raise_and_put(connection: &Connection, key: &str, value: &str) -> rusqlite::Result<()> {
    let last: Option<i64> =
        connection.prepare_cached(REVISION)?.query_row((NAMESPACE,), |row| row.get(0)).optional()?;
    let revision = last.unwrap_or(0) + 1;
    connection.prepare_cached(SET_REVISION)?.execute((NAMESPACE, revision))?;
    connection.prepare_cached(UPSERT_REVISION)?.execute((NAMESPACE, key, value, revision, now())).map(drop)
}

fn append(connection: &Connection, entry: &str) -> rusqlite::Result<()> {
    let last: i64 = connection.prepare_cached(LAST)?.query_row((NAMESPACE, LOG), |row| row.get(0))?;
    let mut insert = connection.prepare_cached(APPEND)?;
    insert.execute((NAMESPACE, LOG, last + 1, now(), entry)).map(drop)
}

fn replace(connection: &Connection, load: &mut Load<String>) -> rusqlite::Result<()> {
    connection.prepare_cached(CLEAR)?.execute([NAMESPACE])?;
    for n in 0..load.size() {
        let (key, value) = load.pair(n);
        put(connection, key, value)?;
    }
    Ok(())
}
