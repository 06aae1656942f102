//! The open store: the reading handle, and the writing one from the first write on.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use redb::WriteTransaction;
use store_core::backend::{Backend, Snapshot, Transaction};
use store_core::shared::access::explain_denial;
use store_core::shared::identity::Identities;
use store_core::shared::os;
use store_core::shared::place::Place;
use store_core::{Durability, Entry, Error, ErrorKind, Result};

use crate::config::RedbConfig;
use crate::error::{RedbError, shielded};
use crate::locks;
use crate::reader::Reader;
use crate::snapshot::{Tables, get};
use crate::stamp;
use crate::transaction::{bury, open_table};
use crate::writer::Writer;

/// How long locks are waited for where no deadline is given: in the gate nobody writes, and readers that run
/// hold theirs for microseconds.
const PATIENCE: Duration = Duration::from_secs(1);

/// An open database.
#[derive(Debug)]
pub struct RedbBackend {
    path: PathBuf,
    files: Vec<PathBuf>,
    config: RedbConfig,
    identities: Identities,
    /// Opened anew after an error, for redb refuses all reads after one that failed.
    reader: RwLock<Option<Arc<Reader>>>,
    /// Opened by the first write, and anew after an error; only the holder of the gate uses it.
    writer: Mutex<Option<Writer>>,
    /// The guard of the last commit that was tried.
    tried: Mutex<[u8; 8]>,
}

impl RedbBackend {
    pub(crate) fn open(place: &Place, config: RedbConfig) -> Result<Self> {
        let path = place.path().to_owned();
        let identities = Identities::of([place.path().to_owned(), stamp::path(place)])?;
        stamp::check(place)?;
        let reader = shielded("cannot open the database", &path, || {
            let reader = Reader::open(&path, config.share())?;
            reader.check(&path)?;
            Ok(reader)
        });
        let backend = Self {
            files: vec![path.clone(), stamp::path(place), place.gate()],
            identities,
            config,
            reader: RwLock::default(),
            writer: Mutex::default(),
            tried: Mutex::default(),
            path,
        };
        let reader = reader.map_err(|e| backend.name_holder(e))?;
        // What was opened meanwhile is what was looked at before.
        backend.identities.check()?;
        backend.keep_reader(&Arc::new(reader));
        Ok(backend)
    }

    /// Adds to a busy engine's error who holds its lock.
    fn name_holder(&self, error: Error) -> Error {
        if error.kind() != ErrorKind::Busy {
            return error;
        }
        let holder = self.holder();
        let why = if holder.is_empty() { format!("{}, holder unknown", error.message()) } else { holder };
        Error::new(ErrorKind::Busy, why).with_path(&self.path).with_source(error)
    }

    fn explain(&self, error: RedbError, action: &str) -> Error {
        error.at(action, &self.path)
    }

    fn keep_reader(&self, reader: &Arc<Reader>) {
        let mut kept = self.reader.write().unwrap_or_else(PoisonError::into_inner);
        *kept = Some(Arc::clone(reader));
    }

    fn reader(&self) -> Result<Arc<Reader>> {
        if let Some(reader) = &*self.reader.read().unwrap_or_else(PoisonError::into_inner) {
            return Ok(Arc::clone(reader));
        }
        let reader = Arc::new(Reader::open(&self.path, self.config.share())?);
        self.identities.check()?;
        self.keep_reader(&reader);
        Ok(reader)
    }

    /// Runs a read; after an error of the engine the next one has another handle.
    fn with_reader<T>(&self, work: impl FnOnce(&Reader) -> Result<T>) -> Result<T> {
        let done = shielded("cannot read the database", &self.path, || work(&*self.reader()?));
        if let Err(error) = &done
            && error.kind() != ErrorKind::Busy
        {
            *self.reader.write().unwrap_or_else(PoisonError::into_inner) = None;
        }
        done
    }

    fn writer(&self) -> MutexGuard<'_, Option<Writer>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs work on the writing handle; after an error the next one has another, for redb may have noted that
    /// this one cannot go on.
    fn with_writer<T>(&self, deadline: Instant, work: impl FnOnce(&Writer) -> Result<T>) -> Result<T> {
        let mut writer = self.writer();
        let done = shielded("cannot write", &self.path, || {
            let writer = match &mut *writer {
                Some(writer) => writer,
                none => {
                    self.identities.check()?;
                    none.insert(Writer::open(&self.path, self.config.share(), deadline)?)
                }
            };
            work(writer)
        });
        if done.is_err() {
            drop(writer.take());
        }
        done.map_err(|e| self.name_holder(e))
    }

    /// Runs the work in a transaction, and gives what it will commit a guard.
    fn work_in(
        &self,
        transaction: &WriteTransaction,
        work: &mut dyn FnMut(&mut dyn Transaction) -> Result<()>,
    ) -> Result<()> {
        let table = open_table(transaction).map_err(|e| self.explain(e, "cannot write"))?;
        let mut tables = Tables { table, path: &self.path, moves_to: None };
        work(&mut tables)?;
        let guard = fastrand::u64(1..).to_le_bytes();
        *self.tried.lock().unwrap_or_else(PoisonError::into_inner) = guard;
        tables.set_guard(guard)?;
        let Tables { table, moves_to, .. } = tables;
        drop(table);
        moves_to.map_or(Ok(()), |to| bury(transaction, &to)).map_err(|e| self.explain(e, "cannot write"))
    }

    /// Opens the writing handle anew: redb writes the header and syncs it before it does anything else.
    fn reopen(&self, deadline: Instant) -> Result<[u8; 8]> {
        drop(self.writer().take());
        self.with_writer(deadline, |writer| {
            let guard = writer.guard(deadline).map_err(|e| self.explain(e, "cannot read the database"))?;
            let none = || RedbError::Row { what: "no guard".to_owned() };
            guard.ok_or_else(|| self.explain(none(), "cannot read the database"))
        })
    }
}

impl Backend for RedbBackend {
    fn get(&self, namespace: &str, key: &str) -> Result<Option<Entry>> {
        self.identities.check_now_and_then()?;
        self.with_reader(|reader| {
            let found = reader.begin().and_then(|begun| get(&Reader::open_table(&begun)?, namespace, key));
            found.map_err(|e| self.explain(e, "cannot read the database"))
        })
    }

    fn read(&self, deadline: Instant, work: &mut dyn FnMut(&dyn Snapshot) -> Result<()>) -> Result<()> {
        self.identities.check_companions()?;
        let read = self.with_reader(|reader| {
            let begun = reader.begin_until(deadline).and_then(|begun| Reader::open_table(&begun));
            let table = begun.map_err(|e| self.explain(e, "cannot begin to read"))?;
            work(&Tables { table, path: &self.path, moves_to: None })
        });
        read.map_err(|e| self.name_holder(e))
    }

    fn write(
        &self,
        deadline: Instant,
        work: &mut dyn FnMut(&mut dyn Transaction) -> Result<()>,
    ) -> Result<()> {
        self.identities.check_companions()?;
        self.with_writer(deadline, |writer| {
            let begun = writer.begin(deadline).map_err(|e| self.explain(e, "cannot begin to write"))?;
            match self.work_in(&begun, work) {
                Ok(()) => begun.commit().map(Ok).map_err(|e| self.explain(e.into(), "cannot commit")),
                // What could be rolled back leaves the handle as it was.
                Err(error) if begun.abort().is_ok() => Ok(Err(error)),
                Err(error) => Err(error),
            }
        })?
    }

    /// A commit that did not come to its end is never taken up again: until the header names it, at once and
    /// as a whole, as the one that counts, redb does not look at it, for every commit here is one of two
    /// phases. So it is enough to look, once the header is written and synced anew.
    fn annul(&self) -> Result<()> {
        let tried = *self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        if self.reopen(Instant::now() + PATIENCE)? != tried {
            return Ok(());
        }
        let why = "the commit stands, but whether it is on the disk is not certain";
        Err(Error::new(ErrorKind::Io, why).with_path(&self.path))
    }

    /// A commit is synced, but readers see it between its two syncs. Closing the file drops no lock of redb's.
    fn sync(&self) -> Result<()> {
        self.identities.check()?;
        let synced = os::open_plain(&self.path, false).and_then(|file| file.sync_data());
        synced.map_err(|e| explain_denial("cannot sync", &self.path, e))
    }

    /// Only the header can be in doubt: what a commit refers to is synced before the header names it.
    fn rewrite(&self) -> Result<()> {
        self.reopen(Instant::now() + PATIENCE).map(drop)
    }

    fn needs_maintenance(&self) -> bool {
        false
    }

    /// Does nothing: redb uses freed pages again, and its compaction shuts out readers while it runs.
    fn maintain(&self) -> Result<()> {
        Ok(())
    }

    fn durability(&self) -> Durability {
        Durability::Power
    }

    fn files(&self) -> Vec<PathBuf> {
        self.files.clone()
    }

    fn holder(&self) -> String {
        locks::who_holds(&self.path)
    }

    fn forget(&self) {
        // A lock that the parent's threads held when it forked is held for ever.
        if let Ok(mut reader) = self.reader.try_write() {
            std::mem::forget(reader.take());
        }
        if let Ok(mut writer) = self.writer.try_lock() {
            std::mem::forget(writer.take());
        }
    }
}
