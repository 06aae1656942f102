//! Processes that are stopped, dropped or slow in the middle of things.

use std::task::{Context as TaskContext, Waker};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use store_core::{Batch, Blocking, ErrorKind, Json, Settings};

use super::{LONG, SHORT, held_gate};
use crate::arena::Arena;
use crate::cases::works;
use crate::failure::{Context, Failure, Outcome, Refused, ensure, ensure_eq};
use crate::job::{Job, Work};
use crate::values::entry;
use crate::worker::Worker;

pub(super) const WORKS: &[Work] = works![write_large_batches];

const ATTEMPTS: usize = 200;
const BATCH: u64 = 3_000;

/// A writer of large batches, stopped while it is in the gate.
fn stopped_in_the_gate(arena: &Arena, store: &Blocking) -> Outcome<Worker> {
    let mut chance = arena.chance();
    let mut writer = arena.worker("write_large_batches")?.settings("durability=process").start()?;
    writer.hear::<u64>()?;
    for _ in 0..ATTEMPTS {
        std::thread::sleep(Duration::from_micros(chance.u64(100..5_000)));
        writer.signal(Signal::SIGSTOP)?;
        // The signal is taken in at the next step of the scheduler.
        std::thread::sleep(Duration::from_millis(5));
        let holder = store.info()?.gate_holder.unwrap_or_default();
        if holder.contains(&format!("pid {}", writer.pid())) {
            return Ok(writer);
        }
        writer.signal(Signal::SIGCONT)?;
    }
    Err(Failure::new("the writer was never stopped in the gate"))
}

fn write_large_batches(job: &Job) -> Outcome {
    let store = job.open()?;
    for n in 1_u64.. {
        let batch = (0..BATCH).fold(Batch::new(), |batch, key| batch.put("large", format!("key {key}"), n));
        store.commit(batch.append("large", "log", n).deadline(LONG * 3))?;
        job.say(n)?;
    }
    Ok(())
}

pub(super) fn a_writer_stopped_in_the_gate_holds_nobody_past_the_deadline(arena: &Arena) -> Outcome {
    let store = arena.open_with(Settings::default().with_timeout(SHORT))?;
    store.put("n", "k", Json::from(0u64))?;
    let writer = stopped_in_the_gate(arena, &store)?;
    let called = Instant::now();
    for n in 0..3_u64 {
        let error = store.put("late", &format!("key {n}"), Json::from(n)).refused(ErrorKind::Busy)?;
        let named = error.to_string().contains(&format!("pid {}", writer.pid()));
        ensure!(named, "the holder is process {}: {error}", writer.pid());
    }
    // Who reads sees the whole of a batch, and is not held up, unless the engine cannot do otherwise.
    match store.object("large") {
        Err(error) if arena.target.reads_wait_for_writers() => {
            let error = Err::<(), _>(error).refused(ErrorKind::Busy)?;
            let named = error.to_string().contains(&format!("pid {}", writer.pid()));
            ensure!(named, "the writer is process {}: {error}", writer.pid());
        }
        large => {
            let keys = large?.entries.len() as u64;
            ensure!(keys == BATCH, "half a batch is seen: {keys} keys");
            ensure_eq!(entry(&store, "n", "k")?.value, Json::from(0u64));
        }
    }
    ensure!(called.elapsed() < LONG, "it took {:?}", called.elapsed());
    writer.signal(Signal::SIGCONT)?;
    writer.kill::<u64>()?;
    store.put("n", "k", Json::from(1u64)).context("after the writer was killed")?;
    ensure!(store.object("late")?.entries.is_empty(), "a write that timed out happened after all");
    Ok(())
}

pub(super) fn a_future_dropped_while_queued_never_happens(arena: &Arena) -> Outcome {
    let holder = held_gate(arena)?;
    let store = arena.open_with(Settings::default().with_timeout(LONG))?;
    let shared = store.store();
    let mut nobody = TaskContext::from_waker(Waker::noop());
    for n in 0..10_u64 {
        let mut put = shared.put("n", "dropped", Json::from(n));
        ensure!(put.as_mut().poll(&mut nobody).is_pending(), "a write passed a gate that is held");
        let mut append = shared.append("n", "log", Json::from(n));
        ensure!(append.as_mut().poll(&mut nobody).is_pending(), "a write passed a gate that is held");
    }
    drop(holder);
    store.put("n", "after", Json::from(1u64))?;
    ensure!(store.get("n", "dropped")?.is_none(), "a dropped write happened");
    ensure_eq!(store.logs("n")?.pop().context("no log")?.last, 1);
    Ok(())
}

pub(super) fn closing_with_a_queue_answers_everybody(arena: &Arena) -> Outcome {
    let holder = held_gate(arena)?;
    let store = arena.open_with(Settings::default().with_timeout(SHORT * 3))?;
    let writes: Vec<_> = (0..20_u64)
        .map(|n| {
            let store = store.clone();
            std::thread::spawn(move || store.put("n", &format!("queued {n}"), Json::from(n)))
        })
        .collect();
    std::thread::sleep(SHORT);
    let called = Instant::now();
    store.close()?;
    for write in writes {
        let Err(error) = write.join().ok().context("a thread panicked")? else {
            return Err(Failure::new("a write passed a gate that is held"));
        };
        let told = matches!(error.kind(), ErrorKind::Busy | ErrorKind::Closed) && error.surely_not_done();
        ensure!(told, "{error}");
    }
    ensure!(called.elapsed() < LONG, "closing took {:?}", called.elapsed());
    drop(holder);
    let store = arena.open()?;
    ensure_eq!(store.object("n")?.entries.len(), 1, "what was answered as not done is not done");
    Ok(())
}
