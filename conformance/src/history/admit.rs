//! Which unseen writes a search considers, and between which moments.
//!
//! A write that nobody was told of may have happened at any time after its call, or never. To consider every
//! one at every moment would double the configurations with each. So a search first takes none to have
//! happened; where an answer cannot be, those that it can have seen are considered in a window that ends
//! there, and if that does not help, more of them in wider ones. What is ordered within windows is ordered;
//! that something has no order is known only once every write is considered from its call on.

use std::collections::BTreeMap;
use std::ops::Range;

use super::compile::Op;
use super::part::Part;

/// How many moments the first window has for each write that may be brought in; those are 4, 16, 64, …
const NARROWEST: usize = 32;
/// From which step on writes are considered again that have to do with another namespace.
const ANYWHERE: u32 = 3;

/// The windows of the unseen writes of a part.
#[derive(Debug)]
pub(super) struct Windows {
    /// By operation, disjoint.
    of: BTreeMap<usize, Vec<Range<usize>>>,
    /// The operations whose windows begin or end at a moment.
    changes: BTreeMap<usize, Vec<usize>>,
    /// The last moment at which an operation was stuck, and how often windows were widened for it.
    last: Option<usize>,
    step: u32,
    all: bool,
}

impl Windows {
    /// Begins without any.
    pub(super) fn new() -> Self {
        Self { of: BTreeMap::new(), changes: BTreeMap::new(), last: None, step: 0, all: false }
    }

    /// Considers every write from its call on.
    pub(super) fn open_all(&mut self) {
        *self = Self { all: true, ..Self::new() };
    }

    /// Whether every write is considered from its call on.
    pub(super) fn are_all(&self) -> bool {
        self.all
    }

    /// Whether a write is considered at a moment.
    pub(super) fn hold(&self, op: usize, moment: usize) -> bool {
        self.all || self.of.get(&op).is_some_and(|own| own.iter().any(|window| window.contains(&moment)))
    }

    /// Returns the operations whose windows begin or end at a moment.
    pub(super) fn changed(&self, moment: usize) -> Vec<usize> {
        self.changes.get(&moment).cloned().unwrap_or_default()
    }

    /// Widens windows for the operations that are pending where one is stuck, at most so many times for one moment;
    /// returns the first moment that this concerns, or none if nothing was left to widen.
    pub(super) fn widen(&mut self, part: &Part, lookers: &[&Op], moment: usize, most: u32) -> Option<usize> {
        if self.last == Some(moment) {
            self.step += 1;
        } else {
            (self.last, self.step) = (Some(moment), 0);
        }
        while !self.all && self.step < most {
            let reach = NARROWEST.saturating_mul(self.most());
            let window = moment.saturating_sub(reach)..moment + 1;
            let first =
                self.chosen(part, lookers, &window).into_iter().filter_map(|at| self.open(at, &window));
            if let Some(first) = first.min() {
                self.note_changes();
                return Some(first);
            }
            if window.start == 0 && self.most() >= part.unseen.len() {
                return None;
            }
            self.step += 1;
        }
        None
    }

    /// Returns the writes to consider in a window: those that one of the operations can have seen, the latest
    /// first, and those that are considered in a part of the window already.
    fn chosen(&self, part: &Part, lookers: &[&Op], window: &Range<usize>) -> Vec<usize> {
        let is_called = |at: &usize| part.called_at(*at).is_some_and(|called| called < window.end);
        let writes = part.unseen.iter().rev().copied().filter(is_called);
        let writes: Vec<(usize, &Op)> = writes.filter_map(|at| Some((at, part.ops.get(at)?))).collect();
        let first = if self.step == 0 { 1 } else { lookers.len() };
        let seen = lookers.iter().take(first).flat_map(|op| {
            let seen = writes.iter().filter(|(_, write)| op.sees(write));
            seen.map(|(at, _)| *at).take(self.most())
        });
        let is_near =
            |at: usize| part.ops.get(at).is_some_and(|write| lookers.iter().any(|op| write.is_near(op)));
        let open = self.of.iter().filter(|(_, own)| own.iter().any(|own| own.end > window.start));
        let open = open.map(|(at, _)| *at);
        let joined = open.filter(|at| self.step >= ANYWHERE || (self.step > 0 && is_near(*at)));
        seen.chain(joined).collect()
    }

    /// How many writes an operation may bring in.
    fn most(&self) -> usize {
        1_usize.checked_shl(2 * (self.step + 1)).unwrap_or(usize::MAX)
    }

    /// Adds a window of a write; returns where it begins with those that it meets, none if it was there.
    fn open(&mut self, at: usize, window: &Range<usize>) -> Option<usize> {
        let own = self.of.entry(at).or_default();
        if own.iter().any(|own| own.start <= window.start && window.end <= own.end) {
            return None;
        }
        let mut joined = window.clone();
        own.retain(|own| {
            let apart = own.end < joined.start || joined.end < own.start;
            if !apart {
                joined = joined.start.min(own.start)..joined.end.max(own.end);
            }
            apart
        });
        own.push(joined.clone());
        Some(joined.start)
    }

    fn note_changes(&mut self) {
        self.changes.clear();
        for (op, own) in &self.of {
            for moment in own.iter().flat_map(|window| [window.start, window.end]) {
                self.changes.entry(moment).or_default().push(*op);
            }
        }
    }
}

impl Op {
    /// Whether two operations look at or change something of one namespace.
    fn is_near(&self, other: &Self) -> bool {
        self.touches.iter().any(|own| other.touches.iter().any(|its| own.0 == its.0))
    }
}
