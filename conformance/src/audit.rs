//! All that a store holds, and what must be true of it whatever was done.

use std::collections::BTreeMap;

use store_core::{Blocking, LogEntry, LogInfo, LogRange, Object, Revision};

use crate::failure::{Outcome, ensure, ensure_eq};

/// A namespace with all it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) object: Object,
    pub(crate) logs: Vec<(LogInfo, Vec<LogEntry>)>,
}

/// All that a store holds, by namespace.
pub(crate) type Dump = BTreeMap<String, Held>;

/// Reads everything; each part is one instant, the whole only if nobody writes.
pub(crate) fn dump(store: &Blocking) -> Outcome<Dump> {
    let mut all = Dump::new();
    for found in store.namespaces()? {
        let mut logs = Vec::new();
        for info in store.logs(&found.name)? {
            let entries = store.read_log(&found.name, &info.name, LogRange::all())?;
            logs.push((info, entries));
        }
        let object = store.object(&found.name)?;
        ensure_eq!(found.revision, object.revision, "namespaces() and object() of {:?}", found.name);
        all.insert(found.name, Held { object, logs });
    }
    Ok(all)
}

/// Makes sure that every log is dense and no entry is newer than its object.
pub(crate) fn check(store: &Blocking) -> Outcome<Dump> {
    let all = dump(store)?;
    for (name, held) in &all {
        let Held { object, logs } = held;
        ensure!(
            !object.entries.is_empty() || !logs.is_empty(),
            "namespace {name:?} is listed and holds nothing"
        );
        for (key, entry) in &object.entries {
            let fits = entry.revision > Revision::NEVER && entry.revision <= object.revision;
            ensure!(
                fits,
                "{name:?} {key:?} is of revision {}, its object {}",
                entry.revision,
                object.revision
            );
        }
        for (info, entries) in logs {
            check_log(name, info, entries)?;
        }
    }
    Ok(all)
}

fn check_log(namespace: &str, info: &LogInfo, entries: &[LogEntry]) -> Outcome {
    let numbers: Vec<u64> = entries.iter().map(|entry| entry.seq).collect();
    let expected: Vec<u64> = (info.first..=info.last).collect();
    ensure!(info.first >= 1, "log {:?} of {namespace:?} starts at 0", info.name);
    ensure_eq!(numbers, expected, "numbers of log {:?} of {namespace:?}, {info:?}", info.name);
    Ok(())
}
