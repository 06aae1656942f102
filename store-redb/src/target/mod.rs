//! What the suite of real processes, `conformance`, has to know of a store on redb.

mod cases;
mod damages;

use std::any::Any;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use conformance::{Artefact, Damage, OwnCase, Role, Shape, Target, Tight, open_embedded};
use redb::{Builder, ConcurrencyMode, ReadableDatabase, ReadableTable};
use store_core::{Durability, Result, Settings, StateStore};

use crate::engine::Redb;
use crate::error::RedbError;
use crate::schema::{self, EPOCH, Kind, TABLE};

/// A store on redb as programs open it.
#[derive(Debug, Clone, Copy)]
pub struct Database;

impl Target for Database {
    fn name(&self) -> &'static str {
        "redb"
    }

    fn place(&self, folder: &Path) -> PathBuf {
        folder.join("state.redb")
    }

    fn shape(&self) -> Shape {
        Shape::File
    }

    fn durability(&self) -> Durability {
        Durability::Power
    }

    fn open(&self, path: &Path, settings: Settings) -> Result<Arc<dyn StateStore>> {
        open_embedded(Redb::default(), path, settings)
    }

    fn artefacts(&self, path: &Path) -> Vec<Artefact> {
        vec![
            Artefact::new(Role::Data, path),
            Artefact::new(Role::Companion, beside(path, ".stamp")),
            Artefact::new(Role::Gate, beside(path, ".gate")),
        ]
    }

    /// Lets redb check its trees, and looks at the checksum of every record.
    fn check_integrity(&self, path: &Path) -> Result<(), String> {
        let check = || -> Result<(), RedbError> {
            let mut database = bare(path)?;
            if !database.check_integrity()? {
                return Err(RedbError::Row { what: "trees that redb had to mend".to_owned() });
            }
            for found in database.begin_read()?.open_table(TABLE)?.range(..)? {
                let (key, record) = found?;
                let (key, record) = (key.value(), record.value());
                let is_plain = key.first() == Some(&0) && key != EPOCH;
                if !is_plain && schema::decode(key, record).is_none() {
                    let key = String::from_utf8_lossy(key);
                    return Err(RedbError::Row { what: format!("a wrong record under {key:?}") });
                }
            }
            Ok(())
        };
        check().map_err(|error| error.to_string())
    }

    fn tight(&self) -> Option<Tight> {
        None
    }

    fn hold_snapshot(&self, path: &Path) -> Result<Box<dyn Any + Send>, String> {
        let begin = || -> Result<Box<dyn Any + Send>, RedbError> {
            let database = bare(path)?;
            let transaction = database.begin_read()?;
            transaction.open_table(TABLE)?.get(schema::key(Kind::Revision, &["n"]).as_slice())?;
            Ok(Box::new((transaction, database)))
        };
        begin().map_err(|error| error.to_string())
    }

    fn damages(&self) -> Vec<Damage> {
        damages::ALL.to_vec()
    }

    fn unfit_version(&self) -> Option<i32> {
        None
    }

    fn own_cases(&self) -> Vec<OwnCase> {
        cases::CASES.to_vec()
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", path.display()))
}

/// Opens the database as any program with this redb could.
fn bare(path: &Path) -> Result<redb::Database, redb::DatabaseError> {
    Builder::new().set_concurrency_mode(ConcurrencyMode::MultiWriter).open(path)
}
