//! The contract as a function: what an operation makes of a state, if it can have been answered as it was.

use super::compile::{Act, Change, Op, Test};
use super::op::{Did, Start};
use super::revisions::Rev;
use super::state::{Log, Space, State};
use super::trie::Trie;

/// What an operation makes of a state.
#[derive(Debug)]
pub(super) enum Applied {
    /// It would have been answered otherwise.
    No,
    /// It leaves the state as it is.
    Same,
    /// It changes the state, or tells something of it that was not known.
    Changed(State),
}

/// Lets an operation take effect.
pub(super) fn apply(op: &Op, state: &State, trie: &mut Trie) -> Applied {
    let mut edit = Edit { state, changed: Vec::new(), raised: Vec::new() };
    if edit.act(op, trie).is_none() {
        return Applied::No;
    }
    if edit.changed.is_empty() { Applied::Same } else { Applied::Changed(state.with(edit.changed)) }
}

/// A state that is copied where it changes.
#[derive(Debug)]
struct Edit<'s> {
    state: &'s State,
    changed: Vec<(u32, Space)>,
    /// The revisions that this batch has given.
    raised: Vec<(u32, Rev)>,
}

/// Nothing if the operation does not fit.
type Fits<T = ()> = Option<T>;

fn fits(holds: bool) -> Fits {
    holds.then_some(())
}

impl Edit<'_> {
    fn space(&self, at: u32) -> Fits<&Space> {
        let changed = self.changed.iter().find(|changed| changed.0 == at).map(|changed| &changed.1);
        changed.or_else(|| self.state.space(at))
    }

    fn edit(&mut self, at: u32) -> Fits<&mut Space> {
        if !self.changed.iter().any(|changed| changed.0 == at) {
            self.changed.push((at, self.state.space(at)?.clone()));
        }
        self.changed.iter_mut().find(|changed| changed.0 == at).map(|changed| &mut changed.1)
    }

    /// Takes in that a revision of a namespace is a number.
    fn see(&mut self, space: u32, rev: Rev, number: u64) -> Fits {
        match rev {
            Rev::Known(known) => fits(known == number),
            Rev::Hidden { .. } => fits(self.edit(space)?.see(rev, number)),
        }
    }

    fn see_key(&mut self, space: u32, key: u32, found: Option<(Option<u32>, u64)>) -> Fits {
        match (self.space(space)?.key(key), found) {
            (None, None) => Some(()),
            (Some((held, rev)), Some((value, number))) => {
                fits(value.is_none_or(|value| value == held))?;
                self.see(space, rev, number)
            }
            _ => None,
        }
    }

    fn see_object(&mut self, space: u32, revision: u64, entries: &[(u32, u32, u64)]) -> Fits {
        let held = &self.space(space)?.keys;
        let same = |(held, seen): (&(u32, u32, Rev), &(u32, u32, u64))| (held.0, held.1) == (seen.0, seen.1);
        fits(held.len() == entries.len() && held.iter().zip(entries).all(same))?;
        self.see(space, self.space(space)?.revisions.current(), revision)?;
        entries
            .iter()
            .try_for_each(|(key, value, number)| self.see_key(space, *key, Some((Some(*value), *number))))
    }

    fn test(&mut self, test: &Test, trie: &Trie) -> Fits {
        match test {
            Test::Key { space, key, revision } => {
                self.see_key(*space, *key, revision.map(|revision| (None, revision)))
            }
            Test::Object { space, revision } => {
                self.see(*space, self.space(*space)?.revisions.current(), *revision)
            }
            Test::Log { space, log, last } => {
                let held = self.space(*space)?.log(*log);
                fits(held.map_or(0, |held| trie.last(held.content)) == *last)
            }
        }
    }

    fn act(&mut self, op: &Op, trie: &mut Trie) -> Fits {
        match &op.act {
            Act::Never => None,
            Act::Get { space, key, found } => {
                self.see_key(*space, *key, found.map(|(value, rev)| (Some(value), rev)))
            }
            Act::Object { space, revision, entries } => self.see_object(*space, *revision, entries),
            Act::Page { space, log, start, limit, entries } => {
                let held = self.space(*space)?.log(*log);
                fits(is_page(held, (*start, *limit), entries, trie))
            }
            Act::Logs { space, logs } => {
                let held = &self.space(*space)?.logs;
                let same = |(held, seen): (&Log, &(u32, u64, u64))| {
                    (held.name, held.first, trie.last(held.content)) == *seen
                };
                fits(held.len() == logs.len() && held.iter().zip(logs).all(same))
            }
            Act::Conflict(found) => self.test(found, trie),
            Act::Commit { checks, .. } => {
                checks.iter().try_for_each(|check| self.test(check, trie))?;
                op.told().try_for_each(|(change, told)| {
                    let did = self.change(op, change, trie)?;
                    fits(told.is_none_or(|told| did == told || matches!(told, Did::Written(_))))
                })?;
                let all = op.given.iter().all(|given| self.raised.iter().any(|raised| raised.0 == given.0));
                fits(all || !op.complete)
            }
        }
    }

    /// Gives the object a new revision, one a batch.
    fn raise(&mut self, op: &Op, space: u32) -> Fits<Rev> {
        if let Some(raised) = self.raised.iter().find(|raised| raised.0 == space) {
            return Some(raised.1);
        }
        let told = op.revision(space);
        fits(told.is_some() || !op.complete)?;
        let rev = self.edit(space)?.revisions.raise(told)?;
        self.raised.push((space, rev));
        Some(rev)
    }

    fn change(&mut self, op: &Op, change: &Change, trie: &mut Trie) -> Fits<Did> {
        let space = change.space();
        Some(match change {
            Change::Put { key, value, .. } => {
                let rev = self.raise(op, space)?;
                self.edit(space)?.put(*key, *value, rev);
                self.edit(space)?.tidy();
                Did::Written(0)
            }
            Change::Replace { object, .. } => {
                let rev = self.raise(op, space)?;
                let edit = self.edit(space)?;
                edit.keys = object.iter().map(|(key, value)| (*key, *value, rev)).collect();
                edit.keys.sort_unstable();
                edit.tidy();
                Did::Written(0)
            }
            Change::Delete { key, .. } => {
                let existed = self.space(space)?.key(*key).is_some();
                if existed {
                    self.raise(op, space)?;
                    let edit = self.edit(space)?;
                    edit.keys.retain(|held| held.0 != *key);
                    edit.tidy();
                }
                Did::Deleted(existed)
            }
            Change::Append { log, value, .. } => self.append(space, *log, *value, trie)?,
            Change::Trim { log, before, .. } => {
                if let Some(held) = self.space(space)?.log(*log) {
                    let first = held.first.max((*before).min(trie.last(held.content) + 1));
                    if first > held.first {
                        self.edit(space)?.set_log(Log { first, ..held });
                    }
                }
                Did::Trimmed
            }
            Change::Drop { .. } => self.drop_space(op, space)?,
        })
    }

    fn append(&mut self, space: u32, log: u32, value: u32, trie: &mut Trie) -> Fits<Did> {
        let fresh = Log { name: log, first: 1, content: Trie::EMPTY };
        let held = self.space(space)?.log(log).unwrap_or(fresh);
        let content = trie.append(held.content, value);
        self.edit(space)?.set_log(Log { content, ..held });
        Some(Did::Appended(trie.last(content)))
    }

    fn drop_space(&mut self, op: &Op, space: u32) -> Fits<Did> {
        let held = self.space(space)?;
        let (keys, logs) = (!held.keys.is_empty(), !held.logs.is_empty());
        if keys {
            self.raise(op, space)?;
        }
        if keys || logs {
            let edit = self.edit(space)?;
            edit.keys.clear();
            edit.logs.clear();
            edit.tidy();
        }
        Some(Did::Deleted(keys || logs))
    }
}

/// Whether a page is what a log gives for a range.
fn is_page(held: Option<Log>, range: (Start, u64), entries: &[(u64, u32)], trie: &Trie) -> bool {
    let Some(held) = held else { return entries.is_empty() };
    let (start, limit) = range;
    let last = trie.last(held.content);
    let from = match start {
        Start::From(number) => number.max(held.first),
        Start::Tail(count) => last.saturating_add(1).saturating_sub(count).max(held.first),
    };
    let count = last.saturating_add(1).saturating_sub(from).min(limit);
    if count != entries.len() as u64 {
        return false;
    }
    let numbered = (from..).zip(entries).all(|(number, entry)| number == entry.0);
    let values = entries.iter().map(|entry| entry.1);
    numbered && (count == 0 || trie.holds(held.content, from + count - 1, values))
}
