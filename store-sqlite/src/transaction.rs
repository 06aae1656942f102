//! The writing statements.

use rusqlite::{OptionalExtension, Params};
use store_core::backend::{Epoch, Transaction};
use store_core::{Entry, LogEntry, Result, Revision, Seq};

use crate::snapshot::{Tables, signed};

impl Tables<'_> {
    fn change(&self, statement: &str, params: impl Params) -> Result<()> {
        let changed =
            self.connection.prepare_cached(statement).and_then(|mut statement| statement.execute(params));
        changed.map(drop).map_err(|e| self.explain(e.into(), "cannot write"))
    }

    /// Sets the end of a log, makes it if there is none, and returns its row.
    fn extend_log(&self, namespace: &str, log: &str, seq: Seq) -> Result<i64> {
        let statement = "INSERT INTO logs (namespace, name, first, last) VALUES (?1, ?2, ?3, ?3)
                         ON CONFLICT (namespace, name) DO UPDATE SET last = excluded.last RETURNING id";
        let seq = signed(seq)?;
        let id = self.connection.prepare_cached(statement).and_then(|mut statement| {
            let mut rows = statement.query((namespace, log, seq))?;
            let id = rows.next()?.map(|row| row.get(0)).transpose()?;
            // Only a statement that ran to its end has taken effect for certain.
            while rows.next()?.is_some() {}
            Ok(id)
        });
        let id: Option<i64> = id.map_err(|e| self.explain(e.into(), "cannot write"))?;
        id.ok_or_else(|| {
            let missing = crate::error::SqliteError::Row { what: "no row for a log just written".into() };
            self.explain(missing, "cannot write")
        })
    }
}

impl Transaction for Tables<'_> {
    fn put(&mut self, namespace: &str, key: &str, entry: &Entry) -> Result<()> {
        self.take_room(namespace.len() + key.len() + entry.value.size())?;
        let (revision, at) = (signed(entry.revision.get())?, signed(entry.at.as_millis())?);
        self.change(
            "INSERT INTO entries (namespace, key, value, revision, at) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (namespace, key) DO UPDATE
             SET value = excluded.value, revision = excluded.revision, at = excluded.at",
            (namespace, key, entry.value.as_str(), revision, at),
        )
    }

    fn delete(&mut self, namespace: &str, key: &str) -> Result<()> {
        self.take_room(0)?;
        self.change("DELETE FROM entries WHERE namespace = ?1 AND key = ?2", (namespace, key))
    }

    fn clear(&mut self, namespace: &str) -> Result<()> {
        self.take_room(0)?;
        self.change("DELETE FROM entries WHERE namespace = ?1", (namespace,))
    }

    fn set_revision(&mut self, namespace: &str, revision: Revision) -> Result<()> {
        self.take_room(0)?;
        self.change(
            "INSERT INTO namespaces (name, revision) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET revision = excluded.revision",
            (namespace, signed(revision.get())?),
        )
    }

    fn append(&mut self, namespace: &str, log: &str, entry: &LogEntry) -> Result<()> {
        self.take_room(entry.entry.size())?;
        let id = self.extend_log(namespace, log, entry.seq)?;
        self.change(
            "INSERT INTO log_entries (log, seq, at, entry) VALUES (?1, ?2, ?3, ?4)",
            (id, signed(entry.seq)?, signed(entry.at.as_millis())?, entry.entry.as_str()),
        )
    }

    fn trim(&mut self, namespace: &str, log: &str, first: Seq) -> Result<()> {
        self.take_room(0)?;
        let first = signed(first)?;
        self.change(
            "DELETE FROM log_entries
             WHERE log = (SELECT id FROM logs WHERE namespace = ?1 AND name = ?2) AND seq < ?3",
            (namespace, log, first),
        )?;
        self.change("UPDATE logs SET first = ?3 WHERE namespace = ?1 AND name = ?2", (namespace, log, first))
    }

    fn delete_log(&mut self, namespace: &str, log: &str) -> Result<()> {
        self.take_room(0)?;
        let id = self.connection.prepare_cached("SELECT id FROM logs WHERE namespace = ?1 AND name = ?2");
        let id: rusqlite::Result<Option<i64>> =
            id.and_then(|mut id| id.query_row((namespace, log), |row| row.get(0)).optional());
        let Some(id) = id.map_err(|e| self.explain(e.into(), "cannot write"))? else { return Ok(()) };
        self.change("DELETE FROM log_entries WHERE log = ?1", (id,))?;
        self.change("DELETE FROM logs WHERE id = ?1", (id,))
    }

    fn set_epoch(&mut self, epoch: &Epoch) -> Result<()> {
        self.change("UPDATE store SET epoch = ?1, boot = ?2", (epoch.number, &epoch.boot))
    }
}
