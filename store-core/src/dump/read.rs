//! Reading a dump, line by line: whatever is not as it was written is an error that names the record and the place.

use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};

use super::VERSION;
use super::line::{Header, Line, Unreadable, decode, looks_like_one};
use super::meter::Meter;
use super::outline::Outline;
use super::tally::Tally;
use super::write::NAME;
use crate::error::{Error, ErrorKind, Result};
use crate::limits::{Limits, check_key, check_log, check_namespace};
use crate::numbers::{Revision, Seq};

/// The longest line: a value as large as can be configured, its key, and what is around them.
const LONGEST: u64 = Limits::CEILING + (64 << 10);
/// The largest epoch: above it revisions have no room.
const LARGEST_EPOCH: u32 = 1 << 23;

/// A dump that is being read.
#[derive(Debug)]
pub(super) struct Reader<'m, R> {
    from: R,
    name: PathBuf,
    meter: &'m Meter,
    tally: Tally,
    text: Vec<u8>,
    at: Place,
    /// What may come next.
    state: State,
    /// Of a compressed file, whether it ends with the seal of all its bytes.
    sealed: Option<bool>,
    /// Whether it was written with a seal, if it was compressed.
    was_sealed: bool,
}

/// Where a line stands: both count from the beginning of the dump, uncompressed.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    /// The number of the line, from 1.
    record: u64,
    /// Its first byte, from 0.
    offset: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    /// Between two namespaces.
    Outside,
    /// Among the keys of a namespace, behind one.
    Keys(Option<String>),
    /// In a log, with the number of the entry that comes next and that of the last.
    Log { name: String, next: Seq, last: Seq },
}

impl<'m, R: BufRead> Reader<'m, R> {
    /// Begins to read; the name is that of the file, for messages. Of a compressed file it says whether it ends with
    /// a seal.
    pub(super) fn begin(from: R, name: &Path, sealed: Option<bool>, meter: &'m Meter) -> Result<Self> {
        let (tally, at) = (Tally::default(), Place::default());
        let (name, text, state) = (name.to_owned(), Vec::new(), State::Outside);
        let mut reader = Self { from, name, meter, tally, text, at, state, sealed, was_sealed: false };
        let header = match reader.line()? {
            Some(Line::Header(header)) => header,
            Some(_) => return Err(reader.damaged("it does not begin with the line that says what it is")),
            None => {
                return Err(reader
                    .error(ErrorKind::Corrupted, "it has zero bytes, so it is no dump; give another file"));
            }
        };
        reader.check(&header)?;
        reader.was_sealed = header.zstd;
        let outline = &mut reader.tally.outline;
        (outline.engine, outline.epoch) = (header.engine, header.epoch);
        outline.at = crate::Timestamp::from_millis(header.at);
        Ok(reader)
    }

    fn check(&self, header: &Header) -> Result<()> {
        if header.statestore != NAME {
            return Err(self.damaged("it does not begin with the line that says what it is"));
        }
        if header.version > VERSION {
            let found = header.version;
            let why = format!(
                "it is of version {found} of the format, this program reads {VERSION}; use the newer program"
            );
            return Err(self.error(ErrorKind::IncompatibleFormat, why));
        }
        if header.epoch >= LARGEST_EPOCH {
            return Err(self.damaged("its epoch is too large"));
        }
        Ok(())
    }

    /// Returns the epoch of the store that it was taken from.
    pub(super) fn epoch(&self) -> u32 {
        self.tally.outline.epoch
    }

    /// Returns the next line that bears data; none at the end of a dump that is whole.
    pub(super) fn next(&mut self) -> Result<Option<Line>> {
        loop {
            let Some(line) = self.line()? else {
                let why = format!(
                    "it was cut short: it ends after record {} without its last line",
                    self.at.record
                );
                return Err(self.damaged(&why));
            };
            match line {
                Line::End(end) => {
                    if self.state != State::Outside || end != self.tally.end() {
                        return Err(self.damaged(
                            "its last line does not fit what comes before: records are missing or too many",
                        ));
                    }
                    let offset = self.at.offset + self.text.len() as u64;
                    if self.fill()? {
                        self.at.offset = offset;
                        return Err(self.damaged("it goes on behind its last line"));
                    }
                    if self.was_sealed && self.sealed == Some(false) {
                        return Err(self.damaged("the compressed file does not fit its seal: it was changed"));
                    }
                    self.tally.outline.bytes = offset;
                    return Ok(None);
                }
                Line::Sum(sum) => {
                    self.leave_log()?;
                    if self.state == State::Outside || Some(&sum) != self.tally.sum().as_ref() {
                        let why =
                            format!("the sum of namespace {:?} does not fit its records", sum.namespace);
                        return Err(self.damaged(&why));
                    }
                    self.state = State::Outside;
                    self.tally.add(&Line::Sum(sum), &self.text);
                }
                Line::Header(_) => return Err(self.damaged("a second first line")),
                line => {
                    self.follow(&line)?;
                    self.tally.add(&line, &self.text);
                    return Ok(Some(line));
                }
            }
        }
    }

    /// Makes sure that a line may come here, and that its names can be.
    fn follow(&mut self, line: &Line) -> Result<()> {
        match line {
            Line::Namespace { name, .. } => {
                check_namespace(name).map_err(|e| self.damaged(e.message()))?;
                let before = self.tally.outline.namespaces.last();
                if self.state != State::Outside || before.is_some_and(|before| before.name >= *name) {
                    return Err(self.damaged(&format!("namespace {name:?} comes where it must not")));
                }
                self.state = State::Keys(None);
            }
            Line::Key { key, revision, .. } => {
                check_key(key).map_err(|e| self.damaged(e.message()))?;
                let follows = match &self.state {
                    State::Keys(before) => before.as_ref().is_none_or(|before| before < key),
                    _ => false,
                };
                if !follows {
                    return Err(self.damaged(&format!("key {key:?} comes where it must not")));
                }
                if *revision > self.revision() {
                    return Err(
                        self.damaged(&format!("key {key:?} is of a revision that its object never had"))
                    );
                }
                self.state = State::Keys(Some(key.clone()));
            }
            Line::Log { name, first, last } => {
                check_log(name).map_err(|e| self.damaged(e.message()))?;
                self.leave_log()?;
                let follows = match &self.state {
                    State::Outside => false,
                    State::Keys(_) => true,
                    State::Log { name: before, .. } => before < name,
                };
                let (first, last) = (*first, *last);
                if !follows || first == 0 || last == 0 || first > last + 1 {
                    return Err(self.damaged(&format!("log {name:?} comes where it must not, or cannot be")));
                }
                self.state = State::Log { name: name.clone(), next: first, last };
            }
            Line::Entry { seq, .. } => match &mut self.state {
                State::Log { next, last, .. } if seq == next && *next <= *last => *next += 1,
                _ => return Err(self.damaged(&format!("entry {seq} comes where it must not"))),
            },
            Line::Header(_) | Line::Sum(_) | Line::End(_) => {}
        }
        Ok(())
    }

    /// Makes sure that a log that ends here is whole.
    fn leave_log(&self) -> Result<()> {
        match &self.state {
            State::Log { name, next, last } if *next != last + 1 => {
                Err(self.damaged(&format!("log {name:?} lacks entry {next}")))
            }
            _ => Ok(()),
        }
    }

    fn revision(&self) -> Revision {
        self.tally.outline.namespaces.last().map_or(Revision::NEVER, |namespace| namespace.revision)
    }

    /// Returns what was read, after its end.
    pub(super) fn outline(self) -> Outline {
        self.tally.outline
    }

    /// Reads one line; none at the end.
    fn line(&mut self) -> Result<Option<Line>> {
        self.at = Place { record: self.at.record + 1, offset: self.at.offset + self.text.len() as u64 };
        if !self.fill()? {
            self.at.record -= 1;
            return Ok(None);
        }
        self.meter.count(self.text.len());
        let Some(text) = self.text.strip_suffix(b"\n") else {
            if self.text.len() as u64 >= LONGEST {
                return Err(self.damaged("the line is longer than any that this program writes"));
            }
            let was_cut = looks_like_one(&self.text);
            let why =
                if was_cut { "it was cut short within this record" } else { "this is no line of a dump" };
            return Err(self.damaged(why));
        };
        match decode(text) {
            Ok(line) => Ok(Some(line)),
            Err(Unreadable::Odd(why)) => Err(self.damaged(&why)),
            Err(Unreadable::Changed) if self.at.record == 1 && !looks_like_one(text) => {
                Err(self.damaged("this is no dump, or its beginning was changed"))
            }
            Err(Unreadable::Changed) => {
                Err(self.damaged("the record was changed: it does not fit its checksum"))
            }
        }
    }

    /// Reads the next line into the buffer; false at the end.
    fn fill(&mut self) -> Result<bool> {
        self.text.clear();
        let read = (&mut self.from).take(LONGEST).read_until(b'\n', &mut self.text);
        match read {
            Ok(read) => Ok(read > 0),
            // What the decompressor says of a stream that ends early, or was changed.
            Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
                Err(self.damaged("the compressed stream was cut short here").with_source(e))
            }
            Err(e) if e.kind() == std::io::ErrorKind::Other || e.raw_os_error().is_none() => {
                Err(self.damaged("the compressed stream was changed here").with_source(e))
            }
            Err(e) => Err(Error::from_io("cannot read the dump", &self.name, e)),
        }
    }

    /// The error of what this program did not write, or not so.
    fn damaged(&self, why: &str) -> Error {
        self.error(ErrorKind::Corrupted, format!("{why}; use another backup"))
    }

    fn error(&self, kind: ErrorKind, why: impl std::fmt::Display) -> Error {
        let Place { record, offset } = self.at;
        let why = format!("record {record}, at byte {offset}: {why}; nothing was touched");
        Error::new(kind, why).with_path(&self.name)
    }
}
