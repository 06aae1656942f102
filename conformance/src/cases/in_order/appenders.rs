//! Processes that append to one log.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use store_core::{Batch, Conflict, LogRange};

use crate::arena::Arena;
use crate::cases::works;
use crate::failure::{Context, Outcome, ensure, ensure_eq};
use crate::job::{Job, Work};
use crate::worker::{finish_all, release};

pub(super) const WORKS: &[Work] = works![append_in_order, append_or_find_it_done];

const APPENDERS: u64 = 8;
const APPENDS: u64 = 250;

/// An entry that tells who appended it, and as the how-manieth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Mark {
    by: u64,
    n: u64,
}

/// 8 processes append 250 entries each, half of them under `power`: dense, each once, each in its order,
/// each under the number that its writer was told.
pub(super) fn eight_processes_append_to_one_log(arena: &Arena) -> Outcome {
    let (mut appenders, appends) = (Vec::new(), arena.commits(APPENDS));
    for by in 0..APPENDERS {
        let durability = if by % 2 == 0 { "power" } else { "process" };
        let hire = arena.worker("append_in_order")?.settings(&format!("durability={durability}&timeout=30s"));
        appenders.push(hire.plan((by, appends))?.start()?);
    }
    release(&mut appenders)?;
    let told: Vec<Vec<u64>> = finish_all(appenders)?;

    let log = arena.open()?.read_log("n", "log", LogRange::all())?;
    let numbers: Vec<u64> = log.iter().map(|entry| entry.seq).collect();
    ensure_eq!(numbers, (1..=APPENDERS * appends).collect::<Vec<_>>());
    let mut found: BTreeMap<u64, Vec<(u64, u64)>> = BTreeMap::new();
    for entry in &log {
        let mark: Mark = entry.entry.decode()?;
        found.entry(mark.by).or_default().push((entry.seq, mark.n));
    }
    for (by, told) in (0..).zip(told) {
        let expected: Vec<(u64, u64)> = told.into_iter().zip(1..).collect();
        ensure_eq!(expected.len() as u64, appends, "numbers that appender {by} was told");
        ensure_eq!(found.remove(&by).unwrap_or_default(), expected, "entries of appender {by}");
    }
    Ok(())
}

fn append_in_order(job: &Job) -> Outcome {
    let (by, appends): (u64, u64) = job.plan()?;
    let store = job.open()?;
    job.meet()?;
    for n in 1..=appends {
        job.say(store.append_as("n", "log", &Mark { by, n })?)?;
    }
    Ok(())
}

const KILLS: usize = 40;

/// A process that appends under `check_log` is killed at any moment; the next one tries the append that was
/// not acknowledged again, and it is there once.
pub(super) fn an_append_retried_after_a_kill_lands_once(arena: &Arena) -> Outcome {
    let mut chance = arena.chance();
    let (mut acknowledged, mut found_done) = (0, 0);
    for _ in 0..KILLS {
        let hire = arena.worker("append_or_find_it_done")?.settings("durability=process");
        let mut appender = hire.plan(acknowledged)?.start()?;
        let (first, was_done): (u64, bool) = appender.hear()?;
        ensure_eq!(first, acknowledged + 1, "the append that was tried again");
        found_done += usize::from(was_done);
        std::thread::sleep(Duration::from_micros(chance.u64(..3000)));
        let later: Vec<(u64, bool)> = appender.kill()?;
        ensure!(
            later.iter().all(|(_, was_done)| !was_done),
            "an append was there before it was made: {later:?}"
        );
        acknowledged = later.last().map_or(first, |(n, _)| *n);
    }
    let log = arena.open()?.read_log("n", "log", LogRange::all())?;
    let values = log.iter().map(|entry| entry.entry.decode()).collect::<Result<Vec<u64>, _>>()?;
    let last = log.len() as u64;
    ensure_eq!(values, (1..=last).collect::<Vec<_>>(), "{found_done} were found done");
    ensure!((acknowledged..=acknowledged + 1).contains(&last), "{acknowledged} acknowledged, {last} there");
    Ok(())
}

fn append_or_find_it_done(job: &Job) -> Outcome {
    let acknowledged: u64 = job.plan()?;
    let store = job.open()?;
    for n in acknowledged + 1.. {
        let append = Batch::new().check_log("n", "log", n - 1).append("n", "log", n);
        let was_done = match store.commit(append) {
            Ok(receipt) => {
                ensure_eq!(receipt.appended().collect::<Vec<_>>(), [n]);
                false
            }
            Err(error) => match error.conflict() {
                Some(Conflict::Log { found, .. }) if *found == n => true,
                _ => return Err(error).context(format_args!("append {n}")),
            },
        };
        job.say((n, was_done))?;
    }
    Ok(())
}
