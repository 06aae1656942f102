//! The gate: the cross-process lock that every write passes.
//!
//! One permanent file beside the data, locked with the standard library's file lock, for which the kernel
//! queues. A lock that is let go and taken again at once overtakes those whom the kernel has only just
//! woken; so a process that met others at the gate gives way before it asks again.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::access::{Modes, explain_denial};
use super::files;
use super::gate_file::{self, Record, Words};
use super::os;
use crate::error::{Error, ErrorKind, Result};
use crate::types::Timestamp;

/// How long a process that met others gives way at most before it asks again.
const GIVE_WAY: Duration = Duration::from_micros(500);
const GIVE_WAY_STEP: Duration = Duration::from_micros(30);
/// How often a gate file that was replaced under us is opened again.
const REPLACED: usize = 100;

/// The gate of one store. Only one thread of a process may ask for it at a time; the store above sees to it.
#[derive(Debug)]
pub struct Gate {
    path: PathBuf,
    modes: Modes,
    file: Mutex<Option<Arc<File>>>,
    /// Drawn at random, tells our record from another's.
    id: u64,
    user: String,
    start: u64,
    /// Whether others waited when we last held it: then we do not take it before them.
    contended: AtomicBool,
    arrival_seen: AtomicU64,
}

/// What the kernel and the record of the holder say together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// Nobody holds the gate.
    Nobody,
    /// A process holds it for certain; the words name it.
    Process(String),
    /// It cannot be told.
    Unknown,
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Nobody => f.write_str("nobody"),
            Self::Process(words) => f.write_str(words),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

/// The gate is held as long as this lives.
#[must_use = "the gate is let go when this is dropped"]
#[derive(Debug)]
pub struct GateGuard<'a> {
    gate: &'a Gate,
    file: Arc<File>,
    mark: u64,
}

impl Gate {
    /// Names a gate; the file is made, or opened, when it is first needed.
    pub fn new(path: PathBuf, modes: Modes) -> Self {
        Self {
            path,
            modes,
            file: Mutex::new(None),
            id: fastrand::u64(1..),
            user: os::user_name(os::current_user()),
            start: os::process_start(std::process::id()).unwrap_or(0),
            contended: AtomicBool::new(false),
            arrival_seen: AtomicU64::new(0),
        }
    }

    /// Returns the path of the lock file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the gate if it is free and nobody waits for it.
    ///
    /// # Errors
    /// `PermissionDenied`, `ReadOnly`, `IncompatibleFormat`; `ConfigInvalid` where nothing can be locked.
    pub fn try_acquire(&self, operation: &str) -> Result<Option<GateGuard<'_>>> {
        if self.contended.load(Ordering::Relaxed) {
            return Ok(None);
        }
        self.enter(operation, |file| match file.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(e)) => Err(e),
        })
    }

    /// Takes the gate, waiting in the kernel for as long as it takes; call it on a thread that can be lost.
    ///
    /// # Errors
    /// Those of [`try_acquire`](Self::try_acquire).
    pub fn acquire(&self, operation: &str) -> Result<GateGuard<'_>> {
        if self.contended.load(Ordering::Relaxed) {
            self.give_way()?;
        }
        let entered = self.enter(operation, |file| {
            match file.try_lock() {
                Ok(()) => return Ok(true),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(e)) => return Err(e),
            }
            gate_file::write_arrival(file, fastrand::u64(..))?;
            self.contended.store(true, Ordering::Relaxed);
            lock_through_signals(file).map(|()| true)
        })?;
        entered.ok_or_else(|| Error::new(ErrorKind::Busy, "the gate was not taken").with_path(&self.path))
    }

    fn enter(
        &self,
        operation: &str,
        lock: impl Fn(&File) -> io::Result<bool>,
    ) -> Result<Option<GateGuard<'_>>> {
        for _ in 0..REPLACED {
            let file = self.open()?;
            if !lock(&file).map_err(|e| self.explain_lock(e))? {
                return Ok(None);
            }
            if self.is_current(&file)? {
                return self.welcome(file, operation).map(Some);
            }
            let _ = file.unlock();
            *self.slot() = None;
        }
        let why = "the lock file is replaced again and again; find and stop whoever does it";
        Err(Error::new(ErrorKind::Io, why).with_path(&self.path))
    }

    /// Whether the file that we locked is still the one that others find.
    fn is_current(&self, file: &File) -> Result<bool> {
        let ours = file.metadata().map_err(|e| Error::from_io("cannot look at", &self.path, e))?;
        match self.path.metadata() {
            Ok(found) => Ok(os::identity(&found) == os::identity(&ours)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(e) => Err(explain_denial("cannot look at", &self.path, e)),
        }
    }

    fn welcome(&self, file: Arc<File>, operation: &str) -> Result<GateGuard<'_>> {
        let mut guard = GateGuard { gate: self, file, mark: 0 };
        guard.mark = self.read_words(&guard.file)?.mark;
        let record = Record {
            id: self.id,
            pid: std::process::id(),
            start: self.start,
            since: Timestamp::now().as_millis(),
            user: self.user.clone(),
            operation: operation.to_owned(),
        };
        // Not worth failing a write for: without it the message of somebody's Busy says "unknown".
        if let Err(error) = gate_file::write_record(&guard.file, &record) {
            tracing::warn!(path = %self.path.display(), %error, "cannot note the holder of the gate");
        }
        Ok(guard)
    }

    /// Lets those who waited while we held the gate take it first.
    fn give_way(&self) -> Result<()> {
        let file = self.open()?;
        let steps = GIVE_WAY.as_micros() / GIVE_WAY_STEP.as_micros();
        for _ in 0..steps {
            let holder = gate_file::read_record(&file).map_err(|e| self.explain_lock(e))?;
            if holder.is_none_or(|record| record.id != self.id) {
                return Ok(());
            }
            std::thread::sleep(GIVE_WAY_STEP);
        }
        self.contended.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Says that a sync failed: nobody acknowledges until what is in doubt was rewritten and synced.
    ///
    /// # Errors
    /// Any: then only this process knows of it.
    pub fn set_mark(&self) -> Result<()> {
        let file = self.open()?;
        gate_file::write_mark(&file, fastrand::u64(1..))
            .map_err(|e| Error::from_io("cannot write", &self.path, e))
    }

    /// Returns whether a sync failed and what it put in doubt was not rewritten since.
    ///
    /// # Errors
    /// `Io` if the file cannot be read.
    pub fn is_marked(&self) -> Result<bool> {
        Ok(self.read_words(&*self.open()?)?.mark != 0)
    }

    /// Tells who holds the gate, and whether it is marked, without making a gate or waiting for it.
    pub fn inspect(&self) -> (Holder, bool) {
        let opened = self.slot().clone();
        let file = match opened {
            Some(file) => file,
            None => match OpenOptions::new().read(true).open(&self.path) {
                Ok(file) => Arc::new(file),
                Err(e) if e.kind() == io::ErrorKind::NotFound => return (Holder::Nobody, false),
                Err(_) => return (self.holder_by_kernel(None), false),
            },
        };
        let marked = gate_file::read_words(&file).is_ok_and(|words| words.mark != 0);
        (self.holder_by_kernel(gate_file::read_record(&file).ok().flatten()), marked)
    }

    /// Tells who holds the gate.
    pub fn holder(&self) -> Holder {
        self.inspect().0
    }

    /// Believes the kernel about who, and the record about what and since when if it is of the same process.
    fn holder_by_kernel(&self, record: Option<Record>) -> Holder {
        let Ok(metadata) = self.path.metadata() else { return Holder::Nobody };
        if !Path::new("/proc/locks").exists() {
            return Holder::Unknown;
        }
        let locks = os::locks_on(os::identity(&metadata));
        let Some(lock) = locks.into_iter().find(|lock| lock.whole_file && lock.exclusive) else {
            return Holder::Nobody;
        };
        let Some(start) = os::process_start(lock.pid) else {
            let words =
                format!("pid {}, which has ended: a child that it forked still holds the gate", lock.pid);
            return Holder::Process(words);
        };
        let process = os::describe_process(lock.pid);
        Holder::Process(match record.filter(|record| record.pid == lock.pid && record.start == start) {
            Some(record) => {
                let held = Timestamp::now().as_millis().saturating_sub(record.since);
                let Record { user, operation, .. } = record;
                format!(
                    "{process} of user {user}, in {operation} for {}.{} s",
                    held / 1000,
                    held % 1000 / 100
                )
            }
            None => process,
        })
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Option<Arc<File>>> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> Result<Arc<File>> {
        if let Some(file) = &*self.slot() {
            return Ok(Arc::clone(file));
        }
        for _ in 0..REPLACED {
            match OpenOptions::new().read(true).write(true).open(&self.path) {
                Ok(file) => {
                    gate_file::check_version(&file, &self.path)?;
                    return Ok(Arc::clone(self.slot().insert(Arc::new(file))));
                }
                Err(e) if e.kind() == io::ErrorKind::NotFound => {
                    files::create_file(&self.path, &gate_file::fresh(), self.modes.gate, self.modes.group)?;
                }
                Err(e) => {
                    return Err(explain_denial(
                        "cannot open the gate, which every write passes",
                        &self.path,
                        e,
                    ));
                }
            }
        }
        let why = "the lock file vanishes again and again; find and stop whoever removes it";
        Err(Error::new(ErrorKind::Io, why).with_path(&self.path))
    }

    fn read_words(&self, file: &File) -> Result<Words> {
        gate_file::read_words(file).map_err(|e| Error::from_io("cannot read", &self.path, e))
    }

    fn explain_lock(&self, error: io::Error) -> Error {
        // ENOLCK, where the filesystem has no lock manager, has no kind of its own.
        if error.kind() == io::ErrorKind::Unsupported || error.raw_os_error() == Some(37) {
            let why = "this filesystem cannot lock files; choose a folder on a local disk";
            return Error::new(ErrorKind::ConfigInvalid, why).with_path(&self.path).with_source(error);
        }
        Error::from_io("cannot lock", &self.path, error)
    }
}

/// The lock call reports a signal as `Interrupted`; it is asked again.
fn lock_through_signals(file: &File) -> io::Result<()> {
    loop {
        match file.lock() {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

impl GateGuard<'_> {
    /// Returns whether, when the gate was taken, a failed sync had left something in doubt.
    pub fn is_marked(&self) -> bool {
        self.mark != 0
    }

    /// Clears the mark that was seen, after what was in doubt has been rewritten and synced.
    ///
    /// A mark that was set since stays.
    ///
    /// # Errors
    /// `Io` if the file cannot be read or written.
    pub fn clear_mark(&mut self) -> Result<()> {
        let now = self.gate.read_words(&self.file)?.mark;
        if now == self.mark {
            let written = gate_file::write_mark(&self.file, 0);
            written.map_err(|e| Error::from_io("cannot write", &self.gate.path, e))?;
        }
        self.mark = 0;
        Ok(())
    }
}

impl Drop for GateGuard<'_> {
    fn drop(&mut self) {
        let gate = self.gate;
        if let Ok(words) = gate_file::read_words(&self.file) {
            let seen = gate.arrival_seen.swap(words.arrival, Ordering::Relaxed);
            if words.arrival != seen {
                gate.contended.store(true, Ordering::Relaxed);
            }
        }
        if let Err(error) = self.file.unlock() {
            // The lock also goes when the file is closed, so it is opened again for the next time.
            tracing::warn!(path = %gate.path.display(), %error, "cannot let the gate go");
            *gate.slot() = None;
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::config::Access;

    fn gate(dir: &Path) -> Gate {
        Gate::new(dir.join("s.gate"), Modes::of(Access::Private, None))
    }

    #[test]
    fn one_at_a_time_and_the_holder_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (gate(dir.path()), gate(dir.path()));
        assert_eq!(b.holder(), Holder::Nobody);
        let held = a.try_acquire("commit").unwrap().unwrap();
        assert!(b.try_acquire("commit").unwrap().is_none());
        let Holder::Process(words) = b.holder() else { panic!("no holder") };
        assert!(
            words.contains(&format!("pid {}", std::process::id())) && words.contains("commit"),
            "{words}"
        );
        drop(held);
        assert_eq!(b.holder(), Holder::Nobody);
        assert!(b.try_acquire("commit").unwrap().is_some());
    }

    #[test]
    fn a_file_that_was_replaced_is_left_for_the_new_one() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (gate(dir.path()), gate(dir.path()));
        drop(a.try_acquire("commit").unwrap());
        std::fs::remove_file(a.path()).unwrap();
        let _held = b.try_acquire("commit").unwrap().unwrap();
        assert!(a.try_acquire("commit").unwrap().is_none(), "two would hold it");
    }

    #[test]
    fn a_mark_set_meanwhile_stays() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (gate(dir.path()), gate(dir.path()));
        a.set_mark().unwrap();
        let mut held = a.try_acquire("commit").unwrap().unwrap();
        assert!(held.is_marked());
        b.set_mark().unwrap();
        held.clear_mark().unwrap();
        assert!(b.is_marked().unwrap());
        drop(held);
        let mut held = a.try_acquire("commit").unwrap().unwrap();
        held.clear_mark().unwrap();
        assert!(!b.is_marked().unwrap());
    }

    #[test]
    fn who_meets_others_gives_way() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (gate(dir.path()), gate(dir.path()));
        let held = a.try_acquire("commit").unwrap().unwrap();
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| drop(b.acquire("commit").unwrap()));
            while gate_file::read_words(&held.file).unwrap().arrival == 0 {
                std::thread::yield_now();
            }
            drop(held);
            assert!(a.try_acquire("commit").unwrap().is_none(), "took it before the one who waits");
            drop(a.acquire("commit").unwrap());
            waiter.join().unwrap();
        });
    }
}
