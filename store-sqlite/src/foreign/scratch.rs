//! A database as other programs make and hold it, for tests of what reads them.

use std::path::Path;

use rusqlite::Connection;
use store_core::{Error, ErrorKind, Result};

/// A connection of somebody else's; dropping it closes the database.
#[derive(Debug)]
pub struct Scratch {
    connection: Connection,
}

impl Scratch {
    /// Opens a database as any program does, and makes it if it is missing.
    ///
    /// # Errors
    /// `Io` with what SQLite said.
    pub fn open(path: &Path) -> Result<Self> {
        Ok(Self { connection: Connection::open(path).map_err(said)? })
    }

    /// Runs statements.
    ///
    /// # Errors
    /// `Io` with what SQLite said.
    pub fn run(&self, sql: &str) -> Result<()> {
        self.connection.execute_batch(sql).map_err(said)
    }
}

fn said(error: rusqlite::Error) -> Error {
    Error::new(ErrorKind::Io, "SQLite refused").with_source(error)
}
