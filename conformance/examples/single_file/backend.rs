//! The open store: reads of one instant, writes in the gate.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use store_core::backend::{Backend, Snapshot, Transaction};
use store_core::shared::access::{Modes, explain_denial};
use store_core::shared::files::sweep_files;
use store_core::shared::os;
use store_core::shared::place::Place;
use store_core::{Durability, Entry, Error, ErrorKind, Result};

use crate::file::{Document, Failed};
use crate::state::State;

/// An open store over a single file.
#[derive(Debug)]
pub(crate) struct SingleFileBackend {
    place: Place,
    document: Document,
    /// Whether leftovers of killed processes were looked for.
    swept: AtomicBool,
    /// Whether the last write failed after others could see it.
    seen: AtomicBool,
}

impl SingleFileBackend {
    pub(crate) fn open(place: &Place) -> Result<Self> {
        let marker = place.data();
        let found = marker.metadata().map_err(|e| explain_denial("cannot look at", marker, e))?;
        let document = Document::new(place.path(), Modes::of_file(&found));
        Ok(Self { place: place.clone(), document, swept: AtomicBool::default(), seen: AtomicBool::default() })
    }

    /// Returns what the store holds, unless it has moved.
    fn load(&self) -> Result<Arc<State>> {
        let state = self.document.load()?;
        state.check_moved().map_err(|error| error.with_path(self.document.path()))?;
        Ok(state)
    }

    fn save(&self, state: &Arc<State>) -> Result<()> {
        self.seen.store(false, Ordering::Release);
        self.document.save(state).map_err(|failed| match failed {
            Failed::Unseen(error) => error,
            Failed::Seen(error) => {
                self.seen.store(true, Ordering::Release);
                error
            }
        })
    }
}

impl Backend for SingleFileBackend {
    fn get(&self, namespace: &str, key: &str) -> Result<Option<Entry>> {
        self.load()?.get(namespace, key)
    }

    fn read(&self, _deadline: Instant, work: &mut dyn FnMut(&dyn Snapshot) -> Result<()>) -> Result<()> {
        work(&*self.load()?)
    }

    fn write(
        &self,
        _deadline: Instant,
        work: &mut dyn FnMut(&mut dyn Transaction) -> Result<()>,
    ) -> Result<()> {
        // Whoever may not write is told so, even where nothing would have to be changed.
        let folder = self.place.path();
        os::may_write(folder).map_err(|e| explain_denial("cannot write", folder, e))?;
        if !self.swept.swap(true, Ordering::AcqRel) {
            sweep_files(folder);
        }
        let mut state = State::clone(&*self.load()?);
        work(&mut state)?;
        self.save(&Arc::new(state))
    }

    fn annul(&self) -> Result<()> {
        if !self.seen.load(Ordering::Acquire) {
            return Ok(());
        }
        let why = "it can be seen, and taking it back would make those wrong who saw it";
        Err(Error::new(ErrorKind::Indeterminate, why).with_path(self.document.path()))
    }

    fn sync(&self) -> Result<()> {
        // Another process may have given the file its name and not synced that yet.
        self.document.sync_name()
    }

    fn rewrite(&self) -> Result<()> {
        let state = self.document.load()?;
        self.save(&state)
    }

    fn needs_maintenance(&self) -> bool {
        false
    }

    fn maintain(&self) -> Result<()> {
        Ok(())
    }

    fn durability(&self) -> Durability {
        Durability::Power
    }

    fn files(&self) -> Vec<PathBuf> {
        vec![self.place.data().to_owned(), self.document.path().to_owned(), self.place.gate()]
    }

    fn holder(&self) -> String {
        String::new()
    }

    fn forget(&self) {}
}
