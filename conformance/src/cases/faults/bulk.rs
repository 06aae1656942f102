//! Batches of many records, a few MB each, of which no part may stay.

use std::time::Duration;

use store_core::{Blocking, LogRange};

use super::steps::{BULK, Script, bulk, record};
use super::trial::Bench;
use crate::arena::Arena;
use crate::cases::works;
use crate::counts::Count;
use crate::failure::{Outcome, ensure, ensure_eq};
use crate::job::{Job, Work};
use crate::tracer::{Act, Class, Only};

pub(super) const WORKS: &[Work] = works![append_many_until_killed];

/// A process that appends many records at once is killed at each of its calls, and at any moment between and
/// within them: the log is a whole number of batches.
pub(in crate::cases) fn a_killed_append_of_many_records_leaves_all_or_none(arena: &Arena) -> Outcome {
    killed_at_calls(arena)?;
    killed_at_any_moment(arena)
}

fn killed_at_calls(arena: &Arena) -> Outcome {
    let bench = Bench::new(arena)?;
    let only = Only { classes: vec![Class::Write, Class::Sync, Class::Size, Class::Name], ..Only::default() };
    let run = bench.run(Script::Bulk, |plan| plan.only(only.clone()))?;
    bench.check(&run, Act::Nothing)?;
    let mut points: Vec<u64> =
        run.report.points.iter().filter(|point| point.said > 0).map(|point| point.n).collect();
    arena.chance().shuffle(&mut points);
    for (n, _) in points.into_iter().zip(arena.rounds(4, 400).of_loops(2).go()) {
        let run = bench.run(Script::Bulk, |plan| plan.only(only.clone()).at(n, Act::Kill))?;
        bench.check(&run, Act::Kill)?;
        arena.count(Count::Kills, 1);
    }
    Ok(())
}

/// Appends batches, and says before each how many there are.
fn append_many_until_killed(job: &Job) -> Outcome {
    let store = job.open()?;
    for n in 0.. {
        job.say(n)?;
        store.commit(bulk(n))?;
    }
    Ok(())
}

fn killed_at_any_moment(arena: &Arena) -> Outcome {
    let mut chance = arena.chance();
    for _ in arena.rounds(12, 300).of_loops(2).go() {
        let mut writer = arena.worker("append_many_until_killed")?.start()?;
        let first: u64 = writer.hear()?;
        std::thread::sleep(Duration::from_micros(chance.u64(..20_000)));
        let begun = writer.kill::<u64>()?.last().copied().unwrap_or(first);
        let store = arena.open()?;
        whole_batches(&store, begun)?;
        store.delete_namespace("m")?;
        store.close()?;
    }
    Ok(())
}

/// Makes sure that the log holds the batches before the one that was begun last, that one or not, and each
/// whole.
fn whole_batches(store: &Blocking, begun: u64) -> Outcome {
    let (count, _) = BULK;
    let log = store.read_log("m", "log", LogRange::all())?;
    let found = log.len() as u64;
    ensure_eq!(found % count, 0, "records that are no whole batch, of {found}");
    ensure!(
        (begun..=begun + 1).contains(&(found / count)),
        "batch {begun} was begun, {found} records are there"
    );
    for (n, records) in (0..).zip(log.chunks(usize::try_from(count)?)) {
        let expected = record(n);
        let whole = records.iter().all(|found| found.entry == expected);
        ensure!(whole, "a record of batch {n} came back otherwise");
    }
    Ok(())
}
