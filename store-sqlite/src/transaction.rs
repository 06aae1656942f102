//! The writing statements.

use rusqlite::{OptionalExtension, Params};
use store_core::backend::{Epoch, Transaction};
use store_core::{Entry, LogEntry, Result, Revision, Seq};

use crate::schema;
use crate::snapshot::{Tables, signed};

impl Tables<'_> {
    fn change(&self, statement: &str, params: impl Params) -> Result<()> {
        let changed =
            self.connection.prepare_cached(statement).and_then(|mut statement| statement.execute(params));
        changed.map(drop).map_err(|e| self.explain(e.into(), "cannot write"))
    }

    /// Returns the row of a log, if there is one.
    fn find_log(&self, namespace: &str, log: &str) -> Result<Option<i64>> {
        let statement = "SELECT id FROM logs WHERE namespace = ?1 AND name = ?2";
        let found = self
            .connection
            .prepare_cached(statement)
            .and_then(|mut statement| statement.query_row((namespace, log), |row| row.get(0)).optional());
        found.map_err(|e| self.explain(e.into(), "cannot write"))
    }

    /// Sets the end of a log, makes it if there is none, and returns its row.
    ///
    /// Two statements: one that returns the row it wrote takes as long as the whole append.
    fn extend_log(&self, namespace: &str, log: &str, seq: Seq) -> Result<i64> {
        let seq = signed(seq)?;
        if let Some(id) = self.find_log(namespace, log)? {
            self.change("UPDATE logs SET last = ?2 WHERE id = ?1", (id, seq))?;
            return Ok(id);
        }
        self.change(
            "INSERT INTO logs (namespace, name, first, last) VALUES (?1, ?2, ?3, ?3)",
            (namespace, log, seq),
        )?;
        Ok(self.connection.last_insert_rowid())
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
        let Some(id) = self.find_log(namespace, log)? else { return Ok(()) };
        self.change("DELETE FROM log_entries WHERE log = ?1", (id,))?;
        self.change("DELETE FROM logs WHERE id = ?1", (id,))
    }

    fn set_epoch(&mut self, epoch: &Epoch) -> Result<()> {
        self.change("UPDATE store SET epoch = ?1, boot = ?2", (epoch.number, &epoch.boot))
    }

    fn entomb(&mut self, to: &str) -> Result<()> {
        let buried = self.connection.execute_batch(schema::BURY);
        buried.map_err(|e| self.explain(e.into(), "cannot write"))?;
        self.change("INSERT INTO moved VALUES (?1)", (to,))
    }
}
