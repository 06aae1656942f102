//! Promise 3: an acknowledged write survives what its durability says; the store is consistent after all.

mod cuts;
mod kills;
mod readers;
mod survivors;
mod synced;

use std::time::Duration;

use store_core::{Batch, Durability, Json, Settings};

use super::{Case, cases};
use crate::arena::Arena;
use crate::audit::dump;
use crate::failure::{Context, Outcome, ensure, ensure_eq};
use crate::job::{Job, Work};
use crate::values::numbers;

use super::bounded::syncs::why_no_strace;
use super::faults::{
    a_commit_that_failed_for_want_of_room_never_comes_back, a_kill_at_any_system_call_loses_nothing,
    a_killed_append_of_many_records_leaves_all_or_none, after_a_failed_sync_no_later_acknowledgement_is_lost,
    any_order_of_unsynced_writes_loses_nothing_acknowledged,
};
use crate::drill::why_no_power_cuts;
use crate::tracer::why_not;
use crate::users::why_not_root;
use cuts::{a_power_cut_on_ext4_loses_nothing_acknowledged, a_power_cut_on_xfs_loses_nothing_acknowledged};
use kills::{kills_amid_large_writes_lose_nothing, two_hundred_kills_lose_nothing};
use readers::{a_reader_goes_on_when_the_only_writer_is_killed, a_reader_who_may_not_write_goes_on_too};
use synced::{what_is_acknowledged_was_synced_before, what_is_seen_and_synced_is_synced};

pub(super) const CASES: &[Case] = cases![
    everything_is_the_same_after_reopening,
    a_write_survives_a_process_that_ends_at_once,
    the_store_and_the_batch_choose_what_survives,
    a_store_dropped_without_closing_opens_again,
    two_hundred_kills_lose_nothing,
    kills_amid_large_writes_lose_nothing,
    a_reader_goes_on_when_the_only_writer_is_killed => drill,
    a_reader_who_may_not_write_goes_on_too needs why_not_root => drill,
    what_is_acknowledged_was_synced_before needs why_no_strace,
    what_is_seen_and_synced_is_synced needs why_no_strace,
    a_power_cut_on_ext4_loses_nothing_acknowledged needs why_no_power_cuts => drill,
    a_power_cut_on_xfs_loses_nothing_acknowledged needs why_no_power_cuts => drill,
    a_kill_at_any_system_call_loses_nothing needs why_not => drill,
    any_order_of_unsynced_writes_loses_nothing_acknowledged needs why_not => drill,
    after_a_failed_sync_no_later_acknowledgement_is_lost needs why_not => drill,
    a_commit_that_failed_for_want_of_room_never_comes_back needs why_not => drill,
    a_killed_append_of_many_records_leaves_all_or_none needs why_not => drill,
];

pub(super) const WORKS: &[&[Work]] = &[
    cuts::WORKS,
    kills::WORKS,
    readers::WORKS,
    survivors::WORKS,
    synced::WORKS,
    super::works![write_and_wait],
];

/// Fills a store with some of everything.
fn fill(store: &store_core::Blocking) -> Outcome {
    store.replace_object("a", numbers([("one", 1), ("two", 2), ("three", 3)]))?;
    store.put("a", "four", Json::from("4"))?;
    store.delete("a", "one")?;
    for n in 0..20_u64 {
        store.append("a", "log", Json::from(n))?;
        store.append("b", "only", Json::from(n))?;
    }
    store.trim_log("a", "log", 7)?;
    store.trim_log("b", "only", 99)?;
    store.put("gone", "k", Json::from(1u64))?;
    store.delete_namespace("gone")?;
    Ok(())
}

fn everything_is_the_same_after_reopening(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    fill(&store)?;
    let before = dump(&store)?;
    ensure_eq!(before.keys().collect::<Vec<_>>(), ["a", "b"]);
    let gone = store.object("gone")?;
    store.close()?;
    for _ in 0..3 {
        let store = arena.open()?;
        ensure_eq!(dump(&store)?, before);
        ensure_eq!(store.object("gone")?, gone, "what was deleted keeps its revision");
        store.close()?;
    }
    Ok(())
}

/// Writes, tells how the store stands, writes once more under each durability, and waits to be killed.
fn write_and_wait(job: &Job) -> Outcome {
    let store = job.open()?;
    fill(&store)?;
    job.say(format!("{:?}", dump(&store)?))?;
    store.commit(Batch::new().put("late", "power", 1u64).durability(Durability::Power))?;
    store.commit(Batch::new().put("late", "process", 1u64).durability(Durability::Process))?;
    job.say("written")?;
    job.hear()
}

fn a_write_survives_a_process_that_ends_at_once(arena: &Arena) -> Outcome {
    let mut writer = arena.worker("write_and_wait")?.settings("durability=process").start()?;
    let before: String = writer.hear()?;
    writer.hear::<String>()?;
    // Nothing may come between the acknowledgement and the kill that gives a write time to happen after all.
    writer.kill::<String>()?;
    // Nobody has it open now: what is left are the files.
    let mut found = dump(&arena.open()?)?;
    let late = found.remove("late").context("what was written last is gone")?;
    ensure_eq!(late.object.entries.keys().collect::<Vec<_>>(), ["power", "process"]);
    ensure_eq!(format!("{found:?}"), before);
    Ok(())
}

/// What a write survives for which a durability is asked, on an engine that may give more.
fn at_least(asked: Durability, arena: &Arena) -> Durability {
    if arena.target.durability() == Durability::Power { Durability::Power } else { asked }
}

fn the_store_and_the_batch_choose_what_survives(arena: &Arena) -> Outcome {
    for of_store in [Durability::Process, Durability::Power] {
        let store = arena.open_with(Settings::default().with_durability(of_store))?;
        // An engine whose every commit survives more than was asked for says so.
        ensure_eq!(store.info()?.durability, at_least(of_store, arena));
        store.put(of_store.as_str(), "default", Json::from(1u64))?;
        for of_batch in [Durability::Process, Durability::Power] {
            let batch = Batch::new().put(of_store.as_str(), of_batch.as_str(), 1u64).append("n", "log", 1u64);
            store.commit(batch.durability(of_batch))?;
        }
        store.sync()?;
        ensure_eq!(store.object(of_store.as_str())?.entries.len(), 3);
        store.close()?;
    }
    let store = arena.open()?;
    ensure_eq!(store.info()?.durability, Durability::Power, "the default");
    ensure_eq!(store.logs("n")?.pop().context("no log")?.last, 4);
    Ok(())
}

fn a_store_dropped_without_closing_opens_again(arena: &Arena) -> Outcome {
    for n in 1..=20_u64 {
        let store = arena.open_with(Settings::default().with_timeout(Duration::from_secs(30)))?;
        ensure_eq!(store.append("n", "log", Json::from(n))?, n);
        drop(store);
    }
    let log = arena.open()?.logs("n")?;
    ensure!(log.iter().all(|info| info.last == 20), "{log:?}");
    Ok(())
}
