//! Short ways to take, read and restore dumps, and what one holds, read without the help of the store.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use pollster::block_on;
use serde_json::Value;
use store_core::dump::{self, Compression, DumpSource, Existing, Meter, Old, Outline};
use store_core::{Blocking, Result};

use crate::failure::{Context, Outcome, ensure};

fn meter() -> Arc<Meter> {
    Arc::new(Meter::new())
}

/// Writes a dump to a file.
pub(super) fn export(store: &Blocking, path: &Path, compression: Compression) -> Result<Outline> {
    block_on(dump::export(&**store.store(), path, compression, &meter()))
}

/// Reads a dump to its end.
pub(super) fn verify(path: &Path) -> Result<Outline> {
    DumpSource::open(path)?.verify(&meter())
}

/// Restores a dump.
pub(super) fn restore(store: &Blocking, path: &Path, existing: Existing) -> Result<Outline> {
    block_on(dump::restore(&**store.store(), DumpSource::open(path)?, existing, &meter()))
}

/// Tells what a store holds.
pub(super) fn outline(store: &Blocking) -> Result<Outline> {
    block_on(dump::outline_of(&**store.store(), &meter()))
}

/// Moves a store to another, under the path of that one.
pub(super) fn migrate(old: &Blocking, new: &Blocking, to: &str, becomes: Old) -> Result<Outline> {
    let new = Arc::clone(new.store());
    block_on(dump::migrate(&**old.store(), new, to, becomes, Existing::Replace, &meter()))
}

/// What a dump holds: values by namespace and key, and the entries of logs.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) keys: BTreeMap<(String, String), Value>,
    pub(super) logs: BTreeMap<(String, String), Vec<Value>>,
}

impl Contents {
    /// Reads a dump that is no stream of zstd, line by line, by nothing but its description.
    pub(super) fn read(path: &Path) -> Outcome<Self> {
        let (mut found, mut namespace, mut log) = (Self::default(), String::new(), String::new());
        for line in std::fs::read_to_string(path)?.lines() {
            let line: Value = serde_json::from_str(line)?;
            let text = |name: &str| line.get(name).and_then(Value::as_str).map(str::to_owned);
            if let Some(name) = text("namespace") {
                namespace = name;
            } else if let Some(key) = text("key") {
                let value = line.get("value").context("a key without a value")?;
                found.keys.insert((namespace.clone(), key), value.clone());
            } else if let Some(name) = text("log") {
                log.clone_from(&name);
                found.logs.entry((namespace.clone(), name)).or_default();
            } else if let Some(entry) = line.get("entry") {
                let entries = found.logs.get_mut(&(namespace.clone(), log.clone()));
                entries.context("an entry without a log")?.push(entry.clone());
            }
        }
        Ok(found)
    }

    /// Returns a number under a key; 0 if there is none.
    pub(super) fn number(&self, namespace: &str, key: &str) -> u64 {
        self.keys.get(&(namespace.to_owned(), key.to_owned())).and_then(Value::as_u64).unwrap_or(0)
    }
}

/// Makes sure that two outlines have the same contents.
#[track_caller]
pub(super) fn holds(found: &Outline, expected: &Outline) -> Outcome {
    let differences = expected.differences(found);
    ensure!(differences.is_empty(), "it holds something else: {}", differences.join("; "));
    Ok(())
}
