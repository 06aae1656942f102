//! Promise 2: every operation takes effect at one instant between call and return, across processes.

mod forks;
mod handles;
mod histories;
mod locks;
mod processes;
mod revisions;
mod updates;

use std::time::Duration;

use store_core::{Json, KeyRange, LogRange, Revision, Timestamp};

use super::{Case, cases};
use crate::arena::Arena;
use crate::failure::{Context, Outcome, ensure, ensure_eq};
use crate::job::Work;
use crate::values::{bare, entry, log, numbers};

use forks::{
    a_forked_child_that_opens_anew_holds_locks_of_its_own,
    what_a_forked_child_writes_stays_when_its_parent_is_gone,
};
use handles::{
    a_second_handle_sees_at_once_what_the_first_wrote, links_and_relative_paths_lead_to_the_same_store,
};
use histories::{
    a_history_of_several_processes_is_linearizable, a_history_of_sixteen_processes_is_linearizable,
    a_history_with_kills_is_linearizable, a_history_with_stops_is_linearizable,
};
use locks::no_call_lets_go_of_locks_that_the_process_holds;
use processes::{
    eight_processes_count_to_the_exact_sum, no_process_reads_what_as_many_bytes_replaced,
    no_process_reads_what_was_replaced, one_of_sixteen_creates_a_key, twenty_first_openers_share_one_store,
};
use revisions::{
    a_clock_set_back_takes_nothing_back, a_new_boot_raises_the_epoch, an_append_keeps_the_revision,
    an_equal_put_raises_the_revision, deleting_a_missing_key_keeps_the_revision,
    every_entry_has_the_revision_that_wrote_it, revisions_grow_over_deletion_and_reopening,
};
use updates::{an_update_puts_deletes_or_keeps, threads_of_one_process_count_to_the_exact_sum};

pub(super) const CASES: &[Case] = cases![
    what_was_never_written_is_not_there,
    a_put_is_seen_by_every_read,
    an_entry_tells_when_it_was_written,
    deleting_tells_whether_there_was_a_key,
    replacing_leaves_only_the_new_keys,
    deleting_a_namespace_takes_keys_and_logs,
    namespaces_are_listed_by_name,
    namespaces_are_apart,
    every_entry_has_the_revision_that_wrote_it,
    an_equal_put_raises_the_revision,
    an_append_keeps_the_revision,
    deleting_a_missing_key_keeps_the_revision,
    revisions_grow_over_deletion_and_reopening,
    a_clock_set_back_takes_nothing_back,
    a_new_boot_raises_the_epoch,
    a_second_handle_sees_at_once_what_the_first_wrote,
    links_and_relative_paths_lead_to_the_same_store,
    an_update_puts_deletes_or_keeps,
    threads_of_one_process_count_to_the_exact_sum,
    eight_processes_count_to_the_exact_sum,
    one_of_sixteen_creates_a_key,
    twenty_first_openers_share_one_store,
    no_process_reads_what_as_many_bytes_replaced,
    no_process_reads_what_was_replaced,
    a_history_of_several_processes_is_linearizable => drill,
    a_history_with_kills_is_linearizable => drill,
    a_history_with_stops_is_linearizable => drill,
    a_history_of_sixteen_processes_is_linearizable => drill,
    no_call_lets_go_of_locks_that_the_process_holds,
    a_forked_child_that_opens_anew_holds_locks_of_its_own,
    what_a_forked_child_writes_stays_when_its_parent_is_gone,
];

pub(super) const WORKS: &[&[Work]] = &[forks::WORKS, histories::WORKS, locks::WORKS, processes::WORKS];

fn what_was_never_written_is_not_there(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    for round in 0..2 {
        ensure_eq!(store.get("n", "k")?, None);
        let object = store.object("n")?;
        ensure_eq!(object.entries.len(), usize::from(round > 0));
        ensure!(round > 0 || object.revision == Revision::NEVER, "{object:?}");
        ensure_eq!(store.object("missing")?.revision, Revision::NEVER);
        ensure_eq!(store.list("n", KeyRange::prefix("k"))?, []);
        ensure_eq!(store.read_log("n", "log", LogRange::all())?, []);
        ensure_eq!(store.logs("n")?, []);
        ensure_eq!(store.namespaces()?.len(), round);
        // The same beside something that is there.
        store.put("n", "other", Json::from(1u64))?;
    }
    Ok(())
}

fn a_put_is_seen_by_every_read(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    for value in [1_u64, 2, 3] {
        let revision = store.put("n", "k", Json::from(value))?;
        let found = entry(&store, "n", "k")?;
        ensure_eq!((&found.value, found.revision), (&Json::from(value), revision));
        let object = store.object("n")?;
        ensure_eq!((object.revision, object.entries.get("k")), (revision, Some(&found)));
        ensure_eq!(store.list("n", KeyRange::all())?, [("k".to_owned(), found)]);
        let listed = store.namespaces()?.into_iter().map(|space| (space.name, space.revision));
        ensure_eq!(listed.collect::<Vec<_>>(), [("n".to_owned(), revision)]);
    }
    Ok(())
}

fn an_entry_tells_when_it_was_written(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    // So that the moment of the opening is another one.
    std::thread::sleep(Duration::from_millis(20));
    let before = Timestamp::now();
    store.put("n", "k", Json::from(1u64))?;
    store.append("n", "log", Json::from(1u64))?;
    let after = Timestamp::now();
    let at = [
        entry(&store, "n", "k")?.at,
        store.read_log("n", "log", LogRange::all())?.pop().context("no entry")?.at,
    ];
    for at in at {
        ensure!(before <= at && at <= after, "written at {at}, called at {before}, answered at {after}");
    }
    Ok(())
}

fn deleting_tells_whether_there_was_a_key(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    ensure!(!store.delete("n", "k")?, "deleted what was never there");
    store.put("n", "k", Json::from(1u64))?;
    store.put("n", "other", Json::from(1u64))?;
    ensure!(store.delete("n", "k")?, "the key was there");
    ensure_eq!(store.get("n", "k")?, None);
    ensure!(!store.delete("n", "k")?, "deleted it twice");
    ensure_eq!(bare(&store.object("n")?), numbers([("other", 1)]));
    store.put("n", "k", Json::from(2u64))?;
    ensure_eq!(entry(&store, "n", "k")?.value, Json::from(2u64));
    Ok(())
}

fn replacing_leaves_only_the_new_keys(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    store.replace_object("n", numbers([("a", 1), ("b", 1)]))?;
    store.append("n", "log", Json::from(1u64))?;
    store.put("m", "a", Json::from(1u64))?;
    let revision = store.replace_object("n", numbers([("b", 2), ("c", 2)]))?;
    let object = store.object("n")?;
    ensure_eq!((object.revision, bare(&object)), (revision, numbers([("b", 2), ("c", 2)])));
    let emptied = store.replace_object("n", numbers([]))?;
    let object = store.object("n")?;
    ensure!(emptied > revision && object.revision == emptied && object.entries.is_empty(), "{object:?}");
    ensure_eq!(log(&store, "n", "log")?.len(), 1, "logs stay");
    ensure_eq!(bare(&store.object("m")?), numbers([("a", 1)]), "another namespace");
    Ok(())
}

fn deleting_a_namespace_takes_keys_and_logs(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    ensure!(!store.delete_namespace("n")?, "deleted what was never there");
    for log_only in [false, true] {
        if !log_only {
            store.put("n", "k", Json::from(1u64))?;
        }
        store.append("n", "log", Json::from(1u64))?;
        store.append("n", "log", Json::from(2u64))?;
        store.put("m", "k", Json::from(1u64))?;
        ensure!(store.delete_namespace("n")?, "there was something");
        ensure!(store.object("n")?.entries.is_empty() && store.get("n", "k")?.is_none(), "keys are left");
        ensure!(store.logs("n")?.is_empty() && log(&store, "n", "log")?.is_empty(), "logs are left");
        ensure!(store.namespaces()?.iter().all(|space| space.name != "n"), "it is still listed");
        ensure!(!store.delete_namespace("n")?, "deleted it twice");
        ensure_eq!(store.append("n", "log", Json::from(3u64))?, 1, "a log begins anew");
    }
    ensure_eq!(bare(&store.object("m")?), numbers([("k", 1)]), "another namespace");
    Ok(())
}

fn namespaces_are_listed_by_name(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    let c = store.put("c", "k", Json::from(1u64))?;
    store.append("b", "log", Json::from(1u64))?;
    let a = store.put("a", "k", Json::from(1u64))?;
    store.put("z", "k", Json::from(1u64))?;
    store.delete("z", "k")?;
    store.append("a", "two", Json::from(1u64))?;
    store.append("a", "one", Json::from(1u64))?;
    let listed: Vec<_> = store.namespaces()?.into_iter().map(|space| (space.name, space.revision)).collect();
    let expected = [("a".to_owned(), a), ("b".to_owned(), Revision::NEVER), ("c".to_owned(), c)];
    ensure_eq!(listed, expected);
    let logs: Vec<_> = store.logs("a")?.into_iter().map(|log| log.name).collect();
    ensure_eq!(logs, ["one", "two"]);
    Ok(())
}

fn namespaces_are_apart(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    store.put("n", "k", Json::from(1u64))?;
    let other = store.put("m", "k", Json::from(2u64))?;
    store.append("n", "k", Json::from(3u64))?;
    store.append("m", "k", Json::from(4u64))?;
    store.append("m", "n", Json::from(5u64))?;
    store.delete("n", "k")?;
    store.trim_log("m", "k", 2)?;
    ensure_eq!(store.get("n", "k")?, None);
    ensure_eq!(entry(&store, "m", "k")?.value, Json::from(2u64));
    ensure_eq!(store.object("m")?.revision, other);
    ensure_eq!(log(&store, "n", "k")?, [(1, "3".to_owned())]);
    ensure_eq!(log(&store, "m", "k")?, []);
    ensure_eq!(log(&store, "m", "n")?, [(1, "5".to_owned())]);
    Ok(())
}
