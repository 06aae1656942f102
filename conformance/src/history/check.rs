//! Whether a history is linearizable.

use std::collections::HashMap;

use super::History;
use super::compile::{Names, Op};
use super::op::{Call, Operation, Outcome};
use super::part::Part;
use super::search::{Bound, End, Search};
use super::shrink::explained;
use super::state::State;
use super::trie::Trie;
use super::verdict::{Verdict, Violation};

/// How many configurations a search may hold at one moment unless it is told.
const AT_ONCE: usize = 100_000;
/// How many times as many it may make in all.
const IN_ALL: u64 = 100;
/// How many times windows of unseen writes are widened for an operation before a proof is looked for that
/// nothing explains it.
const NEAR: u32 = 4;

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
        let group = Group { history, ops: &ops, names: &names };
        let (found, configurations) = group.decide(configurations);
        operations += ops.len() as u64;
        made += configurations;
        match found {
            Wrong::Nothing => {}
            Wrong::Violation(violation) => return Verdict::Violation(Box::new(violation)),
            Wrong::Unknown(why) => {
                return Verdict::Undecided { operations: ops.len() as u64, configurations: made, why };
            }
        }
    }
    Verdict::Linearizable { operations, partitions: groups.len() as u64, configurations: made }
}

/// What was found to be wrong.
#[derive(Debug)]
enum Wrong {
    Nothing,
    Violation(Violation),
    Unknown(String),
}

/// Operations that are ordered together, and what they stand for.
#[derive(Debug)]
struct Group<'h> {
    history: &'h History,
    ops: &'h [Op],
    names: &'h Names<'h>,
}

impl Group<'_> {
    /// Decides whether there is an order; also returns how many configurations were made for it.
    fn decide(&self, at_once: usize) -> (Wrong, u64) {
        let part = Part::new(self.ops.to_vec(), self.names.spaces());
        let mut search = Search::new(&part, bound(&part, at_once));
        let mut end = search.run(NEAR);
        let mut why = "too many orders are possible".to_owned();
        if let Some(stuck) = Stuck::of(&part, &search, &end)
            && !search.is_sure()
        {
            // That nothing unseen explains it is found sooner in a small part than in all.
            let (violation, proven) = explained(self.history, self.ops, self.names, &stuck);
            if proven {
                return (Wrong::Violation(violation), search.made());
            }
            why = format!("unless writes without an answer explain it: {}", violation.reason);
            end = search.run_on();
        }
        let found = match end {
            End::Ordered => Wrong::Nothing,
            End::Full => Wrong::Unknown(why),
            End::Stuck { .. } => Stuck::of(&part, &search, &end).map_or(Wrong::Nothing, |stuck| {
                Wrong::Violation(explained(self.history, self.ops, self.names, &stuck).0)
            }),
        };
        (found, search.made())
    }
}

fn bound(part: &Part, at_once: usize) -> Bound {
    let in_all = (at_once as u64).saturating_mul(IN_ALL).saturating_add(part.ops.len() as u64 * 4);
    Bound { at_once, in_all }
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

impl Stuck {
    /// Returns where a search has ended without an order.
    fn of(part: &Part, search: &Search<'_>, end: &End) -> Option<Self> {
        let End::Stuck { op, before } = end else { return None };
        let op = part.ops.get(*op)?;
        let returned = op.returned.unwrap_or(u64::MAX);
        Some(Self { id: op.id, returned, states: before.clone(), trie: search.trie().clone() })
    }
}

/// Searches a part to the end; returns where it is stuck if it surely has no order, and how many
/// configurations were made.
pub(super) fn stuck(part: &Part, at_once: usize) -> (Option<Stuck>, u64) {
    let mut search = Search::new(part, bound(part, at_once));
    let end = search.run_on();
    (Stuck::of(part, &search, &end), search.made())
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
    for ids in &mut groups {
        ids.sort_by_key(|id| operations.get(*id).map(|operation| (operation.called, *id)));
    }
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
