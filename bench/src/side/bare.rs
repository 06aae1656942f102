//! Bare rusqlite, as a careful programmer writes it, and nothing that the store promises beyond.

use std::sync::Barrier;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, ErrorCode, OptionalExtension, TransactionBehavior};

use super::{Failure, Side};
use crate::Result;
use crate::load::{LOG, Load, NAMESPACE};
use crate::meter::{Meter, Tally};
use crate::plan::{Case, Crowd, Operation, Safety};

/// The tables of the store, but for those that a bare program has no use for.
const TABLES: &str = "
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

/// Bare rusqlite; each thread has a connection of its own.
#[derive(Debug)]
pub(crate) struct BareSide {
    connection: Connection,
    case: Case,
    seed: u64,
    keeps_revision: bool,
    load: Load<String>,
}

impl BareSide {
    pub(crate) fn open(case: Case, seed: u64, keeps_revision: bool) -> Result<Self> {
        let connection = connect(case.safety)?;
        Ok(Self { connection, case, seed, keeps_revision, load: load(seed)? })
    }

    fn repeat(&mut self, time: Duration) -> Result<Tally> {
        let mut meter = Meter::start(time)?;
        while meter.note(self.perform())? {}
        Ok(meter.finish())
    }

    fn perform(&mut self) -> std::result::Result<(), Failure> {
        let (key, value) = self.load.draw();
        let performed = match self.case.operation {
            Operation::Get => get(&self.connection, key).map(|entry| {
                std::hint::black_box(entry);
            }),
            Operation::Put if self.keeps_revision => {
                write(&self.connection, || put_with_revision(&self.connection, key, value))
            }
            Operation::Put => write(&self.connection, || put(&self.connection, key, value)),
            Operation::Append => write(&self.connection, || append(&self.connection, value)),
        };
        performed.map_err(|error| match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy) => Failure::TimedOut,
            _ => Failure::Broken(error.into()),
        })
    }

    fn work_in_threads(
        &self,
        threads: usize,
        time: Duration,
        start: &mut dyn FnMut() -> Result<()>,
    ) -> Result<Vec<Tally>> {
        let sides = (0..threads).map(|n| Self::open(self.case, self.seed + n as u64, self.keeps_revision));
        let sides = sides.collect::<Result<Vec<_>>>()?;
        let released = Barrier::new(threads + 1);
        std::thread::scope(|scope| {
            let threads = sides.into_iter().map(|mut side| {
                let released = &released;
                scope.spawn(move || {
                    let warmed = side.warm_up();
                    released.wait();
                    released.wait();
                    warmed.and_then(|()| side.repeat(time))
                })
            });
            let threads: Vec<_> = threads.collect();
            released.wait();
            let started = start();
            released.wait();
            let tallies = threads.into_iter().map(|thread| match thread.join() {
                Ok(tally) => tally,
                Err(_) => Err("a thread panicked".into()),
            });
            let tallies = tallies.collect();
            started.and(tallies)
        })
    }
}

impl Side for BareSide {
    fn prepare(&mut self) -> Result<()> {
        self.connection.execute_batch(TABLES)?;
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute("INSERT INTO logs (id, namespace, name) VALUES (1, ?1, ?2)", (NAMESPACE, LOG))?;
        for key in self.load.keys().to_owned() {
            put_with_revision(&transaction, &key, self.load.draw().1)?;
        }
        Ok(transaction.commit()?)
    }

    fn warm_up(&mut self) -> Result<()> {
        match self.perform() {
            Ok(()) | Err(Failure::TimedOut) => Ok(()),
            Err(Failure::Broken(error)) => Err(error),
        }
    }

    fn work(&mut self, time: Duration, start: &mut dyn FnMut() -> Result<()>) -> Result<Vec<Tally>> {
        match self.case.crowd {
            Crowd::Tasks(threads) => self.work_in_threads(threads, time, start),
            Crowd::Processes(_) => {
                start()?;
                Ok(vec![self.repeat(time)?])
            }
        }
    }

    fn close(self: Box<Self>) -> Result<()> {
        self.connection.close().map_err(|(_, error)| error.into())
    }
}

fn load(seed: u64) -> Result<Load<String>> {
    Load::new(seed, Ok)
}

fn connect(safety: Safety) -> Result<Connection> {
    let connection = Connection::open("bare.db")?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    let synchronous = match safety {
        Safety::Process => "NORMAL",
        Safety::Power => "FULL",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    Ok(connection)
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
    let statement = "SELECT value, revision, at FROM entries WHERE namespace = ?1 AND key = ?2";
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    connection.prepare_cached(statement)?.query_row((NAMESPACE, key), row).optional()
}

fn put(connection: &Connection, key: &str, value: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(UPSERT)?.execute((NAMESPACE, key, value, now())).map(drop)
}

fn put_with_revision(connection: &Connection, key: &str, value: &str) -> rusqlite::Result<()> {
    let last: Option<i64> =
        connection.prepare_cached(REVISION)?.query_row((NAMESPACE,), |row| row.get(0)).optional()?;
    let revision = last.unwrap_or(0) + 1;
    connection.prepare_cached(SET_REVISION)?.execute((NAMESPACE, revision))?;
    connection.prepare_cached(UPSERT_REVISION)?.execute((NAMESPACE, key, value, revision, now())).map(drop)
}

fn append(connection: &Connection, entry: &str) -> rusqlite::Result<()> {
    let last = "SELECT coalesce(max(seq), 0) FROM log_entries
                WHERE log = (SELECT id FROM logs WHERE namespace = ?1 AND name = ?2)";
    let last: i64 = connection.prepare_cached(last)?.query_row((NAMESPACE, LOG), |row| row.get(0))?;
    let insert = "INSERT INTO log_entries (log, seq, at, entry)
                  SELECT id, ?3, ?4, ?5 FROM logs WHERE namespace = ?1 AND name = ?2";
    let mut insert = connection.prepare_cached(insert)?;
    insert.execute((NAMESPACE, LOG, last + 1, now(), entry)).map(drop)
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
