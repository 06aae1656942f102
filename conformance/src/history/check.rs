//! Whether a history is linearizable.

use std::collections::HashMap;

use super::History;
use super::compile::{Names, Op};
use super::op::{Call, Operation, Outcome};
use super::part::Part;
use super::search::{Bound, End, search};
use super::shrink::explained;
use super::state::State;
use super::trie::Trie;
use super::verdict::Verdict;

/// How many configurations a search may hold at one moment unless it is told.
const AT_ONCE: usize = 100_000;
/// How many times as many it may make in all.
const IN_ALL: u64 = 100;

/// Decides whether a history is linearizable.
///
/// Memory is bounded: a search that would have to hold more than a hundred thousand configurations at one
/// moment, or to make a hundred times as many, says that it is undecided.
pub fn check(history: &History) -> Verdict {
    check_within(history, AT_ONCE)
}

/// Decides whether a history is linearizable, with at most so many configurations at one moment.
pub fn check_within(history: &History, configurations: usize) -> Verdict {
    let groups = partitions(&history.operations);
    let (mut operations, mut made) = (0, 0);
    for ids in &groups {
        let mut names = Names::default();
        let compile = |id: &usize| names.compile(*id, history.operations.get(*id)?);
        let ops: Vec<Op> = ids.iter().filter_map(compile).collect();
        let count = ops.len() as u64;
        let decided = decide(Part::new(ops.clone(), names.spaces()), configurations);
        operations += count;
        made += decided.made;
        match decided.found {
            Found::Ordered => {}
            Found::Stuck(stuck) => {
                return Verdict::Violation(Box::new(explained(history, &ops, &names, &stuck).0));
            }
            Found::Full(suspect) => {
                return full(history, &ops, &names, suspect, (count, made));
            }
        }
    }
    Verdict::Linearizable { operations, partitions: groups.len() as u64, configurations: made }
}

/// A search that met its bound while some operation could be ordered only if unseen writes had happened can
/// still find a small part of it that no unseen write explains.
fn full(
    history: &History,
    ops: &[Op],
    names: &Names<'_>,
    suspect: Option<Stuck>,
    (operations, configurations): (u64, u64),
) -> Verdict {
    let mut why = "too many orders are possible".to_owned();
    if let Some(stuck) = suspect {
        let (violation, proven) = explained(history, ops, names, &stuck);
        if proven {
            return Verdict::Violation(Box::new(violation));
        }
        why = format!("unless writes without an answer explain it: {}", violation.reason);
    }
    Verdict::Undecided { operations, configurations, why }
}

/// An operation that cannot be ordered, and the states in which it was looked for.
#[derive(Debug)]
pub(super) struct Stuck {
    /// Where it stands in the history.
    pub(super) id: usize,
    pub(super) returned: u64,
    pub(super) states: Vec<State>,
    pub(super) trie: Trie,
}

#[derive(Debug)]
pub(super) enum Found {
    Ordered,
    Stuck(Stuck),
    /// Perhaps with what is stuck if nothing happened that nobody saw.
    Full(Option<Stuck>),
}

#[derive(Debug)]
pub(super) struct Decided {
    pub(super) found: Found,
    pub(super) made: u64,
}

/// How many more unseen operations are admitted at a time.
const ADMITTED: usize = 4;

/// Searches a part, first as if nothing had happened that nobody saw, then with what could explain the
/// operation that is stuck, then with all.
pub(super) fn decide(mut part: Part, at_once: usize) -> Decided {
    let (mut all_made, mut suspect) = (0, None);
    loop {
        let in_all = (at_once as u64).saturating_mul(IN_ALL).saturating_add(part.ops.len() as u64 * 4);
        let (end, made) = search(&part, Bound { at_once, in_all });
        all_made += made;
        let found = match end {
            End::Ordered => Found::Ordered,
            End::Full => Found::Full(suspect),
            End::Stuck { op: at, before, trie } => {
                let op = part.ops.get(at);
                let id = op.map_or(0, |op| op.id);
                let returned = op.and_then(|op| op.returned).unwrap_or(u64::MAX);
                let stuck = Stuck { id, returned, states: before, trie };
                if part.admit(at, ADMITTED) || part.admit_all() {
                    suspect = Some(stuck);
                    continue;
                }
                Found::Stuck(stuck)
            }
        };
        return Decided { found, made: all_made };
    }
}

/// Returns the operations by groups of namespaces that no operation joins, each in the order of the calls.
fn partitions(operations: &[Operation]) -> Vec<Vec<usize>> {
    let mut names: HashMap<&str, usize> = HashMap::new();
    let mut parents: Vec<usize> = Vec::new();
    let mut firsts: Vec<Option<usize>> = Vec::new();
    for operation in operations {
        let mut first = None;
        for name in namespaces(operation) {
            let at = *names.entry(name).or_insert_with(|| {
                parents.push(parents.len());
                parents.len() - 1
            });
            match first {
                None => first = Some(at),
                Some(first) => join(&mut parents, first, at),
            }
        }
        firsts.push(first);
    }
    let mut groups: HashMap<usize, Vec<usize>> = HashMap::new();
    for (id, first) in firsts.into_iter().enumerate() {
        if let Some(first) = first {
            groups.entry(root(&mut parents, first)).or_default().push(id);
        }
    }
    let mut groups: Vec<Vec<usize>> = groups.into_values().collect();
    groups.iter_mut().for_each(|ids| ids.sort_by_key(|id| operations.get(*id).map(|o| (o.called, *id))));
    groups.sort();
    groups
}

fn root(parents: &mut [usize], mut at: usize) -> usize {
    while let Some(&parent) = parents.get(at)
        && parent != at
    {
        let above = parents.get(parent).copied().unwrap_or(parent);
        if let Some(entry) = parents.get_mut(at) {
            *entry = above;
        }
        at = above;
    }
    at
}

fn join(parents: &mut [usize], a: usize, b: usize) {
    let (a, b) = (root(parents, a), root(parents, b));
    if let Some(parent) = parents.get_mut(a) {
        *parent = b;
    }
}

/// Returns the namespaces that an operation joins.
fn namespaces(operation: &Operation) -> Vec<&str> {
    match (&operation.call, &operation.outcome) {
        (_, Outcome::Refused(_)) => Vec::new(),
        (Call::Commit { .. }, Outcome::Conflict(found)) => vec![found.namespace()],
        (
            Call::Get { namespace, .. }
            | Call::Object { namespace }
            | Call::ReadLog { namespace, .. }
            | Call::Logs { namespace },
            _,
        ) => vec![namespace],
        (Call::Write(write), _) => vec![write.namespace()],
        (Call::Commit { checks, writes }, _) => {
            let checked = checks.iter().map(super::op::Check::namespace);
            checked.chain(writes.iter().map(super::op::Write::namespace)).collect()
        }
    }
}
