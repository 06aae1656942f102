//! Histories of a store that never was: right ones, of any size, to try the check with.

use std::collections::BTreeMap;

use fastrand::Rng;

use super::History;
use super::op::{Call, Check, Did, Entry, Operation, Outcome, Receipt, Start, Write};
use super::workload::Workload;

/// What a simulated history is like.
///
/// # Examples
/// ```
/// use conformance::history::simulate::Simulation;
/// use conformance::history::{Verdict, check};
///
/// let history = Simulation { operations: 200, ..Simulation::default() }.run(7);
/// assert!(matches!(check(&history), Verdict::Linearizable { .. }));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Simulation {
    /// How many operations there are.
    pub operations: usize,
    /// How many clients call at the same time.
    pub processes: u32,
    /// How many namespaces there are.
    pub namespaces: usize,
    /// How many keys each has.
    pub keys: usize,
    /// How many logs each has.
    pub logs: usize,
    /// Of how many thousand steps of a call one is the last of its client, which is killed.
    pub killed: u32,
}

impl Default for Simulation {
    fn default() -> Self {
        Self { operations: 1_000, processes: 4, namespaces: 3, keys: 4, logs: 2, killed: 10 }
    }
}

/// A client in the middle of a call, or before one.
#[derive(Debug)]
struct Client {
    process: u32,
    workload: Workload,
    /// The operation that it called, and what came of it if it has taken effect.
    pending: Option<(Operation, Option<Outcome>)>,
}

impl Simulation {
    /// Simulates clients of a store that does what the contract says; the same again for the same seed.
    pub fn run(&self, seed: u64) -> History {
        let mut chance = Rng::with_seed(seed);
        let mut store = Store { skips: chance.bool(), chance: chance.fork(), spaces: BTreeMap::new() };
        let mut history = History::default();
        let mut late: Vec<Call> = Vec::new();
        let shape = (self.namespaces, self.keys, self.logs);
        let mut next_process = 0;
        let mut begin = |chance: &mut Rng| {
            next_process += 1;
            let workload = Workload::new(chance.fork(), next_process, shape);
            Client { process: next_process, workload, pending: None }
        };
        let mut clients: Vec<Client> = (0..self.processes).map(|_| begin(&mut chance)).collect();
        let mut at = 0;
        while history.operations.len() < self.operations && !clients.is_empty() {
            at += chance.u64(1..2_000);
            if chance.u8(..8) == 0
                && let Some(call) = late.pop()
            {
                store.act(&call);
            }
            let chosen = chance.usize(..clients.len());
            let Some(client) = clients.get_mut(chosen) else { break };
            let is_killed = chance.u32(..1_000) < self.killed;
            history.operations.extend(client.step(&mut store, at, is_killed, &mut late));
            if is_killed {
                *client = begin(&mut chance);
            }
        }
        history.operations.extend(clients.into_iter().filter_map(|client| Some(client.pending?.0)));
        history.operations.sort_by_key(|operation| (operation.called, operation.process));
        history
    }
}

impl Client {
    /// Goes one step: calls, has its effect, returns, or dies; returns an operation that has ended.
    fn step(
        &mut self,
        store: &mut Store,
        at: u64,
        is_killed: bool,
        late: &mut Vec<Call>,
    ) -> Option<Operation> {
        let unknown = || Outcome::Unknown("it was killed".to_owned());
        match self.pending.take() {
            None => {
                let call = self.workload.next();
                let operation =
                    Operation { process: self.process, called: at, returned: None, call, outcome: unknown() };
                self.pending = Some((operation, None));
                None
            }
            Some((operation, effect)) if is_killed => {
                if effect.is_none() && at.is_multiple_of(2) {
                    late.push(operation.call.clone());
                }
                Some(operation)
            }
            Some((operation, None)) => {
                let outcome = store.act(&operation.call);
                self.pending = Some((operation, Some(outcome)));
                None
            }
            Some((operation, Some(outcome))) => {
                self.workload.learn(&operation.call, &outcome);
                Some(Operation { returned: Some(at), outcome, ..operation })
            }
        }
    }
}

/// The contract, one call after the other.
#[derive(Debug)]
struct Store {
    chance: Rng,
    /// Whether revisions skip numbers.
    skips: bool,
    spaces: BTreeMap<String, Space>,
}

#[derive(Debug, Default)]
struct Space {
    revision: u64,
    keys: BTreeMap<String, Entry>,
    logs: BTreeMap<String, Log>,
}

#[derive(Debug)]
struct Log {
    first: u64,
    entries: Vec<String>,
}

impl Log {
    fn last(&self) -> u64 {
        self.entries.len() as u64
    }
}

impl Store {
    fn act(&mut self, call: &Call) -> Outcome {
        match call {
            Call::Get { namespace, key } => {
                let space = self.spaces.get(namespace);
                Outcome::Got(space.and_then(|space| space.keys.get(key)).cloned())
            }
            Call::Object { namespace } => {
                let space = self.spaces.entry(namespace.clone()).or_default();
                Outcome::Object { revision: space.revision, entries: space.keys.clone() }
            }
            Call::ReadLog { namespace, log, start, limit } => {
                let held = self.spaces.get(namespace).and_then(|space| space.logs.get(log));
                Outcome::Page(held.map(|held| page(held, *start, *limit)).unwrap_or_default())
            }
            Call::Logs { namespace } => {
                let logs = self.spaces.get(namespace).map(|space| {
                    space.logs.iter().map(|(name, log)| (name.clone(), (log.first, log.last()))).collect()
                });
                Outcome::Logs(logs.unwrap_or_default())
            }
            Call::Write(write) => {
                let mut receipt = self.commit(std::slice::from_ref(write));
                if matches!(write, Write::Delete { .. } | Write::DeleteNamespace { .. }) {
                    receipt.revisions = None;
                }
                Outcome::Done(receipt)
            }
            Call::Commit { checks, writes } => {
                let conflict = checks.iter().find_map(|check| {
                    let found = self.found(check);
                    (found != *check).then_some(found)
                });
                conflict.map_or_else(|| Outcome::Done(self.commit(writes)), Outcome::Conflict)
            }
        }
    }

    fn found(&self, check: &Check) -> Check {
        let space = self.spaces.get(check.namespace());
        let mut found = check.clone();
        match &mut found {
            Check::Key { key, revision, .. } => {
                *revision = space.and_then(|space| space.keys.get(key)).map(|entry| entry.revision);
            }
            Check::Object { revision, .. } => *revision = space.map_or(0, |space| space.revision),
            Check::Log { log, last, .. } => {
                *last = space.and_then(|space| space.logs.get(log)).map_or(0, Log::last);
            }
        }
        found
    }

    fn commit(&mut self, writes: &[Write]) -> Receipt {
        let mut given = BTreeMap::new();
        let outcomes = writes.iter().map(|write| self.write(write, &mut given)).collect();
        Receipt { revisions: Some(given), outcomes }
    }

    fn write(&mut self, write: &Write, given: &mut BTreeMap<String, u64>) -> Did {
        let name = write.namespace();
        let step = if self.skips { self.chance.u64(1..4) } else { 1 };
        let space = self.spaces.entry(name.to_owned()).or_default();
        let next = given.get(name).copied().unwrap_or(space.revision + step);
        let (changes, did) = space.write(write, next);
        if changes {
            space.revision = next;
            given.insert(name.to_owned(), next);
        }
        did
    }
}

impl Space {
    /// Writes; returns whether the object has changed, and what was done.
    fn write(&mut self, write: &Write, revision: u64) -> (bool, Did) {
        let entry = |value: &String| Entry { value: value.clone(), revision };
        match write {
            Write::Put { key, value, .. } => {
                self.keys.insert(key.clone(), entry(value));
                (true, Did::Written(revision))
            }
            Write::ReplaceObject { object, .. } => {
                self.keys = object.iter().map(|(key, value)| (key.clone(), entry(value))).collect();
                (true, Did::Written(revision))
            }
            Write::Delete { key, .. } => {
                let existed = self.keys.remove(key).is_some();
                (existed, Did::Deleted(existed))
            }
            Write::Append { log, entry, .. } => {
                let log = self.logs.entry(log.clone()).or_insert(Log { first: 1, entries: Vec::new() });
                log.entries.push(entry.clone());
                (false, Did::Appended(log.last()))
            }
            Write::TrimLog { log, before, .. } => {
                if let Some(log) = self.logs.get_mut(log) {
                    log.first = log.first.max((*before).min(log.last() + 1));
                }
                (false, Did::Trimmed)
            }
            Write::DeleteNamespace { .. } => {
                let (keys, logs) = (!self.keys.is_empty(), !self.logs.is_empty());
                self.keys.clear();
                self.logs.clear();
                (keys, Did::Deleted(keys || logs))
            }
        }
    }
}

fn page(log: &Log, start: Start, limit: Option<u64>) -> Vec<(u64, String)> {
    let from = match start {
        Start::From(number) => number,
        Start::Tail(count) => (log.last() + 1).saturating_sub(count),
    };
    let numbered = (1..).zip(&log.entries).filter(|(number, _)| *number >= from.max(log.first));
    let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    numbered.take(limit).map(|(number, entry)| (number, entry.clone())).collect()
}
