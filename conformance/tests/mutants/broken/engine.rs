//! How a store is found, made and opened, with faults.

use std::path::{Path, PathBuf};

use store_core::backend::{Engine, Presence};
use store_core::shared::access::Modes;
use store_core::shared::place::{Place, Shape};
use store_core::{Error, ErrorKind, Result, Settings};

use super::backend::BrokenBackend;
use super::loading::Loading;
use super::saving::save;
use super::table::Mutant;
use crate::document;
use crate::engine::SingleFileEngine;
use crate::state::State;

/// The engine with a fault.
#[derive(Debug, Clone)]
pub(super) struct BrokenEngine {
    pub(super) mutant: Mutant,
    /// Where the document lies, if not where the gate does.
    pub(super) shared: Option<PathBuf>,
}

impl BrokenEngine {
    pub(super) fn new(mutant: Mutant) -> Self {
        Self { mutant, shared: None }
    }

    fn documents<'p>(&'p self, place: &'p Place) -> &'p Path {
        self.shared.as_deref().unwrap_or(place.path())
    }
}

impl Engine for BrokenEngine {
    type Backend = BrokenBackend;

    fn name(&self) -> &'static str {
        SingleFileEngine.name()
    }

    fn version(&self) -> String {
        SingleFileEngine.version()
    }

    fn shape(&self) -> Shape {
        SingleFileEngine.shape()
    }

    fn survives_power(&self) -> bool {
        true
    }

    fn probe(&self, place: &Place, settings: &Settings) -> Result<Presence> {
        let found = SingleFileEngine.probe(place, settings);
        let Err(error) = found else { return found };
        if error.kind() == ErrorKind::Moved {
            return Err(error);
        }
        if self.mutant == Mutant::ErrorKindWrong && error.kind() == ErrorKind::Corrupted {
            return Err(Error::new(ErrorKind::Io, error.message()).with_path(place.path()));
        }
        // What this engine takes for sound it takes for sound here too.
        let about_the_document = error.path().is_some_and(|path| path.ends_with("state.json"));
        let marked = place.data().exists();
        if about_the_document && marked && Loading::new(self.mutant, self.documents(place)).load().is_ok() {
            return Ok(Presence::Ready);
        }
        Err(error)
    }

    fn create(&self, place: &Place, modes: &Modes) -> Result<()> {
        SingleFileEngine.create(place, modes)?;
        if matches!(self.mutant, Mutant::UmaskTrusted | Mutant::CompanionForgotten) {
            let text = document::encode(&State::default())?;
            save(self.mutant, place.path(), text.as_bytes(), modes).map_err(|(error, _)| error)?;
        }
        Ok(())
    }

    fn open(&self, place: &Place, _settings: &Settings) -> Result<BrokenBackend> {
        BrokenBackend::open(self.mutant, place, self.documents(place))
    }
}
