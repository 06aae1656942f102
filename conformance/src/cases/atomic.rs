//! Promise 1: a batch is seen whole or not at all, by every reader in every process.

mod random;
mod seen_whole;

use store_core::{Batch, Blocking, ErrorKind, Expect, Json, Outcome as Did, Revision};

use super::{Case, cases};
use crate::arena::Arena;
use crate::audit::dump;
use crate::failure::{Context, Outcome, Refused, ensure, ensure_eq};
use crate::job::Work;
use crate::values::{bare, entry, log, numbers};

pub(super) const CASES: &[Case] = cases![
    an_empty_batch_changes_nothing,
    writes_apply_in_order,
    writes_of_logs_apply_in_order,
    one_batch_has_one_revision_for_an_object,
    replacing_and_deleting_stand_in_the_order_of_the_batch,
    checks_see_the_state_before_the_batch,
    a_batch_without_writes_only_checks,
    a_failed_check_leaves_nothing,
    one_failed_check_of_many_leaves_nothing,
    an_invalid_write_refuses_the_whole_batch,
    a_commit_that_is_dropped_unasked_does_nothing,
    random_batches_do_what_the_contract_says,
    batches_that_queue_together_do_what_they_would_alone,
    object_is_never_seen_mixed,
    a_batch_over_three_namespaces_is_never_seen_in_part,
];

pub(super) const WORKS: &[Work] = seen_whole::WORKS;

use random::{
    batches_that_queue_together_do_what_they_would_alone, random_batches_do_what_the_contract_says,
};
use seen_whole::{a_batch_over_three_namespaces_is_never_seen_in_part, object_is_never_seen_mixed};

fn an_empty_batch_changes_nothing(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    store.put("n", "k", Json::from(1u64))?;
    let before = dump(&store)?;
    let receipt = store.commit(Batch::new())?;
    ensure!(receipt.outcomes().is_empty() && receipt.revision("n").is_none(), "{receipt:?}");
    ensure_eq!(dump(&store)?, before);
    Ok(())
}

fn writes_apply_in_order(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    store.put("n", "there", Json::from(0u64))?;
    let batch = Batch::new()
        .put("n", "k", 1u64)
        .delete("n", "k")
        .delete("n", "k")
        .put("n", "k", 2u64)
        .put("n", "k", 3u64)
        .put("n", "gone", 1u64)
        .delete("n", "gone")
        .delete("n", "there")
        .delete("n", "never");
    let receipt = store.commit(batch)?;
    let revision = receipt.revision("n").context("no revision for n")?;
    let (put, deleted) = (Did::Written(revision), Did::Deleted);
    let expected =
        [put, deleted(true), deleted(false), put, put, put, deleted(true), deleted(true), deleted(false)];
    ensure_eq!(receipt.outcomes(), expected);
    ensure_eq!(bare(&store.object("n")?), numbers([("k", 3)]));
    Ok(())
}

fn writes_of_logs_apply_in_order(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    let batch = Batch::new()
        .append("n", "a", "one")
        .append("n", "b", "other")
        .append("n", "a", "two")
        .trim_log("n", "a", 2)
        .append("n", "a", "three")
        .trim_log("n", "b", 9)
        .trim_log("n", "missing", 5);
    let receipt = store.commit(batch)?;
    ensure_eq!(receipt.appended().collect::<Vec<_>>(), [1, 1, 2, 3]);
    ensure_eq!(receipt.outcomes().len(), 7);
    ensure_eq!(receipt.revision("n"), None, "appending raises no revision");
    ensure_eq!(log(&store, "n", "a")?, [(2, "\"two\"".to_owned()), (3, "\"three\"".to_owned())]);
    ensure_eq!(log(&store, "n", "b")?, []);
    ensure_eq!(store.append("n", "b", Json::from("next"))?, 2);
    Ok(())
}

fn one_batch_has_one_revision_for_an_object(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    let first = store.commit(Batch::new().put("n", "a", 1u64).put("n", "b", 1u64).put("m", "a", 1u64))?;
    let second = store.commit(Batch::new().put("n", "b", 2u64).put("n", "c", 2u64).put("n", "b", 3u64))?;
    let (old, new) = (first.revision("n"), second.revision("n"));
    ensure!(old.is_some() && old < new, "{old:?} then {new:?}");
    ensure_eq!(second.revision("m"), None, "m was not in the batch");
    let object = store.object("n")?;
    let of = |key: &str| object.entries.get(key).map(|entry| entry.revision);
    ensure_eq!([of("a"), of("b"), of("c"), Some(object.revision)], [old, new, new, new]);
    ensure_eq!(entry(&store, "m", "a")?.revision, first.revision("m").unwrap_or_default());
    Ok(())
}

fn replacing_and_deleting_stand_in_the_order_of_the_batch(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    store.put("n", "old", Json::from(1u64))?;
    store.append("n", "log", Json::from(1u64))?;
    let batch = Batch::new()
        .put("n", "before", 1u64)
        .replace_object("n", numbers([("new", 1), ("newer", 1)]))
        .put("n", "after", 1u64)
        .delete("n", "newer");
    store.commit(batch)?;
    ensure_eq!(bare(&store.object("n")?), numbers([("new", 1), ("after", 1)]));
    ensure_eq!(log(&store, "n", "log")?.len(), 1);

    let batch = Batch::new()
        .append("n", "log", 2u64)
        .put("n", "before", 1u64)
        .delete_namespace("n")
        .delete_namespace("n")
        .put("n", "after", 2u64)
        .append("n", "log", 3u64);
    let receipt = store.commit(batch)?;
    let deleted = receipt.outcomes().iter().filter(|did| matches!(did, Did::Deleted(true))).count();
    ensure_eq!(deleted, 1, "the second deletion found nothing: {receipt:?}");
    ensure_eq!(bare(&store.object("n")?), numbers([("after", 2)]));
    ensure_eq!(log(&store, "n", "log")?, [(1, "3".to_owned())]);
    Ok(())
}

fn checks_see_the_state_before_the_batch(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    let first = Batch::new()
        .put("n", "k", 1u64)
        .append("n", "log", 1u64)
        .check("n", "k", Expect::Absent)
        .check_object("n", Revision::NEVER)
        .check_log("n", "log", 0);
    let made = store.commit(first)?.revision("n").context("no revision")?;
    let second = Batch::new()
        .delete("n", "k")
        .append("n", "log", 2u64)
        .check("n", "k", Expect::Revision(made))
        .check_object("n", made)
        .check_log("n", "log", 1);
    store.commit(second)?;
    ensure_eq!(store.get("n", "k")?, None);
    ensure_eq!(log(&store, "n", "log")?.len(), 2);
    Ok(())
}

fn a_batch_without_writes_only_checks(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    let revision = store.put("n", "k", Json::from(1u64))?;
    let before = dump(&store)?;
    let holds = Batch::new().check("n", "k", Expect::Revision(revision)).check("n", "other", Expect::Absent);
    let receipt = store.commit(holds)?;
    ensure!(receipt.outcomes().is_empty(), "{receipt:?}");
    store.commit(Batch::new().check("n", "k", Expect::Absent)).refused(ErrorKind::Conflict)?;
    ensure_eq!(dump(&store)?, before);
    Ok(())
}

/// Fills a store and returns the revision of its object.
fn filled(store: &Blocking) -> Outcome<Revision> {
    let batch = Batch::new().put("n", "k", 1u64).put("n", "other", 1u64).append("n", "log", 1u64);
    let batch = batch.append("n", "log", 2u64).put("m", "k", 1u64);
    store.commit(batch)?.revision("n").context("no revision")
}

/// Adds one write of each kind, in old namespaces and a new one.
fn with_all_writes(batch: Batch) -> Batch {
    batch
        .put("n", "k", 9u64)
        .put("n", "new", 9u64)
        .delete("n", "other")
        .append("n", "log", 9u64)
        .append("n", "new", 9u64)
        .trim_log("n", "log", 2)
        .replace_object("m", numbers([("z", 9)]))
        .put("new", "k", 9u64)
        .delete_namespace("m")
}

/// Returns each check in each direction in which it can fail.
fn failing_checks(current: Revision) -> Vec<Batch> {
    let other = Revision::new(current.get() + 1);
    vec![
        Batch::new().check("n", "k", Expect::Absent),
        Batch::new().check("n", "missing", Expect::Revision(current)),
        Batch::new().check("n", "k", Expect::Revision(other)),
        Batch::new().check("n", "k", Expect::Revision(Revision::NEVER)),
        Batch::new().check_object("n", Revision::NEVER),
        Batch::new().check_object("n", other),
        Batch::new().check_object("missing", current),
        Batch::new().check_log("n", "log", 0),
        Batch::new().check_log("n", "log", 1),
        Batch::new().check_log("n", "log", 3),
        Batch::new().check_log("n", "missing", 1),
    ]
}

fn a_failed_check_leaves_nothing(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    let revision = filled(&store)?;
    let before = dump(&store)?;
    for check in failing_checks(revision) {
        let named = format!("{:?}", check.checks());
        store.commit(with_all_writes(check)).refused(ErrorKind::Conflict).context(&named)?;
        ensure_eq!(dump(&store)?, before, "{named}");
    }
    Ok(())
}

fn one_failed_check_of_many_leaves_nothing(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    let revision = filled(&store)?;
    let before = dump(&store)?;
    let hold = || {
        let batch =
            Batch::new().check("n", "k", Expect::Revision(revision)).check("n", "new", Expect::Absent);
        batch.check_object("n", revision).check_log("n", "log", 2)
    };
    for position in 0..3 {
        let fails = |batch: Batch| batch.check("m", "k", Expect::Absent);
        let batch = match position {
            0 => hold().check("m", "k", Expect::Absent),
            1 => fails(Batch::new()).check_object("n", revision).check_log("n", "log", 2),
            _ => fails(hold()).check_object("n", revision),
        };
        store.commit(with_all_writes(batch)).refused(ErrorKind::Conflict)?;
        ensure_eq!(dump(&store)?, before);
    }
    store.commit(with_all_writes(hold()))?;
    ensure!(dump(&store)? != before, "checks that all hold let the batch through");
    Ok(())
}

fn an_invalid_write_refuses_the_whole_batch(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    filled(&store)?;
    let before = dump(&store)?;
    let invalid = [
        with_all_writes(Batch::new()).put("n", "", 1u64),
        with_all_writes(Batch::new()).put("a\0b", "k", 1u64),
        with_all_writes(Batch::new()).append("n", "line\nbreak", 1u64),
        with_all_writes(Batch::new()).delete("n", "k".repeat(1025)),
        with_all_writes(Batch::new()).check_log("n", "", 0),
    ];
    for batch in invalid {
        store.commit(batch).refused(ErrorKind::InvalidInput)?;
        ensure_eq!(dump(&store)?, before);
    }
    Ok(())
}

fn a_commit_that_is_dropped_unasked_does_nothing(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    filled(&store)?;
    let before = dump(&store)?;
    drop(store.store().commit(with_all_writes(Batch::new())));
    drop(store.store().put("n", "k", Json::from(9u64)));
    // A write that was queued all the same would come before this one.
    store.put("z", "k", Json::from(1u64))?;
    let mut after = dump(&store)?;
    after.remove("z");
    ensure_eq!(after, before);
    Ok(())
}
