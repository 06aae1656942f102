//! A log beside the document: one file of lines for all logs, with what can go wrong at its end.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use store_core::backend::Transaction;
use store_core::{Error, ErrorKind, Json, LogEntry, Result, Seq, Timestamp};

use super::backend::Disk;
use super::table::Mutant;
use crate::state::State;

/// One change of one log.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Line {
    namespace: String,
    log: String,
    change: Change,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
enum Change {
    Append(Seq, u64, Box<RawValue>),
    Trim(Seq),
    Delete,
}

impl Line {
    fn new(namespace: &str, log: &str, change: Change) -> Self {
        Self { namespace: namespace.to_owned(), log: log.to_owned(), change }
    }

    pub(super) fn appended(namespace: &str, log: &str, entry: &LogEntry) -> Self {
        let value = RawValue::from_string(entry.entry.as_str().to_owned()).unwrap();
        Self::new(namespace, log, Change::Append(entry.seq, entry.at.as_millis(), value))
    }

    pub(super) fn trimmed(namespace: &str, log: &str, first: Seq) -> Self {
        Self::new(namespace, log, Change::Trim(first))
    }

    pub(super) fn deleted(namespace: &str, log: &str) -> Self {
        Self::new(namespace, log, Change::Delete)
    }

    fn apply(self, state: &mut State) -> Result<()> {
        let Self { namespace, log, change } = self;
        match change {
            Change::Append(seq, at, value) => {
                let entry = Json::from_trusted(Arc::from(value.get()));
                let entry = LogEntry { seq, at: Timestamp::from_millis(at), entry };
                state.append(&namespace, &log, &entry)
            }
            Change::Trim(first) => state.trim(&namespace, &log, first),
            Change::Delete => state.delete_log(&namespace, &log),
        }
    }
}

/// Whether a mutant keeps its logs beside the document.
fn is_beside(mutant: Mutant) -> bool {
    matches!(
        mutant,
        Mutant::TornTailKept
            | Mutant::HalfALogBatchKept
            | Mutant::ReaderSeesHalfOfATwoFileBatch
            | Mutant::SequenceGapAfterACrash
    )
}

fn lines_in(folder: &Path) -> PathBuf {
    folder.join("logs.jsonl")
}

fn reserved_in(folder: &Path) -> PathBuf {
    folder.join("logs.reserved")
}

/// Returns the paths of what may lie beside the document.
pub(super) fn files(folder: &Path) -> [PathBuf; 2] {
    [lines_in(folder), reserved_in(folder)]
}

pub(super) fn length(folder: &Path) -> u64 {
    lines_in(folder).metadata().map_or(0, |found| found.len())
}

/// Returns what stands in the document.
pub(super) fn without_logs(mutant: Mutant, state: &State) -> State {
    let mut state = state.clone();
    if is_beside(mutant) {
        state.namespaces.values_mut().for_each(|space| Arc::make_mut(space).logs.clear());
    }
    state
}

/// Adds to a state what stands beside its document.
pub(super) fn replay(mutant: Mutant, folder: &Path, state: &mut State) -> Result<()> {
    if !is_beside(mutant) {
        return Ok(());
    }
    let bytes = std::fs::read(lines_in(folder)).unwrap_or_default();
    for line in bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n")) {
        match serde_json::from_slice::<Line>(line) {
            Ok(line) => line.apply(state)?,
            Err(_) if mutant == Mutant::TornTailKept => {}
            Err(error) => {
                let why = "a line is not what was written";
                return Err(Error::new(ErrorKind::Corrupted, why)
                    .with_path(lines_in(folder))
                    .with_source(error));
            }
        }
    }
    Ok(())
}

/// Appends the changes of a batch.
pub(super) fn append(disk: &Disk, lines: &[Line]) -> io::Result<()> {
    if !is_beside(disk.mutant) || lines.is_empty() {
        return Ok(());
    }
    let path = lines_in(&disk.folder);
    let mut file = File::options().create(true).append(true).open(&path)?;
    if disk.mutant != Mutant::TornTailKept {
        let bytes = std::fs::read(&path)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        file.set_len(whole as u64)?;
    }
    for line in lines {
        let text = format!("{}\n", serde_json::to_string(line)?);
        // Whatever is written can be parted by a kill; here the parts lie further from each other.
        let (front, back) = text.as_bytes().split_at(text.len() / 2);
        match disk.mutant {
            Mutant::TornTailKept => {
                file.write_all(front)?;
                std::thread::sleep(Duration::from_millis(2));
                file.write_all(back)?;
            }
            Mutant::HalfALogBatchKept => {
                file.write_all(text.as_bytes())?;
                std::thread::sleep(Duration::from_micros(500));
            }
            _ => file.write_all(text.as_bytes())?,
        }
    }
    file.sync_all()
}

type Reserved = BTreeMap<String, Seq>;

fn read_reserved(folder: &Path) -> Reserved {
    let bytes = std::fs::read(reserved_in(folder)).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

fn name(namespace: &str, log: &str) -> String {
    format!("{namespace}\n{log}")
}

/// Returns the highest number of a log that was ever taken for an entry.
pub(super) fn reserved(folder: &Path, namespace: &str, log: &str) -> Seq {
    read_reserved(folder).get(&name(namespace, log)).copied().unwrap_or(0)
}

/// Takes a number before there is an entry.
#[expect(clippy::disallowed_methods, reason = "as who thinks little of it would")]
pub(super) fn reserve(folder: &Path, namespace: &str, log: &str, seq: Seq) {
    let mut reserved = read_reserved(folder);
    reserved.insert(name(namespace, log), seq);
    std::fs::write(reserved_in(folder), serde_json::to_vec(&reserved).unwrap()).unwrap();
    std::thread::sleep(Duration::from_micros(500));
}
