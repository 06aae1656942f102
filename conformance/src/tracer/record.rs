//! The record of all that changes a folder, in the order in which it happened: a line of JSON for each event,
//! and behind it the bytes that it brings.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::failure::{Context, Failure, Outcome};

/// Something that happened; paths are relative to the folder, files are told apart by inode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Event {
    /// A file was made, under a name or without one.
    Made { inode: u64, name: Option<PathBuf> },
    /// Bytes were written, which follow.
    Wrote { inode: u64, at: u64, len: usize },
    /// A file has another size.
    Sized { inode: u64, size: u64 },
    /// A sync of a file or folder began; what was there before it is what it brings to the disk.
    SyncBegan { thread: i32, inode: u64, folder: Option<PathBuf> },
    /// The sync that this thread began is over.
    SyncEnded { thread: i32, done: bool },
    /// A file has a further name.
    Linked { inode: u64, name: PathBuf },
    /// A name was taken from one place to another, over what was there.
    Renamed { from: PathBuf, to: PathBuf },
    /// A name was removed, of a file or of an empty folder.
    Removed { name: PathBuf },
    /// A folder was made.
    MadeFolder { name: PathBuf },
    /// A file was mapped into memory so that it can be written there, which the record does not see.
    Mapped { name: PathBuf },
    /// The worker said something, which follows.
    Said { len: usize },
}

impl Event {
    fn len(&self) -> usize {
        match self {
            Self::Wrote { len, .. } | Self::Said { len } => *len,
            _ => 0,
        }
    }
}

/// The writing end of a record.
#[derive(Debug)]
pub(super) struct Recorder(BufWriter<File>);

impl Recorder {
    pub(super) fn new(path: &Path) -> Outcome<Self> {
        let file = File::options().write(true).create_new(true).open(path).context(path.display())?;
        Ok(Self(BufWriter::new(file)))
    }

    /// Notes an event with its bytes; what the worker says is in the file before it can be heard.
    pub(super) fn note(&mut self, event: &Event, bytes: &[u8]) -> Outcome {
        serde_json::to_writer(&mut self.0, event)?;
        self.0.write_all(b"\n")?;
        self.0.write_all(bytes)?;
        if matches!(event, Event::Said { .. }) {
            self.0.flush()?;
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> Outcome {
        Ok(self.0.flush()?)
    }
}

/// Reads a record back: events with their bytes.
pub(crate) fn read_trace(path: &Path) -> Outcome<Vec<(Event, Vec<u8>)>> {
    let mut file = BufReader::new(File::open(path).context(path.display())?);
    let mut events = Vec::new();
    loop {
        let mut line = Vec::new();
        file.read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(events);
        }
        let event: Event = serde_json::from_slice(&line).context("a record is not whole")?;
        let mut bytes = vec![0; event.len()];
        file.read_exact(&mut bytes).map_err(|_| Failure::new("a record is not whole"))?;
        events.push((event, bytes));
    }
}
