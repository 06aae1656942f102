//! What a reader has under redb.

use std::fs::File;
use std::io;
use std::ops::Bound;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use redb::StorageBackend;
use redb::backends::{FileBackend, InMemoryBackend};

use super::{Done, TRIES, TURN, byte, taken, try_often};

/// Held, shared, by readers: it keeps out a redb that shares the file with nobody.
const READERS: u64 = (1 << 62) + 2;

fn not_to_write() -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, "a reader does not write")
}

/// What a reader has under redb: memory while it is opened, then the file.
///
/// redb opens a database for shared use by changing it. But what it keeps of the opening is the sizes of
/// pages and regions alone, which are the same for all; the header it reads anew for each transaction. So it
/// opens an empty database in memory, and gets to see the file only then: opening waits for nobody, repairs
/// nothing, and needs no right to write.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reading(Arc<ReadingState>);

#[derive(Debug, Default)]
struct ReadingState {
    memory: Mutex<Option<InMemoryBackend>>,
    file: OnceLock<FileBackend>,
}

impl Reading {
    /// Makes an empty memory.
    pub(crate) fn empty() -> Self {
        let state = Self::default();
        *state.memory() = Some(InMemoryBackend::new());
        state
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, Option<InMemoryBackend>> {
        self.0.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn in_memory<T>(&self, work: impl FnOnce(&InMemoryBackend) -> io::Result<T>) -> io::Result<T> {
        self.memory().as_ref().map_or_else(|| Err(io::ErrorKind::NotConnected.into()), work)
    }

    fn file(&self) -> Option<&FileBackend> {
        self.0.file.get()
    }

    /// Puts the file in place of the memory.
    pub(crate) fn attach(&self, file: File) -> Result<(), redb::DatabaseError> {
        let file = FileBackend::new(file)?;
        let (first, last) = byte(READERS);
        if !file.try_lock_shared_range(first, last).map_err(redb::StorageError::from)? {
            return Err(redb::DatabaseError::DatabaseAlreadyOpen);
        }
        // Set once, right after the opening in memory.
        let _ = self.0.file.set(file);
        *self.memory() = None;
        Ok(())
    }

    /// Whether a writer waits for the header, and may for a moment.
    pub(crate) fn should_give_way(&self) -> bool {
        let (first, last) = byte(TURN);
        let waits = || self.file().is_some_and(|file| file.query_lock_range(first, last).unwrap_or(false));
        if !waits() {
            return false;
        }
        (0..TRIES).all(|_| {
            std::thread::yield_now();
            waits()
        })
    }

    /// Returns all that is in memory.
    pub(crate) fn into_bytes(self) -> io::Result<Vec<u8>> {
        self.in_memory(|memory| {
            let size = usize::try_from(memory.len()?).map_err(io::Error::other)?;
            let mut bytes = vec![0; size];
            memory.read(0, &mut bytes)?;
            Ok(bytes)
        })
    }
}

impl StorageBackend for Reading {
    fn len(&self) -> io::Result<u64> {
        self.file().map_or_else(|| self.in_memory(StorageBackend::len), StorageBackend::len)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        match self.file() {
            Some(file) => file.read(offset, out),
            None => self.in_memory(|memory| memory.read(offset, out)),
        }
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        match self.file() {
            Some(_) => Err(not_to_write()),
            None => self.in_memory(|memory| memory.set_len(len)),
        }
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file().map_or(Ok(()), |_| Err(not_to_write()))
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        match self.file() {
            Some(_) => Err(not_to_write()),
            None => self.in_memory(|memory| memory.write(offset, data)),
        }
    }

    fn close(&self) -> io::Result<()> {
        self.file().map_or(Ok(()), StorageBackend::close)
    }

    fn try_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Done<bool> {
        Ok(self.file().is_none())
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Done<bool> {
        self.file().map_or(Ok(true), |file| file.try_lock_shared_range(start, end))
    }

    /// Only a writer locks so: refused, redb closes a reader without writing to the file.
    fn lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Done {
        self.file().map_or(Ok(()), |_| Err(not_to_write().into()))
    }

    /// Never waits: redb holds a mutex of the process meanwhile.
    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Done {
        let Some(file) = self.file() else { return Ok(()) };
        let locked = try_often(|| file.try_lock_shared_range(start, end))?;
        if locked { Ok(()) } else { Err(taken().into()) }
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Done {
        self.file().map_or(Ok(()), |file| file.unlock_range(start, end))
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Done<bool> {
        self.file().map_or(Ok(false), |file| file.query_lock_range(start, end))
    }
}
