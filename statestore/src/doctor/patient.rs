//! The store that is looked at: where it lies, what belongs to it, and which rights it has to have.

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};

use store_core::backend::{Engine, Presence};
use store_core::shared::access::{Modes, explain_denial};
use store_core::shared::artefact::Artefact;
use store_core::shared::gate::Gate;
use store_core::shared::place::{Place, Shape};
use store_core::{Error, ErrorKind, Result, Settings};

use super::expected;
use crate::config::StoreConfig;

/// What is asked of an engine, whatever its open store is.
pub(crate) trait Examine {
    /// Names the engine and its version.
    fn title(&self) -> String;

    /// Returns what lies at the path of a store.
    fn shape(&self) -> Shape;

    /// Looks what there is, changing nothing.
    fn probe(&self, place: &Place, settings: &Settings) -> Result<Presence>;

    /// Returns what lies on disk of a store.
    fn artefacts(&self, place: &Place) -> Result<Vec<Artefact>>;
}

impl<E: Engine> Examine for E {
    fn title(&self) -> String {
        format!("{} {}", self.name(), self.version())
    }

    fn shape(&self) -> Shape {
        Engine::shape(self)
    }

    fn probe(&self, place: &Place, settings: &Settings) -> Result<Presence> {
        Engine::probe(self, place, settings)
    }

    fn artefacts(&self, place: &Place) -> Result<Vec<Artefact>> {
        Engine::artefacts(self, place)
    }
}

/// A store under examination, as its files were when it was looked at.
pub(super) struct Patient<'a> {
    pub(super) config: &'a StoreConfig,
    pub(super) engine: &'a dyn Examine,
    pub(super) place: Place,
    pub(super) artefacts: Vec<Artefact>,
    /// The rights that everything has to have.
    pub(super) modes: Modes,
    /// What the engine says of it; an error is what keeps it from being opened.
    pub(super) presence: Result<Presence>,
}

impl<'a> Patient<'a> {
    /// Finds the store of a configuration.
    pub(super) fn of(config: &'a StoreConfig) -> Result<Self> {
        let engine = config.engine().examine();
        let place = Place::resolve(config.path(), engine.shape())?;
        let missing = || {
            let why = "there is no store here; check the path";
            Error::new(ErrorKind::NotFound, why).with_path(place.path())
        };
        match look_at(place.folder())? {
            None => return Err(missing()),
            Some(found) if !found.is_dir() => {
                let why = "is not a folder, as a store of this engine must be; name another path";
                return Err(Error::new(ErrorKind::ConfigInvalid, why).with_path(place.folder()));
            }
            Some(_) => {}
        }
        let artefacts = engine.artefacts(&place)?;
        let presence = engine.probe(&place, config.settings());
        if let Ok(Presence::Missing) = presence {
            return Err(match left_behind(&artefacts) {
                left if left.is_empty() => missing(),
                left => {
                    let why = format!(
                        "there is no store here, but {left} of one; check the path, or remove what is left"
                    );
                    Error::new(ErrorKind::NotFound, why).with_path(place.path())
                }
            });
        }
        let modes = expected::modes(config.settings(), &place, &artefacts)?;
        Ok(Self { config, engine, place, artefacts, modes, presence })
    }

    /// Returns the settings of the configuration.
    pub(super) fn settings(&self) -> &Settings {
        self.config.settings()
    }

    /// Returns a gate of our own; it is made only when it is entered.
    pub(super) fn gate(&self) -> Gate {
        Gate::new(self.place.gate(), self.modes)
    }

    /// Whether the configuration itself says that the store is shared.
    pub(super) fn is_shared_by_word(&self) -> bool {
        let settings = self.settings();
        settings.group.is_some()
            || settings.access.is_some_and(|access| access != store_core::Access::Private)
    }
}

/// Looks at a path itself, no link followed; none if nothing is there.
pub(super) fn look_at(path: &Path) -> Result<Option<Metadata>> {
    match path.symlink_metadata() {
        Ok(found) => Ok(Some(found)),
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(e) => Err(explain_denial("cannot look at", path, e)),
    }
}

/// Names the artefacts that are there without a store.
fn left_behind(artefacts: &[Artefact]) -> String {
    let is_there = |path: &&PathBuf| path.symlink_metadata().is_ok_and(|found| !found.is_dir());
    let names = artefacts.iter().map(|artefact| &artefact.path).filter(is_there);
    let names = names.filter_map(|path| path.file_name()).map(|name| name.to_string_lossy().into_owned());
    names.collect::<Vec<_>>().join(", ")
}
