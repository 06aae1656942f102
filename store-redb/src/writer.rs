//! redb as a process writes: opened by its first write, in the gate.

use std::fs::OpenOptions;
use std::path::Path;
use std::time::Instant;

use redb::{Builder, ConcurrencyMode, Database, ReadableTable, WriteTransaction};
use store_core::Result;
use store_core::shared::access::explain_denial;

use crate::error::RedbError;
use crate::header::Header;
use crate::schema::GUARD;
use crate::storage::Writing;
use crate::transaction::open_table;

/// The writing handle of a process.
#[derive(Debug)]
pub(crate) struct Writer {
    storage: Writing,
    database: Database,
}

impl Writer {
    /// Opens a database for writing; redb writes its header anew and syncs it, mended if whoever wrote last
    /// was killed.
    pub(crate) fn open(path: &Path, cache: usize, deadline: Instant) -> Result<Self> {
        let opened = OpenOptions::new().read(true).write(true).open(path);
        let file = opened.map_err(|e| explain_denial("cannot open the database for writing", path, e))?;
        Header::check_size(path)?;
        let open = || -> Result<Self, RedbError> {
            let storage = Writing::new(file, deadline)?;
            let mending = storage.clone();
            let database = Builder::new()
                .set_concurrency_mode(ConcurrencyMode::MultiWriter)
                .set_cache_size(cache)
                // A repair commits, in an order that its syncs keep.
                .set_repair_callback(move |repair| {
                    if mending.sync_from_now_on().is_err() {
                        repair.abort();
                    }
                })
                .create_with_backend(storage.clone())?;
            let opened = Self { storage, database };
            opened.storage.sync_from_now_on()?;
            Ok(opened)
        };
        open().map_err(|e| e.at("cannot open the database for writing", path))
    }

    /// Begins to write; every lock until the commit has ended is waited for until the deadline.
    pub(crate) fn begin(&self, deadline: Instant) -> Result<WriteTransaction, RedbError> {
        self.storage.wait_until(deadline);
        Ok(self.database.begin_write()?)
    }

    /// Returns the guard of the newest commit.
    pub(crate) fn guard(&self, deadline: Instant) -> Result<Option<[u8; 8]>, RedbError> {
        let transaction = self.begin(deadline)?;
        let guard = open_table(&transaction)?.get(GUARD)?.and_then(|guard| guard.value().try_into().ok());
        transaction.abort()?;
        Ok(guard)
    }
}

impl Drop for Writer {
    /// redb would write a last commit: two syncs more, out of the gate. Each of its commits can do without,
    /// for it holds all that the next writer needs.
    fn drop(&mut self) {
        self.storage.close_without_writing();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::schema::{TABLE, fresh_database};

    #[test]
    fn closing_writes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.redb");
        #[expect(clippy::disallowed_methods, reason = "a test")]
        std::fs::write(&path, fresh_database().unwrap()).unwrap();
        let deadline = Instant::now() + Duration::from_mins(1);
        let writer = Writer::open(&path, 1 << 20, deadline).unwrap();
        let begun = writer.begin(deadline).unwrap();
        begun.open_table(TABLE).unwrap().insert(b"k".as_slice(), b"v".as_slice()).unwrap();
        begun.commit().unwrap();
        let before = std::fs::read(&path).unwrap();
        drop(writer);
        assert!(std::fs::read(&path).unwrap() == before, "it is not in the gate any more");
    }
}
