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
    /// At which of these each operation is called.
    calls: Vec<usize>,
    /// The operations that may have happened and that nobody was told of, by the time of their calls.
    pub(super) unseen: Vec<usize>,
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
        let mut part = Self {
            ops,
            moments: Vec::new(),
            calls: Vec::new(),
            unseen: Vec::new(),
            spaces,
            bases: Vec::new(),
        };
        part.learn();
        part.leave_out();
        let called = |at: &usize| part.ops.get(*at).map(|op| op.called);
        part.unseen =
            (0..part.ops.len()).filter(|at| part.ops.get(*at).is_some_and(|op| op.optional)).collect();
        part.unseen.sort_by_key(called);
        for (at, op) in part.ops.iter().enumerate() {
            part.moments.push(Moment { at: op.called, returns: false, op: at });
            part.moments.extend(op.returned.map(|returned| Moment { at: returned, returns: true, op: at }));
        }
        part.moments.sort_unstable();
        part.calls = vec![0; part.ops.len()];
        for (at, moment) in part.moments.iter().enumerate().filter(|(_, moment)| !moment.returns) {
            if let Some(call) = part.calls.get_mut(moment.op) {
                *call = at;
            }
        }
        part
    }

    /// Makes a part of some of the operations of a part; logs begin with what is left of them.
    pub(super) fn of(all: &[Op], kept: &[usize], spaces: usize) -> Self {
        let ops: Vec<Op> = kept.iter().filter_map(|at| all.get(*at)).cloned().collect();
        let bases = bases(&ops);
        Self { bases, ..Self::new(ops, spaces) }
    }

    /// Returns at which moment an operation is called.
    pub(super) fn called_at(&self, op: usize) -> Option<usize> {
        self.calls.get(op).copied()
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

    /// Leaves out what may not have happened and makes no difference to anybody who counts: those that
    /// happened, and those that one of them can have seen.
    fn leave_out(&mut self) {
        let mut unseen: HashMap<u32, Vec<usize>> = HashMap::new();
        for (at, op) in self.ops.iter().enumerate().filter(|(_, op)| op.optional) {
            let mut spaces: Vec<u32> = op.changes().iter().map(Change::space).collect();
            spaces.sort_unstable();
            spaces.dedup();
            for space in spaces {
                unseen.entry(space).or_default().push(at);
            }
        }
        let mut counts: Vec<bool> = self.ops.iter().map(|op| !op.optional).collect();
        let mut open: Vec<usize> = (0..self.ops.len()).filter(|at| counts.get(*at) == Some(&true)).collect();
        while let Some(at) = open.pop() {
            let Some(op) = self.ops.get(at) else { continue };
            for (space, _) in &op.touches {
                for writer in unseen.get(space).into_iter().flatten() {
                    let can_see = |writer: &Op| {
                        op.returned.is_none_or(|returned| returned >= writer.called)
                            && op.id != writer.id
                            && op.sees(writer)
                    };
                    if let (Some(counts @ false), Some(write)) =
                        (counts.get_mut(*writer), self.ops.get(*writer))
                        && can_see(write)
                    {
                        *counts = true;
                        open.push(*writer);
                    }
                }
            }
        }
        let mut counts = counts.into_iter();
        self.ops.retain(|_| counts.next() == Some(true));
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
            for entry in entries {
                note(*space, *log, entry.0);
            }
        }
    }
    let begun = lowest.into_iter().filter(|(_, low)| *low > 1);
    begun.map(|((space, log), low)| (space, log, low - 1)).collect()
}
