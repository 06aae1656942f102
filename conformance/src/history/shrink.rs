//! The shortest part of a history that has no order.
//!
//! An operation is left out only if no kept one can have seen what it wrote: then an order of the whole would
//! be one of the part too, so that a part without an order proves that the whole has none.

use std::collections::{BTreeSet, HashMap};

use super::check::{Stuck, stuck};
use super::compile::{Act, Change, Names, Op};
use super::op::{Did, Start};
use super::part::Part;
use super::sights::Sight;
use super::verdict::Violation;
use super::{History, text};

/// How many operations are looked at first: so many of the last, and what they saw.
const WINDOWS: [usize; 4] = [30, 120, 500, 2_000];
/// The most operations of which every one is tried.
const MOST: usize = 4_000;
/// How many configurations a trial may hold.
const AT_ONCE: usize = 500;
/// How many operations and configurations all trials may go through together.
const WORK: usize = 400_000;

/// Looks for the shortest part around an operation that cannot be ordered, and puts it into words; also
/// whether a part was found that has no order whatever happened that nobody saw.
pub(super) fn explained(
    history: &History,
    ops: &[Op],
    names: &Names<'_>,
    stuck: &Stuck,
) -> (Violation, bool) {
    let mut shrink = Shrink { ops, spaces: names.spaces(), work: WORK };
    let before = |op: &Op| op.called <= stuck.returned;
    let prefix: Vec<usize> = ops.iter().enumerate().filter(|(_, op)| before(op)).map(|(at, _)| at).collect();
    let offender = ops.iter().position(|op| op.id == stuck.id).unwrap_or_default();
    let Some((kept, found)) = shrink.begin(&prefix, offender) else {
        return (text::violation(history, ops, names, &prefix, stuck), false);
    };
    let (kept, found) = shrink.reduce(kept, found);
    (text::violation(history, ops, names, &kept, &found), true)
}

#[derive(Debug)]
struct Shrink<'o> {
    ops: &'o [Op],
    spaces: usize,
    work: usize,
}

type Kept = BTreeSet<usize>;

impl Shrink<'_> {
    fn op(&self, at: usize) -> Option<&Op> {
        self.ops.get(at)
    }

    /// Returns where a part is stuck that has no order.
    fn fails(&mut self, kept: &Kept) -> Option<Stuck> {
        self.work = self.work.checked_sub(kept.len() + 1)?;
        let kept: Vec<usize> = kept.iter().copied().collect();
        let (stuck, made) = stuck(&Part::of(self.ops, &kept, self.spaces), AT_ONCE);
        self.work = self.work.saturating_sub(usize::try_from(made).unwrap_or(usize::MAX));
        stuck
    }

    /// Finds a first part: the last operations with what they saw, or all.
    fn begin(&mut self, prefix: &[usize], offender: usize) -> Option<(Kept, Stuck)> {
        for window in WINDOWS {
            let from = prefix.len().saturating_sub(window);
            let mut kept: Kept = prefix.get(from..).unwrap_or_default().iter().copied().collect();
            kept.insert(offender);
            if let Some(kept) = self.closed(kept, offender)
                && let Some(stuck) = self.fails(&kept)
            {
                return Some((kept, stuck));
            }
        }
        let all: Kept = prefix.iter().copied().collect();
        let whole: Kept = (0..self.ops.len()).collect();
        let all = self.fails(&all).map(|stuck| (all, stuck));
        all.or_else(|| self.fails(&whole).map(|stuck| (whole, stuck)))
    }

    /// Adds what the kept operations saw; none if that is too much.
    fn closed(&self, mut kept: Kept, offender: usize) -> Option<Kept> {
        let mut open: Vec<usize> = kept.iter().copied().collect();
        loop {
            while let Some(at) = open.pop() {
                let op = self.op(at)?;
                for (other, writer) in self.ops.iter().enumerate() {
                    let late = op.returned.is_some_and(|returned| writer.called > returned);
                    if !late && !kept.contains(&other) && op.sees(writer) {
                        kept.insert(other);
                        open.push(other);
                    }
                }
                if kept.len() > MOST {
                    return None;
                }
            }
            let between = self.between(&kept);
            if between.is_empty() {
                break;
            }
            kept.extend(&between);
            open.extend(between);
        }
        // A look can always be left out.
        let unsound = self.unsound(&kept);
        kept.retain(|at| *at == offender || !unsound.contains(at) || !self.looks(*at));
        self.unsound(&kept).is_empty().then_some(kept)
    }

    fn looks(&self, at: usize) -> bool {
        self.op(at).is_some_and(|op| op.only_looks() && op.changes().is_empty())
    }

    /// Returns the appends that are missing between those of a log that are kept.
    fn between(&self, kept: &Kept) -> Vec<usize> {
        let dropped = self.dropped();
        let ends = ends(kept.iter().filter_map(|at| self.op(*at)));
        let missing = |op: &Op| {
            op.told().any(|(change, did)| {
                let (Change::Append { space, log, .. }, Some(Did::Appended(number))) = (change, did) else {
                    return false;
                };
                ends.get(&(*space, *log))
                    .is_some_and(|(low, high)| dropped.contains(space) || (*low < number && number < *high))
            })
        };
        let all = self.ops.iter().enumerate().filter(|(at, op)| !kept.contains(at) && missing(op));
        all.map(|(at, _)| at).collect()
    }

    /// Returns the namespaces whose logs can have begun again.
    fn dropped(&self) -> BTreeSet<u32> {
        let changes = self.ops.iter().flat_map(Op::changes);
        changes.filter(|change| matches!(change, Change::Drop { .. })).map(Change::space).collect()
    }

    /// Returns the kept operations that would be wrong if a log began where the first kept entry is.
    fn unsound(&self, kept: &Kept) -> Kept {
        let dropped = self.dropped();
        let ends = ends(kept.iter().filter_map(|at| self.op(*at)));
        let bases: Vec<(u32, u32, u64)> = ends
            .into_iter()
            .filter(|(_, (low, _))| *low > 1)
            .map(|((s, l), (low, _))| (s, l, low - 1))
            .collect();
        let is_wrong = |op: &Op| {
            bases.iter().any(|&(space, log, base)| {
                (dropped.contains(&space) && op.changes().iter().any(|change| change.space() == space))
                    || op.sights.iter().any(|sight| sight.denies(space, log, base))
                    || matches!(&op.act, Act::Page { space: s, log: l, start, limit, entries }
                        if (*s, *l) == (space, log) && entries.is_empty() && *limit > 0
                            && match start { Start::From(from) => *from <= base, Start::Tail(n) => *n > 0 })
            })
        };
        kept.iter().copied().filter(|at| self.op(*at).is_some_and(is_wrong)).collect()
    }

    /// Leaves out operations, in smaller and smaller chunks, as long as no order comes about.
    fn reduce(&mut self, mut kept: Kept, mut found: Stuck) -> (Kept, Stuck) {
        let mut size = kept.len().div_ceil(2);
        if kept.len() > MOST {
            return (kept, found);
        }
        loop {
            let mut shrunk = false;
            let all: Vec<usize> = kept.iter().copied().collect();
            for chunk in all.chunks(size.max(1)) {
                let Some(fewer) = self.without(&kept, chunk) else { continue };
                if let Some(stuck) = self.fails(&fewer) {
                    (kept, found, shrunk) = (fewer, stuck, true);
                }
            }
            if self.work < kept.len() || (size <= 1 && !shrunk) {
                return (kept, found);
            }
            if !shrunk || size > 1 {
                size = size.div_ceil(2).min(size.saturating_sub(1)).max(1);
            }
        }
    }

    /// Returns what is kept without those of a chunk that no kept one saw; none if nothing can go.
    fn without(&self, kept: &Kept, chunk: &[usize]) -> Option<Kept> {
        let mut gone: Kept = chunk.iter().copied().filter(|at| kept.contains(at)).collect();
        let mut fewer: Kept = kept.difference(&gone).copied().collect();
        let mut fresh: Vec<usize> = fewer.iter().copied().collect();
        while let Some(at) = fresh.pop() {
            let Some(op) = self.op(at) else { continue };
            let seen: Vec<usize> = gone
                .iter()
                .copied()
                .filter(|at| self.op(*at).is_some_and(|writer| op.sees(writer)))
                .collect();
            for at in seen {
                gone.remove(&at);
                fewer.insert(at);
                fresh.push(at);
            }
        }
        let sound = !gone.is_empty()
            && self.between(&fewer).iter().all(|at| !gone.contains(at))
            && self.unsound(&fewer).is_empty();
        sound.then_some(fewer)
    }
}

/// Returns the lowest and the highest number of each log that appends were given or pages show.
fn ends<'o>(ops: impl Iterator<Item = &'o Op>) -> HashMap<(u32, u32), (u64, u64)> {
    let mut ends: HashMap<(u32, u32), (u64, u64)> = HashMap::new();
    let mut note = |space: u32, log: u32, number: u64| {
        let end = ends.entry((space, log)).or_insert((number, number));
        *end = (end.0.min(number), end.1.max(number));
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
    ends
}

impl Sight {
    /// Whether it cannot be true of a log that has entries up to a number.
    fn denies(&self, space: u32, log: u32, base: u64) -> bool {
        match self {
            Self::End { space: s, log: l, last } | Self::Before { space: s, log: l, last } => {
                (*s, *l) == (space, log) && *last < base
            }
            Self::Extents { space: s, logs } => {
                *s == space && !logs.iter().any(|held| held.0 == log && held.2 >= base)
            }
            Self::Holds { space: s, .. } => *s == space,
            _ => false,
        }
    }
}
