//! What the suite of real processes, `conformance`, has to know of a store on SQLite.

mod damages;

use std::any::Any;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use conformance::{Artefact, Damage, Role, Shape, Target, Tight, open_embedded};
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use store_core::{Durability, Result, Settings, StateStore};

use crate::config::SqliteConfig;
use crate::engine::Sqlite;

/// A store on SQLite as programs open it.
#[derive(Debug, Clone, Copy)]
pub struct Database;

impl Target for Database {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn place(&self, folder: &Path) -> PathBuf {
        folder.join("state.db")
    }

    fn shape(&self) -> Shape {
        Shape::File
    }

    fn durability(&self) -> Durability {
        Durability::Process
    }

    fn open(&self, path: &Path, settings: Settings) -> Result<Arc<dyn StateStore>> {
        open_embedded(Sqlite::default(), path, settings)
    }

    fn artefacts(&self, path: &Path) -> Vec<Artefact> {
        let beside = |suffix| PathBuf::from(format!("{}{suffix}", path.display()));
        vec![
            Artefact::new(Role::Data, path),
            Artefact::new(Role::Companion, beside("-wal")),
            Artefact::new(Role::Shared, beside("-shm")),
            Artefact::new(Role::Gate, beside(".gate")),
        ]
    }

    fn check_integrity(&self, path: &Path) -> Result<(), String> {
        let found = bare(path).and_then(|connection| {
            let mut check = connection.prepare("PRAGMA integrity_check")?;
            let rows = check.query_map([], |row| row.get::<_, String>(0))?;
            rows.collect::<Result<Vec<_>, _>>()
        });
        match found {
            Ok(words) if words == ["ok"] => Ok(()),
            Ok(words) => Err(words.join("; ")),
            Err(error) => Err(error.to_string()),
        }
    }

    fn tight(&self) -> Option<Tight> {
        Some(Tight { limit: WAL_LIMIT, open: open_tight })
    }

    fn hold_snapshot(&self, path: &Path) -> Result<Box<dyn Any + Send>, String> {
        let begin = || {
            let connection = bare(path)?;
            connection.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema;")?;
            Ok(connection)
        };
        let connection = begin().map_err(|error: rusqlite::Error| error.to_string())?;
        Ok(Box::new(connection))
    }

    fn damages(&self) -> Vec<Damage> {
        damages::ALL.to_vec()
    }

    fn unfit_version(&self) -> Option<i32> {
        Some(3_051_002)
    }

    /// The codes of SQLite tell which of its calls failed, and not why; and a read that fails with EIO is
    /// corruption to it.
    fn tells_why_a_call_failed(&self) -> bool {
        false
    }

    /// A frame of the log counts if it and all before it are whole.
    fn ends_with_its_last_whole_record(&self, role: Role) -> bool {
        role == Role::Companion
    }

    /// Frames of the log have checksums, pages of the database have none.
    fn verifies_what_it_reads(&self) -> bool {
        false
    }

    /// The index of the log, `-shm`.
    fn writes_through_maps(&self) -> bool {
        true
    }
}

/// The lowest limit that there is.
const WAL_LIMIT: u64 = 16 << 20;

fn open_tight(path: &Path, settings: Settings) -> Result<Arc<dyn StateStore>> {
    let engine = Sqlite::new(SqliteConfig::default().with_wal_limit(WAL_LIMIT))?;
    open_embedded(engine, path, settings)
}

/// Opens the database as any program could, but leaves its companions as they are.
fn bare(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(connection)
}
