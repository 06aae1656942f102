//! Power cuts on a model of a disk that writes what is not synced in any order, in part, or not at all.

use fastrand::Rng;
use nix::libc::EIO;

use super::film::Film;
use super::steps::{Going, Script};
use crate::arena::Arena;
use crate::counts::Count;
use crate::failure::{Context, Outcome, ensure};
use crate::tracer::{Act, Class, Only, Plan};

/// How many states a control may need until one of them is seen to be wrong.
const CONTROL: usize = 40;

/// How many states are looked at before the time is.
const AT_ONCE: usize = 5;

/// What a process does whose predecessor made the store.
const LATER: [Script; 4] = [Script::Change, Script::Append, Script::Trim, Script::Wide];

fn films(goings: &[Going], arena: &Arena, name: &str) -> Outcome<Film> {
    Film::shoot(arena, name, goings, |_, plan| plan)
}

/// Whatever order a disk writes in, what was acknowledged is there after a power cut, and of what was not
/// all or nothing. A process that acknowledges before it commits is caught.
pub(in crate::cases) fn any_order_of_unsynced_writes_loses_nothing_acknowledged(arena: &Arena) -> Outcome {
    let mut chance = arena.chance();
    for (at, later) in LATER.into_iter().enumerate() {
        let goings = [Script::Create, later].map(Going::from);
        let film = films(&goings, arena, &format!("film {at}"))?;
        for _ in arena.rounds(5, 300).of_loops(LATER.len()).go() {
            let points = anywhere(&film, AT_ONCE, &mut chance);
            arena.count(Count::DiskStates, AT_ONCE as u64);
            film.cut(arena, points, true, &mut chance)?;
        }
    }
    let hasty = [Going { script: Script::Create, hasty: true }];
    let film = films(&hasty, arena, "hasty film")?;
    is_caught(arena, &film, true, &mut chance)
}

/// A sync fails, in one of two processes or before both; whatever any of them acknowledges afterwards is there
/// after a power cut. If the syncs after the failure do nothing that is seen.
pub(in crate::cases) fn after_a_failed_sync_no_later_acknowledgement_is_lost(arena: &Arena) -> Outcome {
    let mut chance = arena.chance();
    let mut failures = 0;
    let scripts =
        [(Script::Wide, Script::Append), (Script::Append, Script::Trim), (Script::Change, Script::Wide)];
    let loops = scripts.len();
    for (at, (failing, later)) in scripts.into_iter().enumerate() {
        let goings = [Script::Create, failing, later].map(Going::from);
        let film = films(&goings, arena, &format!("film {at}"))?;
        ensure!(film.first_failure().is_none(), "a sync fails by itself");
        let mut which: Vec<usize> = (1..=film.syncs(1)).collect();
        chance.shuffle(&mut which);
        for (nth, _) in which.into_iter().zip(arena.rounds(4, u64::MAX).of_loops(loops).go()) {
            let plan = |part, plan: Plan| if part == 1 { fails(plan, nth) } else { plan };
            let film = Film::shoot(arena, &format!("film {at} {nth}"), &goings, plan)?;
            let Some(from) = film.first_failure() else { continue };
            failures += 1;
            let mut points = vec![film.len(); arena.profile.pick(2, 20)];
            points.extend((0..arena.profile.pick(3, 20)).map(|_| chance.usize(from..=film.len())));
            arena.count(Count::DiskStates, points.len() as u64);
            film.cut(arena, points, true, &mut chance)
                .context(format_args!("{failing:?} with sync {nth} failing, then {later:?}"))?;
        }
    }
    arena.count(Count::Faults, failures);
    ensure!(failures >= 6, "only {failures} syncs were there to fail");
    let film = films(&[Going::from(Script::Create)], arena, "film without syncs")?;
    is_caught(arena, &film, false, &mut chance)
}

/// Returns points of a film at which the power is cut.
fn anywhere(film: &Film, count: usize, chance: &mut Rng) -> Vec<usize> {
    (0..count).map(|_| chance.usize(..=film.len())).collect()
}

fn fails(plan: Plan, nth: usize) -> Plan {
    let only = Only { classes: vec![Class::Sync], ..Only::default() };
    plan.only(only).at(nth as u64, Act::Fail(EIO))
}

/// Makes sure that power cuts show what is wrong in a film.
fn is_caught(arena: &Arena, film: &Film, honest: bool, chance: &mut Rng) -> Outcome {
    let points = anywhere(film, CONTROL, chance);
    ensure!(
        film.cut(arena, points, honest, chance).is_err(),
        "a loss that was made on purpose is not seen in {CONTROL} states"
    );
    Ok(())
}
