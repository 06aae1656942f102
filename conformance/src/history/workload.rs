//! Random calls of one client, whose checks mostly hold because it remembers what it saw.

use std::collections::BTreeMap;

use fastrand::Rng;

use super::op::{Call, Check, Did, Outcome, Start, Write};

/// One client's source of calls; every value that it writes is its own.
#[derive(Debug)]
pub(crate) struct Workload {
    chance: Rng,
    client: u32,
    /// How many namespaces, keys in each and logs in each there are.
    spaces: usize,
    keys: usize,
    logs: usize,
    written: u64,
    key_revisions: BTreeMap<(String, String), Option<u64>>,
    revisions: BTreeMap<String, u64>,
    ends: BTreeMap<(String, String), u64>,
}

impl Workload {
    /// Begins the calls of a client; no two clients of one store have the same number.
    pub(crate) fn new(chance: Rng, client: u32, (spaces, keys, logs): (usize, usize, usize)) -> Self {
        let (key_revisions, revisions, ends) = Default::default();
        Self { chance, client, spaces, keys, logs, written: 0, key_revisions, revisions, ends }
    }

    fn space(&mut self) -> String {
        format!("n{}", self.chance.usize(..self.spaces))
    }

    fn key(&mut self) -> String {
        format!("k{}", self.chance.usize(..self.keys))
    }

    fn log(&mut self) -> String {
        format!("log{}", self.chance.usize(..self.logs))
    }

    /// Returns a value that nobody else writes.
    fn value(&mut self) -> String {
        self.written += 1;
        format!("{}", u64::from(self.client) * 10_000_000 + self.written)
    }

    /// Returns the next call.
    pub(crate) fn next(&mut self) -> Call {
        let namespace = self.space();
        match self.chance.u8(..100) {
            0..24 => Call::Get { namespace, key: self.key() },
            24..34 => Call::Object { namespace },
            34..45 => self.read_log(namespace),
            45..47 => Call::Logs { namespace },
            47..75 => Call::Write(self.write(namespace)),
            _ => self.commit(),
        }
    }

    fn read_log(&mut self, namespace: String) -> Call {
        let log = self.log();
        let end = self.ends.get(&(namespace.clone(), log.clone())).copied().unwrap_or(0);
        let (start, limit) = match self.chance.u8(..6) {
            0..3 => (Start::Tail(self.chance.u64(1..6)), None),
            3..5 => (Start::From(end.saturating_sub(self.chance.u64(..4))), Some(self.chance.u64(1..6))),
            _ => (Start::From(self.chance.u64(..=end)), Some(3)),
        };
        Call::ReadLog { namespace, log, start, limit }
    }

    fn write(&mut self, namespace: String) -> Write {
        match self.chance.u16(..1000) {
            0..430 => Write::Put { namespace, key: self.key(), value: self.value() },
            430..560 => Write::Delete { namespace, key: self.key() },
            560..660 => {
                let count = self.chance.usize(..=self.keys.min(3));
                let object = (0..count).map(|_| (self.key(), self.value())).collect();
                Write::ReplaceObject { namespace, object }
            }
            660..940 => Write::Append { namespace, log: self.log(), entry: self.value() },
            940..980 => {
                let log = self.log();
                let end = self.ends.get(&(namespace.clone(), log.clone())).copied().unwrap_or(0);
                let before = (end + 2).saturating_sub(self.chance.u64(..8));
                Write::TrimLog { namespace, log, before }
            }
            _ => Write::DeleteNamespace { namespace },
        }
    }

    fn commit(&mut self) -> Call {
        let checks = (0..self.chance.u8(..5) / 2).map(|_| self.check()).collect();
        let count = self.chance.usize(1..5);
        let writes = (0..count).map(|_| self.space()).collect::<Vec<_>>();
        let writes = writes.into_iter().map(|namespace| self.write(namespace)).collect();
        Call::Commit { checks, writes }
    }

    fn check(&mut self) -> Check {
        let (namespace, key, log) = (self.space(), self.key(), self.log());
        match self.chance.u8(..3) {
            0 => {
                let known = self.key_revisions.get(&(namespace.clone(), key.clone()));
                let revision = known.copied().flatten();
                Check::Key { namespace, key, revision }
            }
            1 => {
                let revision = self.revisions.get(&namespace).copied().unwrap_or(0);
                Check::Object { namespace, revision }
            }
            _ => {
                let last = self.ends.get(&(namespace.clone(), log.clone())).copied().unwrap_or(0);
                Check::Log { namespace, log, last }
            }
        }
    }

    /// Remembers what an answer tells.
    pub(crate) fn learn(&mut self, call: &Call, outcome: &Outcome) {
        match (call, outcome) {
            (Call::Get { namespace, key }, Outcome::Got(found)) => {
                let revision = found.as_ref().map(|entry| entry.revision);
                self.key_revisions.insert((namespace.clone(), key.clone()), revision);
            }
            (Call::Object { namespace }, Outcome::Object { revision, entries }) => {
                self.revisions.insert(namespace.clone(), *revision);
                for (key, entry) in entries {
                    self.key_revisions.insert((namespace.clone(), key.clone()), Some(entry.revision));
                }
            }
            (Call::ReadLog { namespace, log, .. }, Outcome::Page(page)) => {
                if let Some((last, _)) = page.last() {
                    self.ends.insert((namespace.clone(), log.clone()), *last);
                }
            }
            (_, Outcome::Conflict(found)) => self.learn_found(found),
            (Call::Write(write), Outcome::Done(receipt)) => {
                self.learn_write(write, receipt.outcomes.first(), receipt.revisions.as_ref());
            }
            (Call::Commit { writes, .. }, Outcome::Done(receipt)) => {
                for (write, did) in writes.iter().zip(&receipt.outcomes) {
                    self.learn_write(write, Some(did), receipt.revisions.as_ref());
                }
            }
            _ => {}
        }
    }

    fn learn_found(&mut self, found: &Check) {
        match found.clone() {
            Check::Key { namespace, key, revision } => {
                self.key_revisions.insert((namespace, key), revision);
            }
            Check::Object { namespace, revision } => {
                self.revisions.insert(namespace, revision);
            }
            Check::Log { namespace, log, last } => {
                self.ends.insert((namespace, log), last);
            }
        }
    }

    fn learn_write(&mut self, write: &Write, did: Option<&Did>, given: Option<&BTreeMap<String, u64>>) {
        let namespace = write.namespace().to_owned();
        let revision = given.and_then(|given| given.get(&namespace)).copied();
        self.revisions.extend(revision.map(|revision| (namespace.clone(), revision)));
        match (write, did) {
            (Write::Put { key, .. }, _) => {
                self.key_revisions.insert((namespace, key.clone()), revision);
            }
            (Write::Append { log, .. }, Some(Did::Appended(number))) => {
                self.ends.insert((namespace, log.clone()), *number);
            }
            _ => {}
        }
    }
}
