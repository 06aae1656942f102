//! One instant of a log: where it ends, and its entries, found from the end or by bisection.

use std::fs::File;
use std::io;
use std::ops::ControlFlow;

use store_core::shared::os;
use store_core::{LogEntry, Seq};

use crate::error::FileError;
use crate::record::{self, Record};
use crate::tail::find_end;

/// How much is read at once, at first; long lines take more.
const CHUNK: u64 = 4096;
/// A range of bytes that is read through rather than halved.
const SHORT: u64 = 32 << 10;

type Read<T> = Result<T, FileError>;

/// The bytes of a log: a file up to a length, and what a journal adds.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) file: Option<File>,
    /// How many bytes are the file's.
    pub(crate) length: u64,
    pub(crate) added: Vec<u8>,
}

impl Source {
    pub(crate) fn of_file(file: File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(Self { file: Some(file), length, added: Vec::new() })
    }

    pub(crate) fn len(&self) -> u64 {
        self.length + self.added.len() as u64
    }

    /// Takes in what was appended to the file since it was opened; a journal's end stays where it is.
    fn look_again(&mut self) -> io::Result<()> {
        if let (Some(file), true) = (&self.file, self.added.is_empty()) {
            self.length = file.metadata()?.len();
        }
        Ok(())
    }

    /// Reads a range; less only where the file has become shorter meanwhile.
    pub(crate) fn read(&self, from: u64, to: u64) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(to.saturating_sub(from)).map_err(io::Error::other)?];
        let mut done = 0;
        while let Some(rest) = bytes.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let at = from + done as u64;
            let read = if let Some(file) = self.file.as_ref().filter(|_| at < self.length) {
                let most = usize::try_from(self.length - at).unwrap_or(usize::MAX).min(rest.len());
                os::read_at(file, rest.get_mut(..most).unwrap_or_default(), at)?
            } else {
                let begin = usize::try_from(at.saturating_sub(self.length)).map_err(io::Error::other)?;
                let added = self.added.get(begin..).unwrap_or_default();
                rest.iter_mut().zip(added).for_each(|(to, from)| *to = *from);
                added.len().min(rest.len())
            };
            if read == 0 {
                break;
            }
            done += read;
        }
        bytes.truncate(done);
        Ok(bytes)
    }

    /// Returns the number of the line at a place, for a message.
    pub(crate) fn line_at(&self, at: u64) -> usize {
        let mut line = 1;
        let mut from = 0;
        while from < at {
            let bytes = self.read(from, at.min(from + (1 << 20))).unwrap_or_default();
            if bytes.is_empty() {
                break;
            }
            line += bytes.split(|byte| *byte == b'\n').count() - 1;
            from += bytes.len() as u64;
        }
        line
    }
}

/// A log at one instant.
#[derive(Debug)]
pub(crate) struct Log {
    source: Source,
    pub(crate) header_end: u64,
    /// Where the last batch ends; what follows was never acknowledged.
    pub(crate) end: u64,
    pub(crate) first: Seq,
    pub(crate) last: Seq,
}

impl Log {
    /// Finds where a log ends.
    pub(crate) fn open(mut source: Source, namespace: &str, log: &str) -> Read<Self> {
        if source.len() == 0 {
            return Err(FileError::Empty);
        }
        // The header comes first: it never knows more than the end, however many append meanwhile.
        let begin = source.read(0, source.len().min(record::HEADER as u64))?;
        let line = begin.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
        let line = std::str::from_utf8(line).map_err(|_| FileError::changed(1, "it is not UTF-8"))?;
        let known = record::check_header(line, namespace, log)?;
        let header_end = line.len() as u64;
        source.look_again()?;
        let (end, last) = find_end(&source, header_end, known)?;
        Ok(Self { source, header_end, end, first: last.first.unwrap_or(1), last: last.seq })
    }

    /// Visits the entries from a number on.
    pub(crate) fn scan(&self, from: Seq, visit: &mut dyn FnMut(LogEntry) -> ControlFlow<()>) -> Read<()> {
        let mut next = from.max(self.first);
        let mut at = self.find(next)?;
        while next <= self.last && at < self.end {
            for line in self.lines(at)?.split_inclusive(|byte| *byte == b'\n') {
                let record = line.strip_suffix(b"\n").and_then(record::decode).ok_or_else(|| self.odd(at))?;
                at += line.len() as u64;
                let Record { seq, at: moment, entry: Some(entry), .. } = record else { continue };
                if seq < next {
                    continue;
                }
                if seq > next {
                    let line = self.source.line_at(at);
                    return Err(FileError::changed(line, format!("entry {next} is missing before {seq}")));
                }
                next += 1;
                if visit(LogEntry { seq, at: moment, entry }).is_break() {
                    return Ok(());
                }
            }
        }
        if next <= self.last {
            return Err(FileError::changed(
                self.source.line_at(self.end),
                format!("entry {next} is missing"),
            ));
        }
        Ok(())
    }

    /// Returns where the first record with a number, or with a later one, begins; not after it, perhaps a
    /// little before.
    pub(crate) fn find(&self, seq: Seq) -> Read<u64> {
        let (mut low, mut high) = (self.header_end, self.end);
        while high - low > SHORT {
            let middle = low + (high - low) / 2;
            let Some(begin) = self.next_line(middle, high)? else {
                high = middle;
                continue;
            };
            let line = self.source.read(begin, self.end.min(begin + 64))?;
            let found = record::seq_of(&line).ok_or_else(|| self.odd(begin))?;
            if found < seq {
                low = begin;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    /// Returns exactly where the record of an entry begins.
    pub(crate) fn find_exactly(&self, seq: Seq) -> Read<u64> {
        let mut at = self.find(seq)?;
        while at < self.end {
            for line in self.lines(at)?.split_inclusive(|byte| *byte == b'\n') {
                let found = record::seq_of(line).ok_or_else(|| self.odd(at))?;
                if found >= seq {
                    return Ok(at);
                }
                at += line.len() as u64;
            }
        }
        Ok(self.end)
    }

    /// Returns the bytes from a place to the end.
    pub(crate) fn rest(&self, from: u64) -> Read<Vec<u8>> {
        Ok(self.source.read(from, self.end)?)
    }

    /// Reads some whole lines from a place on.
    fn lines(&self, from: u64) -> Read<Vec<u8>> {
        let mut size = SHORT;
        loop {
            let to = self.end.min(from.saturating_add(size));
            let mut bytes = self.source.read(from, to)?;
            if let Some(last) = bytes.iter().rposition(|byte| *byte == b'\n') {
                bytes.truncate(last + 1);
                return Ok(bytes);
            }
            if to == self.end {
                return Err(self.odd(from));
            }
            size *= 4;
        }
    }

    /// Returns where the next line begins at or after a place, before an end.
    fn next_line(&self, from: u64, end: u64) -> Read<Option<u64>> {
        let mut at = from;
        while at < end {
            let bytes = self.source.read(at, end.min(at + CHUNK))?;
            if let Some(found) = bytes.iter().position(|byte| *byte == b'\n') {
                let begin = at + found as u64 + 1;
                return Ok((begin < end).then_some(begin));
            }
            if bytes.is_empty() {
                break;
            }
            at += bytes.len() as u64;
        }
        Ok(None)
    }

    fn odd(&self, at: u64) -> FileError {
        FileError::changed(self.source.line_at(at), "it is not the record that this program wrote")
    }
}
