//! The meaning of a batch: checks, revisions, numbers and times, settled before the first write.
//!
//! Engines cannot undo one batch of several, so nothing is written until it is known what every batch of
//! the group does, each against the state and the batches before it.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

use crate::backend::{Snapshot, Transaction};
use crate::batch::{Batch, Check, Outcome, Receipt, Write};
use crate::error::{Conflict, Error, Result};
use crate::numbers::{Expect, Revision, Timestamp};
use crate::types::{Entry, KeyRange, LogEntry, LogInfo};

/// One thing that a transaction is told.
#[derive(Debug)]
enum Step<'b> {
    Put(&'b str, &'b str, Entry),
    Delete(&'b str, &'b str),
    Clear(&'b str),
    Append(&'b str, &'b str, LogEntry),
    Trim(&'b str, &'b str, u64),
    DeleteLog(&'b str, String),
}

/// What a group of batches comes to.
#[derive(Debug)]
pub(super) struct Settled<'b> {
    steps: Vec<Step<'b>>,
    revisions: BTreeMap<&'b str, Revision>,
    /// For each batch its receipt, or the check that did not hold.
    pub(super) verdicts: Vec<Result<Receipt>>,
}

impl Settled<'_> {
    /// Tells the transaction what there is to write.
    pub(super) fn apply(&self, transaction: &mut dyn Transaction) -> Result<()> {
        for step in &self.steps {
            match step {
                Step::Put(namespace, key, entry) => transaction.put(namespace, key, entry)?,
                Step::Delete(namespace, key) => transaction.delete(namespace, key)?,
                Step::Clear(namespace) => transaction.clear(namespace)?,
                Step::Append(namespace, log, entry) => transaction.append(namespace, log, entry)?,
                Step::Trim(namespace, log, first) => transaction.trim(namespace, log, *first)?,
                Step::DeleteLog(namespace, log) => transaction.delete_log(namespace, log)?,
            }
        }
        for (namespace, revision) in &self.revisions {
            transaction.set_revision(namespace, *revision)?;
        }
        Ok(())
    }
}

/// Settles a group of batches against the state before it.
///
/// # Errors
/// Those of reading the state; a check that does not hold is a verdict.
pub(super) fn settle<'b>(
    snapshot: &dyn Snapshot,
    batches: impl Iterator<Item = &'b Batch>,
    epoch: u32,
    at: Timestamp,
) -> Result<Settled<'b>> {
    let mut view = View { snapshot, epoch, at, spaces: HashMap::new(), steps: Vec::new() };
    let mut verdicts = Vec::new();
    for batch in batches {
        verdicts.push(match view.first_conflict(batch)? {
            Some(conflict) => Err(Error::from_conflict(conflict)),
            None => Ok(view.admit(batch)?),
        });
    }
    let changed = view.spaces.iter().filter(|(_, space)| space.changed);
    let revisions = changed.map(|(name, space)| (*name, space.revision)).collect();
    Ok(Settled { steps: view.steps, revisions, verdicts })
}

/// The state with the batches that were admitted before.
struct View<'s, 'b> {
    snapshot: &'s dyn Snapshot,
    epoch: u32,
    at: Timestamp,
    spaces: HashMap<&'b str, Space<'b>>,
    steps: Vec<Step<'b>>,
}

/// What the admitted batches made of a namespace; what is not here is as in the snapshot.
#[derive(Default)]
struct Space<'b> {
    revision: Revision,
    changed: bool,
    /// Whether the keys of the snapshot are gone.
    cleared: bool,
    keys: HashMap<&'b str, Option<Revision>>,
    /// Whether the logs of the snapshot are gone.
    logs_cleared: bool,
    logs: HashMap<&'b str, LogInfo>,
}

impl<'b> View<'_, 'b> {
    fn space(&mut self, namespace: &'b str) -> Result<&mut Space<'b>> {
        if !self.spaces.contains_key(namespace) {
            let revision = self.snapshot.revision(namespace)?;
            self.spaces.insert(namespace, Space { revision, ..Space::default() });
        }
        Ok(self.spaces.entry(namespace).or_default())
    }

    fn key(&mut self, namespace: &'b str, key: &'b str) -> Result<Option<Revision>> {
        let snapshot = self.snapshot;
        let space = self.space(namespace)?;
        match space.keys.get(key) {
            Some(known) => Ok(*known),
            None if space.cleared => Ok(None),
            None => Ok(snapshot.get(namespace, key)?.map(|entry| entry.revision)),
        }
    }

    fn log(&mut self, namespace: &'b str, log: &'b str) -> Result<Option<LogInfo>> {
        let snapshot = self.snapshot;
        let space = self.space(namespace)?;
        match space.logs.get(log) {
            Some(known) => Ok(Some(known.clone())),
            None if space.logs_cleared => Ok(None),
            None => snapshot.log_info(namespace, log),
        }
    }

    fn first_conflict(&mut self, batch: &'b Batch) -> Result<Option<Conflict>> {
        for check in batch.checks() {
            if let Some(conflict) = self.conflict(check)? {
                return Ok(Some(conflict));
            }
        }
        Ok(None)
    }

    fn conflict(&mut self, check: &'b Check) -> Result<Option<Conflict>> {
        Ok(match check {
            Check::Key { namespace, key, expect } => {
                let found = self.key(namespace, key)?;
                let holds = match expect {
                    Expect::Absent => found.is_none(),
                    Expect::Revision(revision) => found == Some(*revision),
                };
                let (namespace, key) = (namespace.clone(), key.clone());
                (!holds).then_some(Conflict::Key { namespace, key, expected: *expect, found })
            }
            Check::Object { namespace, revision } => {
                let found = self.space(namespace)?.revision;
                let namespace = namespace.clone();
                (found != *revision).then_some(Conflict::Object { namespace, expected: *revision, found })
            }
            Check::Log { namespace, log, last } => {
                let found = self.log(namespace, log)?.map_or(0, |info| info.last);
                let (namespace, log) = (namespace.clone(), log.clone());
                (found != *last).then_some(Conflict::Log { namespace, log, expected: *last, found })
            }
        })
    }

    fn admit(&mut self, batch: &'b Batch) -> Result<Receipt> {
        let mut given = BTreeMap::new();
        let outcomes = batch.writes().iter().map(|write| self.write(write, &mut given));
        let outcomes = outcomes.collect::<Result<Vec<_>>>()?;
        Ok(Receipt::new(given, outcomes))
    }

    fn write(&mut self, write: &'b Write, given: &mut BTreeMap<String, Revision>) -> Result<Outcome> {
        match write {
            Write::Put { namespace, key, value } => {
                let revision = self.raise(namespace, given)?;
                let entry = Entry { value: value.clone(), revision, at: self.at };
                self.space(namespace)?.keys.insert(key, Some(revision));
                self.steps.push(Step::Put(namespace, key, entry));
                Ok(Outcome::Written(revision))
            }
            Write::Delete { namespace, key } => {
                let existed = self.key(namespace, key)?.is_some();
                if existed {
                    self.raise(namespace, given)?;
                    self.space(namespace)?.keys.insert(key, None);
                    self.steps.push(Step::Delete(namespace, key));
                }
                Ok(Outcome::Deleted(existed))
            }
            Write::ReplaceObject { namespace, object } => {
                let revision = self.raise(namespace, given)?;
                self.clear(namespace)?;
                for (key, value) in object {
                    let entry = Entry { value: value.clone(), revision, at: self.at };
                    self.space(namespace)?.keys.insert(key, Some(revision));
                    self.steps.push(Step::Put(namespace, key, entry));
                }
                Ok(Outcome::Written(revision))
            }
            Write::Append { namespace, log, entry } => {
                let info = self.log(namespace, log)?;
                let (first, last) = info.map_or((1, 0), |info| (info.first, info.last));
                let seq = last + 1;
                let known = LogInfo { name: log.clone(), first, last: seq };
                self.space(namespace)?.logs.insert(log, known);
                let entry = LogEntry { seq, at: self.at, entry: entry.clone() };
                self.steps.push(Step::Append(namespace, log, entry));
                Ok(Outcome::Appended(seq))
            }
            Write::TrimLog { namespace, log, before } => {
                if let Some(info) = self.log(namespace, log)? {
                    let first = (*before).min(info.last + 1);
                    if first > info.first {
                        self.space(namespace)?.logs.insert(log, LogInfo { first, ..info });
                        self.steps.push(Step::Trim(namespace, log, first));
                    }
                }
                Ok(Outcome::Trimmed)
            }
            Write::DeleteNamespace { namespace } => self.delete_namespace(namespace, given),
        }
    }

    /// Gives the object one new revision a batch.
    fn raise(&mut self, namespace: &'b str, given: &mut BTreeMap<String, Revision>) -> Result<Revision> {
        if let Some(revision) = given.get(namespace) {
            return Ok(*revision);
        }
        let epoch = self.epoch;
        let space = self.space(namespace)?;
        space.revision = space.revision.next(epoch);
        space.changed = true;
        given.insert(namespace.to_owned(), space.revision);
        Ok(space.revision)
    }

    fn clear(&mut self, namespace: &'b str) -> Result<()> {
        let space = self.space(namespace)?;
        space.cleared = true;
        space.keys.clear();
        self.steps.push(Step::Clear(namespace));
        Ok(())
    }

    fn delete_namespace(
        &mut self,
        namespace: &'b str,
        given: &mut BTreeMap<String, Revision>,
    ) -> Result<Outcome> {
        let has_keys = self.has_keys(namespace)?;
        if has_keys {
            self.raise(namespace, given)?;
            self.clear(namespace)?;
        }
        let logs = self.log_names(namespace)?;
        let has_logs = !logs.is_empty();
        self.steps.extend(logs.into_iter().map(|log| Step::DeleteLog(namespace, log)));
        let space = self.space(namespace)?;
        space.logs_cleared = true;
        space.logs.clear();
        Ok(Outcome::Deleted(has_keys || has_logs))
    }

    fn has_keys(&mut self, namespace: &'b str) -> Result<bool> {
        let snapshot = self.snapshot;
        let space = self.space(namespace)?;
        let mut found = space.keys.values().any(Option::is_some);
        if !found && !space.cleared {
            snapshot.scan(namespace, &KeyRange::all(), &mut |key, _| {
                found = !space.keys.contains_key(key);
                if found { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })?;
        }
        Ok(found)
    }

    fn log_names(&mut self, namespace: &'b str) -> Result<Vec<String>> {
        let snapshot = self.snapshot;
        let space = self.space(namespace)?;
        let mut names: Vec<String> = space.logs.keys().map(|&name| name.to_owned()).collect();
        if !space.logs_cleared {
            snapshot.logs(namespace, &mut |info| {
                if !space.logs.contains_key(info.name.as_str()) {
                    names.push(info.name);
                }
                ControlFlow::Continue(())
            })?;
        }
        Ok(names)
    }
}
