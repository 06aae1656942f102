//! What a writer has under redb.

use std::fs::File;
use std::io;
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use redb::StorageBackend;
use redb::backends::FileBackend;
use store_core::shared::os::{self, Identity};

use super::{Done, Edge, TURN, byte, taken, try_often};
use crate::locks;

/// The header, which is locked as a whole.
const HEADER: (Edge, Edge) = (Bound::Included(0), Bound::Excluded(320));
/// How long is waited between tries, at first and at most.
const NAP: (Duration, Duration) = (Duration::from_micros(50), Duration::from_millis(1));
/// How long the header is waited for past the deadline, and how often it is looked who holds it.
const PAST_DEADLINE: Duration = Duration::from_millis(300);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What a writer has under redb: the file, whose locks it waits for until a deadline.
#[derive(Debug, Clone)]
pub(crate) struct Writing(Arc<WritingState>);

#[derive(Debug)]
struct WritingState {
    identity: Identity,
    file: FileBackend,
    deadline: Mutex<Instant>,
    /// Whether redb opens it and has only looked so far: then syncs are put off.
    opening: AtomicBool,
    closing: AtomicBool,
}

impl Writing {
    pub(crate) fn new(file: File, deadline: Instant) -> Result<Self, redb::DatabaseError> {
        let identity = os::identity(&file.metadata()?);
        let file = FileBackend::new(file)?;
        let (deadline, opening, closing) = (Mutex::new(deadline), true.into(), false.into());
        Ok(Self(Arc::new(WritingState { identity, file, deadline, opening, closing })))
    }

    /// Syncs from now on, and what was put off.
    ///
    /// When it opens a database redb writes the header again, the same but for a mark, and holds it locked
    /// through two syncs, for as long as the disk takes. One will do, with nothing locked: what is written next
    /// comes after it.
    pub(crate) fn sync_from_now_on(&self) -> io::Result<()> {
        if self.0.opening.swap(false, Ordering::AcqRel) { self.0.file.sync_data() } else { Ok(()) }
    }

    /// Bounds how long locks are waited for.
    pub(crate) fn wait_until(&self, deadline: Instant) {
        *self.0.deadline.lock().unwrap_or_else(PoisonError::into_inner) = deadline;
    }

    /// Refuses every lock from now on, so that redb closes without writing.
    pub(crate) fn close_without_writing(&self) {
        self.0.closing.store(true, Ordering::Release);
    }

    fn check_open(&self) -> Done {
        if self.0.closing.load(Ordering::Acquire) { Err(taken().into()) } else { Ok(()) }
    }

    fn deadline(&self) -> Instant {
        *self.0.deadline.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits with readers giving way. Who waits for the header has the writer's byte, so that nobody else wants
    /// the turn.
    fn wait_in_turn(&self, lock: impl Fn() -> Done<bool>) -> Done {
        self.check_open()?;
        if lock()? {
            return Ok(());
        }
        let (first, last) = byte(TURN);
        let has_turn = self.0.file.try_lock_range(first, last)?;
        let locked = self.wait_for_those_who_run(lock);
        if has_turn {
            self.0.file.unlock_range(first, last)?;
        }
        locked
    }

    /// Waits a while past the deadline, unless who holds the lock is stopped: on a busy machine a reader can
    /// be without a processor for longer than the deadline, and a commit that gives up costs more.
    fn wait_for_those_who_run(&self, lock: impl Fn() -> Done<bool>) -> Done {
        let mut deadline = self.deadline();
        let last = Instant::now().max(deadline) + PAST_DEADLINE;
        loop {
            if wait_until(deadline, &lock)? {
                return Ok(());
            }
            deadline = Instant::now() + LOOK_EVERY;
            if deadline > last || locks::is_held_by_who_is_stopped(self.0.identity) {
                return Err(taken().into());
            }
        }
    }

    fn wait(&self, lock: impl FnMut() -> Done<bool>) -> Done {
        self.check_open()?;
        if wait_until(self.deadline(), lock)? { Ok(()) } else { Err(taken().into()) }
    }
}

fn wait_until(deadline: Instant, mut lock: impl FnMut() -> Done<bool>) -> Done<bool> {
    let mut nap = NAP.0;
    while !try_often(&mut lock)? {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(false);
        }
        std::thread::sleep(nap.min(left));
        nap = (nap * 2).min(NAP.1);
    }
    Ok(true)
}

impl StorageBackend for Writing {
    fn len(&self) -> io::Result<u64> {
        self.0.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        if self.0.opening.load(Ordering::Acquire) {
            return Ok(());
        }
        // A sync that failed for want of room is a failed sync, and no refused write.
        self.0.file.sync_data().map_err(io::Error::other)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.file.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.0.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Done<bool> {
        self.0.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Done<bool> {
        self.0.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Done {
        let lock = || self.0.file.try_lock_range(start, end);
        if (start, end) == HEADER { self.wait_in_turn(lock) } else { self.wait(lock) }
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Done {
        self.wait(|| self.0.file.try_lock_shared_range(start, end))
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Done {
        self.0.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Done<bool> {
        self.0.file.query_lock_range(start, end)
    }
}
