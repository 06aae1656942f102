//! The search for an order: Wing and Gong's, with Lowe's memory of configurations, just in time.
//!
//! It walks through the moments of a part and keeps every configuration that can have come about: the state,
//! and which of the pending operations have taken effect. Only when an operation returns must it have taken
//! effect, so only then is a configuration taken further, and only by operations that the returning one can
//! depend on.
//!
//! - **A look** that fits the state takes effect at once: it changes nothing, so nothing is lost by it.
//! - **Revisions that were told** order the writes of a namespace.
//! - **Of two configurations** that differ in operations which may never happen, the one with fewer suffices.

use std::collections::{HashMap, HashSet};

use super::admit::Windows;
use super::apply::{Applied, apply};
use super::compile::{Act, Op, Test};
use super::part::Part;
use super::revisions::Rev;
use super::state::State;
use super::trie::Trie;

/// How many operations can be pending at once.
const SLOTS: usize = 512;
const WORDS: usize = SLOTS / 64;
/// At every how many moments it is saved where a search stands, if it has at most so many configurations.
const SAVED_EVERY: usize = 32;
const SAVED_SIZE: usize = 256;

/// What a search may use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound {
    /// Configurations at one moment.
    pub(super) at_once: usize,
    /// Configurations in all.
    pub(super) in_all: u64,
}

/// How a search ended.
#[derive(Debug)]
pub(super) enum End {
    /// There is an order.
    Ordered,
    /// There is none: this operation cannot have taken effect by its return.
    Stuck { op: usize, before: Vec<State> },
    /// A bound was met.
    Full,
}

/// A set of slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
struct Slots([u64; WORDS]);

impl Slots {
    fn has(&self, slot: usize) -> bool {
        self.0.get(slot / 64).is_some_and(|word| word >> (slot % 64) & 1 == 1)
    }

    fn set(&mut self, slot: usize, on: bool) {
        if let Some(word) = self.0.get_mut(slot / 64) {
            *word = if on { *word | 1 << (slot % 64) } else { *word & !(1 << (slot % 64)) };
        }
    }

    fn map(self, other: &Self, join: impl Fn(u64, u64) -> u64) -> Self {
        let mut words = self.0;
        words.iter_mut().zip(other.0).for_each(|(word, other)| *word = join(*word, other));
        Self(words)
    }

    fn is_within(&self, other: &Self) -> bool {
        self.0.iter().zip(other.0).all(|(word, other)| word & !other == 0)
    }
}

/// One way in which it can have gone so far.
#[derive(Debug, Clone)]
struct Config {
    state: State,
    done: Slots,
}

/// Configurations of which none is as good as another one.
#[derive(Debug, Default)]
struct Seen {
    by_state: HashMap<(State, Slots), Vec<Slots>>,
    count: usize,
}

impl Seen {
    /// Takes one in; whether none was there that is as good.
    fn insert(&mut self, config: &Config, unseen: &Slots) -> bool {
        let certain = config.done.map(unseen, |done, unseen| done & !unseen);
        let chosen = config.done.map(unseen, |done, unseen| done & unseen);
        let known = self.by_state.entry((config.state.clone(), certain)).or_default();
        if known.iter().any(|slots| slots.is_within(&chosen)) {
            return false;
        }
        let before = known.len();
        known.retain(|slots| !chosen.is_within(slots));
        known.push(chosen);
        self.count = self.count + known.len() - before;
        true
    }

    fn into_configs(self) -> Vec<Config> {
        let configs = self.by_state.into_iter().flat_map(|((state, certain), chosen)| {
            chosen
                .into_iter()
                .map(move |slots| Config { state: state.clone(), done: certain.map(&slots, |a, b| a | b) })
        });
        configs.collect()
    }
}

/// How far a search has come.
#[derive(Debug, Clone)]
struct Walk {
    /// The next moment.
    moment: usize,
    /// The operations that were called and have not returned, each with its slot.
    pending: Vec<(usize, usize)>,
    /// Unseen writes that are not considered at present, but have taken effect in some configurations.
    resting: Vec<(usize, usize)>,
    /// Unseen writes that have taken effect in all.
    spent: Vec<usize>,
    free: Vec<usize>,
    /// The slots of operations that may never happen.
    unseen: Slots,
    configs: Vec<Config>,
}

/// A search through one part.
#[derive(Debug)]
pub(super) struct Search<'p> {
    part: &'p Part,
    bound: Bound,
    windows: Windows,
    trie: Trie,
    walk: Walk,
    /// Where the search can begin again, the earliest first.
    saved: Vec<Walk>,
    made: u64,
}

impl<'p> Search<'p> {
    /// Begins a search.
    pub(super) fn new(part: &'p Part, bound: Bound) -> Self {
        let mut trie = Trie::new();
        let first = Config { state: part.beginning(&mut trie), done: Slots::default() };
        let walk = Walk {
            moment: 0,
            pending: Vec::new(),
            resting: Vec::new(),
            spent: Vec::new(),
            free: (0..SLOTS).rev().collect(),
            unseen: Slots::default(),
            configs: vec![first],
        };
        let saved = vec![walk.clone()];
        Self { part, bound, windows: Windows::new(), trie, walk, saved, made: 1 }
    }

    /// Returns the contents of the logs that it came across.
    pub(super) fn trie(&self) -> &Trie {
        &self.trie
    }

    /// Returns how many configurations it has made.
    pub(super) fn made(&self) -> u64 {
        self.made
    }

    /// Searches on, or again, and widens the windows of unseen writes where an operation is stuck, at most so
    /// many times for one.
    pub(super) fn run(&mut self, most: u32) -> End {
        loop {
            let end = self.walk();
            let End::Stuck { op, .. } = end else { return end };
            match self.windows.widen(self.part, &self.lookers(op), self.walk.moment, most) {
                Some(first) => self.go_back(first),
                None => return end,
            }
        }
    }

    /// Returns an operation that is stuck, and the others that are pending: it can be stuck because one of
    /// these, which revisions say came first, cannot have been answered as it was.
    fn lookers(&self, stuck: usize) -> Vec<&'p Op> {
        let part = self.part;
        let others = self.walk.pending.iter().map(|pending| pending.1).filter(|at| *at != stuck);
        let ops = std::iter::once(stuck).chain(others).filter_map(|at| part.ops.get(at));
        ops.filter(|op| !op.optional).collect()
    }

    /// Searches until it is known whether there is an order: if windows do not help, with every unseen write
    /// from its call on.
    pub(super) fn run_on(&mut self) -> End {
        let end = self.run(u32::MAX);
        if self.is_sure() || !matches!(end, End::Stuck { .. }) {
            return end;
        }
        self.windows.open_all();
        self.go_back(0);
        self.walk()
    }

    /// Whether an end without an order is one for sure.
    pub(super) fn is_sure(&self) -> bool {
        self.part.unseen.is_empty() || self.windows.are_all()
    }

    /// Returns to the last point before a moment where the search can begin again.
    fn go_back(&mut self, moment: usize) {
        while self.saved.len() > 1 && self.saved.last().is_some_and(|saved| saved.moment > moment) {
            self.saved.pop();
        }
        if let Some(saved) = self.saved.last() {
            self.walk = saved.clone();
        }
    }

    /// Goes through the moments from where it stands.
    fn walk(&mut self) -> End {
        let part = self.part;
        while let Some(moment) = part.moments.get(self.walk.moment) {
            self.save();
            let goes_on = self.turn() && (moment.returns || self.call(moment.op));
            if !goes_on {
                return End::Full;
            }
            if moment.returns {
                let Some(next) = self.complete(moment.op) else { return End::Full };
                if next.is_empty() {
                    let before = self.walk.configs.iter().map(|config| config.state.clone()).collect();
                    return End::Stuck { op: moment.op, before };
                }
                self.walk.configs = next;
                self.forget(moment.op);
            }
            self.walk.moment += 1;
        }
        End::Ordered
    }

    /// Saves where it stands now and then, if that is small.
    fn save(&mut self) {
        let last = self.saved.last().map_or(0, |saved| saved.moment);
        if !self.part.unseen.is_empty()
            && self.walk.moment >= last + SAVED_EVERY
            && self.walk.configs.len() <= SAVED_SIZE
        {
            self.saved.push(self.walk.clone());
        }
    }

    /// Takes in the unseen writes whose windows begin at this moment, and lets those rest whose windows end;
    /// whether there is room.
    fn turn(&mut self) -> bool {
        let now = self.walk.moment;
        for at in self.windows.changed(now) {
            let is_pending = self.walk.pending.iter().any(|pending| pending.1 == at);
            let was_called = self.part.called_at(at).is_some_and(|called| called < now);
            match (is_pending, self.windows.hold(at, now)) {
                (false, true) if was_called && !self.call(at) => {
                    return false;
                }
                (true, false) => {
                    let at_rest = self.walk.pending.extract_if(.., |pending| pending.1 == at);
                    self.walk.resting.extend(at_rest);
                }
                _ => {}
            }
        }
        true
    }

    /// Takes an operation in; whether there is room.
    fn call(&mut self, at: usize) -> bool {
        let Some(op) = self.part.ops.get(at) else { return true };
        if op.optional && (!self.windows.hold(at, self.walk.moment) || self.walk.spent.contains(&at)) {
            return true;
        }
        if let Some(place) = self.walk.resting.iter().position(|resting| resting.1 == at) {
            let awake = self.walk.resting.swap_remove(place);
            self.walk.pending.push(awake);
            return true;
        }
        let Some(slot) = self.walk.free.pop() else { return false };
        self.walk.pending.push((slot, at));
        if op.optional {
            self.walk.unseen.set(slot, true);
        }
        true
    }

    /// Lets go of an operation that has returned, and of those without an end that have surely happened.
    fn forget(&mut self, at: usize) {
        let Walk { pending, resting, spent, free, unseen, configs, .. } = &mut self.walk;
        let mut all: Option<Slots> = None;
        let mut some = Slots::default();
        for config in &*configs {
            all = Some(all.map_or(config.done, |all| all.map(&config.done, |a, b| a & b)));
            some = some.map(&config.done, |a, b| a | b);
        }
        let all = all.unwrap_or_default();
        let part = self.part;
        let op = |at: usize| part.ops.get(at);
        let is_over = |&mut (slot, other): &mut (usize, usize)| {
            other == at || (all.has(slot) && op(other).is_some_and(|op| op.returned.is_none()))
        };
        let mut gone: Vec<(usize, usize)> = pending.extract_if(.., is_over).collect();
        gone.extend(resting.extract_if(.., |(slot, _)| all.has(*slot) || !some.has(*slot)));
        for (slot, at) in gone {
            if op(at).is_some_and(|op| op.optional) && all.has(slot) {
                spent.push(at);
            }
            for config in &mut *configs {
                config.done.set(slot, false);
            }
            unseen.set(slot, false);
            free.push(slot);
        }
    }

    /// Takes every configuration as far as an operation has taken effect; none if there are too many.
    fn complete(&mut self, at: usize) -> Option<Vec<Config>> {
        let slot = self.walk.pending.iter().find(|pending| pending.1 == at).map(|pending| pending.0)?;
        if self.walk.configs.iter().all(|config| config.done.has(slot)) {
            return Some(std::mem::take(&mut self.walk.configs));
        }
        let (mut seen, mut reached) = (Seen::default(), Seen::default());
        let mut open: Vec<Config> = self.walk.configs.clone();
        while let Some(mut config) = open.pop() {
            if !config.done.has(slot) {
                self.look(&mut config);
            }
            if config.done.has(slot) {
                reached.insert(&config, &self.walk.unseen);
            } else if seen.insert(&config, &self.walk.unseen) {
                self.expand(&config, slot, at, &mut open);
            }
            if seen.count + reached.count + open.len() > self.bound.at_once || self.made > self.bound.in_all {
                return None;
            }
        }
        Some(reached.into_configs())
    }

    /// Lets all looks take effect that fit the state.
    fn look(&mut self, config: &mut Config) {
        for (slot, at) in &self.walk.pending {
            let Some(op) = self.part.ops.get(*at) else { continue };
            if !config.done.has(*slot)
                && op.only_looks()
                && matches!(apply(op, &config.state, &mut self.trie), Applied::Same)
            {
                config.done.set(*slot, true);
            }
        }
    }

    /// Takes a configuration one step further, in each way that the returning operation can depend on.
    fn expand(&mut self, config: &Config, slot: usize, at: usize, open: &mut Vec<Config>) {
        for (slot, op) in self.candidates(config, slot, at) {
            if self.is_early(config, op) {
                continue;
            }
            let state = match apply(op, &config.state, &mut self.trie) {
                Applied::No => continue,
                Applied::Same => config.state.clone(),
                Applied::Changed(state) => state,
            };
            let mut next = Config { state, ..config.clone() };
            next.done.set(slot, true);
            self.made += 1;
            if !self.is_hopeless(&next) {
                open.push(next);
            }
        }
    }

    /// Returns the pending operations that can have come before one and made a difference to it, and itself.
    fn candidates(&self, config: &Config, slot: usize, at: usize) -> Vec<(usize, &'p Op)> {
        let Some(op) = self.part.ops.get(at) else { return Vec::new() };
        let mut rest: Vec<(usize, &Op)> = self.waiting(config).filter(|(other, _)| *other != slot).collect();
        let mut chosen = vec![(slot, op)];
        let mut from = 0;
        while let Some(&(_, later)) = chosen.get(from) {
            from += 1;
            let (joins, stays) = rest.into_iter().partition(|(_, op)| op.meets(later) && !op.is_after(later));
            rest = stays;
            let joins: Vec<(usize, &Op)> = joins;
            chosen.extend(joins);
        }
        chosen
    }

    /// Returns the pending operations that have not taken effect in a configuration.
    fn waiting(&self, config: &Config) -> impl Iterator<Item = (usize, &'p Op)> {
        let part = self.part;
        let open = self.walk.pending.iter().filter(|(slot, _)| !config.done.has(*slot));
        open.filter_map(|(slot, at)| Some((*slot, part.ops.get(*at)?)))
    }

    /// Whether revisions say that another operation has to come first.
    fn is_early(&self, config: &Config, op: &Op) -> bool {
        !op.given.is_empty() && self.waiting(config).any(|(_, other)| !other.optional && op.is_after(other))
    }

    /// Whether an operation is left behind that can never take effect any more.
    fn is_hopeless(&self, config: &Config) -> bool {
        self.waiting(config).any(|(_, op)| !op.optional && is_too_late(op, &config.state))
    }
}

/// Whether an operation cannot take effect any more because of a revision that it was given or has seen.
fn is_too_late(op: &Op, state: &State) -> bool {
    let least = |space: u32| state.space(space).map_or(0, |space| space.revisions.least());
    let key_is_past = |space: u32, key: u32, number: u64| {
        let held = state.space(space).and_then(|space| space.key(key));
        number <= least(space) && !held.is_some_and(|held| may_be(held.1, number))
    };
    let object_is_past = |space: u32, number: u64| {
        let current = state.space(space).map(|space| space.revisions.current());
        number <= least(space) && !current.is_some_and(|current| may_be(current, number))
    };
    match &op.act {
        Act::Get { space, key, found: Some((_, number)) }
        | Act::Conflict(Test::Key { space, key, revision: Some(number) }) => {
            key_is_past(*space, *key, *number)
        }
        Act::Object { space, revision, .. } | Act::Conflict(Test::Object { space, revision }) => {
            object_is_past(*space, *revision)
        }
        Act::Commit { .. } => op.given.iter().any(|(space, number)| *number <= least(*space)),
        _ => false,
    }
}

fn may_be(rev: Rev, number: u64) -> bool {
    match rev {
        Rev::Known(known) => known == number,
        Rev::Hidden { above, place } => number >= above.saturating_add(u64::from(place)),
    }
}

/// Returns the states in which operations were looked for, each once.
pub(super) fn distinct(states: Vec<State>) -> Vec<State> {
    let mut seen = HashSet::new();
    states.into_iter().filter(|state| seen.insert(state.clone())).collect()
}
