//! One instant of the tables: the reading statements.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Params, Row};
use store_core::backend::{Epoch, Snapshot};
use store_core::{
    Entry, Error, ErrorKind, Json, KeyRange, LogEntry, LogInfo, NamespaceInfo, Result, Revision, Seq,
    Timestamp,
};

use crate::error::SqliteError;
use crate::schema::moved_to;
use crate::wal::{Wal, size_of_log};

type Read<T> = std::result::Result<T, SqliteError>;

/// The tables in the transaction of a connection.
#[derive(Debug)]
pub(crate) struct Tables<'c> {
    pub(crate) connection: &'c Connection,
    path: &'c Path,
    /// What the log may still take; nothing for a reader.
    room: Option<Room<'c>>,
}

/// How many bytes a transaction may add to the log.
#[derive(Debug)]
struct Room<'c> {
    wal: &'c Wal,
    all: u64,
    /// What is left of it if every statement has added as much as it can.
    left: u64,
}

impl<'c> Tables<'c> {
    pub(crate) fn reading(connection: &'c Connection, path: &'c Path) -> Self {
        Self { connection, path, room: None }
    }

    pub(crate) fn writing(connection: &'c Connection, path: &'c Path, wal: &'c Wal, room: u64) -> Self {
        Self { connection, path, room: Some(Room { wal, all: room, left: room }) }
    }

    pub(crate) fn explain(&self, error: SqliteError, action: &str) -> Error {
        explain(self.connection, error, action, self.path)
    }

    /// Counts what a statement will add to the log, at most.
    pub(crate) fn take_room(&mut self, bytes: usize) -> Result<()> {
        // A row touches a leaf and some pages above it; what does not fit in the leaf lies in pages of its own.
        const PAGES: u64 = 4 * 4096;
        let need = bytes as u64 * 2 + PAGES;
        let Some(Room { all, left, .. }) = self.room else { return Ok(()) };
        // A transaction has one frame for a page, however often it changes it, so that many small rows take no
        // more than the pages that there are.
        let left = match left.checked_sub(need) {
            Some(left) => Some(left),
            None => all.checked_sub(self.size_of_all_pages()?.saturating_add(need)),
        };
        let Some(room) = &mut self.room else { return Ok(()) };
        room.left = left.ok_or_else(|| room.wal.refuse())?;
        Ok(())
    }

    /// Returns the bytes of all pages of the database, those of this transaction included, as frames.
    fn size_of_all_pages(&self) -> Result<u64> {
        let pages = self.connection.pragma_query_value(None, "page_count", |row| row.get::<_, i64>(0));
        let pages = pages.map_err(|e| self.explain(e.into(), "cannot read the database"))?;
        Ok(size_of_log(pages.unsigned_abs()))
    }

    fn visit<P: Params>(
        &self,
        statement: &str,
        params: P,
        mut visit: impl FnMut(&Row<'_>) -> Read<ControlFlow<()>>,
    ) -> Result<()> {
        let visit_all = || -> Read<()> {
            let mut statement = self.connection.prepare_cached(statement)?;
            let mut rows = statement.query(params)?;
            while let Some(row) = rows.next()? {
                if visit(row)?.is_break() {
                    break;
                }
            }
            Ok(())
        };
        visit_all().map_err(|e| self.explain(e, "cannot read the database"))
    }
}

/// Makes the contract's error; a missing table is one of a store that has moved.
pub(crate) fn explain(connection: &Connection, error: SqliteError, action: &str, path: &Path) -> Error {
    match error.misses_a_table().then(|| moved_to(connection)).flatten() {
        Some(to) => Error::moved(&to).with_path(path),
        None => error.at(action, path),
    }
}

/// Reads the entry under a key, in a transaction or on its own.
pub(crate) fn get(connection: &Connection, namespace: &str, key: &str) -> Read<Option<Entry>> {
    let mut statement = connection
        .prepare_cached("SELECT value, revision, at FROM entries WHERE namespace = ?1 AND key = ?2")?;
    let mut rows = statement.query((namespace, key))?;
    rows.next()?.map(|row| entry_at(row, 0)).transpose()
}

fn entry_at(row: &Row<'_>, first: usize) -> Read<Entry> {
    Ok(Entry {
        value: json_at(row, first)?,
        revision: Revision::new(number_at(row, first + 1)?),
        at: Timestamp::from_millis(number_at(row, first + 2)?),
    })
}

fn json_at(row: &Row<'_>, column: usize) -> Read<Json> {
    Ok(Json::from_trusted(Arc::from(text_at(row, column)?)))
}

fn text_at<'r>(row: &'r Row<'_>, column: usize) -> Read<&'r str> {
    let text = row.get_ref(column)?.as_str();
    text.map_err(|e| SqliteError::Row { what: format!("column {column} that is no text ({e})") })
}

fn number_at(row: &Row<'_>, column: usize) -> Read<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| SqliteError::Row { what: format!("the negative number {number}") })
}

fn log_at(row: &Row<'_>, first: usize) -> Read<LogInfo> {
    let name = text_at(row, first)?.to_owned();
    Ok(LogInfo { name, first: number_at(row, first + 1)?, last: number_at(row, first + 2)? })
}

/// Numbers that a statement is given; SQLite has no unsigned ones.
pub(crate) fn signed(number: u64) -> Result<i64> {
    i64::try_from(number).map_err(|_| {
        Error::new(ErrorKind::InvalidInput, format!("{number} is too large a number; at most 2^63 - 1"))
    })
}

impl Snapshot for Tables<'_> {
    fn get(&self, namespace: &str, key: &str) -> Result<Option<Entry>> {
        get(self.connection, namespace, key).map_err(|e| self.explain(e, "cannot read the database"))
    }

    fn revision(&self, namespace: &str) -> Result<Revision> {
        let mut revision = Revision::NEVER;
        self.visit("SELECT revision FROM namespaces WHERE name = ?1", (namespace,), |row| {
            revision = Revision::new(number_at(row, 0)?);
            Ok(ControlFlow::Break(()))
        })?;
        Ok(revision)
    }

    fn scan(
        &self,
        namespace: &str,
        range: &KeyRange,
        visit: &mut dyn FnMut(&str, Entry) -> ControlFlow<()>,
    ) -> Result<()> {
        let statement = "SELECT key, value, revision, at FROM entries
                         WHERE namespace = ?1 AND key >= ?2 ORDER BY key";
        self.visit(statement, (namespace, range.start().unwrap_or("")), |row| {
            let key = text_at(row, 0)?;
            if range.end().is_some_and(|end| key >= end) {
                return Ok(ControlFlow::Break(()));
            }
            Ok(visit(key, entry_at(row, 1)?))
        })
    }

    fn log_info(&self, namespace: &str, log: &str) -> Result<Option<LogInfo>> {
        let mut info = None;
        let statement = "SELECT name, first, last FROM logs WHERE namespace = ?1 AND name = ?2";
        self.visit(statement, (namespace, log), |row| {
            info = Some(log_at(row, 0)?);
            Ok(ControlFlow::Break(()))
        })?;
        Ok(info)
    }

    fn scan_log(
        &self,
        namespace: &str,
        log: &str,
        from: Seq,
        visit: &mut dyn FnMut(LogEntry) -> ControlFlow<()>,
    ) -> Result<()> {
        let statement = "SELECT seq, at, entry FROM log_entries
                         WHERE log = (SELECT id FROM logs WHERE namespace = ?1 AND name = ?2) AND seq >= ?3
                         ORDER BY seq";
        self.visit(statement, (namespace, log, signed(from)?), |row| {
            let at = Timestamp::from_millis(number_at(row, 1)?);
            Ok(visit(LogEntry { seq: number_at(row, 0)?, at, entry: json_at(row, 2)? }))
        })
    }

    fn namespaces(&self, visit: &mut dyn FnMut(NamespaceInfo) -> ControlFlow<()>) -> Result<()> {
        let statement = "SELECT name, revision FROM namespaces AS n
                         WHERE EXISTS (SELECT 1 FROM entries WHERE namespace = n.name)
                            OR EXISTS (SELECT 1 FROM logs WHERE namespace = n.name)
                         UNION ALL
                         SELECT DISTINCT namespace, 0 FROM logs
                         WHERE namespace NOT IN (SELECT name FROM namespaces)
                         ORDER BY 1";
        self.visit(statement, (), |row| {
            let revision = Revision::new(number_at(row, 1)?);
            Ok(visit(NamespaceInfo { name: text_at(row, 0)?.to_owned(), revision }))
        })
    }

    fn logs(&self, namespace: &str, visit: &mut dyn FnMut(LogInfo) -> ControlFlow<()>) -> Result<()> {
        let statement = "SELECT name, first, last FROM logs WHERE namespace = ?1 ORDER BY name";
        self.visit(statement, (namespace,), |row| Ok(visit(log_at(row, 0)?)))
    }

    fn epoch(&self) -> Result<Epoch> {
        let row =
            self.connection.prepare_cached("SELECT epoch, boot FROM store").and_then(|mut statement| {
                statement.query_row((), |row| Ok(Epoch { number: row.get(0)?, boot: row.get(1)? })).optional()
            });
        let epoch = row.map_err(|e| self.explain(e.into(), "cannot read the database"))?;
        let none = || SqliteError::Row { what: "no epoch".into() };
        epoch.ok_or_else(|| self.explain(none(), "cannot read the database"))
    }
}
