//! The one table, its keys and records, and the bytes of a new database, which comes into sight complete.
//!
//! All lies in one table, so that a commit changes one tree. A key begins with a byte that says what it leads
//! to; names have no control characters, so a zero byte between them keeps the order of their bytes.

use redb::{Builder, ConcurrencyMode, Durability, TableDefinition};

use crate::error::RedbError;
use crate::storage::Reading;

/// The table.
pub(crate) const TABLE: TableDefinition<'static, &'static [u8], &'static [u8]> =
    TableDefinition::new("statestore");
/// The table of a store that has moved, and where the old one goes: whoever misses it looks here, so that nobody has
/// to look before.
pub(crate) const MOVED: TableDefinition<'static, &'static [u8], &'static [u8]> =
    TableDefinition::new("statestore moved");
pub(crate) const BURIED: TableDefinition<'static, &'static [u8], &'static [u8]> =
    TableDefinition::new("statestore before it moved");
/// Where to: the URL.
pub(crate) const TARGET: &[u8] = b"\0target";
/// The version of the table; a larger one is of a newer program.
pub(crate) const VERSION: u32 = 1;

/// The version of the table: 4 bytes.
pub(crate) const FORMAT: &[u8] = b"\0format";
/// The epoch: its number, 4 bytes, and the boot id.
pub(crate) const EPOCH: &[u8] = b"\0epoch";
/// Bears no meaning: every commit changes it, so that one that failed can be told from one that did not.
pub(crate) const GUARD: &[u8] = b"\0guard";

/// What a key leads to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// The revision of a namespace.
    Revision = 1,
    /// An entry: namespace, key.
    Entry = 2,
    /// A log's first and last number: namespace, log.
    Log = 3,
    /// An entry of a log: namespace, log, number.
    Record = 4,
}

/// Returns the key of what has names.
pub(crate) fn key(kind: Kind, names: &[&str]) -> Vec<u8> {
    let mut key = Vec::with_capacity(16 + names.iter().map(|name| name.len() + 1).sum::<usize>());
    key.push(kind as u8);
    for (at, name) in names.iter().enumerate() {
        if at > 0 {
            key.push(0);
        }
        key.extend_from_slice(name.as_bytes());
    }
    key
}

/// Returns the first key of what is below names.
pub(crate) fn below(kind: Kind, names: &[&str]) -> Vec<u8> {
    let mut key = key(kind, names);
    key.push(0);
    key
}

/// Returns the first key behind all that is below names.
pub(crate) fn behind(kind: Kind, names: &[&str]) -> Vec<u8> {
    let mut key = key(kind, names);
    key.push(1);
    key
}

/// Returns the first key behind all of a kind.
pub(crate) fn end_of(kind: Kind) -> [u8; 1] {
    [kind as u8 + 1]
}

/// Returns the key of an entry of a log.
pub(crate) fn record(namespace: &str, log: &str, seq: u64) -> Vec<u8> {
    let mut key = below(Kind::Record, &[namespace, log]);
    key.extend_from_slice(&seq.to_be_bytes());
    key
}

/// Encodes what a key leads to: a checksum, for redb looks at none when it reads; two numbers; a text.
pub(crate) fn encode(key: &[u8], numbers: [u64; 2], text: &str) -> Vec<u8> {
    let mut record = Vec::with_capacity(20 + text.len());
    record.extend_from_slice(&[0; 4]);
    record.extend_from_slice(&numbers[0].to_le_bytes());
    record.extend_from_slice(&numbers[1].to_le_bytes());
    record.extend_from_slice(text.as_bytes());
    let (sum, rest) = record.split_at_mut(4);
    sum.copy_from_slice(&checksum(key, rest).to_le_bytes());
    record
}

/// Decodes what a key leads to; none if it is not as it was written.
pub(crate) fn decode<'r>(key: &[u8], record: &'r [u8]) -> Option<([u64; 2], &'r str)> {
    let (sum, rest) = record.split_first_chunk()?;
    if checksum(key, rest) != u32::from_le_bytes(*sum) {
        return None;
    }
    let (first, rest) = rest.split_first_chunk()?;
    let (second, text) = rest.split_first_chunk()?;
    Some(([u64::from_le_bytes(*first), u64::from_le_bytes(*second)], std::str::from_utf8(text).ok()?))
}

fn checksum(key: &[u8], rest: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    sum.update(key);
    sum.update(rest);
    sum.finalize()
}

/// Returns the bytes of an empty store.
pub(crate) fn fresh_database() -> Result<Vec<u8>, RedbError> {
    let memory = Reading::empty();
    let database = Builder::new()
        .set_concurrency_mode(ConcurrencyMode::MultiWriter)
        .create_with_backend(memory.clone())?;
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate).map_err(|e| RedbError::Row { what: e.to_string() })?;
    {
        let mut table = transaction.open_table(TABLE)?;
        table.insert(FORMAT, VERSION.to_le_bytes().as_slice())?;
        table.insert(EPOCH, encode(EPOCH, [0, 0], "").as_slice())?;
        table.insert(GUARD, [0; 8].as_slice())?;
    }
    transaction.commit()?;
    drop(database);
    Ok(memory.into_bytes()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_in_the_order_of_names() {
        let names = [["a", "z"], ["a b", "a"], ["ab", "a"], ["ab", "aa"], ["b", "\u{e9}"]];
        let keys: Vec<_> = names.iter().map(|names| key(Kind::Entry, names)).collect();
        assert!(keys.is_sorted(), "{keys:?}");
        assert!(below(Kind::Entry, &["a"]) < keys[0] && keys[0] < behind(Kind::Entry, &["a"]));
        assert!(behind(Kind::Entry, &["a"]) < keys[1]);
        assert!(record("a", "l", 255) < record("a", "l", 256));
    }

    #[test]
    fn a_record_that_was_changed_is_none() {
        let record = encode(b"key", [1, 2], "\"text\"");
        assert_eq!(decode(b"key", &record), Some(([1, 2], "\"text\"")));
        assert_eq!(decode(b"other", &record), None);
        for at in 0..record.len() {
            let mut changed = record.clone();
            changed[at] ^= 1;
            assert_eq!(decode(b"key", &changed), None, "byte {at}");
            assert_eq!(decode(b"key", &record[..at]), None, "cut at {at}");
        }
    }
}
