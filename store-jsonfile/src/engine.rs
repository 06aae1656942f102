//! How a store on JSON files is found, made and opened.

use std::path::Path;

use store_core::backend::{Engine, Epoch, Presence};
use store_core::shared::access::Modes;
use store_core::shared::artefact::Artefact;
use store_core::shared::files;
use store_core::shared::place::{Place, Shape};
use store_core::{Error, ErrorKind, Result, Settings};

use crate::artefacts;
use crate::backend::JsonFilesBackend;
use crate::changes::Changes;
use crate::config::JsonFilesConfig;
use crate::error::FileError;
use crate::folder::encode_epoch;
use crate::layout::{Item, Layout, looks_like_object};
use crate::object::{FORMAT, check_format};
use crate::objects::read_file;

/// The engine: a folder of JSON files that a person can read, diff and mend.
///
/// # Examples
/// ```
/// use store_core::{Embedded, Settings, StateStore};
/// use store_jsonfile::JsonFiles;
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("state");
/// # pollster::block_on(async {
/// let store = Embedded::open(JsonFiles::default(), &path, Settings::default()).await?;
/// store.put("jobs", "42", "running".into()).await?;
/// # let text = std::fs::read_to_string(path.join("jobs.json")).unwrap();
/// assert!(text.contains("\n\"42\":\"running\"\n"));
/// # Ok::<(), store_core::Error>(())
/// # }).unwrap();
/// ```
#[derive(Debug, Clone, Default)]
pub struct JsonFiles {
    config: JsonFilesConfig,
}

impl JsonFiles {
    /// Makes an engine with a configuration.
    ///
    /// # Errors
    /// `ConfigInvalid` for a configuration that cannot be.
    pub fn new(config: JsonFilesConfig) -> Result<Self> {
        config.validate()?;
        Ok(Self { config })
    }
}

/// What the marker of a store says.
fn marker() -> String {
    format!("{{\"statestore\":{FORMAT},\"engine\":\"json\"}}\n")
}

impl Engine for JsonFiles {
    type Backend = JsonFilesBackend;

    fn name(&self) -> &'static str {
        "json"
    }

    fn version(&self) -> String {
        format!("format {FORMAT}")
    }

    fn shape(&self) -> Shape {
        Shape::Folder
    }

    fn survives_power(&self) -> bool {
        true
    }

    fn probe(&self, place: &Place, _settings: &Settings) -> Result<Presence> {
        let layout = Layout::new(place.path());
        let Some(_) = place.look_at_file()? else {
            return check_free(place).map(|()| Presence::Missing);
        };
        check_marker(place.data()).map_err(|e| e.at(place.data()))?;
        let epoch = layout.path(&Item::Epoch);
        if !exists(&epoch)? {
            return Err(FileError::Gone.at(&epoch));
        }
        Ok(if exists(&layout.changes())? { Presence::Ready } else { Presence::Incomplete })
    }

    fn artefacts(&self, place: &Place) -> Result<Vec<Artefact>> {
        artefacts::of(place)
    }

    /// The marker comes last: once it can be seen the store is complete.
    fn create(&self, place: &Place, modes: &Modes) -> Result<()> {
        let layout = Layout::new(place.path());
        if place.look_at_file()?.is_some() {
            let fresh = Changes::fresh();
            return files::create_file(&layout.changes(), fresh.as_bytes(), modes.file, modes).map(drop);
        }
        // One that somebody left who was killed here may have rights of another configuration.
        let epoch = encode_epoch(&Epoch::default())?;
        for (path, contents) in [(layout.changes(), Changes::fresh()), (layout.path(&Item::Epoch), epoch)] {
            files::replace_file(&path, place.path(), contents.as_bytes(), modes.file, modes)?;
        }
        files::create_file(place.data(), marker().as_bytes(), modes.file, modes).map(drop)
    }

    fn open(&self, place: &Place, settings: &Settings) -> Result<JsonFilesBackend> {
        JsonFilesBackend::open(place, self.config.cache, settings.read_only)
    }
}

fn check_marker(path: &Path) -> std::result::Result<(), FileError> {
    let (_, bytes) = read_file(path)?;
    if bytes.is_empty() {
        return Err(FileError::Empty);
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| FileError::Foreign)?;
    match check_format(text) {
        Err(FileError::Newer { found, known }) => Err(FileError::Newer { found, known }),
        Ok(()) if text == marker() => Ok(()),
        _ => Err(FileError::Foreign),
    }
}

/// Whether a file is there; anything else in its place is an error.
fn exists(path: &Path) -> Result<bool> {
    match store_core::shared::os::open_plain(path, false) {
        Ok(_) => Ok(true),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(FileError::from(e).at(path)),
    }
}

/// Refuses to make a store among JSON files of somebody else, which would look like damaged objects.
fn check_free(place: &Place) -> Result<()> {
    let read = place
        .path()
        .read_dir()
        .map_err(|e| store_core::shared::access::explain_denial("cannot list the folder", place.path(), e))?;
    let mut names = read.flatten().map(|found| found.file_name().to_string_lossy().into_owned());
    match names.find(|name| name == ".journal" || looks_like_object(name)) {
        None => Ok(()),
        Some(name) => {
            let why = format!(
                "holds {name:?} but no .store.json, so it is no store, or no longer one: put .store.json back, or name an \
                 empty folder"
            );
            Err(Error::new(ErrorKind::IncompatibleFormat, why).with_path(place.path()))
        }
    }
}
