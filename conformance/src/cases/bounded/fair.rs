//! Writers that keep the gate busy: everybody gets a share, and what grows stays below its ceiling.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use store_core::{Batch, ErrorKind, Json, Settings};

use crate::arena::Arena;
use crate::cases::works;
use crate::failure::{Context, Failure, Outcome, Refused, ensure};
use crate::job::{Job, Work};
use crate::target::{Role, Target, Tight};
use crate::worker::{finish_all, release};

pub(super) const WORKS: &[Work] = works![write_for_a_while, write_until_busy];

const WRITERS: usize = 8;
const WHILE: Duration = Duration::from_secs(5);
const SHORT: Duration = Duration::from_millis(500);
/// The size of the values with which a ceiling is reached.
const LARGE: usize = 20_000;

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Plan {
    /// For how long to write, in milliseconds.
    millis: u64,
    /// The bytes of each value.
    bytes: usize,
    /// Whether the store is opened with its ceiling as low as can be.
    tight: bool,
}

pub(super) fn eight_writers_share_the_gate_under_process(arena: &Arena) -> Outcome {
    share_fairly(arena, "durability=process")
}

pub(super) fn eight_writers_share_the_gate_under_power(arena: &Arena) -> Outcome {
    share_fairly(arena, "durability=power")
}

fn share_fairly(arena: &Arena, settings: &str) -> Outcome {
    // Nobody else runs meanwhile.
    let time = arena.profile.pick(WHILE / 2, WHILE);
    let plan = Plan { millis: u64::try_from(time.as_millis())?, bytes: 100, tight: false };
    let counts = write_together(arena, settings, plan)?;
    let slowest = counts.iter().copied().min().unwrap_or(0);
    let fair = counts.iter().sum::<u64>() / counts.len() as u64;
    ensure!(slowest * 2 >= fair, "the slowest wrote {slowest} times, its fair share is {fair}: {counts:?}");
    Ok(())
}

fn write_together(arena: &Arena, settings: &str, plan: Plan) -> Outcome<Vec<u64>> {
    let hire = |_| arena.worker("write_for_a_while")?.settings(settings).plan(plan)?.start();
    let mut workers = (0..WRITERS).map(hire).collect::<Outcome<Vec<_>>>()?;
    release(&mut workers)?;
    let counts = finish_all::<u64>(workers)?;
    Ok(counts.into_iter().flatten().collect())
}

fn write_for_a_while(job: &Job) -> Outcome {
    let plan: Plan = job.plan()?;
    let store = if plan.tight { job.open_tight()? } else { job.open()? };
    let key = std::process::id().to_string();
    let value = Json::from("v".repeat(plan.bytes));
    store.put("n", &key, value.clone())?;
    job.meet()?;
    let (until, mut count) = (Instant::now() + Duration::from_millis(plan.millis), 0_u64);
    while Instant::now() < until {
        store.put("n", &key, value.clone())?;
        count += 1;
    }
    job.say(count)
}

/// The bytes of the largest companion; one that does not grow is never the largest.
fn companion_size(arena: &Arena) -> Outcome<u64> {
    let artefacts = arena.target.artefacts(&arena.path()?);
    let companions = artefacts.into_iter().filter(|artefact| artefact.role == Role::Companion);
    Ok(companions.filter_map(|artefact| Some(artefact.path.metadata().ok()?.len())).max().unwrap_or(0))
}

fn tight(arena: &Arena) -> Option<Tight> {
    arena.target.tight()
}

/// Holds snapshots, one after the other: while one lasts, nothing that is written can be put away.
fn read_now_and_then(target: &dyn Target, path: &Path, over: &AtomicBool) -> Outcome {
    while !over.load(Ordering::Relaxed) {
        let snapshot = target.hold_snapshot(path).map_err(Failure::new)?;
        std::thread::sleep(SHORT);
        drop(snapshot);
        std::thread::sleep(SHORT / 10);
    }
    Ok(())
}

pub(super) fn what_grows_stays_below_its_ceiling(arena: &Arena) -> Outcome {
    let Some(tight) = tight(arena) else { return Ok(()) };
    arena.open()?.put("n", "k", Json::from(1u64))?;
    let (path, over) = (arena.path()?, AtomicBool::new(false));
    let plan = Plan { millis: u64::try_from(WHILE.as_millis())?, bytes: LARGE, tight: true };
    let counts = std::thread::scope(|scope| {
        let readers = scope.spawn(|| read_now_and_then(arena.target, &path, &over));
        let counts = write_together(arena, "durability=process&timeout=30s", plan);
        over.store(true, Ordering::Relaxed);
        readers.join().ok().context("a thread panicked")??;
        counts
    })?;
    let written = counts.iter().sum::<u64>() * LARGE as u64;
    ensure!(written > tight.limit * 2, "{written} bytes are too few to reach a ceiling of {}", tight.limit);
    let size = companion_size(arena)?;
    ensure!(size <= tight.limit, "a companion has {size} bytes, its ceiling is {}", tight.limit);
    Ok(())
}

/// While somebody reads an old snapshot nothing can shrink; the ceiling holds all the same, and writes fail
/// with whom to blame.
pub(super) fn a_held_snapshot_makes_writers_busy_at_the_ceiling(arena: &Arena) -> Outcome {
    let Some(tight) = tight(arena) else { return Ok(()) };
    arena.open()?.put("n", "k", Json::from(1u64))?;
    let snapshot = arena.target.hold_snapshot(&arena.path()?).map_err(Failure::new)?;
    let plan = Plan { millis: 0, bytes: LARGE, tight: true };
    let mut writer =
        arena.worker("write_until_busy")?.settings("durability=process&timeout=500ms").plan(plan)?.start()?;
    let said: String = writer.hear()?;
    let size = companion_size(arena)?;
    ensure!(size <= tight.limit, "a companion has {size} bytes, its ceiling is {}", tight.limit);
    let reader = format!("pid {}", std::process::id());
    ensure!(said.contains(&reader), "the reader is {reader}, but it says: {said}");
    let own = (tight.open)(&arena.path()?, Settings::default().with_timeout(SHORT))?;
    let own = store_core::Blocking::new(own);
    own.commit(Batch::new().put("n", "k", Json::from("v".repeat(LARGE)))).refused(ErrorKind::Busy)?;
    drop(snapshot);
    own.put("n", "k", Json::from(2u64)).context("after the snapshot has ended")?;
    writer.say("go on")?;
    writer.finish::<u64>()?;
    let size = companion_size(arena)?;
    ensure!(size <= tight.limit, "a companion has {size} bytes, its ceiling is {}", tight.limit);
    Ok(())
}

fn write_until_busy(job: &Job) -> Outcome {
    let plan: Plan = job.plan()?;
    let store = job.open_tight()?;
    let value = Json::from("v".repeat(plan.bytes));
    // Far more than any ceiling takes.
    for _ in 0..100_000_000 / plan.bytes {
        if let Err(error) = store.put("n", "k", value.clone()) {
            let error = Err::<(), _>(error).refused(ErrorKind::Busy)?;
            job.say(error.to_string())?;
            job.hear::<String>()?;
            store.put("n", "k", value).context("after the snapshot has ended")?;
            return Ok(());
        }
    }
    Err(Failure::new("it never became busy"))
}
