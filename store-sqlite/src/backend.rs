//! The open store: pooled readers, the one writer, and the log's syncs.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use store_core::backend::{Backend, Snapshot, Transaction};
use store_core::shared::identity::Identities;
use store_core::shared::place::Place;
use store_core::{Durability, Entry, Error, ErrorKind, Result};

use crate::config::SqliteConfig;
use crate::connection::{self, Header};
use crate::engine::{shm_path, wal_path};
use crate::error::{SqliteError, is_index_in_pieces, is_readonly};
use crate::locks;
use crate::schema::moved_to;
use crate::snapshot::{Tables, explain, get};
use crate::wal::{PAGE, Wal};

/// The most connections that are kept for later reads.
const KEPT_READERS: usize = 8;
/// How long a reader who may not write looks again at an index of the log that is in pieces: so it looks within the
/// moment in which a writer changes it, and after a kill in that moment until somebody who may write mends it.
const MENDING: Duration = Duration::from_millis(200);
const PAUSE: Duration = Duration::from_millis(1);

/// An open database.
///
/// Only SQLite opens the database and its `-shm` companion: closing a descriptor of them that was opened
/// otherwise would drop the locks of this process.
#[derive(Debug)]
pub struct SqliteBackend {
    path: PathBuf,
    shm: PathBuf,
    files: Vec<PathBuf>,
    config: SqliteConfig,
    read_only: bool,
    identities: Identities,
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
            files: vec![place.path().to_owned(), wal_path(place), shm_path(place), place.gate()],
            identities: Identities::of([place.path().to_owned(), wal_path(place), shm_path(place)])?,
            wal: Wal::open(wal_path(place), config.wal_limit, read_only)?,
            config,
            read_only,
            readers: Mutex::default(),
            writer: Mutex::default(),
        };
        let reader = backend.connect(Duration::ZERO)?;
        let header = Header::read(&reader).map_err(|e| backend.explain(e, "cannot read the database"))?;
        header.check(&backend.path)?;
        if let Some(to) = moved_to(&reader) {
            return Err(Error::moved(&to).with_path(&backend.path));
        }
        backend.check_size(&reader)?;
        // What was attached meanwhile is what was looked at before.
        backend.identities.check()?;
        backend.keep(reader);
        Ok(backend)
    }

    /// Refuses a database that has lost pages: each lies in the main file, or in the log until it is copied.
    fn check_size(&self, reader: &Connection) -> Result<()> {
        self.execute(reader, "BEGIN", "cannot begin to read")?;
        let pages = reader.query_row("PRAGMA page_count", (), |row| row.get::<_, i64>(0));
        let pages = pages.map_err(|e| self.explain(e.into(), "cannot read the database"))?;
        let pages = u64::try_from(pages).unwrap_or(0);
        let size = self.path.metadata().map_err(|e| Error::from_io("cannot look at", &self.path, e))?.len();
        let missing = size / PAGE + 1..=pages;
        let lost = if missing.is_empty() { None } else { self.wal.first_lost(missing)? };
        self.execute(reader, "COMMIT", "cannot end a read")?;
        let Some(page) = lost else { return Ok(()) };
        let why = format!(
            "the database has lost page {page} of {pages}: it is neither in the file, which has {size} bytes, nor in the \
             log; stop its users, keep a copy of all its files, and restore a backup"
        );
        Err(Error::new(ErrorKind::Corrupted, why).with_path(&self.path))
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
    fn with_writer<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let mut writer = self.writer();
        let connection = match &mut *writer {
            Some(connection) => connection,
            none => none.insert(self.connect(Duration::ZERO)?),
        };
        // It was opened when it might only be read, and the rights may have been mended since; or a rollback
        // failed.
        if connection.is_readonly("main").unwrap_or(false) || !connection.is_autocommit() {
            *connection = self.connect(Duration::ZERO)?;
        }
        let done = work(connection);
        if done.as_ref().is_err_and(is_readonly) {
            // SQLite maps the shared index to read only where it cannot open it otherwise, and keeps that for all
            // connections of the process until the last of them is closed.
            *writer = None;
            self.readers.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
        done
    }

    fn execute(&self, connection: &Connection, statement: &str, action: &str) -> Result<()> {
        let executed = connection.prepare_cached(statement).and_then(|mut statement| statement.execute(()));
        executed.map(drop).map_err(|e| self.explain(e.into(), action))
    }

    /// Begins to write; fails at once if somebody else writes beyond the deadline.
    fn begin(&self, connection: &Connection, deadline: Instant) -> Result<()> {
        connection::wait_until(connection, deadline).map_err(|e| self.explain(e, "cannot write"))?;
        self.execute(connection, "BEGIN IMMEDIATE", "cannot begin to write")
    }

    /// Rolls back what is left of a transaction; a connection that cannot is replaced before the next one.
    fn roll_back(&self, connection: &Connection) {
        if !connection.is_autocommit() {
            let _ = self.execute(connection, "ROLLBACK", "cannot roll back");
        }
    }

    fn commit(
        &self,
        connection: &Connection,
        room: u64,
        deadline: Instant,
        work: &mut dyn FnMut(&mut dyn Transaction) -> Result<()>,
    ) -> Result<()> {
        self.begin(connection, deadline)?;
        let done = work(&mut Tables::writing(connection, &self.path, &self.wal, room))
            .and_then(|()| self.execute(connection, "COMMIT", "cannot commit"));
        // A failed statement or commit may have ended the transaction by itself.
        if done.is_err() {
            self.roll_back(connection);
        }
        self.wal.measure(connection);
        done
    }
}

impl Backend for SqliteBackend {
    fn get(&self, namespace: &str, key: &str) -> Result<Option<Entry>> {
        self.identities.check_now_and_then()?;
        let Some(reader) = self.kept() else {
            return Err(Error::new(ErrorKind::Busy, "all connections are in use").with_path(&self.path));
        };
        let found =
            connection::wait_at_most(&reader, Duration::ZERO).and_then(|()| get(&reader, namespace, key));
        let found = match found {
            Err(e) if e.misses_a_table() => {
                return Err(explain(&reader, e, "cannot read the database", &self.path));
            }
            found => found,
        };
        self.keep(reader);
        match found {
            // Readers that may wait see whether a writer is at it.
            Err(e) if e.says_index_is_in_pieces() => {
                Err(Error::new(ErrorKind::Busy, "the index of the log is being changed")
                    .with_path(&self.path))
            }
            found => found.map_err(|e| self.explain(e, "cannot read the database")),
        }
    }

    fn read(&self, deadline: Instant, work: &mut dyn FnMut(&dyn Snapshot) -> Result<()>) -> Result<()> {
        self.identities.check_companions()?;
        let reader = match self.kept() {
            Some(reader) => reader,
            None => self.connect(Duration::ZERO)?,
        };
        connection::wait_until(&reader, deadline).map_err(|e| self.explain(e, "cannot read"))?;
        let until = deadline.min(Instant::now() + MENDING);
        let (read, ended) = loop {
            self.execute(&reader, "BEGIN", "cannot begin to read")?;
            let read = work(&Tables::reading(&reader, &self.path));
            let ended = self.execute(&reader, "COMMIT", "cannot end a read");
            if !read.as_ref().is_err_and(is_index_in_pieces) || ended.is_err() || Instant::now() > until {
                break (read, ended);
            }
            std::thread::sleep(PAUSE);
        };
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
        self.identities.check_companions()?;
        self.with_writer(|connection| {
            let room = self.wal.room(connection, &self.shm)?;
            self.commit(connection, room, deadline, work)
        })
    }

    /// The log takes all of it, whatever its limit, and is emptied when the next checkpoint finds no reader.
    fn write_whole(
        &self,
        deadline: Instant,
        work: &mut dyn FnMut(&mut dyn Transaction) -> Result<()>,
    ) -> Result<()> {
        self.identities.check_companions()?;
        self.with_writer(|connection| self.commit(connection, u64::MAX, deadline, work))
    }

    fn check_integrity(&self, deadline: Instant) -> Result<Vec<String>> {
        self.identities.check_companions()?;
        let reader = self.connect(Duration::ZERO)?;
        let look = || -> rusqlite::Result<Vec<String>> {
            let mut check = reader.prepare("PRAGMA integrity_check")?;
            let rows = check.query_map((), |row| row.get(0))?;
            rows.filter(|row| !row.as_ref().is_ok_and(|words: &String| words == "ok")).collect()
        };
        connection::wait_until(&reader, deadline).map_err(|e| self.explain(e, "cannot read"))?;
        look().map_err(|e| self.explain(e.into(), "cannot check the database"))
    }

    fn annul(&self) -> Result<()> {
        self.with_writer(|connection| {
            // The frames of a failed commit may stand complete in the log, without the index knowing. The
            // next commit overwrites them; a statement that changes nothing writes none.
            connection::wait_at_most(connection, Duration::ZERO)
                .map_err(|e| self.explain(e, "cannot write"))?;
            let overwritten = self.execute(connection, "UPDATE store SET guard = guard + 1", "cannot write");
            overwritten.or_else(|_| self.wal.truncate(connection))
        })
    }

    fn sync(&self) -> Result<()> {
        // Syncing a log that nobody else finds would prove nothing.
        self.identities.check()?;
        self.wal.sync()
    }

    fn rewrite(&self) -> Result<()> {
        self.with_writer(|connection| {
            // Nobody, gate or no gate, writes while the log is written anew.
            let committed = self.wal.committed(connection)?;
            self.begin(connection, Instant::now())?;
            let rewritten = self.wal.rewrite(committed);
            self.roll_back(connection);
            rewritten?;
            self.wal.checkpoint_all(connection)
        })
    }

    fn needs_maintenance(&self) -> bool {
        self.wal.needs_checkpoint()
    }

    fn maintain(&self) -> Result<()> {
        self.with_writer(|connection| self.wal.checkpoint(connection))
    }

    fn durability(&self) -> Durability {
        Durability::Process
    }

    fn files(&self) -> Vec<PathBuf> {
        self.files.clone()
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
