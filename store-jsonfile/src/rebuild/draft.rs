//! A log that is being written beside the old one.

use std::fs::File;
use std::path::PathBuf;

use store_core::shared::os;
use store_core::{LogEntry, Seq, Timestamp};

use crate::record::{self, Record};

/// How many bytes of entries are written at once.
const CHUNK: usize = 1 << 20;

/// A log that is being written.
#[derive(Debug)]
pub(super) struct LogDraft {
    pub(super) namespace: String,
    pub(super) log: String,
    pub(super) path: PathBuf,
    pub(super) file: File,
    pub(super) header_end: u64,
    /// Where the file ends.
    pub(super) at: u64,
    pub(super) waiting: Vec<LogEntry>,
    pub(super) size: usize,
    pub(super) first: Seq,
    pub(super) last: Seq,
}

impl LogDraft {
    pub(super) fn add(&mut self, entry: LogEntry) -> std::io::Result<()> {
        self.last = entry.seq;
        self.size += entry.entry.size();
        self.waiting.push(entry);
        if self.size < CHUNK { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        let batch = record::encode_batch(&self.waiting, self.first);
        self.waiting.clear();
        self.size = 0;
        self.write(&batch)
    }

    fn write(&mut self, text: &str) -> std::io::Result<()> {
        os::write_all_at(&self.file, text.as_bytes(), self.at)?;
        self.at += text.len() as u64;
        Ok(())
    }

    /// Lets it begin later.
    pub(super) fn trim(&mut self, first: Seq) -> std::io::Result<()> {
        self.flush()?;
        self.first = first;
        let record = Record { seq: self.last, at: Timestamp::now(), first: Some(first), entry: None };
        let mut text = String::new();
        record::encode(&mut text, &record);
        self.write(&text)
    }

    /// Writes what waits, and how far the log goes; all of it is synced.
    pub(super) fn finish(&mut self) -> std::io::Result<()> {
        self.flush()?;
        let (at, digits) = record::last_in_header(self.header_end, self.last);
        os::write_all_at(&self.file, digits.as_bytes(), at)?;
        self.file.sync_all()
    }
}
