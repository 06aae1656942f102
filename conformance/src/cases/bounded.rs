//! Promise 6: no call waits past its deadline, whoever holds what.

mod fair;
mod forks;
mod gates;
mod peers;
mod stops;
pub(super) mod syncs;

use std::fs::File;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use store_core::{Batch, Durability, ErrorKind, Json, KeyRange, LogRange, Settings};

use self::fair::{
    a_held_snapshot_makes_writers_busy_at_the_ceiling, eight_writers_share_the_gate_under_power,
    eight_writers_share_the_gate_under_process, what_grows_stays_below_its_ceiling,
};
use self::forks::{
    a_gate_kept_by_a_dead_parents_child_is_told_and_comes_free, deadlines_hold_in_a_forked_child,
};
use self::gates::a_gate_that_was_made_anew_is_everybodys_gate;
use self::peers::a_peer_stopped_at_any_moment_delays_nobody_past_the_deadline;
use self::stops::{
    a_future_dropped_while_queued_never_happens, a_writer_stopped_in_the_gate_holds_nobody_past_the_deadline,
    closing_with_a_queue_answers_everybody,
};
use self::syncs::{
    a_deadline_that_passes_after_the_commit_is_indeterminate, a_failed_sync_is_indeterminate_and_mended,
    why_no_strace,
};
use super::{Case, cases};
use crate::arena::Arena;
use crate::failure::{Context, Outcome, Refused, ensure, ensure_eq};
use crate::job::{Job, Work};
use crate::target::{Role, artefact};
use crate::values::entry;
use crate::worker::Worker;

pub(super) const CASES: &[Case] = cases![
    a_write_behind_a_held_gate_ends_with_the_timeout,
    a_batch_brings_its_own_deadline,
    reading_goes_on_behind_a_held_gate,
    a_held_snapshot_stops_no_writer,
    a_writer_stopped_in_the_gate_holds_nobody_past_the_deadline,
    a_peer_stopped_at_any_moment_delays_nobody_past_the_deadline => drill,
    a_future_dropped_while_queued_never_happens,
    closing_with_a_queue_answers_everybody,
    a_deadline_that_passes_after_the_commit_is_indeterminate needs why_no_strace,
    a_failed_sync_is_indeterminate_and_mended needs why_no_strace,
    eight_writers_share_the_gate_under_process => alone,
    eight_writers_share_the_gate_under_power => alone,
    what_grows_stays_below_its_ceiling => alone,
    a_held_snapshot_makes_writers_busy_at_the_ceiling,
    a_gate_that_was_made_anew_is_everybodys_gate,
    deadlines_hold_in_a_forked_child,
    a_gate_kept_by_a_dead_parents_child_is_told_and_comes_free,
];

pub(super) const WORKS: &[&[Work]] =
    &[super::works![hold_gate], fair::WORKS, forks::WORKS, peers::WORKS, stops::WORKS, syncs::WORKS];

/// Far longer than anything here takes, unless it waits for what never comes.
const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(300);

/// Holds the gate until it is told otherwise.
fn hold_gate(job: &Job) -> Outcome {
    let gate = artefact(job.target, &job.orders.path, Role::Gate)?;
    let file = File::options().read(true).write(true).open(&gate).context(gate.display())?;
    file.lock()?;
    job.say("held")?;
    job.hear::<String>()?;
    Ok(file.unlock()?)
}

/// Lets another process hold the gate of the store, which has been written to, and stops it there.
fn held_gate(arena: &Arena) -> Outcome<Worker> {
    arena.open()?.commit(Batch::new().put("n", "k", 1u64).append("n", "log", 1u64))?;
    let mut holder = arena.worker("hold_gate")?.start()?;
    holder.hear::<String>()?;
    holder.signal(Signal::SIGSTOP)?;
    Ok(holder)
}

fn a_write_behind_a_held_gate_ends_with_the_timeout(arena: &Arena) -> Outcome {
    let holder = held_gate(arena)?;
    let store = arena.open_with(Settings::default().with_timeout(SHORT))?;
    let called = Instant::now();
    let errors = [
        store.put("n", "k", Json::from(2u64)).refused(ErrorKind::Busy)?,
        store.append("n", "log", Json::from(2u64)).refused(ErrorKind::Busy)?,
        store.delete_namespace("n").refused(ErrorKind::Busy)?,
    ];
    ensure!(called.elapsed() < LONG, "three waits of {SHORT:?} took {:?}", called.elapsed());
    for error in errors {
        let named = error.to_string().contains(&format!("pid {}", holder.pid()));
        ensure!(named && error.is_retryable(), "the holder is process {}: {error}", holder.pid());
    }
    drop(holder);
    // It was killed, so the gate is free at once; and nothing that timed out comes after all.
    arena.open()?.put("n", "other", Json::from(1u64))?;
    ensure_eq!(entry(&store, "n", "k")?.value, Json::from(1u64));
    ensure_eq!(store.logs("n")?.pop().context("no log")?.last, 1);
    Ok(())
}

fn a_batch_brings_its_own_deadline(arena: &Arena) -> Outcome {
    let mut holder = held_gate(arena)?;
    let patient = arena.open_with(Settings::default().with_timeout(LONG))?;
    let called = Instant::now();
    let sooner = Batch::new().put("n", "k", 2u64).deadline(SHORT);
    patient.commit(sooner).refused(ErrorKind::Busy)?;
    let waited = called.elapsed();
    ensure!(waited >= SHORT && waited < LONG, "with a deadline of {SHORT:?} it waited {waited:?}");

    let hasty = arena.open_with(Settings::default().with_timeout(SHORT))?;
    let later = Batch::new().put("n", "k", 3u64).deadline(LONG);
    let commit = std::thread::spawn(move || hasty.commit(later));
    // It has to outlive the timeout of its store.
    std::thread::sleep(SHORT * 3);
    ensure!(!commit.is_finished(), "it did not wait for its own deadline");
    holder.signal(Signal::SIGCONT)?;
    holder.say("enough")?;
    let receipt = commit.join().ok().context("a thread panicked")?;
    receipt.context("with a deadline of its own")?;
    ensure_eq!(entry(&patient, "n", "k")?.value, Json::from(3u64));
    Ok(())
}

fn reading_goes_on_behind_a_held_gate(arena: &Arena) -> Outcome {
    let holder = held_gate(arena)?;
    for _ in 0..3 {
        let store = arena.open_with(Settings::default().with_timeout(LONG))?;
        let called = Instant::now();
        ensure_eq!(entry(&store, "n", "k")?.value, Json::from(1u64));
        ensure_eq!(store.object("n")?.entries.len(), 1);
        ensure_eq!(store.list("n", KeyRange::all())?.len(), 1);
        ensure_eq!(store.read_log("n", "log", LogRange::all())?.len(), 1);
        ensure_eq!((store.logs("n")?.len(), store.namespaces()?.len()), (1, 1));
        let named = store.info()?.gate_holder.context("info names no holder")?;
        ensure!(named.contains(&format!("pid {}", holder.pid())), "the holder is {}: {named}", holder.pid());
        ensure!(called.elapsed() < LONG, "reading took {:?}", called.elapsed());
        store.close()?;
    }
    Ok(())
}

fn a_held_snapshot_stops_no_writer(arena: &Arena) -> Outcome {
    let settings = Settings::default().with_durability(Durability::Process);
    let store = arena.open_with(settings.with_timeout(SHORT * 15))?;
    store.put("n", "k", Json::from(0u64))?;
    let held = arena.target.hold_snapshot(&arena.path()?);
    let held = held.map_err(crate::failure::Failure::new)?;
    for n in 1..=50_u64 {
        store.put("n", "k", Json::from(n))?;
        ensure_eq!(entry(&store, "n", "k")?.value, Json::from(n));
    }
    drop(held);
    Ok(())
}
