//! How a store on redb is found, made and opened.

use store_core::backend::{Engine, Presence};
use store_core::shared::access::Modes;
use store_core::shared::artefact::Artefact;
use store_core::shared::files;
use store_core::shared::place::{Place, Shape};
use store_core::{Error, ErrorKind, Result, Settings};

use crate::backend::RedbBackend;
use crate::config::RedbConfig;
use crate::error::shielded;
use crate::header::Header;
use crate::reader::Reader;
use crate::{schema, stamp};

/// The engine: redb, shared by processes.
///
/// # Examples
/// ```
/// use store_core::{Embedded, Settings, StateStore};
/// use store_redb::Redb;
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("state.redb");
/// # pollster::block_on(async {
/// let store = Embedded::open(Redb::default(), &path, Settings::default()).await?;
/// store.put("jobs", "42", "running".into()).await?;
/// # Ok::<(), store_core::Error>(())
/// # }).unwrap();
/// ```
#[derive(Debug, Clone, Default)]
pub struct Redb {
    config: RedbConfig,
}

impl Redb {
    /// Makes an engine with a configuration.
    pub fn new(config: RedbConfig) -> Self {
        Self { config }
    }
}

impl Engine for Redb {
    type Backend = RedbBackend;

    fn name(&self) -> &'static str {
        "redb"
    }

    fn version(&self) -> String {
        stamp::REDB.to_owned()
    }

    fn shape(&self) -> Shape {
        Shape::File
    }

    fn survives_power(&self) -> bool {
        true
    }

    fn probe(&self, place: &Place, _settings: &Settings) -> Result<Presence> {
        let path = place.path();
        let Some(found) = place.look_at_file()? else { return Ok(Presence::Missing) };
        if found.len() == 0 {
            let why = "the database has zero bytes, which this program never leaves; restore a backup, or remove it \
                       together with its companions to start anew";
            return Err(Error::new(ErrorKind::Corrupted, why).with_path(path));
        }
        Header::read(path)?;
        if !stamp::is_there(place) {
            // What was never a store has lost no stamp.
            shielded("cannot read the database", path, || Reader::open(path, 0)?.check(path))?;
        }
        stamp::check(place)?;
        Ok(Presence::Ready)
    }

    fn artefacts(&self, place: &Place) -> Result<Vec<Artefact>> {
        Ok(vec![
            Artefact::file(place.path()),
            Artefact::file(stamp::path(place)),
            Artefact::gate(place.gate()),
        ])
    }

    /// The stamp comes first, then the database complete: once it can be seen, so can the stamp.
    fn create(&self, place: &Place, modes: &Modes) -> Result<()> {
        stamp::create(place, modes)?;
        let database = schema::fresh_database().map_err(|e| e.at("cannot make a database", place.path()))?;
        files::create_file(place.path(), &database, modes.file, modes).map(drop)
    }

    fn open(&self, place: &Place, _settings: &Settings) -> Result<RedbBackend> {
        RedbBackend::open(place, self.config.clone())
    }
}
