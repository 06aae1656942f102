//! The gate: the cross-process lock that every write passes.
//!
//! One permanent file beside the data, locked with the standard library's file lock, for which the kernel
//! queues in order. But between letting the lock go and the first of the queue running lie tens of
//! microseconds, in which whoever asks gets it. So whoever begins to wait leaves a ticket in the file, and
//! a free gate is taken only if the last ticket was served; else one waits until the gate is held again,
//! which is the moment to join the queue at its end.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::access::{Modes, explain_denial};
use super::files;
use super::gate_file::{self, Record, Words};
use super::os::{self, Identity};
use crate::error::{Error, ErrorKind, Result};
use crate::numbers::Timestamp;

/// How long a free gate is left to somebody who waits for it; after that it was killed while waiting.
const GIVE_WAY: Duration = Duration::from_millis(2);
const GIVE_WAY_STEP: Duration = Duration::from_micros(10);
/// How often a gate file that was replaced under us is opened again.
const REPLACED: usize = 100;

/// The gate of one store. Only one thread of a process may ask for it at a time; the store above sees to it.
#[derive(Debug)]
pub struct Gate {
    path: PathBuf,
    modes: Modes,
    file: Mutex<Option<Arc<Opened>>>,
    user: String,
    start: u64,
}

/// The lock file, and what tells it from another at the same path.
#[derive(Debug)]
struct Opened {
    file: File,
    identity: Identity,
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
    opened: Arc<Opened>,
    mark: u64,
}

impl Gate {
    /// Names a gate; the file is made, or opened, when it is first needed.
    pub fn new(path: PathBuf, modes: Modes) -> Self {
        Self {
            path,
            modes,
            file: Mutex::new(None),
            user: os::user_name(os::current_user()),
            start: os::process_start(std::process::id()).unwrap_or(0),
        }
    }

    /// Returns the path of the lock file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the rights that its file gets if it has to be made.
    pub fn modes(&self) -> Modes {
        self.modes
    }

    /// Takes the gate if it is free and nobody waits for it.
    ///
    /// # Errors
    /// `PermissionDenied`, `ReadOnly`, `IncompatibleFormat`; `ConfigInvalid` where nothing can be locked.
    pub fn try_acquire(&self, operation: &str) -> Result<Option<GateGuard<'_>>> {
        self.enter(operation, |file| {
            let words = gate_file::read_words(file)?;
            if words.somebody_waits() || !try_lock(file)? {
                return Ok(None);
            }
            Ok(Some(words.served))
        })
    }

    /// Takes the gate, waiting in the kernel for as long as it takes; call it on a thread that can be lost.
    ///
    /// # Errors
    /// Those of [`try_acquire`](Self::try_acquire).
    pub fn acquire(&self, operation: &str) -> Result<GateGuard<'_>> {
        let entered = self.enter(operation, |file| {
            let words = give_way(file)?;
            if !words.somebody_waits() && try_lock(file)? {
                return Ok(Some(words.served));
            }
            let ticket = fastrand::u64(1..);
            gate_file::write_arrived(file, ticket)?;
            lock_through_signals(file)?;
            Ok(Some(ticket))
        })?;
        entered.ok_or_else(|| Error::new(ErrorKind::Busy, "the gate was not taken").with_path(&self.path))
    }

    /// Locks the file that others find too; the lock says which ticket was served, or none if it was not had.
    fn enter(
        &self,
        operation: &str,
        lock: impl Fn(&File) -> io::Result<Option<u64>>,
    ) -> Result<Option<GateGuard<'_>>> {
        for _ in 0..REPLACED {
            let opened = self.open()?;
            let locked = lock(&opened.file).map_err(|e| self.explain_lock(e))?;
            let Some(served) = locked else { return Ok(None) };
            if self.is_current(&opened)? {
                return self.welcome(opened, served, operation).map(Some);
            }
            let _ = opened.file.unlock();
            *self.slot() = None;
        }
        let why = "the lock file is replaced again and again; find and stop whoever does it";
        Err(Error::new(ErrorKind::Io, why).with_path(&self.path))
    }

    /// Whether the file that we locked is still the one that others find.
    fn is_current(&self, opened: &Opened) -> Result<bool> {
        match self.path.metadata() {
            Ok(found) => Ok(os::identity(&found) == opened.identity),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(e) => Err(explain_denial("cannot look at", &self.path, e)),
        }
    }

    fn welcome(&self, opened: Arc<Opened>, served: u64, operation: &str) -> Result<GateGuard<'_>> {
        let mut guard = GateGuard { gate: self, opened, mark: 0 };
        guard.mark = self.read_words(&guard.opened.file)?.mark;
        let record = Record {
            pid: std::process::id(),
            start: self.start,
            since: Timestamp::now().as_millis(),
            user: self.user.clone(),
            operation: operation.to_owned(),
        };
        gate_file::write_held(&guard.opened.file, served, &record)
            .map_err(|e| Error::from_io("cannot write", &self.path, e))?;
        Ok(guard)
    }

    /// Says that a sync failed: nobody acknowledges until what is in doubt was rewritten and synced.
    ///
    /// # Errors
    /// Any: then only this process knows of it.
    pub fn set_mark(&self) -> Result<()> {
        gate_file::write_mark(&self.open()?.file, fastrand::u64(1..))
            .map_err(|e| Error::from_io("cannot write", &self.path, e))
    }

    /// Returns whether a sync failed and what it put in doubt was not rewritten since.
    ///
    /// # Errors
    /// `Io` if the file cannot be read.
    pub fn is_marked(&self) -> Result<bool> {
        Ok(self.read_words(&self.open()?.file)?.mark != 0)
    }

    /// Returns whether somebody waits for the gate, as far as tickets tell.
    ///
    /// # Errors
    /// `Io` if the file cannot be read.
    pub fn somebody_waits(&self) -> Result<bool> {
        Ok(self.read_words(&self.open()?.file)?.somebody_waits())
    }

    /// Tells who holds the gate, and whether it is marked, without making a gate or waiting for it.
    pub fn inspect(&self) -> (Holder, bool) {
        let known = self.slot().clone();
        let opened = match known {
            Some(opened) => Ok(opened),
            // Opening a pipe would wait for somebody at its other end.
            None if self.is_no_file() => return (Holder::Unknown, false),
            None => OpenOptions::new().read(true).open(&self.path).and_then(Opened::new).map(Arc::new),
        };
        match opened.as_deref() {
            Ok(Opened { file, .. }) => {
                let marked = gate_file::read_words(file).is_ok_and(|words| words.mark != 0);
                (self.holder_by_kernel(gate_file::read_record(file).ok().flatten()), marked)
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => (Holder::Nobody, false),
            Err(_) => (self.holder_by_kernel(None), false),
        }
    }

    /// Tells who holds the gate.
    pub fn holder(&self) -> Holder {
        self.inspect().0
    }

    /// Tells for how long it has been held, as far as the record of the holder can be believed.
    pub fn held_for(&self) -> Option<Duration> {
        let known = self.slot().clone();
        let opened = match known {
            Some(opened) => opened,
            None if self.is_no_file() => return None,
            None => Arc::new(OpenOptions::new().read(true).open(&self.path).and_then(Opened::new).ok()?),
        };
        let record = gate_file::read_record(&opened.file).ok()??;
        let locks = os::locks_on(opened.identity);
        let lock = locks.into_iter().find(|lock| lock.whole_file && lock.exclusive)?;
        // Of one that has ended, and whose child holds the gate, the number is all there is to compare.
        let is_same = os::process_start(lock.pid).is_none_or(|start| start == record.start);
        let since = Timestamp::now().as_millis().saturating_sub(record.since);
        (lock.pid == record.pid && is_same).then(|| Duration::from_millis(since))
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
            let words = format!(
                "pid {}, which has ended: a process that shares its descriptor, such as a child, still holds the gate",
                lock.pid
            );
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

    fn slot(&self) -> std::sync::MutexGuard<'_, Option<Arc<Opened>>> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> Result<Arc<Opened>> {
        if let Some(opened) = &*self.slot() {
            return Ok(Arc::clone(opened));
        }
        for _ in 0..REPLACED {
            if self.is_no_file() {
                let why = "is not a plain file, as a gate must be; move it away, with every user of the store stopped";
                return Err(Error::new(ErrorKind::IncompatibleFormat, why).with_path(&self.path));
            }
            match OpenOptions::new().read(true).write(true).open(&self.path) {
                Ok(file) => {
                    gate_file::check_version(&file, &self.path)?;
                    let opened =
                        Opened::new(file).map_err(|e| Error::from_io("cannot look at", &self.path, e))?;
                    return Ok(Arc::clone(self.slot().insert(Arc::new(opened))));
                }
                Err(e) if e.kind() == io::ErrorKind::NotFound => {
                    files::create_file(&self.path, &gate_file::fresh(), self.modes.gate, &self.modes)?;
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

    /// Whether something stands at the path that is no plain file.
    fn is_no_file(&self) -> bool {
        self.path.symlink_metadata().is_ok_and(|found| !found.is_file())
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

impl Opened {
    fn new(file: File) -> io::Result<Self> {
        let identity = os::identity(&file.metadata()?);
        Ok(Self { file, identity })
    }
}

/// Waits until the gate is held, so that the end of the queue can be joined, or nobody waits for it.
fn give_way(file: &File) -> io::Result<Words> {
    let until = Instant::now() + GIVE_WAY;
    loop {
        let words = gate_file::read_words(file)?;
        if words.held || !words.somebody_waits() || Instant::now() > until {
            return Ok(words);
        }
        std::thread::sleep(GIVE_WAY_STEP);
    }
}

fn try_lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(e)) => Err(e),
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

    /// Returns whether somebody began to wait since the gate was taken, as far as tickets tell.
    pub fn somebody_waits(&self) -> bool {
        self.gate.read_words(&self.opened.file).is_ok_and(|words| words.somebody_waits())
    }

    /// Clears the mark that was seen, after what was in doubt has been rewritten and synced.
    ///
    /// A mark that was set since stays.
    ///
    /// # Errors
    /// `Io` if the file cannot be read or written.
    pub fn clear_mark(&mut self) -> Result<()> {
        let now = self.gate.read_words(&self.opened.file)?.mark;
        if now == self.mark {
            let written = gate_file::write_mark(&self.opened.file, 0);
            written.map_err(|e| Error::from_io("cannot write", &self.gate.path, e))?;
        }
        self.mark = 0;
        Ok(())
    }
}

impl Drop for GateGuard<'_> {
    fn drop(&mut self) {
        let Opened { file, .. } = &*self.opened;
        if let Err(error) = gate_file::write_free(file).and_then(|()| file.unlock()) {
            // The lock also goes when the file is closed; it is opened again for the next time.
            tracing::warn!(path = %self.gate.path.display(), %error, "cannot let the gate go");
            let _ = file.unlock();
            *self.gate.slot() = None;
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
    fn a_file_that_vanished_is_made_anew_before_it_is_held() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (gate(dir.path()), gate(dir.path()));
        drop(a.try_acquire("commit").unwrap());
        std::fs::remove_file(a.path()).unwrap();
        let _held = a.try_acquire("commit").unwrap().unwrap();
        assert!(b.try_acquire("commit").unwrap().is_none(), "two would hold it");
    }

    #[test]
    fn what_is_no_file_is_no_gate() {
        let dir = tempfile::tempdir().unwrap();
        let a = gate(dir.path());
        std::os::unix::fs::symlink("/dev/null", a.path()).unwrap();
        assert_eq!(a.try_acquire("commit").unwrap_err().kind(), ErrorKind::IncompatibleFormat);
        assert_eq!(a.holder(), Holder::Unknown);
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
    fn a_free_gate_is_left_to_those_who_wait() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (gate(dir.path()), gate(dir.path()));
        let held = a.try_acquire("commit").unwrap().unwrap();
        let file = Arc::clone(&held.opened);
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| b.acquire("commit").map(drop).unwrap());
            while !gate_file::read_words(&file.file).unwrap().somebody_waits() {
                std::thread::yield_now();
            }
            drop(held);
            // Whoever comes now is served after the one who waits, or finds that it was served.
            drop(a.acquire("commit").unwrap());
            waiter.join().unwrap();
        });
        assert!(!gate_file::read_words(&file.file).unwrap().somebody_waits());
    }

    #[test]
    fn who_was_killed_while_waiting_is_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let a = gate(dir.path());
        drop(a.try_acquire("commit").unwrap());
        gate_file::write_arrived(&a.open().unwrap().file, 7).unwrap();
        assert!(a.try_acquire("commit").unwrap().is_none());
        drop(a.acquire("commit").unwrap());
        assert!(a.try_acquire("commit").unwrap().is_some(), "the ticket of the dead is served");
    }
}
