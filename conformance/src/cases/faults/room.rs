//! A disk that is full in the middle of a large commit.

use nix::libc::ENOSPC;

use super::steps::{Answer, Script};
use super::trial::Bench;
use crate::arena::Arena;
use crate::counts::Count;
use crate::failure::{Outcome, ensure};
use crate::target::{Role, of_role};
use crate::tracer::{Act, Only, Point};

/// Which step of the script is the large commit.
const LARGE: usize = 2;

/// From one of the calls on that make a file longer, all of them fail for want of room. The commit is told as
/// failed, and what surely did not happen is not there when the process was killed and the store is opened
/// again: neither if every file is short of room, nor if an engine's shared index alone is.
pub(in crate::cases) fn a_commit_that_failed_for_want_of_room_never_comes_back(arena: &Arena) -> Outcome {
    let bench = Bench::new(arena)?;
    let path = arena.place("prepared")?;
    let shared = of_role(arena.target, &path, Role::Shared).into_iter();
    let shared = shared.filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    let growing = |suffix| Only { suffix, growing: true, ..Only::default() };
    let whole = bench.run(Script::LargeAndDie, |plan| plan.only(growing(None)))?;
    bench.check(&whole, Act::Nothing)?;
    let mut failed = 0;
    for suffix in shared.map(Some).chain([None]) {
        let points = when(arena, &whole.report.points, suffix.as_deref().unwrap_or_default());
        for (n, _) in points.into_iter().zip(arena.rounds(1, 60).of_loops(2).go()) {
            let act = Act::Fail(ENOSPC);
            let only = growing(suffix.clone());
            let run = bench.run(Script::LargeAndDie, |plan| plan.only(only).at(n, act).and_on())?;
            failed += u64::from(matches!(run.answers.get(LARGE), Some(Answer::Failed { .. })));
            bench.check(&run, act)?;
            arena.count(Count::Faults, 1);
        }
    }
    ensure!(failed > 0, "no commit failed for want of room");
    Ok(())
}

/// Returns from which of the calls on, of those on files whose names end so, there is no room: some of those
/// in the large commit.
fn when(arena: &Arena, growing: &[Point], suffix: &str) -> Vec<u64> {
    let meant = growing.iter().filter(|point| point.file.ends_with(suffix));
    let mut points: Vec<u64> =
        (1..).zip(meant).filter(|(_, point)| point.said == LARGE).map(|(n, _)| n).collect();
    arena.chance().shuffle(&mut points);
    points
}
