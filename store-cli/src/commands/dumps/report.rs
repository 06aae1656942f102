//! What is printed of a dump: one JSON object.

use std::path::{Path, PathBuf};

use serde::Serialize;
use statestore::Json;
use statestore::dump::{NamespaceOutline, Outline};

/// What a dump holds.
#[derive(Debug, Serialize)]
pub(super) struct Held {
    engine: String,
    at: String,
    epoch: u32,
    namespaces: Vec<Namespace>,
    keys: u64,
    logs: u64,
    entries: u64,
    records: u64,
    bytes: u64,
    digest: String,
}

#[derive(Debug, Serialize)]
struct Namespace {
    name: String,
    revision: u64,
    keys: u64,
    logs: Vec<Log>,
    entries: u64,
    digest: String,
}

#[derive(Debug, Serialize)]
struct Log {
    name: String,
    first: u64,
    last: u64,
}

impl From<&NamespaceOutline> for Namespace {
    fn from(outline: &NamespaceOutline) -> Self {
        let logs = outline.logs.iter();
        Self {
            name: outline.name.clone(),
            revision: outline.revision.get(),
            keys: outline.keys,
            logs: logs.map(|log| Log { name: log.name.clone(), first: log.first, last: log.last }).collect(),
            entries: outline.entries,
            digest: outline.digest.clone(),
        }
    }
}

impl From<&Outline> for Held {
    fn from(outline: &Outline) -> Self {
        Self {
            engine: outline.engine.clone(),
            at: outline.at.to_string(),
            epoch: outline.epoch,
            namespaces: outline.namespaces.iter().map(Namespace::from).collect(),
            keys: outline.keys(),
            logs: outline.logs(),
            entries: outline.entries(),
            records: outline.records,
            bytes: outline.bytes,
            digest: outline.digest.clone(),
        }
    }
}

#[derive(Serialize)]
struct OfFile<'a> {
    file: String,
    #[serde(flatten)]
    held: Held,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    removed: &'a [PathBuf],
}

#[derive(Serialize)]
struct OfMove<'a> {
    from: &'a str,
    to: &'a str,
    #[serde(flatten)]
    held: Held,
}

/// Tells of a file, and of those that went for it.
pub(super) fn of_file(file: &Path, outline: &Outline, removed: &[PathBuf]) -> Json {
    json(&OfFile { file: file.to_string_lossy().into_owned(), held: outline.into(), removed })
}

/// Tells of a store that has moved.
pub(super) fn of_move(from: &str, to: &str, outline: &Outline) -> Json {
    json(&OfMove { from, to, held: outline.into() })
}

/// Plain data with texts for keys is always JSON.
pub(super) fn json(value: &impl Serialize) -> Json {
    Json::encode(value).unwrap_or_else(|error| Json::from(error.to_string()))
}
