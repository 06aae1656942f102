//! The open store: a state that is exchanged for the next one.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use store_core::backend::{Backend, Snapshot, Transaction};
use store_core::shared::place::Place;
use store_core::{Durability, Entry, Result};

use crate::state::State;

/// The newest state of a store.
pub(crate) type Held = Mutex<Arc<State>>;

/// An open store in memory.
#[derive(Debug)]
pub(crate) struct InMemoryBackend {
    held: Arc<Held>,
    files: Vec<PathBuf>,
}

impl InMemoryBackend {
    pub(crate) fn new(held: Arc<Held>, place: &Place) -> Self {
        Self { held, files: vec![place.data().to_owned(), place.gate()] }
    }

    /// Returns what the store holds, unless it has moved.
    fn newest(&self) -> Result<Arc<State>> {
        let newest = Arc::clone(&self.held.lock().unwrap_or_else(PoisonError::into_inner));
        newest.check_moved()?;
        Ok(newest)
    }
}

impl Backend for InMemoryBackend {
    fn get(&self, namespace: &str, key: &str) -> Result<Option<Entry>> {
        self.newest()?.get(namespace, key)
    }

    fn read(&self, _deadline: Instant, work: &mut dyn FnMut(&dyn Snapshot) -> Result<()>) -> Result<()> {
        work(&*self.newest()?)
    }

    fn write(
        &self,
        _deadline: Instant,
        work: &mut dyn FnMut(&mut dyn Transaction) -> Result<()>,
    ) -> Result<()> {
        let mut next = State::clone(&*self.newest()?);
        work(&mut next)?;
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        Ok(())
    }

    fn annul(&self) -> Result<()> {
        Ok(())
    }

    fn sync(&self) -> Result<()> {
        Ok(())
    }

    fn rewrite(&self) -> Result<()> {
        Ok(())
    }

    fn needs_maintenance(&self) -> bool {
        false
    }

    fn maintain(&self) -> Result<()> {
        Ok(())
    }

    /// The least that there is a word for: it does not even survive the process.
    fn durability(&self) -> Durability {
        Durability::Process
    }

    fn files(&self) -> Vec<PathBuf> {
        self.files.clone()
    }

    fn holder(&self) -> String {
        String::new()
    }

    fn forget(&self) {}
}
