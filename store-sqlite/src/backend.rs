//! The open store: pooled readers, the one writer, and the log's syncs.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use store_core::backend::{Backend, Snapshot, Transaction};
use store_core::shared::place::Place;
use store_core::{Durability, Entry, Error, ErrorKind, Result};

use crate::config::SqliteConfig;
use crate::connection;
use crate::engine::{shm_path, wal_path};
use crate::error::SqliteError;
use crate::locks;
use crate::snapshot::{Tables, get};
use crate::wal::Wal;

/// The most connections that are kept for later reads.
const KEPT_READERS: usize = 8;

/// An open database.
///
/// Only SQLite opens the database and its `-shm` companion: closing a descriptor of them that was opened
/// otherwise would drop the locks of this process.
#[derive(Debug)]
pub struct SqliteBackend {
    path: PathBuf,
    shm: PathBuf,
    config: SqliteConfig,
    read_only: bool,
    wal: Wal,
    readers: Mutex<Vec<Connection>>,
    /// Opened by the first write.
    writer: Mutex<Option<Connection>>,
}

impl SqliteBackend {
    pub(crate) fn open(place: &Place, config: SqliteConfig, read_only: bool) -> Result<Self> {
        let backend = Self {
            path: place.path().to_owned(),
            shm: shm_path(place),
            wal: Wal::open(wal_path(place), config.wal_limit, read_only)?,
            config,
            read_only,
            readers: Mutex::default(),
            writer: Mutex::default(),
        };
        let reader = backend.connect(Duration::ZERO)?;
        let failed = |e: SqliteError| backend.explain(e, "cannot read the database");
        // The first read attaches the log and its index.
        let tables = reader.query_row("SELECT count(*) FROM store", (), |row| row.get::<_, i64>(0));
        tables.map_err(|e| failed(e.into()))?;
        backend.keep(reader);
        Ok(backend)
    }

    fn connect(&self, patience: Duration) -> Result<Connection> {
        let opened = connection::open(&self.path, &self.config, self.read_only).and_then(|connection| {
            connection::wait_at_most(&connection, patience)?;
            Ok(connection)
        });
        opened.map_err(|e| self.explain(e, "cannot open the database"))
    }

    /// Makes the contract's error; a busy engine is named with whoever holds its lock.
    fn explain(&self, error: SqliteError, action: &str) -> Error {
        let error = error.at(action, &self.path);
        if error.kind() != ErrorKind::Busy {
            return error;
        }
        let holder = self.holder();
        let why = if holder.is_empty() { "the engine is busy, holder unknown".to_owned() } else { holder };
        Error::new(ErrorKind::Busy, why).with_path(&self.path).with_source(error)
    }

    fn keep(&self, reader: Connection) {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < KEPT_READERS {
            readers.push(reader);
        }
    }

    fn kept(&self) -> Option<Connection> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn writer(&self) -> MutexGuard<'_, Option<Connection>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs work on the writing connection, which only the holder of the gate uses.
    fn with_writer<T>(&self, deadline: Instant, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let mut writer = self.writer();
        let connection = match &mut *writer {
            Some(connection) => connection,
            none => none.insert(self.connect(Duration::ZERO)?),
        };
        if connection.is_readonly("main").unwrap_or(false) {
            // It was opened when it might only be read; the rights may have been mended since.
            *connection = self.connect(Duration::ZERO)?;
        }
        connection::wait_until(connection, deadline).map_err(|e| self.explain(e, "cannot write"))?;
        work(connection)
    }

    fn execute(&self, connection: &Connection, statement: &str, action: &str) -> Result<()> {
        let executed = connection.prepare_cached(statement).and_then(|mut statement| statement.execute(()));
        executed.map(drop).map_err(|e| self.explain(e.into(), action))
    }

    fn commit(
        &self,
        connection: &Connection,
        work: &mut dyn FnMut(&mut dyn Transaction) -> Result<()>,
    ) -> Result<()> {
        let room = self.wal.room(connection, &self.shm)?;
        self.execute(connection, "BEGIN IMMEDIATE", "cannot begin to write")?;
        let done = work(&mut Tables::new(connection, &self.path, room))
            .and_then(|()| self.execute(connection, "COMMIT", "cannot commit"));
        // A failed statement or commit may have ended the transaction by itself.
        if done.is_err() && !connection.is_autocommit() {
            self.execute(connection, "ROLLBACK", "cannot roll back")?;
        }
        self.wal.measure(connection);
        done
    }
}

impl Backend for SqliteBackend {
    fn get(&self, namespace: &str, key: &str) -> Result<Option<Entry>> {
        let Some(reader) = self.kept() else {
            return Err(Error::new(ErrorKind::Busy, "all connections are in use").with_path(&self.path));
        };
        let found =
            connection::wait_at_most(&reader, Duration::ZERO).and_then(|()| get(&reader, namespace, key));
        self.keep(reader);
        found.map_err(|e| self.explain(e, "cannot read the database"))
    }

    fn read(&self, deadline: Instant, work: &mut dyn FnMut(&dyn Snapshot) -> Result<()>) -> Result<()> {
        let reader = match self.kept() {
            Some(reader) => reader,
            None => self.connect(Duration::ZERO)?,
        };
        connection::wait_until(&reader, deadline).map_err(|e| self.explain(e, "cannot read"))?;
        self.execute(&reader, "BEGIN", "cannot begin to read")?;
        let read = work(&Tables::new(&reader, &self.path, 0));
        let ended = self.execute(&reader, "COMMIT", "cannot end a read");
        // A connection that could not end its snapshot is closed, which ends it.
        if ended.is_ok() {
            self.keep(reader);
        }
        read
    }

    fn write(
        &self,
        deadline: Instant,
        work: &mut dyn FnMut(&mut dyn Transaction) -> Result<()>,
    ) -> Result<()> {
        self.with_writer(deadline, |connection| self.commit(connection, work))
    }

    fn annul(&self) -> Result<()> {
        self.with_writer(Instant::now(), |connection| {
            // The frames of a failed commit may stand complete in the log, without the index knowing. The
            // next commit overwrites them; a statement that changes nothing writes none.
            let overwritten = self.execute(connection, "UPDATE store SET guard = guard + 1", "cannot write");
            overwritten.or_else(|_| self.wal.truncate(connection))
        })
    }

    fn sync(&self) -> Result<()> {
        self.wal.sync()
    }

    fn rewrite(&self) -> Result<()> {
        self.with_writer(Instant::now() + Duration::from_secs(1), |connection| {
            // Nobody, gate or no gate, writes while the log is written anew.
            self.execute(connection, "BEGIN IMMEDIATE", "cannot begin to rewrite")?;
            let rewritten = self.wal.rewrite(connection);
            self.execute(connection, "ROLLBACK", "cannot end the rewriting")?;
            rewritten?;
            self.wal.checkpoint_all(connection)
        })
    }

    fn needs_maintenance(&self) -> bool {
        self.wal.needs_checkpoint()
    }

    fn maintain(&self) -> Result<()> {
        self.with_writer(Instant::now(), |connection| self.wal.checkpoint(connection))
    }

    fn durability(&self) -> Durability {
        Durability::Process
    }

    fn holder(&self) -> String {
        locks::who_writes(&self.shm)
    }

    fn forget(&self) {
        // A lock that the parent's threads held when it forked is held for ever.
        if let Ok(mut readers) = self.readers.try_lock() {
            readers.drain(..).for_each(std::mem::forget);
        }
        if let Ok(mut writer) = self.writer.try_lock() {
            std::mem::forget(writer.take());
        }
    }
}
