//! What a storage engine gives: small, synchronous, storage and nothing else.
//!
//! The meaning of a batch (checks, revisions, numbers, time) is settled above, once for all engines. A
//! backend keeps what it is told and says it back. It never waits longer than it is allowed to.

use std::fmt::Debug;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

use crate::config::{Durability, Settings};
use crate::error::Result;
use crate::numbers::{Revision, Seq};
use crate::shared::access::Modes;
use crate::shared::artefact::Artefact;
use crate::shared::place::{Place, Shape};
use crate::types::{Entry, KeyRange, LogEntry, LogInfo, NamespaceInfo};

/// The high part of every revision, and the boot of the machine in which it was raised.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Epoch {
    /// The number, from 0; raised after every boot before the first write, and by a restore.
    pub number: u32,
    /// The machine's boot id when it was raised; empty in a new store.
    pub boot: String,
}

/// One instant of a store.
///
/// Visitors get what they ask for one by one, for engine cursors borrow their statements; they stop early
/// with [`ControlFlow::Break`].
///
/// # Errors
/// Every method: any that storage can have.
#[expect(clippy::missing_errors_doc, reason = "said once, for all")]
pub trait Snapshot {
    /// Returns the entry under a key.
    fn get(&self, namespace: &str, key: &str) -> Result<Option<Entry>>;

    /// Returns the revision of a namespace's object: [`Revision::NEVER`] unless one was ever set.
    fn revision(&self, namespace: &str) -> Result<Revision>;

    /// Visits the entries between start and end in the order of their keys' bytes, ignoring the limit.
    fn scan(
        &self,
        namespace: &str,
        range: &KeyRange,
        visit: &mut dyn FnMut(&str, Entry) -> ControlFlow<()>,
    ) -> Result<()>;

    /// Returns the extent of a log; none if nothing was appended since it was last deleted.
    fn log_info(&self, namespace: &str, log: &str) -> Result<Option<LogInfo>>;

    /// Visits the entries of a log from a number on, in order.
    fn scan_log(
        &self,
        namespace: &str,
        log: &str,
        from: Seq,
        visit: &mut dyn FnMut(LogEntry) -> ControlFlow<()>,
    ) -> Result<()>;

    /// Visits the namespaces that hold a key or a log, by name.
    fn namespaces(&self, visit: &mut dyn FnMut(NamespaceInfo) -> ControlFlow<()>) -> Result<()>;

    /// Visits the logs of a namespace, by name.
    fn logs(&self, namespace: &str, visit: &mut dyn FnMut(LogInfo) -> ControlFlow<()>) -> Result<()>;

    /// Returns the epoch.
    fn epoch(&self) -> Result<Epoch>;
}

/// A snapshot that can be changed; all changes are seen at once, or never.
///
/// # Errors
/// Every method: any that storage can have.
#[expect(clippy::missing_errors_doc, reason = "said once, for all")]
pub trait Transaction: Snapshot {
    /// Puts an entry under a key, whatever was there.
    fn put(&mut self, namespace: &str, key: &str, entry: &Entry) -> Result<()>;

    /// Deletes a key that exists.
    fn delete(&mut self, namespace: &str, key: &str) -> Result<()>;

    /// Deletes all keys of a namespace.
    fn clear(&mut self, namespace: &str) -> Result<()>;

    /// Sets the revision of a namespace's object; it is kept when the namespace is emptied.
    fn set_revision(&mut self, namespace: &str, revision: Revision) -> Result<()>;

    /// Appends an entry, numbered one above the last; a log that there is none of begins with the entry's number.
    fn append(&mut self, namespace: &str, log: &str, entry: &LogEntry) -> Result<()>;

    /// Drops the entries numbered below `first`, and lets the log start there; at most one past its end.
    fn trim(&mut self, namespace: &str, log: &str, first: Seq) -> Result<()>;

    /// Deletes a log, entries and numbering.
    fn delete_log(&mut self, namespace: &str, log: &str) -> Result<()>;

    /// Sets the epoch.
    fn set_epoch(&mut self, epoch: &Epoch) -> Result<()>;

    /// Leaves word that the store has moved: once this is committed every read, every write and every opening, of
    /// whatever process, fails with [`Error::moved`](crate::Error::moved). What the store holds stays on the disk.
    ///
    /// # Errors
    /// `Unsupported` unless the engine says otherwise.
    fn entomb(&mut self, to: &str) -> Result<()> {
        let why =
            format!("this engine cannot leave word that its store has moved to {to}; keep the old store");
        Err(crate::Error::new(crate::ErrorKind::Unsupported, why))
    }
}

/// An engine's open store. "In the gate" means that the caller holds the gate: no other process writes.
pub trait Backend: Debug + Send + Sync + 'static {
    /// Returns the entry under a key, in one engine read, without any waiting.
    ///
    /// # Errors
    /// `Busy` if it would have to wait; any other that storage can have.
    fn get(&self, namespace: &str, key: &str) -> Result<Option<Entry>>;

    /// Runs the work on one instant, waiting for the engine until the deadline.
    ///
    /// The work may be run more than once, where an instant is known to be one only at its end; what the last
    /// run saw counts.
    ///
    /// # Errors
    /// `Busy` past the deadline; the work's own; any other that storage can have.
    fn read(&self, deadline: Instant, work: &mut dyn FnMut(&dyn Snapshot) -> Result<()>) -> Result<()>;

    /// Runs the work and commits what it changed, in the gate: atomic, visible, and safe from kills.
    ///
    /// # Errors
    /// The work's own error, after everything was rolled back. After the work succeeded, the error of the
    /// commit: `Busy` is definite, anything else needs [`annul`](Self::annul) to become so.
    fn write(
        &self,
        deadline: Instant,
        work: &mut dyn FnMut(&mut dyn Transaction) -> Result<()>,
    ) -> Result<()>;

    /// Runs the work on one instant of the whole store, as [`read`](Self::read) does, keeping no more of it in
    /// memory than the work has asked for last.
    ///
    /// # Errors
    /// Those of [`read`](Self::read).
    fn read_whole(&self, deadline: Instant, work: &mut dyn FnMut(&dyn Snapshot) -> Result<()>) -> Result<()> {
        self.read(deadline, work)
    }

    /// Runs work that may replace all that there is, as [`write`](Self::write) does, keeping no more of it in
    /// memory than one object; what bounds a single write does not bound it.
    ///
    /// # Errors
    /// Those of [`write`](Self::write).
    fn write_whole(
        &self,
        deadline: Instant,
        work: &mut dyn FnMut(&mut dyn Transaction) -> Result<()>,
    ) -> Result<()> {
        self.write(deadline, work)
    }

    /// Lets the engine look through its own structures, on one instant, and returns what is wrong, in words; that
    /// every record can be read is seen by reading all.
    ///
    /// # Errors
    /// Any that keeps it from looking.
    fn check_integrity(&self, deadline: Instant) -> Result<Vec<String>> {
        let _ = deadline;
        Ok(Vec::new())
    }

    /// Makes sure that a commit which failed cannot come back to life, in the gate, right after it.
    ///
    /// # Errors
    /// Any: then nobody knows whether the failed commit happened.
    fn annul(&self) -> Result<()>;

    /// Makes everything that can be seen before the call survive the loss of power; outside the gate.
    ///
    /// That is more than what was committed where a commit of another process is seen before its last sync.
    ///
    /// # Errors
    /// Any: then everything since the last success is in doubt, for every process.
    fn sync(&self) -> Result<()>;

    /// Rewrites and syncs what a failed sync, in whatever process, left in doubt; in the gate.
    ///
    /// A failed sync leaves pages that the kernel takes for written, so that syncing again proves nothing.
    ///
    /// # Errors
    /// Any: then the doubt stays, and nothing is written until it succeeds.
    fn rewrite(&self) -> Result<()>;

    /// Tells, cheaply, whether it is time to [`maintain`](Self::maintain).
    fn needs_maintenance(&self) -> bool;

    /// Does what keeps the store small and quick (checkpoints, leftovers); in the gate.
    ///
    /// # Errors
    /// `Busy` if readers are in the way, it is tried again after a later write; any other may have been a
    /// failed sync and is treated as one.
    fn maintain(&self) -> Result<()>;

    /// Returns what a commit survives by itself, before any [`sync`](Self::sync).
    fn durability(&self) -> Durability;

    /// Returns the files that hold the store, those that may be missing included.
    fn files(&self) -> Vec<PathBuf>;

    /// Returns who holds the engine's own locks, for the message of a `Busy`; empty if nobody is known.
    fn holder(&self) -> String;

    /// Forgets all handles without closing them, in a forked child: they belong to the parent.
    fn forget(&self);
}

/// What is found where a store should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Nothing: it can be created.
    Missing,
    /// A store with something missing that [`Engine::create`] can make.
    Incomplete,
    /// A store that opens.
    Ready,
}

/// How an engine's store is found, made and opened.
pub trait Engine: Debug + Send + Sync + 'static {
    /// The engine's open store.
    type Backend: Backend;

    /// Returns the engine's name, the scheme of its URLs.
    fn name(&self) -> &'static str;

    /// Returns the version of the engine that does the work.
    fn version(&self) -> String;

    /// Returns what lies at the path of a store.
    fn shape(&self) -> Shape;

    /// Whether a commit and a [`sync`](Backend::sync) after it survive the loss of power; if not, every call that
    /// asks for that is refused as `Unsupported`, opening a store under `power` among them.
    fn survives_power(&self) -> bool;

    /// Looks what there is, changing nothing.
    ///
    /// # Errors
    /// `Corrupted`, `IncompatibleFormat`, `ConfigInvalid` or `PermissionDenied` for what is no store of ours.
    fn probe(&self, place: &Place, settings: &Settings) -> Result<Presence>;

    /// Returns what lies on disk of a store, those that come and go as they are now.
    ///
    /// It looks at names alone, opens no file and needs no right but to list the store's folders: it is for whoever
    /// looks after rights and leftovers, also while others write. By default that is the data and the gate.
    ///
    /// # Errors
    /// `PermissionDenied` or `Io` if a folder cannot be listed.
    fn artefacts(&self, place: &Place) -> Result<Vec<Artefact>> {
        Ok(vec![Artefact::file(place.data()), Artefact::gate(place.gate())])
    }

    /// Makes a store, or what is missing of one, in the gate; each file comes into sight complete.
    ///
    /// # Errors
    /// Any that storage can have; what was made until then is completed by the next call.
    fn create(&self, place: &Place, modes: &Modes) -> Result<()>;

    /// Opens a store that is there.
    ///
    /// # Errors
    /// Any that [`probe`](Self::probe) and storage can have.
    fn open(&self, place: &Place, settings: &Settings) -> Result<Self::Backend>;
}

/// Runs work that returns a value on one instant of a backend.
///
/// # Errors
/// Those of [`Backend::read`].
pub fn read_value<T>(
    backend: &impl Backend,
    deadline: Instant,
    work: impl Fn(&dyn Snapshot) -> Result<T>,
) -> Result<T> {
    let mut value = None;
    backend.read(deadline, &mut |snapshot| {
        value = Some(work(snapshot)?);
        Ok(())
    })?;
    value.ok_or_else(|| never_ran("read"))
}

/// The error of a backend that broke its contract by not running the work it was given.
pub(crate) fn never_ran(what: &str) -> crate::Error {
    let why = format!("the engine reported success of a {what} that it did not run; report this as a bug");
    crate::Error::new(crate::ErrorKind::Io, why)
}
