//! One answer of a history changed.

use conformance::history::{Call, Check, Did, History, Outcome};
use fastrand::Rng;

/// Changes one answer at random; returns whether one could be changed.
pub(crate) fn any(history: &mut History, chance: &mut Rng) -> bool {
    let at = chance.usize(..history.operations.len());
    let other = chance.usize(..history.operations.len());
    let other = history.operations[other].outcome.clone();
    let off = chance.u64(1..3);
    let shift = |number: &mut u64| *number = if *number > off { *number - off } else { *number + off };
    match &mut history.operations[at].outcome {
        Outcome::Got(found) => match (found.as_mut(), other, chance.bool()) {
            (Some(entry), _, true) => shift(&mut entry.revision),
            (_, Outcome::Got(other), _) => *found = other,
            _ => *found = None,
        },
        Outcome::Object { revision, entries } => match chance.u8(..3) {
            0 => shift(revision),
            1 => drop(entries.pop_last()),
            _ => entries.values_mut().for_each(|entry| shift(&mut entry.revision)),
        },
        Outcome::Page(entries) => match chance.u8(..3) {
            0 => drop(entries.pop()),
            1 => entries.reverse(),
            _ => entries.iter_mut().for_each(|entry| shift(&mut entry.0)),
        },
        Outcome::Logs(logs) => match chance.u8(..2) {
            0 => logs.values_mut().for_each(|log| shift(&mut log.1)),
            _ => drop(logs.pop_last()),
        },
        Outcome::Done(receipt) => {
            for did in &mut receipt.outcomes {
                match did {
                    Did::Deleted(existed) => *existed = !*existed,
                    Did::Appended(number) => shift(number),
                    _ => {}
                }
            }
            if let Some(revisions) = &mut receipt.revisions {
                revisions.values_mut().for_each(shift);
                let given = revisions.values().next().copied();
                for did in &mut receipt.outcomes {
                    if let (Did::Written(revision), Some(given)) = (did, given) {
                        *revision = given;
                    }
                }
            }
        }
        Outcome::Conflict(Check::Key { revision, .. }) => *revision = None,
        Outcome::Conflict(Check::Object { revision: number, .. } | Check::Log { last: number, .. }) => {
            shift(number);
        }
        _ => return false,
    }
    true
}

/// Changes one answer so that no order can explain it; returns what was done, if it could be.
pub(crate) fn surely(history: &mut History, kind: usize, chance: &mut Rng) -> Option<&'static str> {
    let at = chance.usize(..history.operations.len());
    let operation = &mut history.operations[at];
    match (kind, &mut operation.outcome) {
        (0, Outcome::Got(Some(entry))) => {
            "\"never written\"".clone_into(&mut entry.value);
            Some("a value of nobody")
        }
        (1, Outcome::Page(entries)) if entries.len() > 1 => {
            let (first, second) = (entries[0].1.clone(), entries[1].1.clone());
            (entries[0].1, entries[1].1) = (second, first);
            Some("two entries swapped")
        }
        (2, Outcome::Done(receipt)) => {
            let did = receipt.outcomes.iter_mut().find(|did| matches!(did, Did::Appended(_)))?;
            *did = Did::Appended(1_000_000);
            Some("a number far ahead")
        }
        (3, Outcome::Object { entries, .. }) => {
            entries.first_entry()?.get_mut().revision = u64::MAX;
            Some("an entry newer than its object")
        }
        (4, Outcome::Page(entries)) if entries.len() > 2 => {
            entries.remove(1);
            Some("a hole in a page")
        }
        (5, Outcome::Conflict(found)) => {
            let found = found.clone();
            let Call::Commit { checks, .. } = &mut operation.call else { return None };
            *checks = vec![found];
            Some("a conflict with a check that holds")
        }
        _ => None,
    }
}

/// How many kinds of changes there are that no order can explain.
pub(crate) const KINDS: usize = 6;
