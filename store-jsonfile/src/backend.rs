//! The open store: reads of one instant, writes in the gate.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, TryLockError};
use std::time::{Duration, Instant};

use store_core::backend::{Backend, Snapshot, Transaction};
use store_core::shared::access::Modes;
use store_core::shared::gate::{Gate, GateGuard};
use store_core::shared::identity::is_in_place;
use store_core::shared::os::{self, Identity};
use store_core::shared::place::Place;
use store_core::{Durability, Entry, Error, ErrorKind, Result};

use crate::commit::Failed;
use crate::folder::{Folder, Journal};
use crate::layout::Item;
use crate::rebuild::Rebuild;
use crate::snapshot::View;
use crate::transaction::{Outcome, Staged};

/// How often one instant is tried to be had without the gate.
const TRIES: usize = 4;
/// How long is waited between two looks.
const REST: Duration = Duration::from_millis(1);

/// An open folder of JSON files.
#[derive(Debug)]
pub struct JsonFilesBackend {
    folder: Folder,
    place: Place,
    identity: Identity,
    read_only: bool,
    /// The gate as readers ask for it, one at a time: a snapshot of the whole store holds it.
    gate: Gate,
    turn: Mutex<()>,
    /// Whether leftovers of others were looked for.
    swept: AtomicBool,
    /// Whether the last write failed after others could see it.
    seen: AtomicBool,
}

/// How a view is begun.
type Begin<'a> = fn(&'a Folder, Option<Journal>) -> View<'a>;

/// How a look without the gate ended.
enum Look {
    Done,
    /// Files were changed meanwhile.
    Moved,
    /// A file looks damaged, which it may not be: it is looked at again in the gate.
    Damaged(Error),
}

impl JsonFilesBackend {
    pub(crate) fn open(place: &Place, cache: u64, read_only: bool) -> Result<Self> {
        let data = place.data();
        let found = data.metadata().map_err(|e| Error::from_io("cannot look at", data, e))?;
        let modes = Modes::of_file(&found);
        let folder = Folder::new(place.path(), modes, cache);
        match folder.journal() {
            Err(error) if error.kind() == ErrorKind::Moved => return Err(error),
            // Whatever else is wrong with it is told by the first read.
            _ => {}
        }
        Ok(Self {
            folder,
            identity: os::identity(&found),
            gate: Gate::new(place.gate(), modes),
            place: place.clone(),
            read_only,
            turn: Mutex::default(),
            swept: AtomicBool::new(false),
            seen: AtomicBool::new(false),
        })
    }

    /// Refuses a folder that is not the one that was opened.
    fn check_marker(&self) -> Result<()> {
        let data = self.place.data();
        if is_in_place(data, self.identity)? {
            return Ok(());
        }
        let why = "was moved, removed or replaced while it was open; put it back, or open the store again";
        Err(Error::new(ErrorKind::Corrupted, why).with_path(data))
    }

    /// Runs work on what is there, and makes sure that it was there at one instant.
    fn look<'a>(
        &'a self,
        begin: Begin<'a>,
        work: &mut dyn FnMut(&dyn Snapshot) -> Result<()>,
    ) -> Result<Look> {
        let number = self.folder.number()?;
        let journal = match self.folder.journal() {
            Err(error) if error.kind() == ErrorKind::Corrupted => return Ok(Look::Damaged(error)),
            journal => journal?,
        };
        let version = journal.as_ref().map(|journal| journal.version);
        let view = begin(&self.folder, journal);
        let worked = work(&view);
        // The journal is looked at first: it goes only after the number has grown.
        let same = view.is_of_one_file()
            || (self.folder.journal_version()? == version && self.folder.number()? == number);
        match worked {
            Err(error) if error.kind() == ErrorKind::Corrupted => Ok(Look::Damaged(error)),
            Err(error) => Err(error),
            Ok(()) if same => Ok(Look::Done),
            Ok(()) => Ok(Look::Moved),
        }
    }

    /// Takes the gate for a reader; none where this one may not.
    fn enter(&self, deadline: Instant) -> Result<Option<(MutexGuard<'_, ()>, GateGuard<'_>)>> {
        if self.read_only {
            return Ok(None);
        }
        // The gate has no deadline: whoever is stuck in it answers by its caller's. The others wait here.
        let turn = loop {
            match self.turn.try_lock() {
                Ok(turn) => break turn,
                Err(TryLockError::Poisoned(turn)) => break turn.into_inner(),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => std::thread::sleep(REST),
                Err(TryLockError::WouldBlock) => return Err(self.busy()),
            }
        };
        match self.gate.acquire("read") {
            Ok(held) => Ok(Some((turn, held))),
            Err(error) if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnly) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Looks until what is seen was there at one instant; in the gate if it does not hold still.
    fn read_as<'a>(
        &'a self,
        begin: Begin<'a>,
        deadline: Instant,
        work: &mut dyn FnMut(&dyn Snapshot) -> Result<()>,
    ) -> Result<()> {
        let mut looks = 0;
        loop {
            looks += 1;
            let damage = match self.look(begin, work)? {
                Look::Done => return self.check_marker(),
                Look::Moved if looks < TRIES => continue,
                Look::Moved => None,
                Look::Damaged(error) => Some(error),
            };
            if let Some(_held) = self.enter(deadline)? {
                // In the gate nothing changes.
                return work(&begin(&self.folder, self.folder.journal()?));
            }
            // Whoever may not hold the gate looks until it fits.
            match damage {
                Some(error) if looks >= TRIES => return Err(error),
                _ if Instant::now() >= deadline => return Err(self.busy()),
                _ => std::thread::sleep(REST),
            }
        }
    }

    fn busy(&self) -> Error {
        let why = format!("the files were changed at every look; the gate is held by {}", self.gate.holder());
        Error::new(ErrorKind::Busy, why).with_path(self.place.path())
    }

    /// Says why a change failed, and notes whether it can be seen all the same.
    fn note(&self, failed: Failed) -> Error {
        match failed {
            Failed::Unseen(error) => error,
            Failed::Seen(error) => {
                self.seen.store(true, Ordering::Release);
                error
            }
        }
    }

    /// Makes sure that nothing is left of writers that were killed, before anything is written.
    fn begin(&self, sweeps: bool) -> Result<()> {
        // Whoever may not write is told so, even where nothing would have to be changed.
        self.folder.check_writable()?;
        self.folder.recover()?;
        if sweeps || !self.swept.swap(true, Ordering::AcqRel) {
            self.folder.sweep();
            self.folder.sweep_next();
        }
        self.seen.store(false, Ordering::Release);
        Ok(())
    }

    /// Takes the outcome of a transaction over into the files.
    fn commit(&self, outcome: &Outcome) -> Result<()> {
        let mut replaced = self.folder.commit(&outcome.changes).map_err(|failed| self.note(failed))?;
        if let Some(to) = &outcome.moves_to {
            self.folder.bury(to).map_err(|failed| self.note(failed))?;
        }
        for (namespace, object) in &outcome.objects {
            let item = Item::Object(namespace.clone());
            if let Some(file) = replaced.remove(&item) {
                self.folder.objects.keep(namespace, self.folder.layout.path(&item), file, object.clone());
            }
        }
        Ok(())
    }
}

impl Backend for JsonFilesBackend {
    fn get(&self, namespace: &str, key: &str) -> Result<Option<Entry>> {
        let elsewhere =
            || Error::new(ErrorKind::Busy, "this needs a second look").with_path(self.place.path());
        if self.folder.journal_version()?.is_some() {
            return Err(elsewhere());
        }
        match self.folder.object(namespace, None) {
            Ok(Some(object)) => Ok(object.entries.get(key).cloned()),
            Ok(None) => self.check_marker().map(|()| None),
            Err(error) if error.kind() == ErrorKind::Corrupted => Err(elsewhere()),
            Err(error) => Err(error),
        }
    }

    fn read(&self, deadline: Instant, work: &mut dyn FnMut(&dyn Snapshot) -> Result<()>) -> Result<()> {
        self.read_as(View::new, deadline, work)
    }

    fn write(
        &self,
        _deadline: Instant,
        work: &mut dyn FnMut(&mut dyn Transaction) -> Result<()>,
    ) -> Result<()> {
        self.begin(false)?;
        let mut staged = Staged::new(&self.folder);
        work(&mut staged)?;
        self.commit(&staged.outcome()?)
    }

    /// The gate is held until the work has ended: files that are replaced meanwhile would be of another instant.
    /// Whoever may not hold it looks until nothing changed in between.
    fn read_whole(&self, deadline: Instant, work: &mut dyn FnMut(&dyn Snapshot) -> Result<()>) -> Result<()> {
        let Some(_held) = self.enter(deadline)? else { return self.read_as(View::of_whole, deadline, work) };
        self.check_marker()?;
        work(&View::of_whole(&self.folder, self.folder.journal()?))
    }

    fn write_whole(
        &self,
        _deadline: Instant,
        work: &mut dyn FnMut(&mut dyn Transaction) -> Result<()>,
    ) -> Result<()> {
        self.begin(true)?;
        let mut rebuild = Rebuild::new(&self.folder);
        let built = work(&mut rebuild).and_then(|()| rebuild.outcome());
        let done = built.and_then(|outcome| self.commit(&outcome));
        if matches!(self.folder.journal_version(), Ok(None)) {
            self.folder.sweep_next();
        }
        done
    }

    fn annul(&self) -> Result<()> {
        if !self.seen.load(Ordering::Acquire) {
            return Ok(());
        }
        let why = "it can be seen, and taking it back would make those wrong who saw it";
        Err(Error::new(ErrorKind::Indeterminate, why).with_path(self.place.path()))
    }

    fn sync(&self) -> Result<()> {
        self.folder.sync()
    }

    fn rewrite(&self) -> Result<()> {
        self.folder.rewrite()
    }

    fn needs_maintenance(&self) -> bool {
        !matches!(self.folder.journal_version(), Ok(None))
    }

    fn maintain(&self) -> Result<()> {
        match self.folder.recover() {
            // What stands in the place of a journal stays there for ever.
            Err(error) if error.kind() == ErrorKind::Moved => Ok(()),
            recovered => recovered,
        }
    }

    fn durability(&self) -> Durability {
        Durability::Power
    }

    fn files(&self) -> Vec<PathBuf> {
        let layout = &self.folder.layout;
        let fixed = [self.place.data().to_owned(), self.place.gate(), layout.changes(), layout.journal()];
        let items = self.folder.list(None).map(|listing| listing.items()).unwrap_or_default();
        let items = items.iter().chain([&Item::Epoch]).map(|item| layout.path(item));
        fixed.into_iter().chain(items).collect()
    }

    fn holder(&self) -> String {
        String::new()
    }

    fn forget(&self) {}
}
