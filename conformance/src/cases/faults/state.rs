//! What a store should hold by its values and numbers, without revisions and times, which are the store's.

use std::collections::BTreeMap;

use store_core::{Batch, Json, Write};

use crate::audit::Dump;

/// All that a store holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct State(BTreeMap<String, Space>);

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Space {
    keys: BTreeMap<String, Json>,
    logs: BTreeMap<String, Log>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Log {
    first: u64,
    last: u64,
    entries: BTreeMap<u64, Json>,
}

impl State {
    /// Returns what was read of a store.
    pub(super) fn of(dump: &Dump) -> Self {
        let spaces = dump.iter().map(|(name, held)| {
            let keys = held.object.entries.iter();
            let keys = keys.map(|(key, entry)| (key.clone(), entry.value.clone())).collect();
            let logs = held.logs.iter().map(|(info, entries)| {
                let entries = entries.iter().map(|entry| (entry.seq, entry.entry.clone())).collect();
                (info.name.clone(), Log { first: info.first, last: info.last, entries })
            });
            (name.clone(), Space { keys, logs: logs.collect() })
        });
        Self(spaces.collect())
    }

    /// Returns the state after a batch.
    pub(super) fn after(&self, batch: &Batch) -> Self {
        let mut spaces = self.0.clone();
        for write in batch.writes() {
            spaces.entry(write.namespace().to_owned()).or_default().write(write);
        }
        spaces.retain(|_, space| !space.keys.is_empty() || !space.logs.is_empty());
        Self(spaces)
    }

    /// Says in short how a state differs from another.
    pub(super) fn differs(&self, other: &Self) -> String {
        let names = self.0.keys().chain(other.0.keys());
        let differs = names.filter(|name| self.0.get(*name) != other.0.get(*name));
        let mut words: Vec<String> = differs
            .map(|name| format!("{name}: {} for {}", shape(self.0.get(name)), shape(other.0.get(name))))
            .collect();
        words.dedup();
        words.join("; ")
    }
}

/// How many keys a message shows.
const SHOWN: usize = 8;

fn shape(space: Option<&Space>) -> String {
    let Some(space) = space else { return "nothing".to_owned() };
    let short = |value: &Json| value.as_str().chars().take(12).collect::<String>();
    let keys: Vec<_> =
        space.keys.iter().take(SHOWN).map(|(key, value)| format!("{key}={}", short(value))).collect();
    let logs: Vec<_> = space
        .logs
        .iter()
        .map(|(name, log)| format!("{name} {}..={} ({})", log.first, log.last, log.entries.len()))
        .collect();
    format!("{{{}}} [{}]", keys.join(" "), logs.join(" "))
}

impl Space {
    fn write(&mut self, write: &Write) {
        match write {
            Write::Put { key, value, .. } => drop(self.keys.insert(key.clone(), value.clone())),
            Write::Delete { key, .. } => drop(self.keys.remove(key)),
            Write::ReplaceObject { object, .. } => self.keys.clone_from(object),
            Write::Append { log, entry, .. } => {
                let fresh = Log { first: 1, last: 0, entries: BTreeMap::new() };
                let log = self.logs.entry(log.clone()).or_insert(fresh);
                log.last += 1;
                log.entries.insert(log.last, entry.clone());
            }
            Write::TrimLog { log, before, .. } => {
                if let Some(log) = self.logs.get_mut(log) {
                    log.first = log.first.max(*before).min(log.last + 1);
                    log.entries = log.entries.split_off(&log.first);
                }
            }
            Write::DeleteNamespace { .. } => *self = Self::default(),
        }
    }
}
