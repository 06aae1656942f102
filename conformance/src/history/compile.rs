//! Operations as a search needs them: names are numbers, and what each touches is known.

use std::collections::HashMap;

use super::op::{Call, Check, Did, Operation, Outcome, Start, Write};
use super::sights::{Sight, sights};

/// An operation of a part.
#[derive(Debug, Clone)]
pub(super) struct Op {
    /// Where it stands in the history.
    pub(super) id: usize,
    pub(super) called: u64,
    /// None if it may take effect at any time after the call, or never.
    pub(super) returned: Option<u64>,
    pub(super) act: Act,
    /// The revisions that it was told, or that are known of it, by namespace.
    pub(super) given: Vec<(u32, u64)>,
    /// Whether those are all.
    pub(super) complete: bool,
    /// Whether nobody saw that it happened, and nobody was told.
    pub(super) optional: bool,
    /// What it looks at or changes.
    pub(super) touches: Vec<(u32, What)>,
    /// What it says about the state.
    pub(super) sights: Vec<Sight>,
}

/// A part of a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Object,
    Log(u32),
    Logs,
}

/// What an operation does, and what it was told.
#[derive(Debug, Clone)]
pub(super) enum Act {
    Get {
        space: u32,
        key: u32,
        found: Option<(u32, u64)>,
    },
    Object {
        space: u32,
        revision: u64,
        entries: Vec<(u32, u32, u64)>,
    },
    Page {
        space: u32,
        log: u32,
        start: Start,
        limit: u64,
        entries: Vec<(u64, u32)>,
    },
    Logs {
        space: u32,
        logs: Vec<(u32, u64, u64)>,
    },
    Conflict(Test),
    Commit {
        checks: Vec<Test>,
        changes: Vec<Change>,
        told: Option<Vec<Did>>,
    },
    /// No store in any state answers like this.
    Never,
}

/// What is true of a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Test {
    Key { space: u32, key: u32, revision: Option<u64> },
    Object { space: u32, revision: u64 },
    Log { space: u32, log: u32, last: u64 },
}

/// One change of a batch.
#[derive(Debug, Clone)]
pub(super) enum Change {
    Put { space: u32, key: u32, value: u32 },
    Delete { space: u32, key: u32 },
    Replace { space: u32, object: Vec<(u32, u32)> },
    Append { space: u32, log: u32, value: u32 },
    Trim { space: u32, log: u32, before: u64 },
    Drop { space: u32 },
}

impl Op {
    /// Returns the revision that it gave a namespace, as far as it is known.
    pub(super) fn revision(&self, space: u32) -> Option<u64> {
        self.given.iter().find(|given| given.0 == space).map(|given| given.1)
    }

    /// Returns what it changes in the order of the batch.
    pub(super) fn changes(&self) -> &[Change] {
        match &self.act {
            Act::Commit { changes, .. } => changes,
            _ => &[],
        }
    }

    /// Returns each change with what it was told of it.
    pub(super) fn told(&self) -> impl Iterator<Item = (&Change, Option<Did>)> {
        let told = match &self.act {
            Act::Commit { told: Some(told), .. } => told.as_slice(),
            _ => &[],
        };
        self.changes().iter().enumerate().map(|(at, change)| (change, told.get(at).copied()))
    }

    /// Whether its answer means that it changed nothing.
    pub(super) fn only_looks(&self) -> bool {
        match &self.act {
            Act::Commit { told: Some(told), .. } => told.iter().all(|did| *did == Did::Deleted(false)),
            Act::Commit { told: None, changes, .. } => changes.is_empty(),
            _ => true,
        }
    }

    /// Whether the order of two operations can matter.
    pub(super) fn meets(&self, other: &Self) -> bool {
        if self.only_looks() && other.only_looks() {
            return false;
        }
        let same = |a: What, b: What| {
            a == b || matches!((a, b), (What::Log(_), What::Logs) | (What::Logs, What::Log(_)))
        };
        self.touches.iter().any(|a| other.touches.iter().any(|b| a.0 == b.0 && same(a.1, b.1)))
    }

    /// Whether revisions say that this operation came after another.
    pub(super) fn is_after(&self, other: &Self) -> bool {
        self.given.iter().any(|(space, rev)| other.revision(*space).is_some_and(|earlier| earlier < *rev))
    }
}

/// Numbers for names and values.
#[derive(Debug, Default)]
pub(super) struct Names<'h> {
    numbers: HashMap<(u8, &'h str), u32>,
    names: [Vec<&'h str>; 4],
}

pub(super) const SPACES: usize = 0;
pub(super) const KEYS: usize = 1;
pub(super) const LOGS: usize = 2;
pub(super) const VALUES: usize = 3;

impl<'h> Names<'h> {
    fn number(&mut self, kind: usize, name: &'h str) -> u32 {
        let kind_number = u8::try_from(kind).unwrap_or(u8::MAX);
        *self.numbers.entry((kind_number, name)).or_insert_with(|| {
            let Some(names) = self.names.get_mut(kind) else { return 0 };
            names.push(name);
            u32::try_from(names.len() - 1).unwrap_or(u32::MAX)
        })
    }

    /// Returns the name of a number.
    pub(super) fn name(&self, kind: usize, number: u32) -> &'h str {
        self.names.get(kind).and_then(|names| names.get(number as usize)).copied().unwrap_or("?")
    }

    /// Returns how many namespaces there are.
    pub(super) fn spaces(&self) -> usize {
        self.names.first().map_or(0, Vec::len)
    }

    fn space(&mut self, name: &'h str) -> u32 {
        self.number(SPACES, name)
    }

    fn log(&mut self, name: &'h str) -> u32 {
        self.number(LOGS, name)
    }

    fn key(&mut self, name: &'h str) -> u32 {
        self.number(KEYS, name)
    }

    fn value(&mut self, text: &'h str) -> u32 {
        self.number(VALUES, text)
    }

    /// Compiles an operation; none if nothing follows from it.
    pub(super) fn compile(&mut self, id: usize, operation: &'h Operation) -> Option<Op> {
        let act = self.act(operation)?;
        let (mut given, mut complete) = (Vec::new(), false);
        if let Outcome::Done(receipt) = &operation.outcome
            && let Some(revisions) = &receipt.revisions
        {
            complete = true;
            given = revisions.iter().map(|(name, rev)| (self.space(name), *rev)).collect();
        }
        if let Act::Commit { changes, told: Some(told), .. } = &act
            && !complete
        {
            given = written(changes, told);
        }
        let act = if agrees(&act, &given) { act } else { Act::Never };
        let unknown = matches!(operation.outcome, Outcome::Unknown(_));
        let returned = if unknown { None } else { operation.returned };
        let touches = touches(&act);
        let sights = sights(&act);
        let called = operation.called;
        Some(Op { id, called, returned, act, given, complete, optional: unknown, touches, sights })
    }

    fn act(&mut self, operation: &'h Operation) -> Option<Act> {
        Some(match (&operation.call, &operation.outcome) {
            (_, Outcome::Refused(_)) => return None,
            (Call::Write(write), outcome) => self.commit(&[], std::slice::from_ref(write), outcome)?,
            (Call::Commit { checks, writes }, outcome) => self.commit(checks, writes, outcome)?,
            (_, Outcome::Unknown(_)) => return None,
            (Call::Get { namespace, key }, Outcome::Got(found)) => Act::Get {
                space: self.space(namespace),
                key: self.key(key),
                found: found.as_ref().map(|entry| (self.value(&entry.value), entry.revision)),
            },
            (Call::Object { namespace }, Outcome::Object { revision, entries }) => {
                let entry = |(key, entry): (&'h String, &'h super::Entry)| {
                    (self.key(key), self.value(&entry.value), entry.revision)
                };
                let mut entries: Vec<_> = entries.iter().map(entry).collect();
                entries.sort_unstable();
                Act::Object { space: self.space(namespace), revision: *revision, entries }
            }
            (Call::ReadLog { namespace, log, start, limit }, Outcome::Page(page)) => Act::Page {
                space: self.space(namespace),
                log: self.log(log),
                start: *start,
                limit: limit.unwrap_or(u64::MAX),
                entries: page.iter().map(|(number, text)| (*number, self.value(text))).collect(),
            },
            (Call::Logs { namespace }, Outcome::Logs(logs)) => {
                let mut logs: Vec<_> =
                    logs.iter().map(|(name, (first, last))| (self.log(name), *first, *last)).collect();
                logs.sort_unstable();
                Act::Logs { space: self.space(namespace), logs }
            }
            _ => Act::Never,
        })
    }

    fn commit(&mut self, checks: &'h [Check], writes: &'h [Write], outcome: &'h Outcome) -> Option<Act> {
        let told = match outcome {
            Outcome::Done(receipt) => Some(receipt.outcomes.clone()),
            Outcome::Unknown(_) if writes.is_empty() => return None,
            Outcome::Unknown(_) => None,
            Outcome::Conflict(found) => return Some(self.conflict(checks, found)),
            _ => return Some(Act::Never),
        };
        let checks = checks.iter().map(|check| self.test(check)).collect();
        let changes = writes.iter().map(|write| self.change(write)).collect();
        Some(Act::Commit { checks, changes, told })
    }

    /// A conflict is a look at what it says was found; it must be about a check, which must not hold.
    fn conflict(&mut self, checks: &'h [Check], found: &'h Check) -> Act {
        let fits = checks.iter().any(|check| {
            check != found
                && match (check, found) {
                    (Check::Key { namespace, key, .. }, Check::Key { namespace: n, key: k, .. }) => {
                        (namespace, key) == (n, k)
                    }
                    (Check::Object { namespace, .. }, Check::Object { namespace: n, .. }) => namespace == n,
                    (Check::Log { namespace, log, .. }, Check::Log { namespace: n, log: l, .. }) => {
                        (namespace, log) == (n, l)
                    }
                    _ => false,
                }
        });
        if fits { Act::Conflict(self.test(found)) } else { Act::Never }
    }

    fn test(&mut self, check: &'h Check) -> Test {
        match check {
            Check::Key { namespace, key, revision } => {
                Test::Key { space: self.space(namespace), key: self.key(key), revision: *revision }
            }
            Check::Object { namespace, revision } => {
                Test::Object { space: self.space(namespace), revision: *revision }
            }
            Check::Log { namespace, log, last } => {
                Test::Log { space: self.space(namespace), log: self.log(log), last: *last }
            }
        }
    }

    fn change(&mut self, write: &'h Write) -> Change {
        let space = self.space(write.namespace());
        match write {
            Write::Put { key, value, .. } => {
                Change::Put { space, key: self.key(key), value: self.value(value) }
            }
            Write::Delete { key, .. } => Change::Delete { space, key: self.key(key) },
            Write::ReplaceObject { object, .. } => {
                let object = object.iter().map(|(key, value)| (self.key(key), self.value(value))).collect();
                Change::Replace { space, object }
            }
            Write::Append { log, entry, .. } => {
                Change::Append { space, log: self.log(log), value: self.value(entry) }
            }
            Write::TrimLog { log, before, .. } => Change::Trim { space, log: self.log(log), before: *before },
            Write::DeleteNamespace { .. } => Change::Drop { space },
        }
    }
}

/// The revisions that stand in what each write did.
fn written(changes: &[Change], told: &[Did]) -> Vec<(u32, u64)> {
    let mut given: Vec<(u32, u64)> = Vec::new();
    for (change, did) in changes.iter().zip(told) {
        if let (Change::Put { space, .. } | Change::Replace { space, .. }, Did::Written(rev)) = (change, did)
            && !given.iter().any(|known| known.0 == *space)
        {
            given.push((*space, *rev));
        }
    }
    given
}

/// Whether the parts of an answer fit together.
fn agrees(act: &Act, given: &[(u32, u64)]) -> bool {
    let Act::Commit { changes, told: Some(told), .. } = act else { return true };
    let revision = |space: u32| given.iter().find(|given| given.0 == space).map(|given| given.1);
    changes.len() == told.len()
        && changes.iter().zip(told).all(|(change, did)| match (change, did) {
            (Change::Put { space, .. } | Change::Replace { space, .. }, Did::Written(rev)) => {
                revision(*space) == Some(*rev)
            }
            (Change::Delete { .. } | Change::Drop { .. }, Did::Deleted(_))
            | (Change::Append { .. }, Did::Appended(_))
            | (Change::Trim { .. }, Did::Trimmed) => true,
            _ => false,
        })
}

fn touches(act: &Act) -> Vec<(u32, What)> {
    let test = |test: &Test| match test {
        Test::Key { space, .. } | Test::Object { space, .. } => (*space, What::Object),
        Test::Log { space, log, .. } => (*space, What::Log(*log)),
    };
    let mut all: Vec<(u32, What)> = match act {
        Act::Get { space, .. } | Act::Object { space, .. } => vec![(*space, What::Object)],
        Act::Page { space, log, .. } => vec![(*space, What::Log(*log))],
        Act::Logs { space, .. } => vec![(*space, What::Logs)],
        Act::Conflict(found) => vec![test(found)],
        Act::Commit { checks, changes, .. } => {
            let changed = changes.iter().flat_map(|change| match change {
                Change::Put { space, .. } | Change::Delete { space, .. } | Change::Replace { space, .. } => {
                    vec![(*space, What::Object)]
                }
                Change::Append { space, log, .. } | Change::Trim { space, log, .. } => {
                    vec![(*space, What::Log(*log))]
                }
                Change::Drop { space } => vec![(*space, What::Object), (*space, What::Logs)],
            });
            checks.iter().map(test).chain(changed).collect()
        }
        Act::Never => Vec::new(),
    };
    all.dedup();
    all
}
