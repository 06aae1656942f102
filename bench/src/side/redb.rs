//! Bare redb, as a careful programmer writes it, and nothing that the store promises beyond.

use std::sync::Arc;

use redb::{
    Builder, ConcurrencyMode, Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction,
};

use super::peer::Peer;
use super::{Failure, Performed, TAIL, now};
use crate::Result;
use crate::load::{LOG, Load, NAMESPACE};
use crate::plan::Operation;

/// Value, the key's own revision, time.
const ENTRIES: TableDefinition<'_, (&str, &str), (&str, u64, i64)> = TableDefinition::new("entries");
/// Log and number to time and entry.
const RECORDS: TableDefinition<'_, (&str, u64), (i64, &str)> = TableDefinition::new("records");
/// In bytes, as the store has it; redb's own default is 1 GiB.
pub(crate) const CACHE: usize = 16 << 20;
/// How much is written in one transaction when a database is made.
const CHUNK: usize = 50_000;

/// Bare redb; the threads of a process share it.
#[derive(Debug, Clone)]
pub(crate) struct BareRedb {
    database: Arc<Database>,
}

impl BareRedb {
    /// Opens it, with other processes or alone.
    pub(crate) fn open(shared: bool) -> Result<Self> {
        let mode = if shared { ConcurrencyMode::MultiWriter } else { ConcurrencyMode::ExclusiveWriter };
        let mut builder = Builder::new();
        let database = builder.set_concurrency_mode(mode).set_cache_size(CACHE).create("bare.redb")?;
        Ok(Self { database: Arc::new(database) })
    }

    fn write(&self, work: impl FnOnce(&WriteTransaction) -> Result<()>) -> Result<()> {
        let transaction = self.database.begin_write()?;
        work(&transaction)?;
        Ok(transaction.commit()?)
    }

    fn read(&self, operation: Operation, load: &mut Load<String>) -> Result<()> {
        let transaction = self.database.begin_read()?;
        if operation == Operation::Tail {
            let records = transaction.open_table(RECORDS)?;
            let newest = records.range((LOG, 0)..=(LOG, u64::MAX))?.rev().take(usize::from(TAIL));
            let newest = newest.map(|record| {
                let (key, record) = record?;
                let (at, entry) = record.value();
                Ok((key.value().1, at, entry.to_owned()))
            });
            let mut newest = newest.collect::<Result<Vec<_>>>()?;
            newest.reverse();
            std::hint::black_box(newest);
            return Ok(());
        }
        let entries = transaction.open_table(ENTRIES)?;
        if operation == Operation::Get {
            let entry = entries.get((NAMESPACE, load.draw().0))?.map(|entry| own(entry.value()));
            std::hint::black_box(entry);
            return Ok(());
        }
        let object = entries.range((NAMESPACE, "")..)?.map(|entry| {
            let (key, entry) = entry?;
            Ok((key.value().1.to_owned(), own(entry.value())))
        });
        std::hint::black_box(object.collect::<Result<Vec<_>>>()?);
        Ok(())
    }

    fn do_once(&self, operation: Operation, load: &mut Load<String>) -> Result<()> {
        match operation {
            Operation::Get | Operation::Object | Operation::Tail => self.read(operation, load),
            Operation::Put => self.write(|transaction| {
                let (key, value) = load.draw();
                put(transaction, key, value)
            }),
            Operation::Append => self.write(|transaction| append(transaction, load, 1)),
            Operation::Replace => self.write(|transaction| {
                let mut entries = transaction.open_table(ENTRIES)?;
                entries.retain_in((NAMESPACE, "").., |_, _| false)?;
                for n in 0..load.size() {
                    let (key, value) = load.pair(n);
                    entries.insert((NAMESPACE, key), (value.as_str(), 1, now()))?;
                }
                Ok(())
            }),
        }
    }
}

impl Peer for BareRedb {
    type Value = String;

    fn form(text: String) -> Result<String> {
        Ok(text)
    }

    fn fill(&mut self, load: &mut Load<String>) -> Result<()> {
        self.make_tables()?;
        for first in (0..load.size()).step_by(CHUNK) {
            self.write(|transaction| {
                let mut entries = transaction.open_table(ENTRIES)?;
                for n in first..load.size().min(first + CHUNK) {
                    let (key, value) = load.pair(n);
                    entries.insert((NAMESPACE, key), (value.as_str(), 1, now()))?;
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    fn fill_log(&mut self, load: &mut Load<String>) -> Result<()> {
        self.make_tables()?;
        for first in (0..load.size()).step_by(CHUNK) {
            let count = CHUNK.min(load.size() - first);
            self.write(|transaction| append(transaction, load, count))?;
        }
        Ok(())
    }

    fn perform(&mut self, operation: Operation, load: &mut Load<String>) -> Performed {
        self.do_once(operation, load).map_err(Failure::Broken)
    }

    fn another(&self) -> Result<Self> {
        Ok(self.clone())
    }

    fn close(self) -> Result<()> {
        Ok(())
    }
}

impl BareRedb {
    fn make_tables(&self) -> Result<()> {
        self.write(|transaction| {
            transaction.open_table(ENTRIES)?;
            transaction.open_table(RECORDS)?;
            Ok(())
        })
    }
}

fn put(transaction: &WriteTransaction, key: &str, value: &str) -> Result<()> {
    let mut entries = transaction.open_table(ENTRIES)?;
    let last = entries.get((NAMESPACE, key))?.map_or(0, |entry| entry.value().1);
    entries.insert((NAMESPACE, key), (value, last + 1, now()))?;
    Ok(())
}

fn append(transaction: &WriteTransaction, load: &mut Load<String>, count: usize) -> Result<()> {
    let mut records = transaction.open_table(RECORDS)?;
    let newest = records.range((LOG, 0)..=(LOG, u64::MAX))?.next_back().transpose()?;
    let last = newest.map_or(0, |(key, _)| key.value().1);
    for n in 1..=count as u64 {
        records.insert((LOG, last + n), (now(), load.draw().1.as_str()))?;
    }
    Ok(())
}

fn own((value, revision, at): (&str, u64, i64)) -> (String, u64, i64) {
    (value.to_owned(), revision, at)
}
