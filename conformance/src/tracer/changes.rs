//! What a call changes in the folder: known in part when it begins, for sure when it has succeeded.

use std::path::{Path, PathBuf};

use nix::libc;
use nix::unistd::Pid;

use super::calls::{Call, Class};
use super::process::{Process, Registers};
use super::record::Event;
use crate::failure::{Failure, Outcome};

/// How many parts a gathered write has at most.
const PARTS: u64 = 1024;

/// What a call will have changed if it succeeds.
#[derive(Debug)]
pub(super) enum Change {
    /// Says something to the suite.
    Says { buffer: u64 },
    /// Makes a file, under a name or without, or empties one that was there.
    Opens { name: Option<PathBuf>, empties: bool },
    /// Writes; where a position is not given, behind where the descriptor stands.
    Writes { descriptor: u64, from: From, at: Option<u64> },
    /// Gives a file a size; or, at least so much.
    Sizes { inode: u64, size: u64 },
    /// Syncs a file or folder.
    Syncs { inode: u64, folder: Option<PathBuf> },
    /// Names a file.
    Links { name: PathBuf, inside: PathBuf },
    /// Is told as it is.
    Plain(Event),
    /// Is something that the record has no word for.
    Unknown(&'static str),
}

/// Where the bytes of a write come from.
#[derive(Debug, Clone, Copy)]
pub(super) enum From {
    /// One piece of memory.
    Buffer(u64),
    /// Many pieces.
    Parts(u64, u64),
    /// Another file: they are read where they were written to.
    File,
}

impl Change {
    /// What a write to the suite will have said.
    pub(super) fn says(registers: &Registers) -> Self {
        Self::Says { buffer: registers.arguments[1] }
    }

    /// Returns what a call that touches files of the folder will have changed; none if nothing.
    pub(super) fn of<'p>(
        call: &Call,
        registers: &Registers,
        mut files: impl Iterator<Item = Option<&'p Path>>,
        process: &Process,
        root: &Path,
    ) -> Option<Self> {
        let [first, second, third, fourth, fifth, _] = registers.arguments;
        let file = files.next().flatten();
        let other = files.next().flatten();
        let own = || file.map(Path::to_owned);
        match (call.class, call.name) {
            (Class::Open, name) => {
                let flags = match name {
                    "open" => second,
                    "openat" => third,
                    "creat" => (libc::O_CREAT | libc::O_TRUNC | libc::O_WRONLY).cast_unsigned().into(),
                    _ => process.word(third),
                };
                opens(root, file?, flags)
            }
            (Class::Write, "write") => Some(writes(first, From::Buffer(second), None)),
            (Class::Write, "pwrite64") => Some(writes(first, From::Buffer(second), Some(fourth))),
            (Class::Write, "writev") => Some(writes(first, From::Parts(second, third), None)),
            (Class::Write, "pwritev") => Some(writes(first, From::Parts(second, third), Some(fourth))),
            (Class::Write, "copy_file_range") => {
                file?;
                let at = (fourth != 0).then(|| process.word(fourth));
                Some(writes(third, From::File, at))
            }
            (Class::Size, "ftruncate") => {
                Some(Self::Sizes { inode: process.inode(first).ok()?, size: second })
            }
            (Class::Size, "fallocate") => {
                let keeps = u64::from(libc::FALLOC_FL_KEEP_SIZE.cast_unsigned());
                if second != 0 {
                    return (second != keeps).then_some(Self::Unknown("fallocate of a hole"));
                }
                let size = process.len(first).max(third + fourth);
                Some(Self::Sizes { inode: process.inode(first).ok()?, size })
            }
            (Class::Sync, "fsync" | "fdatasync") => {
                let is_folder =
                    std::fs::metadata(process.descriptor(first)).is_ok_and(|found| found.is_dir());
                Some(Self::Syncs { inode: process.inode(first).ok()?, folder: own().filter(|_| is_folder) })
            }
            (Class::Name, _) => Some(match file {
                Some(file) => names(call, file, other, root, fifth),
                None => Self::Unknown("a name that comes from outside the folder"),
            }),
            (Class::Map, _) => {
                let has = |word: u64, flag: i32| word & u64::from(flag.cast_unsigned()) != 0;
                let writes = has(third, libc::PROT_WRITE) && has(fourth, libc::MAP_SHARED);
                Some(Self::Plain(Event::Mapped { name: own().filter(|_| writes)? }))
            }
            (Class::Write | Class::Size, name) => Some(Self::Unknown(name)),
            _ => None,
        }
    }

    /// Returns what has happened, now that the call is over.
    pub(super) fn events(
        self,
        thread: Pid,
        result: i64,
        process: &Process,
    ) -> Outcome<Vec<(Event, Vec<u8>)>> {
        let done = usize::try_from(result);
        if let Self::Syncs { .. } = self {
            let ended = Event::SyncEnded { thread: thread.as_raw(), done: done.is_ok() };
            return Ok(vec![(ended, Vec::new())]);
        }
        let Ok(done) = done else { return Ok(Vec::new()) };
        let bare = |event| Ok(vec![(event, Vec::new())]);
        match self {
            Self::Says { buffer } => {
                let bytes = process.bytes(buffer, done);
                Ok(vec![(Event::Said { len: bytes.len() }, bytes)])
            }
            Self::Opens { name, empties } => {
                let inode = process.inode(done as u64)?;
                bare(if empties { Event::Sized { inode, size: 0 } } else { Event::Made { inode, name } })
            }
            Self::Writes { descriptor, from, at } => {
                let at = at.unwrap_or_else(|| process.position(descriptor).saturating_sub(done as u64));
                let bytes = from.bytes(descriptor, at, done, process);
                if bytes.len() != done {
                    return Err(Failure::new("the bytes of a write cannot be read"));
                }
                Ok(vec![(Event::Wrote { inode: process.inode(descriptor)?, at, len: done }, bytes)])
            }
            Self::Sizes { inode, size } => bare(Event::Sized { inode, size }),
            Self::Links { name, inside } => {
                use std::os::unix::fs::MetadataExt;
                let inode = std::fs::symlink_metadata(&inside)?.ino();
                bare(Event::Linked { inode, name })
            }
            Self::Plain(event) => bare(event),
            Self::Unknown(what) => Err(Failure::new(format_args!("the record has no word for {what}"))),
            Self::Syncs { .. } => Ok(Vec::new()),
        }
    }
}

/// Returns what a call changes that has to do with names; `other` is the second that it is given.
fn names(call: &Call, file: &Path, other: Option<&Path>, root: &Path, flags: u64) -> Change {
    let name = file.to_owned();
    match call.name {
        "link" | "linkat" => Change::Links { inside: root.join(file), name },
        "renameat2" if flags & u64::from(libc::RENAME_EXCHANGE) != 0 => {
            Change::Unknown("an exchange of names")
        }
        "rename" | "renameat" | "renameat2" => match other {
            Some(to) => Change::Plain(Event::Renamed { from: name, to: to.to_owned() }),
            None => Change::Unknown("a rename out of the folder"),
        },
        "unlink" | "unlinkat" | "rmdir" => Change::Plain(Event::Removed { name }),
        "mkdir" | "mkdirat" => Change::Plain(Event::MadeFolder { name }),
        name => Change::Unknown(name),
    }
}

fn writes(descriptor: u64, from: From, at: Option<u64>) -> Change {
    Change::Writes { descriptor, from, at }
}

fn opens(root: &Path, file: &Path, flags: u64) -> Option<Change> {
    let has = |flag: i32| flags & u64::from(flag.cast_unsigned()) == u64::from(flag.cast_unsigned());
    if has(libc::O_TMPFILE) {
        return Some(Change::Opens { name: None, empties: false });
    }
    let is_there = root.join(file).symlink_metadata().is_ok();
    if has(libc::O_CREAT) && !is_there {
        return Some(Change::Opens { name: Some(file.to_owned()), empties: false });
    }
    has(libc::O_TRUNC).then_some(Change::Opens { name: None, empties: true })
}

impl From {
    fn bytes(self, descriptor: u64, at: u64, len: usize, process: &Process) -> Vec<u8> {
        match self {
            Self::Buffer(buffer) => process.bytes(buffer, len),
            Self::Parts(parts, count) => {
                let mut bytes = Vec::new();
                for part in 0..count.min(PARTS) {
                    let (base, size) = (process.word(parts + 16 * part), process.word(parts + 16 * part + 8));
                    let size = usize::try_from(size).unwrap_or(usize::MAX).min(len - bytes.len());
                    bytes.extend(process.bytes(base, size));
                }
                bytes
            }
            Self::File => {
                use std::os::unix::fs::FileExt;
                let mut bytes = vec![0; len];
                let read = std::fs::File::open(process.descriptor(descriptor))
                    .and_then(|file| file.read_exact_at(&mut bytes, at));
                if read.is_ok() { bytes } else { Vec::new() }
            }
        }
    }
}
