//! The open store, with faults in what is done with a transaction.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use store_core::backend::{Backend, Snapshot, Transaction};
use store_core::shared::access::{Modes, explain_denial};
use store_core::shared::files::{sweep_files, sync_folder};
use store_core::shared::os;
use store_core::shared::place::Place;
use store_core::{Durability, Entry, Error, ErrorKind, Result};

use super::altered::Altered;
use super::beside;
use super::loading::Loading;
use super::saving::{save, sync_later};
use super::table::Mutant;
use super::ungated::lock_file;
use crate::document;
use crate::file::path_in;
use crate::state::State;

/// The size from which on a document counts as large.
const LARGE: usize = 400_000;

/// What a commit survives by itself.
pub(super) fn durability(mutant: Mutant) -> Durability {
    if syncs_later(mutant) { Durability::Process } else { Durability::Power }
}

/// Whether a commit leaves its sync to a call of its own.
pub(super) fn syncs_later(mutant: Mutant) -> bool {
    mutant == Mutant::FailedSyncMarkForgotten
}

/// An open store with a fault.
#[derive(Debug)]
pub(super) struct BrokenBackend {
    place: Place,
    disk: Arc<Disk>,
    swept: AtomicBool,
    seen: AtomicBool,
    writes: AtomicU64,
}

/// The document, and what was acknowledged and is not there yet.
#[derive(Debug)]
pub(super) struct Disk {
    pub(super) mutant: Mutant,
    pub(super) folder: PathBuf,
    pub(super) modes: Modes,
    loading: Loading,
    ahead: Mutex<Option<Arc<State>>>,
}

impl Disk {
    /// Returns what readers are given.
    pub(super) fn load(&self) -> Result<Arc<State>> {
        match &*self.ahead.lock().unwrap() {
            Some(ahead) => Ok(Arc::clone(ahead)),
            None => self.loading.load(),
        }
    }

    fn load_newest(&self) -> Result<Arc<State>> {
        match &*self.ahead.lock().unwrap() {
            Some(ahead) => Ok(Arc::clone(ahead)),
            None => self.loading.load_newest(),
        }
    }

    /// Replaces the document; an error says whether anybody can see the new one.
    pub(super) fn save(&self, state: &State) -> Result<(), (Error, bool)> {
        let text =
            document::encode(&beside::without_logs(self.mutant, state)).map_err(|error| (error, false))?;
        if self.mutant == Mutant::CopyOfALargeDocumentKept && text.len() > LARGE {
            let _ = std::fs::copy(path_in(&self.folder), self.folder.join("state.json.old"));
        }
        save(self.mutant, &self.folder, text.as_bytes(), &self.modes)
    }

    /// Saves after a while what was acknowledged already.
    fn save_some_time(self: &Arc<Self>, state: Arc<State>) {
        *self.ahead.lock().unwrap() = Some(state);
        let disk = Arc::clone(self);
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(20));
            let mut ahead = disk.ahead.lock().unwrap();
            if let Some(state) = ahead.take() {
                let _ = disk.save(&state);
            }
        });
    }
}

impl BrokenBackend {
    pub(super) fn open(mutant: Mutant, place: &Place, folder: &Path) -> Result<Self> {
        let marker = place.data();
        let found = marker.metadata().map_err(|e| explain_denial("cannot look at", marker, e))?;
        let disk = Disk {
            mutant,
            folder: folder.to_owned(),
            modes: Modes::of_file(&found),
            loading: Loading::new(mutant, folder),
            ahead: Mutex::default(),
        };
        Ok(Self {
            place: place.clone(),
            disk: Arc::new(disk),
            swept: AtomicBool::default(),
            seen: AtomicBool::default(),
            writes: AtomicU64::default(),
        })
    }

    fn is(&self, mutant: Mutant) -> bool {
        self.disk.mutant == mutant
    }

    fn save(&self, state: &State, lines: &[beside::Line]) -> Result<()> {
        self.seen.store(false, Ordering::Release);
        let append = || {
            beside::append(&self.disk, lines)
                .map_err(|error| (Error::from_io("cannot append", &self.disk.folder, error), true))
        };
        let saved = if self.is(Mutant::ReaderSeesHalfOfATwoFileBatch) {
            self.disk.save(state).and_then(|()| append())
        } else {
            append().and_then(|()| self.disk.save(state))
        };
        saved.map_err(|(error, seen)| {
            self.seen.store(seen, Ordering::Release);
            error
        })
    }
}

impl Backend for BrokenBackend {
    fn get(&self, namespace: &str, key: &str) -> Result<Option<Entry>> {
        let state = self.disk.load()?;
        if !self.is(Mutant::TombstoneUncheckedByGet) {
            state.check_moved()?;
        }
        state.get(namespace, key)
    }

    fn read(&self, _deadline: Instant, work: &mut dyn FnMut(&dyn Snapshot) -> Result<()>) -> Result<()> {
        let state = self.disk.load()?;
        state.check_moved()?;
        work(&Altered::to_read(&self.disk, state))
    }

    fn read_whole(
        &self,
        _deadline: Instant,
        work: &mut dyn FnMut(&dyn Snapshot) -> Result<()>,
    ) -> Result<()> {
        let state = self.disk.load()?;
        state.check_moved()?;
        if self.is(Mutant::DumpOfSeveralInstants) {
            return work(&Altered::to_dump(&self.disk, state));
        }
        work(&*state)
    }

    fn write_whole(
        &self,
        _deadline: Instant,
        work: &mut dyn FnMut(&mut dyn Transaction) -> Result<()>,
    ) -> Result<()> {
        let old = self.disk.load_newest()?;
        old.check_moved()?;
        let mut state = State::clone(&old);
        if self.is(Mutant::RestoreWithoutTransaction) {
            for space in state.namespaces.values_mut().map(Arc::make_mut) {
                space.entries.clear();
                space.logs.clear();
            }
            self.save(&state, &[])?;
        }
        work(&mut state)?;
        if self.is(Mutant::RevisionReusedAfterARestore) {
            state.epoch = old.epoch.clone();
        }
        if self.is(Mutant::TombstoneForgotten) {
            state.moved_to = None;
        }
        self.save(&state, &[])
    }

    fn write(
        &self,
        _deadline: Instant,
        work: &mut dyn FnMut(&mut dyn Transaction) -> Result<()>,
    ) -> Result<()> {
        let folder = &self.disk.folder;
        os::may_write(folder).map_err(|e| explain_denial("cannot write", folder, e))?;
        let locked = self.is(Mutant::LockFileRecreated).then(|| lock_file(folder));
        let _locked = locked.transpose().map_err(|e| explain_denial("cannot lock", folder, e))?;
        let gated = self.place.path() == folder;
        if gated && !self.swept.swap(true, Ordering::AcqRel) {
            sweep_files(folder);
        }
        let newest = self.disk.load_newest()?;
        newest.check_moved()?;
        let mut altered = Altered::to_write(&self.disk, newest);
        work(&mut altered)?;
        let (state, lines) = altered.finish();
        if self.is(Mutant::AcknowledgedBeforeCommit) {
            self.disk.save_some_time(state);
            return Ok(());
        }
        self.save(&state, &lines)?;
        if self.is(Mutant::BusyAfterTheBatchWasTaken) && self.writes.fetch_add(1, Ordering::Relaxed) % 10 == 9
        {
            return Err(Error::new(ErrorKind::Busy, "somebody holds the folder").with_path(folder));
        }
        Ok(())
    }

    fn annul(&self) -> Result<()> {
        if !self.seen.load(Ordering::Acquire) || self.is(Mutant::FailedCommitReportedAsSurelyNotDone) {
            return Ok(());
        }
        let why = "it can be seen, and taking it back would make those wrong who saw it";
        Err(Error::new(ErrorKind::Indeterminate, why).with_path(&self.disk.folder))
    }

    fn sync(&self) -> Result<()> {
        match self.disk.mutant {
            Mutant::SyncCallDoesNothing => Ok(()),
            mutant if syncs_later(mutant) => sync_later(&self.disk.folder),
            _ => sync_folder(&self.disk.folder),
        }
    }

    fn rewrite(&self) -> Result<()> {
        let state = self.disk.load_newest()?;
        self.save(&state, &[])
    }

    fn needs_maintenance(&self) -> bool {
        false
    }

    fn maintain(&self) -> Result<()> {
        Ok(())
    }

    fn durability(&self) -> Durability {
        durability(self.disk.mutant)
    }

    fn files(&self) -> Vec<PathBuf> {
        vec![self.place.data().to_owned(), path_in(&self.disk.folder), self.place.gate()]
    }

    fn holder(&self) -> String {
        String::new()
    }

    fn forget(&self) {}
}
