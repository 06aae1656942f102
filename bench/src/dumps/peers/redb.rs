//! Bare redb.

use std::io::Write;
use std::path::Path;

use redb::{Builder, ConcurrencyMode, Database, ReadableDatabase, ReadableTable, TableDefinition};

use super::super::contents::{Record, Spread};
use super::{create, sync};
use crate::Result;
use crate::load::Load;
use crate::side::{REDB_CACHE, now};

/// Namespace and key to value, the key's own revision, time.
const ENTRIES: TableDefinition<'_, (&str, &str), (&str, u64, i64)> = TableDefinition::new("entries");
/// Namespace and number to time and entry.
const RECORDS: TableDefinition<'_, (&str, u64), (i64, &str)> = TableDefinition::new("records");
const FILE: &str = "bare.redb";

/// Scans both tables into a file of plain lines, and returns how large it is.
pub(super) fn export(above: &Path) -> Result<u64> {
    let database = open(above)?;
    let transaction = database.begin_read()?;
    let mut to = create(Path::new("bare.txt"))?;
    for entry in transaction.open_table(ENTRIES)?.iter()? {
        let (key, entry) = entry?;
        let ((namespace, key), (value, revision, at)) = (key.value(), entry.value());
        writeln!(to, "{namespace}\t{key}\t{revision}\t{at}\t{value}")?;
    }
    for record in transaction.open_table(RECORDS)?.iter()? {
        let (key, record) = record?;
        let ((namespace, seq), (at, entry)) = (key.value(), record.value());
        writeln!(to, "{namespace}\t{seq}\t{at}\t{entry}")?;
    }
    sync(to)
}

/// Inserts all entries in one transaction, and returns how large the database is.
pub(super) fn import(folder: &Path, spread: Spread) -> Result<u64> {
    let database = open(folder)?;
    let transaction = database.begin_write()?;
    {
        let mut entries = transaction.open_table(ENTRIES)?;
        let mut records = transaction.open_table(RECORDS)?;
        let mut load = Load::<String>::new(spread.each(), 1, Ok::<_, redb::Error>)?;
        spread.visit(&mut load, &mut |record| {
            match record {
                Record::Key { namespace, key, value } => {
                    entries.insert((namespace, key), (value.as_str(), 1, now()))?;
                }
                Record::Entry { namespace, seq, value } => {
                    records.insert((namespace, seq), (now(), value.as_str()))?;
                }
            }
            Ok(())
        })?;
    }
    transaction.commit()?;
    drop(database);
    Ok(folder.join(FILE).metadata()?.len())
}

/// Opens it as the store has it: with other processes.
fn open(folder: &Path) -> Result<Database> {
    let mut builder = Builder::new();
    builder.set_concurrency_mode(ConcurrencyMode::MultiWriter).set_cache_size(REDB_CACHE);
    Ok(builder.create(folder.join(FILE))?)
}
