//! What stands in the gate file: protocol version, failed-sync mark, arrivals, and the record of the holder.
//!
//! | bytes | content |
//! |---|---|
//! | 0..8 | `SSGATE\r\n` |
//! | 8..12 | protocol version |
//! | 16..24 | failed-sync mark: 0, or a random number drawn by whoever set it |
//! | 24..32 | ticket of the last process that began to wait, a random number |
//! | 32..40 | ticket of the last one that waited and was served |
//! | 40..48 | 1 while the gate is held, 0 when it is let go |
//! | 64..152 | the holder: pid, start, since, user, operation, checksum |
//!
//! Numbers are little-endian. The file is never synced: after a power cut nobody holds the gate, and what a
//! failed sync put in doubt is gone or complete.

use std::fs::File;
use std::io;
use std::path::Path;

use super::os;
use crate::error::{Error, ErrorKind, Result};

const MAGIC: &[u8; 8] = b"SSGATE\r\n";
const VERSION: u32 = 1;
const MARK_AT: u64 = 16;
const ARRIVED_AT: u64 = 24;
const SERVED_AT: u64 = 32;
const HELD_AT: u64 = 40;
const RECORD_AT: u64 = 64;
const WORD: usize = 32;
const RECORD: usize = 4 + 8 + 8 + 2 * WORD + 4;

/// Returns the contents of a new gate file.
pub(crate) fn fresh() -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend(VERSION.to_le_bytes());
    bytes.resize(usize::try_from(RECORD_AT).unwrap_or(64) + RECORD, 0);
    bytes
}

/// Makes sure that a file is a gate of a protocol that this program speaks.
pub(crate) fn check_version(file: &File, path: &Path) -> Result<()> {
    let mut head = [0_u8; 12];
    let read = os::read_at(file, &mut head, 0).map_err(|e| Error::from_io("cannot read", path, e))?;
    let (magic, version) = head.split_at(8);
    let version = version.try_into().map_or(0, u32::from_le_bytes);
    let why = if read < head.len() || magic != MAGIC {
        "is not the gate of a store; move it away if nothing else needs it, with every user of the store stopped"
            .into()
    } else if version != VERSION {
        format!("speaks lock protocol {version}, this program speaks {VERSION}; update this program")
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorKind::IncompatibleFormat, why).with_path(path))
}

/// The numbers that change with every turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Words {
    /// The failed-sync mark, 0 if none.
    pub(crate) mark: u64,
    /// The ticket of the last process that began to wait.
    pub(crate) arrived: u64,
    /// The ticket of the last process that waited and was served.
    pub(crate) served: u64,
    /// Whether the gate is held.
    pub(crate) held: bool,
}

impl Words {
    /// Whether somebody waits: the kernel serves in order, so if the last that came was served, all were.
    pub(crate) fn somebody_waits(&self) -> bool {
        self.arrived != self.served
    }
}

pub(crate) fn read_words(file: &File) -> io::Result<Words> {
    let mut bytes = [0_u8; 32];
    let read = os::read_at(file, &mut bytes, MARK_AT)?;
    if read < bytes.len() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let mut words = bytes.chunks_exact(8).map(number);
    let mut next = || words.next().unwrap_or(0);
    Ok(Words { mark: next(), arrived: next(), served: next(), held: next() != 0 })
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
}

pub(crate) fn write_mark(file: &File, mark: u64) -> io::Result<()> {
    os::write_all_at(file, &mark.to_le_bytes(), MARK_AT)
}

pub(crate) fn write_arrived(file: &File, ticket: u64) -> io::Result<()> {
    os::write_all_at(file, &ticket.to_le_bytes(), ARRIVED_AT)
}

pub(crate) fn write_free(file: &File) -> io::Result<()> {
    os::write_all_at(file, &0_u64.to_le_bytes(), HELD_AT)
}

/// Who holds the gate, as the holder wrote it: to be believed only if it checks out against the system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) pid: u32,
    /// When the process started, so that its number, used again, is not taken for it.
    pub(crate) start: u64,
    /// Since when it holds the gate, in milliseconds since 1970.
    pub(crate) since: u64,
    pub(crate) user: String,
    pub(crate) operation: String,
}

/// Says in one write who holds the gate, and which ticket was served.
pub(crate) fn write_held(file: &File, served: u64, record: &Record) -> io::Result<()> {
    let record_at = usize::try_from(RECORD_AT - SERVED_AT).unwrap_or(0);
    let mut bytes = Vec::with_capacity(record_at + RECORD);
    bytes.extend(served.to_le_bytes());
    bytes.extend(1_u64.to_le_bytes());
    bytes.resize(record_at, 0);
    bytes.extend(record.pid.to_le_bytes());
    bytes.extend(record.start.to_le_bytes());
    bytes.extend(record.since.to_le_bytes());
    for word in [&record.user, &record.operation] {
        let end = bytes.len() + WORD;
        bytes.extend(word.bytes().take(WORD));
        bytes.resize(end, 0);
    }
    let (_, body) = bytes.split_at(record_at);
    bytes.extend(crc32fast::hash(body).to_le_bytes());
    os::write_all_at(file, &bytes, SERVED_AT)
}

/// Reads the record; none if nobody wrote one yet or it was torn.
pub(crate) fn read_record(file: &File) -> io::Result<Option<Record>> {
    let mut bytes = [0_u8; RECORD];
    let read = os::read_at(file, &mut bytes, RECORD_AT)?;
    let (body, sum) = bytes.split_at(RECORD - 4);
    if read < RECORD || sum != crc32fast::hash(body).to_le_bytes() {
        return Ok(None);
    }
    let mut rest = body;
    let mut take = |length: usize| -> &[u8] {
        let (taken, left) = rest.split_at(length.min(rest.len()));
        rest = left;
        taken
    };
    let word = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned();
    Ok(Some(Record {
        pid: u32::try_from(number(take(4))).unwrap_or(0),
        start: number(take(8)),
        since: number(take(8)),
        user: word(take(WORD)),
        operation: word(take(WORD)),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_torn_records_are_none() {
        let mut file = tempfile::tempfile().unwrap();
        io::Write::write_all(&mut file, &fresh()).unwrap();
        check_version(&file, Path::new("g")).unwrap();
        assert_eq!(read_record(&file).unwrap(), None);
        let record = Record {
            pid: 77,
            start: 1 << 40,
            since: 1_700_000_000_123,
            user: "agent-with-a-very-long-name-that-is-cut".into(),
            operation: "commit".into(),
        };
        write_mark(&file, 5).unwrap();
        write_arrived(&file, u64::MAX).unwrap();
        write_held(&file, 9, &record).unwrap();
        let read = read_record(&file).unwrap().unwrap();
        assert_eq!((read.pid, read.start, read.since), (77, 1 << 40, 1_700_000_000_123));
        assert_eq!((read.user.len(), read.operation.as_str()), (32, "commit"));
        let words = Words { mark: 5, arrived: u64::MAX, served: 9, held: true };
        assert_eq!(read_words(&file).unwrap(), words);
        write_free(&file).unwrap();
        assert_eq!(read_words(&file).unwrap(), Words { held: false, ..words });
        os::write_all_at(&file, b"x", RECORD_AT + 9).unwrap();
        assert_eq!(read_record(&file).unwrap(), None);
    }

    #[test]
    fn other_files_and_newer_protocols_are_refused() {
        let file = tempfile::tempfile().unwrap();
        let kind = |file: &File| check_version(file, Path::new("g")).unwrap_err().kind();
        assert_eq!(kind(&file), ErrorKind::IncompatibleFormat, "empty");
        os::write_all_at(&file, &fresh(), 0).unwrap();
        os::write_all_at(&file, &2_u32.to_le_bytes(), 8).unwrap();
        assert_eq!(kind(&file), ErrorKind::IncompatibleFormat, "newer");
    }
}
