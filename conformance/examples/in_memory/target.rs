//! What the suite has to know of a store in memory.

use std::any::Any;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use conformance::{Ability, Artefact, Damage, Role, Shape, Target, Tight, open_embedded};
use store_core::{Durability, Result, Settings, StateStore};

use crate::engine::InMemoryEngine;
use crate::marker::Marker;

/// A store in memory as programs open it.
#[derive(Debug)]
pub(crate) struct InMemory;

impl Target for InMemory {
    fn name(&self) -> &'static str {
        "in_memory"
    }

    fn place(&self, folder: &Path) -> PathBuf {
        folder.join("state.mem")
    }

    fn shape(&self) -> Shape {
        Shape::File
    }

    fn durability(&self) -> Durability {
        Durability::Process
    }

    fn open(&self, path: &Path, settings: Settings) -> Result<Arc<dyn StateStore>> {
        open_embedded(InMemoryEngine, path, settings)
    }

    fn artefacts(&self, path: &Path) -> Vec<Artefact> {
        let gate = path.with_extension("mem.gate");
        vec![Artefact::new(Role::Data, path), Artefact::new(Role::Gate, gate)]
    }

    fn check_integrity(&self, path: &Path) -> Result<(), String> {
        Marker::read(path).map(drop).map_err(|error| error.to_string())
    }

    fn tight(&self) -> Option<Tight> {
        None
    }

    fn hold_snapshot(&self, _path: &Path) -> Result<Box<dyn Any + Send>, String> {
        // Whoever reads has an instant of his own.
        Ok(Box::new(()))
    }

    fn damages(&self) -> Vec<Damage> {
        Vec::new()
    }

    fn lacks(&self) -> &'static [Ability] {
        &[Ability::Processes, Ability::Persistence, Ability::Power]
    }

    fn unfit_version(&self) -> Option<i32> {
        None
    }
}
