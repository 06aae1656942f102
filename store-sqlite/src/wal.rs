//! The write-ahead log: its size, checkpoints, syncs, and what a failed sync leaves behind.
//!
//! The log may be opened beside SQLite: this process's locks lie on the database and on `-shm`.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::wal::CheckpointMode;
use store_core::shared::access::explain_denial;
use store_core::shared::os;
use store_core::{Error, ErrorKind, Result};

use crate::connection;
use crate::error::SqliteError;
use crate::locks;

/// The size of a page.
pub(crate) const PAGE: u64 = 4096;
const FRAME: usize = 24 + 4096;
const HEADER: usize = 32;
/// How many frames are written between two checkpoints.
const CHECKPOINT_EVERY: u64 = 2000;
/// From how many frames on a checkpoint insists that the log starts again: readers may keep it from doing so
/// by itself.
const RESTART_FROM: u64 = 8000;

/// The log of one database.
#[derive(Debug)]
pub(crate) struct Wal {
    path: PathBuf,
    file: File,
    limit: u64,
    /// How many frames stood in the log after the last commit of this process.
    frames: AtomicU64,
    /// At how many frames the next checkpoint is due.
    due: AtomicU64,
    /// Whether a transaction found no room, so that the log has to start again before the next.
    pressed: AtomicBool,
    /// Whether the transaction under way starts the log again.
    emptied: AtomicBool,
}

/// Whether a file cannot be opened for writing because of its rights, or of its filesystem's.
fn may_only_be_read(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

impl Wal {
    /// Opens the log for syncing, and for rewriting if this user may write.
    pub(crate) fn open(path: PathBuf, limit: u64, read_only: bool) -> Result<Self> {
        let open = |write| OpenOptions::new().read(true).write(write).open(&path);
        let opened = match open(!read_only) {
            Err(e) if may_only_be_read(&e) && !read_only => open(false),
            opened => opened,
        };
        let file = opened.map_err(|e| explain_denial("cannot open the write-ahead log", &path, e))?;
        Ok(Self {
            path,
            file,
            limit,
            frames: AtomicU64::new(0),
            due: AtomicU64::new(CHECKPOINT_EVERY),
            pressed: AtomicBool::new(false),
            emptied: AtomicBool::new(false),
        })
    }

    /// Makes everything that was committed before the call survive the loss of power.
    pub(crate) fn sync(&self) -> Result<()> {
        self.file.sync_data().map_err(|e| Error::from_io("cannot sync the write-ahead log", &self.path, e))
    }

    /// Returns how many frames are committed; not within a transaction.
    pub(crate) fn committed(&self, connection: &Connection) -> Result<u64> {
        let (frames, _) = look(connection).map_err(|e| e.at("cannot look at the log", &self.path))?;
        Ok(frames)
    }

    /// Returns the first of some pages that the log does not hold.
    ///
    /// The frames of an older round of the log stand behind those of this one and bear another salt.
    pub(crate) fn first_lost(&self, pages: RangeInclusive<u64>) -> Result<Option<u64>> {
        let failed = |e| Error::from_io("cannot read the write-ahead log", &self.path, e);
        let mut header = [0; HEADER];
        let mut frame = [0; 24];
        let mut lost: BTreeSet<u64> = pages.collect();
        if read_full(&self.file, &mut header, 0).map_err(failed)? == HEADER {
            for at in (0..).map(size_of_log) {
                let whole = read_full(&self.file, &mut frame, at).map_err(failed)? == frame.len();
                if !whole || frame.get(8..16) != header.get(16..24) {
                    break;
                }
                lost.remove(&word(&frame, 0, true).map_or(0, u64::from));
            }
        }
        Ok(lost.first().copied())
    }

    /// Notes how far the log has come.
    pub(crate) fn measure(&self, connection: &Connection) {
        self.emptied.store(false, Ordering::Relaxed);
        let Ok((frames, _)) = look(connection) else { return };
        let before = self.frames.swap(frames, Ordering::Relaxed);
        if frames < before {
            // It has started again.
            self.due.store(CHECKPOINT_EVERY, Ordering::Relaxed);
        }
    }

    pub(crate) fn needs_checkpoint(&self) -> bool {
        self.frames.load(Ordering::Relaxed) >= self.due.load(Ordering::Relaxed)
    }

    /// Copies what can be copied into the database, without waiting for anybody.
    pub(crate) fn checkpoint(&self, connection: &Connection) -> Result<()> {
        let frames = self.committed(connection)?;
        let mode = match frames {
            // What was rebuilt may have needed more than the log may keep.
            _ if size_of_log(frames) > self.limit => CheckpointMode::TRUNCATE,
            RESTART_FROM.. => CheckpointMode::RESTART,
            _ => CheckpointMode::PASSIVE,
        };
        self.due.store(frames + CHECKPOINT_EVERY, Ordering::Relaxed);
        self.run(connection, mode)
    }

    /// Copies everything, after the log was rewritten.
    pub(crate) fn checkpoint_all(&self, connection: &Connection) -> Result<()> {
        self.run(connection, CheckpointMode::PASSIVE)
    }

    /// Empties the log: what stands in it behind the last commit is gone.
    pub(crate) fn truncate(&self, connection: &Connection) -> Result<()> {
        self.run(connection, CheckpointMode::TRUNCATE)
    }

    fn run(&self, connection: &Connection, mode: CheckpointMode) -> Result<()> {
        let run = connection::wait_at_most(connection, Duration::ZERO)
            .and_then(|()| Ok(connection.wal_checkpoint_v2(Some("main"), mode)?));
        run.map(drop).map_err(|e| e.at("cannot copy the log into the database", &self.path))
    }

    /// Returns how many bytes a transaction may add to the log, in the gate.
    ///
    /// Near the limit the log has to start again first, which every reader of an old snapshot prevents.
    pub(crate) fn room(&self, connection: &Connection, shm: &Path) -> Result<u64> {
        let frames = self.committed(connection)?;
        let room = self.limit.saturating_sub(size_of_log(frames));
        if room > self.limit / 4 && !self.pressed.load(Ordering::Relaxed) {
            return Ok(room);
        }
        match self.run(connection, CheckpointMode::RESTART) {
            Ok(()) => {
                // The next commit starts the log again.
                self.pressed.store(false, Ordering::Relaxed);
                self.emptied.store(true, Ordering::Relaxed);
                Ok(self.limit)
            }
            Err(error) if error.kind() != ErrorKind::Busy => Err(error),
            Err(_) if room > self.limit / 8 && !self.pressed.load(Ordering::Relaxed) => Ok(room),
            Err(error) => {
                let reader = locks::who_reads(shm);
                let reader = if reader.is_empty() { "a reader that is not known".to_owned() } else { reader };
                let why = format!(
                    "the write-ahead log has {} bytes, its limit is {}, and it cannot start again: {reader}",
                    size_of_log(frames),
                    self.limit
                );
                Err(Error::new(ErrorKind::Busy, why).with_path(&self.path).with_source(error))
            }
        }
    }

    /// Refuses a transaction that has no room: if the log was to start again it never will have, else it is
    /// tried again after the log has started again.
    pub(crate) fn refuse(&self) -> Error {
        if self.emptied.swap(false, Ordering::Relaxed) {
            let why = format!(
                "the batch does not fit into the write-ahead log, which is limited to {} bytes; split it, or raise \
                 wal_limit",
                self.limit
            );
            return Error::new(ErrorKind::TooLarge, why).with_path(&self.path);
        }
        self.pressed.store(true, Ordering::Relaxed);
        let why = "the write-ahead log is near its limit and has to start again first";
        Error::new(ErrorKind::Busy, why).with_path(&self.path)
    }

    /// Writes the log anew, byte for byte, and syncs it: pages that a failed sync left are written again.
    ///
    /// The frames that the index counts as committed must be there and whole, or the cache has lost them.
    pub(crate) fn rewrite(&self, frames: u64) -> Result<()> {
        let failed = |e| Error::from_io("cannot rewrite the write-ahead log", &self.path, e);
        let mut chain = None;
        let mut at = 0;
        let mut whole = 0;
        let mut buffer = [0; FRAME];
        loop {
            let size = if at == 0 { HEADER } else { FRAME };
            let (piece, _) = buffer.split_at_mut(size);
            let read = read_full(&self.file, piece, at).map_err(failed)?;
            let (piece, _) = piece.split_at(read);
            chain = if at == 0 { Chain::start(piece) } else { chain.and_then(|chain| chain.follow(piece)) };
            whole += u64::from(at > 0 && chain.is_some());
            os::write_all_at(&self.file, piece, at).map_err(failed)?;
            at += read as u64;
            if read < size {
                break;
            }
        }
        if whole < frames {
            let why = format!(
                "a failed sync has lost commits: {frames} frames of the log were committed, {whole} are whole; stop \
                 all users, keep a copy of all files, and restore a backup"
            );
            return Err(Error::new(ErrorKind::Corrupted, why).with_path(&self.path));
        }
        self.file.sync_all().map_err(failed)
    }
}

pub(crate) fn size_of_log(frames: u64) -> u64 {
    HEADER as u64 + frames * FRAME as u64
}

/// Returns how many frames stand in the log, and how many of them are copied; takes no lock.
fn look(connection: &Connection) -> std::result::Result<(u64, u64), SqliteError> {
    let (frames, copied) = connection.wal_checkpoint_v2(Some("main"), CheckpointMode::NOOP)?;
    Ok((u64::try_from(frames).unwrap_or(0), u64::try_from(copied).unwrap_or(0)))
}

fn read_full(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    let mut filled = 0;
    loop {
        let (_, rest) = buffer.split_at_mut(filled);
        match os::read_at(file, rest, at + filled as u64) {
            Ok(0) => return Ok(filled),
            Ok(read) => filled += read,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}

/// The checksums of a log, each of which covers all before it (https://www.sqlite.org/fileformat2.html, 4.2).
#[derive(Debug, Clone, Copy)]
struct Chain {
    big_endian: bool,
    salt: [u8; 8],
    sum: (u32, u32),
}

impl Chain {
    fn start(header: &[u8]) -> Option<Self> {
        let magic = word(header, 0, true)?;
        let big_endian = match magic {
            0x377f_0682 => false,
            0x377f_0683 => true,
            _ => return None,
        };
        let salt = header.get(16..24)?.try_into().ok()?;
        let sum = add(big_endian, (0, 0), header.get(..24)?)?;
        (sum == (word(header, 24, true)?, word(header, 28, true)?)).then_some(Self { big_endian, salt, sum })
    }

    fn follow(self, frame: &[u8]) -> Option<Self> {
        let head = frame.get(..8)?;
        let page = frame.get(24..FRAME)?;
        let sum = add(self.big_endian, self.sum, head)?;
        let sum = add(self.big_endian, sum, page)?;
        let whole = frame.get(8..16)? == self.salt && sum == (word(frame, 16, true)?, word(frame, 20, true)?);
        whole.then_some(Self { sum, ..self })
    }
}

fn word(bytes: &[u8], at: usize, big_endian: bool) -> Option<u32> {
    let word = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(if big_endian { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) })
}

fn add(big_endian: bool, (mut a, mut b): (u32, u32), bytes: &[u8]) -> Option<(u32, u32)> {
    for pair in bytes.chunks_exact(8) {
        a = a.wrapping_add(word(pair, 0, big_endian)?).wrapping_add(b);
        b = b.wrapping_add(word(pair, 4, big_endian)?).wrapping_add(a);
    }
    Some((a, b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SqliteConfig;
    use crate::schema;

    fn store(folder: &Path) -> (Connection, Wal) {
        let path = folder.canonicalize().unwrap().join("s.db");
        std::io::Write::write_all(
            &mut OpenOptions::new().create_new(true).write(true).open(&path).unwrap(),
            &schema::fresh_database().unwrap(),
        )
        .unwrap();
        let connection = connection::open(&path, &SqliteConfig::default(), false).unwrap();
        for guard in 1..=20 {
            connection.execute("UPDATE store SET guard = ?1", (guard,)).unwrap();
        }
        let wal = Wal::open(folder.join("s.db-wal"), 1 << 30, false).unwrap();
        (connection, wal)
    }

    #[test]
    fn a_whole_log_is_rewritten_and_stays_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let (connection, wal) = store(folder.path());
        let before = std::fs::read(&wal.path).unwrap();
        assert_eq!(look(&connection).unwrap().0, 20);
        wal.rewrite(20).unwrap();
        assert_eq!(std::fs::read(&wal.path).unwrap(), before);
        wal.checkpoint_all(&connection).unwrap();
        assert_eq!(look(&connection).unwrap(), (20, 20));
    }

    #[test]
    fn a_log_that_lost_a_committed_page_is_corrupted() {
        let folder = tempfile::tempdir().unwrap();
        let (connection, wal) = store(folder.path());
        let at = size_of_log(7) + 1000;
        let mut byte = [0];
        os::read_at(&wal.file, &mut byte, at).unwrap();
        os::write_all_at(&wal.file, &[byte[0] ^ 1], at).unwrap();
        let error = wal.rewrite(wal.committed(&connection).unwrap()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupted);
        assert!(
            error.to_string().contains("20 frames") && error.to_string().contains("7 are whole"),
            "{error}"
        );
    }
}
