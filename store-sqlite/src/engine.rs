//! How a store on SQLite is found, made and opened.

use std::io;
use std::path::{Path, PathBuf};

use store_core::backend::{Engine, Presence};
use store_core::shared::access::{Modes, explain_denial};
use store_core::shared::artefact::Artefact;
use store_core::shared::files;
use store_core::shared::place::{Place, Shape};
use store_core::{Error, ErrorKind, Result, Seams, Settings};

use crate::backend::SqliteBackend;
use crate::config::SqliteConfig;
use crate::connection::{self, Header};
use crate::schema;

/// The engine: SQLite in WAL mode, compiled in.
///
/// # Examples
/// ```
/// use store_core::{Embedded, Settings, StateStore};
/// use store_sqlite::Sqlite;
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("state.db");
/// # pollster::block_on(async {
/// let store = Embedded::open(Sqlite::default(), &path, Settings::default()).await?;
/// store.put("jobs", "42", "running".into()).await?;
/// # Ok::<(), store_core::Error>(())
/// # }).unwrap();
/// ```
#[derive(Debug, Clone, Default)]
pub struct Sqlite {
    config: SqliteConfig,
}

impl Sqlite {
    /// Makes an engine with a configuration.
    ///
    /// # Errors
    /// `ConfigInvalid` for a configuration that cannot be.
    pub fn new(config: SqliteConfig) -> Result<Self> {
        config.validate()?;
        Ok(Self { config })
    }
}

pub(crate) fn wal_path(place: &Place) -> PathBuf {
    place.beside("-wal")
}

pub(crate) fn shm_path(place: &Place) -> PathBuf {
    place.beside("-shm")
}

impl Engine for Sqlite {
    type Backend = SqliteBackend;

    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn version(&self) -> String {
        rusqlite::version().to_owned()
    }

    fn shape(&self) -> Shape {
        Shape::File
    }

    fn survives_power(&self) -> bool {
        true
    }

    fn probe(&self, place: &Place, settings: &Settings) -> Result<Presence> {
        check_engine(&settings.seams)?;
        let Some(found) = place.look_at_file()? else {
            return check_abandoned(place).map(|()| Presence::Missing);
        };
        if found.len() == 0 {
            let why = "the database has zero bytes, which this program never leaves; restore a backup, or remove it \
                       together with its companions to start anew";
            return Err(Error::new(ErrorKind::Corrupted, why).with_path(place.path()));
        }
        check_header(place)?;
        match (is_file(&wal_path(place))?, is_file(&shm_path(place))?) {
            (true, true) => Ok(Presence::Ready),
            // Another program's SQLite, closing as the last one, copies everything and removes both, the
            // index first.
            (_, false) => Ok(Presence::Incomplete),
            (false, true) => {
                let why = "the -wal companion is missing, and with it perhaps committed writes; put it back (it \
                           must stay with the database), or restore a backup; to go on without them, remove the \
                           -shm companion too";
                Err(Error::new(ErrorKind::Corrupted, why).with_path(wal_path(place)))
            }
        }
    }

    fn artefacts(&self, place: &Place) -> Result<Vec<Artefact>> {
        Ok(vec![
            Artefact::file(place.path()),
            Artefact::file(wal_path(place)).with_limit(self.config.wal_limit),
            Artefact::shared(shm_path(place)),
            Artefact::gate(place.gate()),
            // No program writes one in WAL mode; SQLite would play it into the database.
            Artefact::foreign(place.beside("-journal")),
        ])
    }

    /// The companions come first, then the database complete: once it can be seen, so can they.
    fn create(&self, place: &Place, modes: &Modes) -> Result<()> {
        let companions = [wal_path(place), shm_path(place)];
        if place.look_at_file()?.is_some() {
            for companion in companions {
                files::create_file(&companion, b"", modes.file, modes)?;
            }
            return Ok(());
        }
        for companion in companions {
            // Left by somebody who was killed here; its rights may be for another configuration.
            match std::fs::remove_file(&companion) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => {
                    return Err(explain_denial("cannot remove a leftover", &companion, e));
                }
                _ => files::create_file(&companion, b"", modes.file, modes)?,
            };
        }
        let database = schema::fresh_database().map_err(|e| e.at("cannot make a database", place.path()))?;
        files::create_file(place.path(), &database, modes.file, modes).map(drop)
    }

    fn open(&self, place: &Place, settings: &Settings) -> Result<SqliteBackend> {
        SqliteBackend::open(place, self.config.clone(), settings.read_only)
    }
}

fn check_engine(seams: &Seams) -> Result<()> {
    let version = connection::version(seams);
    if connection::is_safe(version) {
        return Ok(());
    }
    let (major, minor, patch) = (version / 1_000_000, version / 1000 % 1000, version % 1000);
    let why = format!(
        "SQLite {major}.{minor}.{patch} can corrupt a database that processes share (the WAL-reset bug); build with \
         SQLite 3.51.3 or newer"
    );
    Err(Error::new(ErrorKind::IncompatibleFormat, why))
}

/// Refuses to make a database beside a log with content: SQLite would play it into the new one.
fn check_abandoned(place: &Place) -> Result<()> {
    let wal = wal_path(place);
    match wal.symlink_metadata() {
        Ok(found) if found.len() > 0 => {
            let why = "the database is missing but its -wal companion has content; put the database back, or remove \
                       the companion too";
            Err(Error::new(ErrorKind::Corrupted, why).with_path(wal))
        }
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(explain_denial("cannot look at", &wal, e)),
        _ => Ok(()),
    }
}

fn is_file(path: &Path) -> Result<bool> {
    match path.symlink_metadata() {
        Ok(found) if found.is_file() => Ok(true),
        Ok(_) => {
            let why = "is not a plain file, as the companions of a database must be; put the right one back";
            Err(Error::new(ErrorKind::Corrupted, why).with_path(path))
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(explain_denial("cannot look at", path, e)),
    }
}

/// Refuses a database of somebody else, or of a newer program, before anything of it is changed.
fn check_header(place: &Place) -> Result<()> {
    let path = place.path();
    let header = Header::read_alone(path).map_err(|e| e.at("cannot read the database", path));
    match header {
        Ok(header) => header.check(path),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            Err(explain_denial("cannot open the database", path, io::ErrorKind::PermissionDenied.into()))
        }
        // While a checkpoint copies, or after it was killed, the database alone may not fit together; the log
        // has the rest, so it is looked at again once both are open.
        Err(error) if error.kind() == ErrorKind::Corrupted && is_file(&wal_path(place))? => Ok(()),
        Err(error) => Err(error),
    }
}
