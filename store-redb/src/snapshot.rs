//! One instant of the table: what is read.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use redb::{AccessGuard, ReadableTable};
use store_core::backend::{Epoch, Snapshot};
use store_core::{
    Entry, Error, Json, KeyRange, LogEntry, LogInfo, NamespaceInfo, Result, Revision, Seq, Timestamp,
};

use crate::error::RedbError;
use crate::schema::{self, EPOCH, Kind};

type Read<T> = std::result::Result<T, RedbError>;

/// What every table here is, for reading.
pub(crate) trait Readable: ReadableTable<&'static [u8], &'static [u8]> {}
impl<T: ReadableTable<&'static [u8], &'static [u8]>> Readable for T {}

/// The table in a transaction.
#[derive(Debug)]
pub(crate) struct Tables<'p, T> {
    pub(crate) table: T,
    pub(crate) path: &'p Path,
    /// Where the store moves with this transaction.
    pub(crate) moves_to: Option<String>,
}

impl<T> Tables<'_, T> {
    pub(crate) fn explain(&self, error: RedbError, action: &str) -> Error {
        error.at(action, self.path)
    }

    fn unreadable(&self) -> impl FnOnce(RedbError) -> Error + '_ {
        |error| self.explain(error, "cannot read the database")
    }
}

impl<T: Readable> Tables<'_, T> {
    /// Visits what lies between two keys.
    fn visit(
        &self,
        from: &[u8],
        to: &[u8],
        mut visit: impl FnMut(&[u8], &[u8]) -> Read<ControlFlow<()>>,
    ) -> Result<()> {
        let mut visit_all = || -> Read<()> {
            if from >= to {
                return Ok(());
            }
            for found in self.table.range(from..to)? {
                let (key, value) = found?;
                if visit(key.value(), value.value())?.is_break() {
                    break;
                }
            }
            Ok(())
        };
        visit_all().map_err(self.unreadable())
    }

    /// Collects the namespaces that have something of a kind, from one to the next.
    fn collect_namespaces(&self, kind: Kind, names: &mut BTreeSet<String>) -> Read<()> {
        let (mut from, end) = (schema::key(kind, &[]), schema::end_of(kind));
        while let Some(found) = self.table.range(from.as_slice()..end.as_slice())?.next() {
            let (key, _) = found?;
            let name = name_at(key.value(), 0)?;
            from = schema::behind(kind, &[name]);
            names.insert(name.to_owned());
        }
        Ok(())
    }

    pub(crate) fn find_log(&self, namespace: &str, log: &str) -> Read<Option<LogInfo>> {
        let key = schema::key(Kind::Log, &[namespace, log]);
        let found = self.table.get(key.as_slice())?;
        found.map(|found| log_from(&key, found.value())).transpose()
    }
}

/// Reads the entry under a key.
pub(crate) fn get(table: &impl Readable, namespace: &str, key: &str) -> Read<Option<Entry>> {
    let key = schema::key(Kind::Entry, &[namespace, key]);
    let found: Option<AccessGuard<'_, &[u8]>> = table.get(key.as_slice())?;
    found.map(|found| entry_from(&key, found.value())).transpose()
}

fn decode<'r>(key: &[u8], record: &'r [u8]) -> Read<([u64; 2], &'r str)> {
    schema::decode(key, record).ok_or_else(|| {
        let key = String::from_utf8_lossy(key).into_owned();
        RedbError::Row { what: format!("a record with a wrong checksum under {key:?}") }
    })
}

fn entry_from(key: &[u8], record: &[u8]) -> Read<Entry> {
    let ([revision, at], text) = decode(key, record)?;
    Ok(Entry {
        value: Json::from_trusted(Arc::from(text)),
        revision: Revision::new(revision),
        at: Timestamp::from_millis(at),
    })
}

fn log_from(key: &[u8], record: &[u8]) -> Read<LogInfo> {
    let ([first, last], _) = decode(key, record)?;
    Ok(LogInfo { name: name_at(key, 1)?.to_owned(), first, last })
}

fn odd_key(key: &[u8]) -> RedbError {
    RedbError::Row { what: format!("the key {:?}", String::from_utf8_lossy(key)) }
}

/// Returns a name out of a key.
fn name_at(key: &[u8], place: usize) -> Read<&str> {
    let name = key.get(1..).and_then(|names| names.split(|byte| *byte == 0).nth(place));
    name.and_then(|name| std::str::from_utf8(name).ok()).ok_or_else(|| odd_key(key))
}

impl<T: Readable> Snapshot for Tables<'_, T> {
    fn get(&self, namespace: &str, key: &str) -> Result<Option<Entry>> {
        get(&self.table, namespace, key).map_err(self.unreadable())
    }

    fn revision(&self, namespace: &str) -> Result<Revision> {
        let key = schema::key(Kind::Revision, &[namespace]);
        let read = || -> Read<Revision> {
            let Some(found) = self.table.get(key.as_slice())? else { return Ok(Revision::NEVER) };
            let ([revision, _], _) = decode(&key, found.value())?;
            Ok(Revision::new(revision))
        };
        read().map_err(self.unreadable())
    }

    fn scan(
        &self,
        namespace: &str,
        range: &KeyRange,
        visit: &mut dyn FnMut(&str, Entry) -> ControlFlow<()>,
    ) -> Result<()> {
        let from = schema::key(Kind::Entry, &[namespace, range.start().unwrap_or("")]);
        let to = match range.end() {
            Some(end) => schema::key(Kind::Entry, &[namespace, end]),
            None => schema::behind(Kind::Entry, &[namespace]),
        };
        self.visit(&from, &to, |key, record| Ok(visit(name_at(key, 1)?, entry_from(key, record)?)))
    }

    fn log_info(&self, namespace: &str, log: &str) -> Result<Option<LogInfo>> {
        self.find_log(namespace, log).map_err(self.unreadable())
    }

    fn scan_log(
        &self,
        namespace: &str,
        log: &str,
        from: Seq,
        visit: &mut dyn FnMut(LogEntry) -> ControlFlow<()>,
    ) -> Result<()> {
        let from = schema::record(namespace, log, from);
        let to = schema::behind(Kind::Record, &[namespace, log]);
        self.visit(&from, &to, |key, record| {
            let ([seq, at], text) = decode(key, record)?;
            let entry = Json::from_trusted(Arc::from(text));
            Ok(visit(LogEntry { seq, at: Timestamp::from_millis(at), entry }))
        })
    }

    fn namespaces(&self, visit: &mut dyn FnMut(NamespaceInfo) -> ControlFlow<()>) -> Result<()> {
        let mut names = BTreeSet::new();
        let collected = self.collect_namespaces(Kind::Entry, &mut names);
        collected.and_then(|()| self.collect_namespaces(Kind::Log, &mut names)).map_err(self.unreadable())?;
        for name in names {
            let revision = self.revision(&name)?;
            if visit(NamespaceInfo { name, revision }).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn logs(&self, namespace: &str, visit: &mut dyn FnMut(LogInfo) -> ControlFlow<()>) -> Result<()> {
        let (from, to) = (schema::below(Kind::Log, &[namespace]), schema::behind(Kind::Log, &[namespace]));
        self.visit(&from, &to, |key, record| Ok(visit(log_from(key, record)?)))
    }

    fn epoch(&self) -> Result<Epoch> {
        let read = || -> Read<Epoch> {
            let none = || RedbError::Row { what: "no epoch".to_owned() };
            let found = self.table.get(EPOCH)?.ok_or_else(none)?;
            let ([number, _], boot) = decode(EPOCH, found.value())?;
            Ok(Epoch { number: u32::try_from(number).map_err(|_| none())?, boot: boot.to_owned() })
        };
        read().map_err(self.unreadable())
    }
}
