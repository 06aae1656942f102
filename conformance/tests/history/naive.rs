//! A check as simple as can be, of histories of a few operations, to compare verdicts with.

use std::collections::BTreeMap;

use conformance::history::simulate::Simulation;
use conformance::history::{
    Call, Check, Did, Entry, History, Operation, Outcome, Receipt, Start, Verdict, Write, check,
};
use fastrand::Rng;

use crate::mutate;

/// A namespace; revisions are counted, and their numbers stand apart.
#[derive(Debug, Clone, Default)]
struct Space {
    revision: usize,
    numbers: BTreeMap<usize, u64>,
    keys: BTreeMap<String, (String, usize)>,
    logs: BTreeMap<String, (u64, Vec<String>)>,
}

impl Space {
    /// Takes a revision to be a number; whether numbers can grow as they must.
    fn number(&mut self, revision: usize, number: u64) -> bool {
        if *self.numbers.entry(revision).or_insert(number) != number {
            return false;
        }
        let mut all = self.numbers.clone();
        all.insert(0, 0);
        let all: Vec<_> = all.into_iter().collect();
        self.numbers.get(&0).is_none_or(|zero| *zero == 0)
            && all.windows(2).all(|two| two[1].1 >= two[0].1 + (two[1].0 - two[0].0) as u64)
    }

    /// Whether the number that comes after the last one still has room below all others.
    fn entry(&mut self, key: &str, found: Option<&Entry>) -> bool {
        match (self.keys.get(key).cloned(), found) {
            (None, None) => true,
            (Some((value, at)), Some(entry)) => value == entry.value && self.number(at, entry.revision),
            _ => false,
        }
    }
}

type Spaces = BTreeMap<String, Space>;

fn holds(spaces: &mut Spaces, check: &Check) -> bool {
    let space = spaces.entry(check.namespace().to_owned()).or_default();
    match check {
        Check::Key { key, revision, .. } => match (space.keys.get(key).cloned(), revision) {
            (None, None) => true,
            (Some((_, at)), Some(number)) => space.number(at, *number),
            _ => false,
        },
        Check::Object { revision, .. } => space.number(space.revision, *revision),
        Check::Log { log, last, .. } => space.logs.get(log).map_or(0, |log| log.1.len() as u64) == *last,
    }
}

fn looks(spaces: &mut Spaces, call: &Call, outcome: &Outcome) -> Option<bool> {
    Some(match (call, outcome) {
        (Call::Get { namespace, key }, Outcome::Got(found)) => {
            spaces.entry(namespace.clone()).or_default().entry(key, found.as_ref())
        }
        (Call::Object { namespace }, Outcome::Object { revision, entries }) => {
            let space = spaces.entry(namespace.clone()).or_default();
            space.number(space.revision, *revision)
                && space.keys.len() == entries.len()
                && entries.iter().all(|(key, entry)| space.entry(key, Some(entry)))
        }
        (Call::ReadLog { namespace, log, start, limit }, Outcome::Page(page)) => {
            let space = spaces.entry(namespace.clone()).or_default();
            let (first, entries) = space.logs.get(log).cloned().unwrap_or((1, Vec::new()));
            let from = match start {
                Start::From(number) => *number,
                Start::Tail(count) => (entries.len() as u64 + 1).saturating_sub(*count),
            };
            let numbered = (1..).zip(entries).filter(|entry| entry.0 >= from.max(first));
            let limit = limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap());
            numbered.take(limit).collect::<Vec<_>>() == *page
        }
        (Call::Logs { namespace }, Outcome::Logs(logs)) => {
            let space = spaces.entry(namespace.clone()).or_default();
            let held = space.logs.iter().map(|(name, log)| (name.clone(), (log.0, log.1.len() as u64)));
            held.collect::<BTreeMap<_, _>>() == *logs
        }
        (Call::Commit { checks, .. }, Outcome::Conflict(found)) => {
            let mut asked = found.clone();
            checks.iter().any(|check| {
                match (&mut asked, check) {
                    (Check::Key { revision, .. }, Check::Key { revision: to, .. }) => *revision = *to,
                    (Check::Object { revision: number, .. }, Check::Object { revision: to, .. })
                    | (Check::Log { last: number, .. }, Check::Log { last: to, .. }) => *number = *to,
                    _ => {}
                }
                asked == *check && check != found
            }) && holds(spaces, found)
        }
        _ => return None,
    })
}

fn change(space: &mut Space, write: &Write, raised: &mut bool) -> Did {
    let changes = match write {
        Write::Put { .. } | Write::ReplaceObject { .. } => true,
        Write::Delete { key, .. } => space.keys.contains_key(key),
        Write::DeleteNamespace { .. } => !space.keys.is_empty(),
        _ => false,
    };
    if changes && !*raised {
        space.revision += 1;
        *raised = true;
    }
    match write {
        Write::Put { key, value, .. } => {
            space.keys.insert(key.clone(), (value.clone(), space.revision));
            Did::Written(0)
        }
        Write::ReplaceObject { object, .. } => {
            let at = space.revision;
            space.keys = object.iter().map(|(key, value)| (key.clone(), (value.clone(), at))).collect();
            Did::Written(0)
        }
        Write::Delete { key, .. } => Did::Deleted(space.keys.remove(key).is_some()),
        Write::Append { log, entry, .. } => {
            let log = space.logs.entry(log.clone()).or_insert((1, Vec::new()));
            log.1.push(entry.clone());
            Did::Appended(log.1.len() as u64)
        }
        Write::TrimLog { log, before, .. } => {
            if let Some(log) = space.logs.get_mut(log) {
                log.0 = log.0.max((*before).min(log.1.len() as u64 + 1));
            }
            Did::Trimmed
        }
        Write::DeleteNamespace { .. } => {
            let had = !space.keys.is_empty() || !space.logs.is_empty();
            space.keys.clear();
            space.logs.clear();
            Did::Deleted(had)
        }
    }
}

fn commit(spaces: &mut Spaces, checks: &[Check], writes: &[Write], receipt: Option<&Receipt>) -> bool {
    if !checks.iter().all(|check| holds(spaces, check)) {
        return false;
    }
    let mut raised: BTreeMap<&str, bool> = BTreeMap::new();
    for (at, write) in writes.iter().enumerate() {
        let name = write.namespace();
        let space = spaces.entry(name.to_owned()).or_default();
        let did = change(space, write, raised.entry(name).or_default());
        match (receipt.map(|receipt| receipt.outcomes[at]), did) {
            (None, _) => {}
            (Some(Did::Written(number)), Did::Written(_)) => {
                if !space.number(space.revision, number) {
                    return false;
                }
            }
            (Some(told), did) if told == did => {}
            _ => return false,
        }
    }
    let Some(Receipt { revisions: Some(given), .. }) = receipt else { return true };
    let changed = raised.into_iter().filter(|(_, raised)| *raised).map(|(name, _)| name);
    changed.eq(given.keys().map(String::as_str))
        && given.iter().all(|(name, number)| {
            let space = spaces.entry(name.clone()).or_default();
            space.number(space.revision, *number)
        })
}

fn takes_effect(spaces: &mut Spaces, operation: &Operation) -> bool {
    if let Some(fits) = looks(spaces, &operation.call, &operation.outcome) {
        return fits;
    }
    let receipt = match &operation.outcome {
        Outcome::Done(receipt) => Some(receipt),
        _ => None,
    };
    match &operation.call {
        Call::Write(write) => commit(spaces, &[], std::slice::from_ref(write), receipt),
        Call::Commit { checks, writes } => commit(spaces, checks, writes, receipt),
        _ => true,
    }
}

/// Tries every order.
fn has_order(left: &[&Operation], spaces: &Spaces) -> bool {
    let end = |operation: &Operation| match operation.outcome {
        Outcome::Unknown(_) => u64::MAX,
        _ => operation.returned.unwrap_or(u64::MAX),
    };
    let first = left.iter().map(|operation| end(operation)).min().unwrap_or(u64::MAX);
    if first == u64::MAX {
        return true;
    }
    (0..left.len()).filter(|at| left[*at].called <= first).any(|at| {
        let mut spaces = spaces.clone();
        let mut rest = left.to_vec();
        let next = rest.remove(at);
        takes_effect(&mut spaces, next) && has_order(&rest, &spaces)
    })
}

fn agree(history: &History, seed: u64) -> bool {
    let all: Vec<&Operation> = history.operations.iter().collect();
    let naive = has_order(&all, &Spaces::new());
    let verdict = check(history);
    let same = match &verdict {
        Verdict::Linearizable { .. } => naive,
        Verdict::Violation(_) => !naive,
        Verdict::Undecided { .. } => false,
    };
    assert!(same, "seed {seed}: naive {naive}, {verdict}\n{:#?}", history.operations);
    naive
}

#[test]
fn a_naive_check_comes_to_the_same_verdict() {
    let (mut right, mut wrong) = (0, 0);
    for seed in 0..4_000 {
        let mut chance = Rng::with_seed(seed);
        let shape = Simulation {
            operations: chance.usize(3..8),
            processes: chance.u32(2..5),
            namespaces: chance.usize(1..3),
            keys: chance.usize(1..3),
            logs: 1,
            killed: chance.u32(..250),
        };
        let mut history = shape.run(seed);
        assert!(agree(&history, seed));
        for _ in 0..3 {
            mutate::any(&mut history, &mut chance);
            let count = if agree(&history, seed) { &mut right } else { &mut wrong };
            *count += 1;
        }
    }
    assert!(right > 1_000 && wrong > 1_000, "{right} right, {wrong} wrong");
}
