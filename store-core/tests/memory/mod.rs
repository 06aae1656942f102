//! A backend in memory whose every step can be made to fail, block or be counted.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Instant;

use store_core::backend::{Backend, Engine, Epoch, Presence, Snapshot, Transaction};
use store_core::shared::access::Modes;
use store_core::shared::files;
use store_core::shared::place::{Place, Shape};
use store_core::{
    Durability, Entry, Error, ErrorKind, KeyRange, LogEntry, LogInfo, NamespaceInfo, Result, Revision, Seq,
    Settings,
};

#[derive(Debug, Clone, Default)]
struct Data {
    entries: BTreeMap<(String, String), Entry>,
    revisions: BTreeMap<String, Revision>,
    logs: BTreeMap<(String, String), (LogInfo, Vec<LogEntry>)>,
    epoch: Epoch,
}

/// What is to go wrong, and what was done.
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
#[derive(Debug, Default)]
pub(crate) struct Faults {
    /// Putting this key fails with storage full.
    pub(crate) poison: Option<&'static str>,
    /// The next commits fail with these kinds, the last first.
    pub(crate) commits: Vec<ErrorKind>,
    /// The next syncs fail.
    pub(crate) syncs: usize,
    pub(crate) annul_fails: bool,
    pub(crate) rewrite_fails: bool,
    /// Commits, or syncs, wait until this is taken back.
    pub(crate) commits_wait: bool,
    pub(crate) syncs_wait: bool,
    /// In order, what was done: `commit`, `sync`, `annul`, `rewrite`, `maintain`.
    pub(crate) done: Vec<&'static str>,
}

/// The engine and its open store: clones share everything.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory {
    data: Arc<Mutex<Data>>,
    faults: Arc<(Mutex<Faults>, Condvar)>,
}

impl Memory {
    pub(crate) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.0.lock().unwrap()
    }

    /// Changes what goes wrong, and wakes what waits.
    pub(crate) fn set(&self, change: impl FnOnce(&mut Faults)) {
        change(&mut self.faults());
        self.faults.1.notify_all();
    }

    pub(crate) fn count(&self, what: &str) -> usize {
        self.faults().done.iter().filter(|done| **done == what).count()
    }

    fn enter(&self, what: &'static str, waits: impl Fn(&Faults) -> bool) -> MutexGuard<'_, Faults> {
        let faults = self.faults.1.wait_while(self.faults(), |faults| waits(faults)).unwrap();
        let mut faults = faults;
        faults.done.push(what);
        faults
    }
}

fn failure(kind: ErrorKind) -> Error {
    Error::new(kind, "as the test told")
}

#[derive(Debug)]
struct Work {
    data: Data,
    poison: Option<&'static str>,
}

fn named(namespace: &str, name: &str) -> (String, String) {
    (namespace.to_owned(), name.to_owned())
}

impl Snapshot for Work {
    fn get(&self, namespace: &str, key: &str) -> Result<Option<Entry>> {
        Ok(self.data.entries.get(&named(namespace, key)).cloned())
    }

    fn revision(&self, namespace: &str) -> Result<Revision> {
        Ok(self.data.revisions.get(namespace).copied().unwrap_or_default())
    }

    fn scan(
        &self,
        namespace: &str,
        range: &KeyRange,
        visit: &mut dyn FnMut(&str, Entry) -> ControlFlow<()>,
    ) -> Result<()> {
        let entries = self.data.entries.iter();
        for ((_, key), entry) in entries.filter(|((n, key), _)| n == namespace && range.contains(key)) {
            if visit(key, entry.clone()).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn log_info(&self, namespace: &str, log: &str) -> Result<Option<LogInfo>> {
        Ok(self.data.logs.get(&named(namespace, log)).map(|(info, _)| info.clone()))
    }

    fn scan_log(
        &self,
        namespace: &str,
        log: &str,
        from: Seq,
        visit: &mut dyn FnMut(LogEntry) -> ControlFlow<()>,
    ) -> Result<()> {
        let entries = self.data.logs.get(&named(namespace, log)).into_iter().flat_map(|(_, entries)| entries);
        for entry in entries.filter(|entry| entry.seq >= from) {
            if visit(entry.clone()).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn namespaces(&self, visit: &mut dyn FnMut(NamespaceInfo) -> ControlFlow<()>) -> Result<()> {
        let keys = self.data.entries.keys().chain(self.data.logs.keys());
        for name in keys.map(|(namespace, _)| namespace).collect::<BTreeSet<_>>() {
            if visit(NamespaceInfo { name: name.clone(), revision: self.revision(name)? }).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn logs(&self, namespace: &str, visit: &mut dyn FnMut(LogInfo) -> ControlFlow<()>) -> Result<()> {
        for ((_, _), (info, _)) in self.data.logs.iter().filter(|((n, _), _)| n == namespace) {
            if visit(info.clone()).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn epoch(&self) -> Result<Epoch> {
        Ok(self.data.epoch.clone())
    }
}

impl Transaction for Work {
    fn put(&mut self, namespace: &str, key: &str, entry: &Entry) -> Result<()> {
        if self.poison == Some(key) {
            return Err(failure(ErrorKind::StorageFull));
        }
        self.data.entries.insert(named(namespace, key), entry.clone());
        Ok(())
    }

    fn delete(&mut self, namespace: &str, key: &str) -> Result<()> {
        self.data.entries.remove(&named(namespace, key));
        Ok(())
    }

    fn clear(&mut self, namespace: &str) -> Result<()> {
        self.data.entries.retain(|(n, _), _| n != namespace);
        Ok(())
    }

    fn set_revision(&mut self, namespace: &str, revision: Revision) -> Result<()> {
        self.data.revisions.insert(namespace.to_owned(), revision);
        Ok(())
    }

    fn append(&mut self, namespace: &str, log: &str, entry: &LogEntry) -> Result<()> {
        let fresh = || (LogInfo { name: log.to_owned(), first: entry.seq, last: 0 }, Vec::new());
        let (info, entries) = self.data.logs.entry(named(namespace, log)).or_insert_with(fresh);
        info.last = entry.seq;
        entries.push(entry.clone());
        Ok(())
    }

    fn trim(&mut self, namespace: &str, log: &str, first: Seq) -> Result<()> {
        if let Some((info, entries)) = self.data.logs.get_mut(&named(namespace, log)) {
            info.first = first;
            entries.retain(|entry| entry.seq >= first);
        }
        Ok(())
    }

    fn delete_log(&mut self, namespace: &str, log: &str) -> Result<()> {
        self.data.logs.remove(&named(namespace, log));
        Ok(())
    }

    fn set_epoch(&mut self, epoch: &Epoch) -> Result<()> {
        self.data.epoch = epoch.clone();
        Ok(())
    }
}

impl Backend for Memory {
    fn get(&self, namespace: &str, key: &str) -> Result<Option<Entry>> {
        Ok(self.data.lock().unwrap().entries.get(&named(namespace, key)).cloned())
    }

    fn read(&self, _deadline: Instant, work: &mut dyn FnMut(&dyn Snapshot) -> Result<()>) -> Result<()> {
        let data = self.data.lock().unwrap().clone();
        work(&Work { data, poison: None })
    }

    fn write(
        &self,
        _deadline: Instant,
        work: &mut dyn FnMut(&mut dyn Transaction) -> Result<()>,
    ) -> Result<()> {
        let data = self.data.lock().unwrap().clone();
        let mut changed = Work { data, poison: self.faults().poison };
        work(&mut changed)?;
        let mut faults = self.enter("commit", |faults| faults.commits_wait);
        if let Some(kind) = faults.commits.pop() {
            return Err(failure(kind));
        }
        *self.data.lock().unwrap() = changed.data;
        Ok(())
    }

    fn annul(&self) -> Result<()> {
        let faults = self.enter("annul", |_| false);
        if faults.annul_fails { Err(failure(ErrorKind::StorageFull)) } else { Ok(()) }
    }

    fn sync(&self) -> Result<()> {
        let mut faults = self.enter("sync", |faults| faults.syncs_wait);
        if faults.syncs == 0 {
            return Ok(());
        }
        faults.syncs -= 1;
        Err(failure(ErrorKind::Io))
    }

    fn rewrite(&self) -> Result<()> {
        let faults = self.enter("rewrite", |_| false);
        if faults.rewrite_fails { Err(failure(ErrorKind::Corrupted)) } else { Ok(()) }
    }

    fn needs_maintenance(&self) -> bool {
        false
    }

    fn maintain(&self) -> Result<()> {
        Ok(())
    }

    fn durability(&self) -> Durability {
        Durability::Process
    }

    fn files(&self) -> Vec<PathBuf> {
        Vec::new()
    }

    fn holder(&self) -> String {
        String::new()
    }

    fn forget(&self) {}
}

impl Engine for Memory {
    type Backend = Self;

    fn name(&self) -> &'static str {
        "memory"
    }

    fn version(&self) -> String {
        "0".into()
    }

    fn shape(&self) -> Shape {
        Shape::File
    }

    fn survives_power(&self) -> bool {
        true
    }

    fn probe(&self, place: &Place, _settings: &Settings) -> Result<Presence> {
        Ok(if place.path().exists() { Presence::Ready } else { Presence::Missing })
    }

    fn create(&self, place: &Place, modes: &Modes) -> Result<()> {
        files::create_file(place.path(), b"memory", modes.file, modes).map(drop)
    }

    fn open(&self, _place: &Place, _settings: &Settings) -> Result<Self> {
        Ok(self.clone())
    }
}
