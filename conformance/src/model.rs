//! The contract in memory: what batches mean, as simply as it can be said, to compare a store with.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use store_core::{Batch, Check, Expect, Json, Outcome as Did, Receipt, Revision, Seq, Write};

use crate::audit::Dump;
use crate::failure::{Context, Outcome, ensure, ensure_eq};
use crate::values::bare;

/// What a store should hold.
#[derive(Debug, Default)]
pub(crate) struct Model {
    spaces: BTreeMap<String, Space>,
}

#[derive(Debug, Default)]
struct Space {
    revision: Revision,
    keys: BTreeMap<String, (Json, Revision)>,
    logs: BTreeMap<String, Log>,
}

#[derive(Debug)]
struct Log {
    first: Seq,
    last: Seq,
    entries: BTreeMap<Seq, Json>,
}

impl Model {
    /// Whether all checks of a batch hold.
    pub(crate) fn admits(&self, batch: &Batch) -> bool {
        batch.checks().iter().all(|check| self.holds(check))
    }

    fn holds(&self, check: &Check) -> bool {
        let space = |name: &String| self.spaces.get(name);
        match check {
            Check::Key { namespace, key, expect } => {
                let found =
                    space(namespace).and_then(|space| space.keys.get(key)).map(|(_, revision)| *revision);
                match expect {
                    Expect::Absent => found.is_none(),
                    Expect::Revision(revision) => found == Some(*revision),
                }
            }
            Check::Object { namespace, revision } => {
                space(namespace).map_or(Revision::NEVER, |space| space.revision) == *revision
            }
            Check::Log { namespace, log, last } => {
                space(namespace).and_then(|space| space.logs.get(log)).map_or(0, |log| log.last) == *last
            }
        }
    }

    /// Does what a batch says, and makes sure that its receipt says so. Which numbers revisions have is the
    /// store's business; they have to grow.
    pub(crate) fn apply(&mut self, batch: &Batch, receipt: &Receipt) -> Outcome {
        let mut changed = BTreeSet::new();
        let mut did = Vec::new();
        for write in batch.writes() {
            let name = write.namespace();
            let given = receipt.revision(name).unwrap_or_default();
            let space = self.spaces.entry(name.to_owned()).or_default();
            changed.extend(space.is_changed_by(write).then_some(name));
            did.push(space.write(write, given));
        }
        ensure_eq!(receipt.outcomes(), did.as_slice(), "outcomes of {batch:?}");
        for (name, space) in &mut self.spaces {
            let Some(given) = receipt.revision(name) else {
                ensure!(!changed.contains(name.as_str()), "no revision for {name:?}: {batch:?}");
                continue;
            };
            ensure!(
                changed.contains(name.as_str()),
                "a revision for {name:?}, which did not change: {batch:?}"
            );
            ensure!(given > space.revision, "{name:?} went from {} to {given}: {batch:?}", space.revision);
            space.revision = given;
        }
        Ok(())
    }

    /// Makes sure that a store holds the same.
    pub(crate) fn compare(&self, dump: &Dump) -> Outcome {
        let kept = |space: &Space| !space.keys.is_empty() || !space.logs.is_empty();
        let expected: Vec<&String> =
            self.spaces.iter().filter(|(_, s)| kept(s)).map(|(name, _)| name).collect();
        ensure_eq!(dump.keys().collect::<Vec<_>>(), expected);
        for (name, held) in dump {
            let space = self.spaces.get(name).context("a namespace of nobody")?;
            ensure_eq!(held.object.revision, space.revision, "object {name:?}");
            let values = space.keys.iter().map(|(key, (value, _))| (key.clone(), value.clone())).collect();
            ensure_eq!(bare(&held.object), values, "object {name:?}");
            for (key, (_, revision)) in &space.keys {
                ensure_eq!(
                    held.object.entries.get(key).map(|entry| entry.revision),
                    Some(*revision),
                    "{name:?} {key:?}"
                );
            }
            let found = held.logs.iter().map(|(info, entries)| {
                let entries = entries.iter().map(|entry| (entry.seq, entry.entry.clone()));
                (info.name.clone(), (info.first, info.last, entries.collect::<BTreeMap<_, _>>()))
            });
            let expected = space
                .logs
                .iter()
                .map(|(name, log)| (name.clone(), (log.first, log.last, log.entries.clone())));
            ensure_eq!(found.collect::<BTreeMap<_, _>>(), expected.collect(), "logs of {name:?}");
        }
        Ok(())
    }

    /// Returns a random batch; its checks, if it has any, mostly hold.
    pub(crate) fn any_batch(&self, chance: &mut Rng) -> Batch {
        let mut batch = Batch::new();
        if chance.u8(..3) == 0 {
            batch = self.with_any_check(batch, chance);
        }
        (0..chance.usize(1..7)).fold(batch, |batch, _| with_any_write(batch, chance))
    }

    fn with_any_check(&self, batch: Batch, chance: &mut Rng) -> Batch {
        let (name, key, log) = (any(chance, "abc"), any(chance, "klm"), any(chance, "xy"));
        let space = self.spaces.get(&name);
        let wrong = chance.u8(..4) == 0;
        match chance.u8(..3) {
            0 => match space.and_then(|space| space.keys.get(&key)) {
                Some((_, revision)) if !wrong => batch.check(name, key, Expect::Revision(*revision)),
                _ => batch.check(name, key, Expect::Absent),
            },
            1 => {
                let found = space.map_or(Revision::NEVER, |space| space.revision);
                batch.check_object(name, if wrong { Revision::NEVER } else { found })
            }
            _ => {
                let found = space.and_then(|space| space.logs.get(&log)).map_or(0, |log| log.last);
                batch.check_log(name, log, if wrong { found + 1 } else { found })
            }
        }
    }
}

/// Returns one of some letters.
fn any(chance: &mut Rng, letters: &str) -> String {
    chance.choice(letters.bytes()).into_iter().map(char::from).collect()
}

fn with_any_write(batch: Batch, chance: &mut Rng) -> Batch {
    let (name, key, log) = (any(chance, "abc"), any(chance, "klm"), any(chance, "xy"));
    let value = Json::from(chance.u32(..1000));
    match chance.u8(..20) {
        0..6 => batch.put(name, key, value),
        6..9 => batch.delete(name, key),
        9..11 => batch
            .replace_object(name, (0..chance.u8(..4)).map(|_| (any(chance, "klm"), value.clone())).collect()),
        11..17 => batch.append(name, log, value),
        17..19 => batch.trim_log(name, log, chance.u64(..12)),
        _ => batch.delete_namespace(name),
    }
}

impl Space {
    /// Whether a write changes the object.
    fn is_changed_by(&self, write: &Write) -> bool {
        match write {
            Write::Put { .. } | Write::ReplaceObject { .. } => true,
            Write::Delete { key, .. } => self.keys.contains_key(key),
            Write::DeleteNamespace { .. } => !self.keys.is_empty(),
            Write::Append { .. } | Write::TrimLog { .. } => false,
        }
    }

    fn write(&mut self, write: &Write, given: Revision) -> Did {
        match write {
            Write::Put { key, value, .. } => {
                self.keys.insert(key.clone(), (value.clone(), given));
                Did::Written(given)
            }
            Write::Delete { key, .. } => Did::Deleted(self.keys.remove(key).is_some()),
            Write::ReplaceObject { object, .. } => {
                self.keys = object.iter().map(|(key, value)| (key.clone(), (value.clone(), given))).collect();
                Did::Written(given)
            }
            Write::Append { log, entry, .. } => {
                let log = self.logs.entry(log.clone()).or_insert(Log {
                    first: 1,
                    last: 0,
                    entries: BTreeMap::new(),
                });
                log.last += 1;
                log.entries.insert(log.last, entry.clone());
                Did::Appended(log.last)
            }
            Write::TrimLog { log, before, .. } => {
                if let Some(log) = self.logs.get_mut(log) {
                    log.first = log.first.max(*before).min(log.last + 1);
                    log.entries = log.entries.split_off(&log.first);
                }
                Did::Trimmed
            }
            Write::DeleteNamespace { .. } => {
                let had = !self.keys.is_empty() || !self.logs.is_empty();
                self.keys.clear();
                self.logs.clear();
                Did::Deleted(had)
            }
        }
    }
}
