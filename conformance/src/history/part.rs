//! A part of a history that is searched by itself: operations, what is known of them from others, and the
//! moments at which something begins or ends.

use std::collections::HashMap;

use super::compile::{Act, Change, Op};
use super::op::Did;
use super::sights::Sight;
use super::state::{Log, Space, State};
use super::trie::Trie;

/// Operations that are ordered together.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) ops: Vec<Op>,
    /// Calls and returns in the order of time; of those at one time the calls first.
    pub(super) moments: Vec<Moment>,
    /// Which operations the search considers of those that may have happened and nobody saw.
    admitted: Vec<bool>,
    spaces: usize,
    /// Logs that begin later: namespace, log and the last number before.
    bases: Vec<(u32, u32, u64)>,
}

/// Something that happens to an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment {
    at: u64,
    pub(super) returns: bool,
    pub(super) op: usize,
}

impl Part {
    /// Makes a part of operations.
    pub(super) fn new(ops: Vec<Op>, spaces: usize) -> Self {
        let mut part = Self { ops, moments: Vec::new(), admitted: Vec::new(), spaces, bases: Vec::new() };
        part.learn();
        part.leave_out();
        part.admitted = part.ops.iter().map(|op| !op.optional).collect();
        for (at, op) in part.ops.iter().enumerate() {
            part.moments.push(Moment { at: op.called, returns: false, op: at });
            part.moments.extend(op.returned.map(|returned| Moment { at: returned, returns: true, op: at }));
        }
        part.moments.sort_unstable();
        part
    }

    /// Makes a part of some of the operations of a part; logs begin with what is left of them.
    pub(super) fn of(all: &[Op], kept: &[usize], spaces: usize) -> Self {
        let ops: Vec<Op> = kept.iter().filter_map(|at| all.get(*at)).cloned().collect();
        let bases = bases(&ops);
        Self { bases, ..Self::new(ops, spaces) }
    }

    /// Whether the search considers an operation.
    pub(super) fn considers(&self, at: usize) -> bool {
        self.admitted.get(at) == Some(&true)
    }

    /// Considers some more operations, the latest first, that one can have seen; whether there were any.
    pub(super) fn admit(&mut self, stuck: usize, most: usize) -> bool {
        let Some(op) = self.ops.get(stuck) else { return false };
        let end = op.returned.unwrap_or(u64::MAX);
        let unseen = (0..self.ops.len()).rev().filter(|at| !self.considers(*at));
        let fits = |at: &usize| self.ops.get(*at).is_some_and(|w| w.called <= end && op.sees(w));
        let more: Vec<usize> = unseen.filter(fits).take(most).collect();
        for at in &more {
            if let Some(admitted) = self.admitted.get_mut(*at) {
                *admitted = true;
            }
        }
        !more.is_empty()
    }

    /// Considers all operations; whether some were not.
    pub(super) fn admit_all(&mut self) -> bool {
        let some = self.admitted.contains(&false);
        self.admitted.fill(true);
        some
    }

    /// Returns the state before the first operation.
    pub(super) fn beginning(&self, trie: &mut Trie) -> State {
        let mut spaces = vec![Space::default(); self.spaces];
        for (space, log, last) in &self.bases {
            if let Some(space) = spaces.get_mut(*space as usize) {
                space.set_log(Log { name: *log, first: 1, content: trie.base(*last) });
            }
        }
        State::new(spaces)
    }

    /// Learns of operations with unknown outcome what others saw of them: that they happened, and their
    /// revisions. What one alone writes nobody else can have written.
    fn learn(&mut self) {
        let mut writers: HashMap<Wrote, Option<usize>> = HashMap::new();
        for (at, op) in self.ops.iter().enumerate() {
            for wrote in op.changes().iter().flat_map(Wrote::all) {
                writers.entry(wrote).and_modify(|writer| *writer = None).or_insert(Some(at));
            }
        }
        let mut learned = Vec::new();
        for sight in self.ops.iter().filter(|op| !op.optional).flat_map(|op| &op.sights) {
            match sight {
                Sight::Entry { space, key, value, revision } => {
                    let wrote = Wrote::Key(*space, *key, *value);
                    learned.push((writers.get(&wrote).copied().flatten(), Some((*space, *revision))));
                }
                Sight::Page { space, log, entries } => {
                    let writer = |value| writers.get(&Wrote::Log(*space, *log, value)).copied().flatten();
                    learned.extend(entries.iter().map(|entry| (writer(entry.1), None)));
                }
                _ => {}
            }
        }
        for (writer, given) in learned {
            let Some(op) = writer.and_then(|at| self.ops.get_mut(at)) else { continue };
            if op.returned.is_none() {
                op.optional = false;
                let given = given.filter(|given| op.revision(given.0).is_none());
                op.given.extend(given);
            }
        }
    }

    /// Leaves out what may not have happened and makes no difference to anybody.
    fn leave_out(&mut self) {
        let changers: Vec<&Op> = self.ops.iter().filter(|op| op.optional).collect();
        if changers.is_empty() {
            return;
        }
        let mut seen = vec![false; self.ops.len()];
        let mut grew = true;
        while grew {
            grew = false;
            for at in 0..self.ops.len() {
                let Some(op) = self.ops.get(at).filter(|op| op.optional) else { continue };
                if seen.get(at) == Some(&false) && self.is_seen(op, &seen) {
                    grew = true;
                    if let Some(seen) = seen.get_mut(at) {
                        *seen = true;
                    }
                }
            }
        }
        let mut at = 0;
        self.ops.retain(|op| {
            at += 1;
            !op.optional || seen.get(at - 1) == Some(&true)
        });
    }

    /// Whether anybody who counts can have seen an operation.
    fn is_seen(&self, writer: &Op, counts: &[bool]) -> bool {
        self.ops.iter().zip(counts).any(|(op, counts)| {
            (!op.optional || *counts)
                && op.returned.is_none_or(|returned| returned >= writer.called)
                && op.id != writer.id
                && op.sees(writer)
        })
    }
}

/// Something that was written somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Wrote {
    Key(u32, u32, u32),
    Log(u32, u32, u32),
}

impl Wrote {
    fn all(change: &Change) -> Vec<Self> {
        match change {
            Change::Put { space, key, value } => vec![Self::Key(*space, *key, *value)],
            Change::Replace { space, object } => {
                object.iter().map(|(key, value)| Self::Key(*space, *key, *value)).collect()
            }
            Change::Append { space, log, value } => vec![Self::Log(*space, *log, *value)],
            _ => Vec::new(),
        }
    }
}

/// Returns where logs begin of which the first entries were left out.
fn bases(ops: &[Op]) -> Vec<(u32, u32, u64)> {
    let mut lowest: HashMap<(u32, u32), u64> = HashMap::new();
    let mut note = |space: u32, log: u32, number: u64| {
        lowest.entry((space, log)).and_modify(|low| *low = number.min(*low)).or_insert(number);
    };
    for op in ops {
        for (change, did) in op.told() {
            if let (Change::Append { space, log, .. }, Some(Did::Appended(number))) = (change, did) {
                note(*space, *log, number);
            }
        }
        if let Act::Page { space, log, entries, .. } = &op.act {
            entries.iter().for_each(|entry| note(*space, *log, entry.0));
        }
    }
    let begun = lowest.into_iter().filter(|(_, low)| *low > 1);
    begun.map(|((space, log), low)| (space, log, low - 1)).collect()
}
