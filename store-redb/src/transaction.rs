//! What is written.

use redb::{Table, TableHandle, WriteTransaction};
use store_core::backend::{Epoch, Transaction};
use store_core::{Entry, LogEntry, Result, Revision, Seq};

use crate::error::RedbError;
use crate::reader::target_of;
use crate::schema::{self, BURIED, EPOCH, GUARD, Kind, MOVED, TABLE, TARGET};
use crate::snapshot::Tables;

/// A table that can be changed.
pub(crate) type Writable<'t> = Table<'t, &'static [u8], &'static [u8]>;

/// Puts the table out of the way and leaves word where the store has moved.
pub(crate) fn bury(transaction: &WriteTransaction, to: &str) -> Result<(), RedbError> {
    transaction.rename_table(TABLE, BURIED)?;
    transaction.open_table(MOVED)?.insert(TARGET, to.as_bytes())?;
    Ok(())
}

/// Opens the table of the store for writing.
pub(crate) fn open_table(transaction: &WriteTransaction) -> Result<Writable<'_>, RedbError> {
    // A table that is missing would be made by opening it.
    if transaction.list_tables()?.any(|table| table.name() == MOVED.name()) {
        return Err(RedbError::Moved { to: target_of(&transaction.open_table(MOVED)?)? });
    }
    Ok(transaction.open_table(TABLE)?)
}

impl Tables<'_, Writable<'_>> {
    fn insert(&mut self, key: &[u8], record: &[u8]) -> Result<()> {
        let inserted = self.table.insert(key, record).map(drop);
        inserted.map_err(|e| self.explain(e.into(), "cannot write"))
    }

    fn remove(&mut self, key: &[u8]) -> Result<()> {
        let removed = self.table.remove(key).map(drop);
        removed.map_err(|e| self.explain(e.into(), "cannot write"))
    }

    fn remove_range(&mut self, from: &[u8], to: &[u8]) -> Result<()> {
        let removed = if from < to { self.table.retain_in(from..to, |_, _| false) } else { Ok(()) };
        removed.map_err(|e| self.explain(e.into(), "cannot write"))
    }

    fn set_log(&mut self, namespace: &str, log: &str, first: Seq, last: Seq) -> Result<()> {
        let key = schema::key(Kind::Log, &[namespace, log]);
        self.insert(&key, &schema::encode(&key, [first, last], ""))
    }

    /// Sets the guard, by which the commit is known from every other.
    pub(crate) fn set_guard(&mut self, guard: [u8; 8]) -> Result<()> {
        self.insert(GUARD, &guard)
    }

    fn log_before(&self, namespace: &str, log: &str) -> Result<Option<(Seq, Seq)>> {
        let found = self.find_log(namespace, log).map_err(|e: RedbError| self.explain(e, "cannot write"))?;
        Ok(found.map(|log| (log.first, log.last)))
    }
}

impl Transaction for Tables<'_, Writable<'_>> {
    fn put(&mut self, namespace: &str, key: &str, entry: &Entry) -> Result<()> {
        let key = schema::key(Kind::Entry, &[namespace, key]);
        let numbers = [entry.revision.get(), entry.at.as_millis()];
        self.insert(&key, &schema::encode(&key, numbers, entry.value.as_str()))
    }

    fn delete(&mut self, namespace: &str, key: &str) -> Result<()> {
        self.remove(&schema::key(Kind::Entry, &[namespace, key]))
    }

    fn clear(&mut self, namespace: &str) -> Result<()> {
        let (from, to) =
            (schema::below(Kind::Entry, &[namespace]), schema::behind(Kind::Entry, &[namespace]));
        self.remove_range(&from, &to)
    }

    fn set_revision(&mut self, namespace: &str, revision: Revision) -> Result<()> {
        let key = schema::key(Kind::Revision, &[namespace]);
        self.insert(&key, &schema::encode(&key, [revision.get(), 0], ""))
    }

    fn append(&mut self, namespace: &str, log: &str, entry: &LogEntry) -> Result<()> {
        let first = self.log_before(namespace, log)?.map_or(entry.seq, |(first, _)| first);
        self.set_log(namespace, log, first, entry.seq)?;
        let key = schema::record(namespace, log, entry.seq);
        let numbers = [entry.seq, entry.at.as_millis()];
        self.insert(&key, &schema::encode(&key, numbers, entry.entry.as_str()))
    }

    fn trim(&mut self, namespace: &str, log: &str, first: Seq) -> Result<()> {
        let Some((_, last)) = self.log_before(namespace, log)? else { return Ok(()) };
        let from = schema::below(Kind::Record, &[namespace, log]);
        self.remove_range(&from, &schema::record(namespace, log, first))?;
        self.set_log(namespace, log, first, last)
    }

    fn delete_log(&mut self, namespace: &str, log: &str) -> Result<()> {
        let names = [namespace, log];
        self.remove_range(&schema::below(Kind::Record, &names), &schema::behind(Kind::Record, &names))?;
        self.remove(&schema::key(Kind::Log, &names))
    }

    fn set_epoch(&mut self, epoch: &Epoch) -> Result<()> {
        self.insert(EPOCH, &schema::encode(EPOCH, [u64::from(epoch.number), 0], &epoch.boot))
    }

    /// The table can be put out of the way only once nobody has it open.
    fn entomb(&mut self, to: &str) -> Result<()> {
        self.moves_to = Some(to.to_owned());
        Ok(())
    }
}
