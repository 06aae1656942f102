//! A fault at every system call that touches the store.

use std::collections::BTreeMap;

use nix::libc::{EDQUOT, EINTR, EIO, ENOSPC};

use super::steps::Script;
use super::trial::Bench;
use crate::arena::Arena;
use crate::counts::Count;
use crate::failure::{Outcome, ensure};
use crate::run::Profile;
use crate::tracer::{Act, Class};

/// How many tries a quick run makes, and a full one of a script that is long.
const SAMPLE: usize = 60;
const LARGE_SAMPLE: usize = 300;

/// What happens at a call.
const ACTS: [Act; 5] = [Act::Fail(EIO), Act::Fail(ENOSPC), Act::Fail(EDQUOT), Act::Fail(EINTR), Act::Kill];

/// One thing to try.
#[derive(Debug, Clone, Copy)]
struct Try {
    script: Script,
    n: u64,
    act: Act,
}

/// A failing call is told as what it is, and neither it nor a kill at it loses, halves or invents anything.
pub(in crate::cases) fn a_fault_at_any_system_call_is_told_and_loses_nothing(arena: &Arena) -> Outcome {
    drill(arena, &ACTS[..4])
}

/// A kill at a call that touches the store leaves each batch done or not, and what was acknowledged there.
pub(in crate::cases) fn a_kill_at_any_system_call_loses_nothing(arena: &Arena) -> Outcome {
    drill(arena, &ACTS[4..])
}

fn drill(arena: &Arena, acts: &[Act]) -> Outcome {
    let bench = Bench::new(arena)?;
    let mut groups: BTreeMap<(String, Class), Vec<Try>> = BTreeMap::new();
    let large = (arena.profile == Profile::Full).then_some(Script::Large);
    let mut points = 0;
    for script in Script::SHORT.into_iter().chain(large) {
        let run = bench.run(script, |plan| plan)?;
        bench.check(&run, Act::Nothing)?;
        ensure!(run.answers.len() == script.steps().len(), "{script:?} did not come to its end");
        points += run.report.points.len();
        for point in &run.report.points {
            let acts = acts.iter().filter(|act| point.class != Class::Unlock || **act == Act::Kill);
            let tries = acts.map(|act| Try { script, n: point.n, act: *act });
            let group = (format!("{script:?} {}", point.call), point.class);
            groups.entry(group).or_default().extend(tries);
        }
    }
    ensure!(points > 100, "only {points} calls of all scripts touch the store");
    let (mut hits, mut kills, mut found) = (0, 0, Vec::new());
    for (one, _) in chosen(arena, groups).into_iter().zip(arena.rounds(SAMPLE as u64 / 2, u64::MAX).go()) {
        let run = bench.run(one.script, |plan| plan.at(one.n, one.act))?;
        hits += u64::from(!run.report.hit.is_empty());
        kills += u64::from(one.act == Act::Kill && !run.report.hit.is_empty());
        if let Err(failure) = bench.check(&run, one.act) {
            found.push(failure.to_string());
        }
    }
    arena.count(Count::FaultPoints, points as u64);
    arena.count(Count::Faults, hits - kills);
    arena.count(Count::Kills, kills);
    ensure!(found.is_empty(), "{} of {hits} tries went wrong:\n{}", found.len(), found.join("\n"));
    ensure!(hits * 10 > 9 * SAMPLE as u64 / 2, "only {hits} calls were there to be failed");
    Ok(())
}

/// Returns all tries of a full run, and some of each kind of call for a quick one.
fn chosen(arena: &Arena, groups: BTreeMap<(String, Class), Vec<Try>>) -> Vec<Try> {
    let mut chance = arena.chance();
    let full = arena.profile == Profile::Full;
    let is_short = |one: &Try| one.script != Script::Large;
    let (mut all, mut rest) = (Vec::new(), Vec::new());
    for mut tries in groups.into_values() {
        if full && tries.iter().all(is_short) {
            all.append(&mut tries);
        } else {
            chance.shuffle(&mut tries);
            rest.push(tries);
        }
    }
    chance.shuffle(&mut rest);
    let most = if full { all.len() + LARGE_SAMPLE } else { SAMPLE / 2 };
    while all.len() < most && rest.iter().any(|tries| !tries.is_empty()) {
        let left = most - all.len();
        all.extend(rest.iter_mut().filter_map(Vec::pop).take(left));
    }
    // Whenever the time is over, all kinds of calls have had their turn.
    chance.shuffle(&mut all);
    all
}
