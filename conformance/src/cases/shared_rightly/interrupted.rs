//! Creators that are killed at random moments: nobody is locked out, and nothing lies about.

use std::path::Path;
use std::time::{Duration, Instant};

use fastrand::Rng;
use store_core::{Json, LogRange};

use crate::arena::Arena;
use crate::cases::works;
use crate::failure::{Context, Outcome, ensure_eq};
use crate::job::{Job, Work};
use crate::members::{ALL, HANDS_DOWN, PLAIN, as_user, give_to_group, shared_place};
use crate::rights::Rights;
use crate::target::folder_of;
use crate::users::User;
use crate::values::{is_tidy, listing};
use crate::worker::Worker;

pub(super) const WORKS: &[Work] = works![create_until_killed, take_over];

const ROUNDS: u64 = 60;

fn create_until_killed(job: &Job) -> Outcome {
    job.say("begun")?;
    let store = job.open()?;
    job.say("open")?;
    store.put("n", "k", Json::from(1u64))?;
    job.say("written")?;
    job.hear::<String>().map(drop)
}

/// Works with what a killed creator left; the plan is how many came before.
fn take_over(job: &Job) -> Outcome {
    let before: u64 = job.plan()?;
    let store = job.open()?;
    ensure_eq!(store.append("n", "log", Json::from(before))?, before + 1);
    store.put("n", "k", Json::from(before))?;
    ensure_eq!(store.read_log("n", "log", LogRange::all())?.len() as u64, before + 1);
    store.close()?;
    Ok(())
}

fn start(arena: &Arena, path: &Path, settings: &str, user: Option<User>) -> Outcome<Worker> {
    let hire = arena.worker_on(path, "create_until_killed")?.settings(settings).umask(0o077);
    let mut worker = as_user(hire, user).start()?;
    worker.hear::<String>()?;
    Ok(worker)
}

/// Returns about how long it takes to create a store, so that kills fall into it.
fn time_to_create(arena: &Arena) -> Outcome<Duration> {
    let mut worker = start(arena, &shared_place(arena, "timed", PLAIN)?, "group=65532", None)?;
    let begun = Instant::now();
    worker.hear::<String>()?;
    Ok(begun.elapsed())
}

/// One to three creators are killed, one after the other, at random moments; then every other user opens
/// the store, writes and reads.
pub(super) fn a_kill_amid_creation_locks_nobody_out(arena: &Arena) -> Outcome {
    let mut chance = arena.chance();
    let longest = u64::try_from(time_to_create(arena)?.as_micros())?;
    for round in 0..arena.commits(ROUNDS) {
        let (settings, mode) = if chance.bool() { ("group=65532", PLAIN) } else { ("", HANDS_DOWN) };
        let path = shared_place(arena, &format!("round {round}"), mode)?;
        let first = kill_creators(arena, &path, settings, &mut chance, longest)?;
        take_over_from(arena, &path, settings, first).context(format_args!("round {round}"))?;
    }
    Ok(())
}

/// The same where the store makes its folders too: what the killed ones left of those is cleaned as well.
pub(super) fn a_kill_amid_the_making_of_folders_leaves_nothing(arena: &Arena) -> Outcome {
    let mut chance = arena.chance();
    let longest = u64::try_from(time_to_create(arena)?.as_micros())?;
    for round in 0..arena.commits(ROUNDS) {
        let folder = arena.folder().join(format!("round {round}"));
        std::fs::create_dir(&folder)?;
        give_to_group(&folder, PLAIN)?;
        let path = arena.target.place(&folder.join("made/below"));
        // The folders come first.
        let first = kill_creators(arena, &path, "group=65532", &mut chance, longest / 3)?;
        let what = format!("round {round}, after {:?} was left behind", listing(&folder)?);
        take_over_from(arena, &path, "group=65532", first).context(&what)?;
        for (folder, expected) in [(folder.clone(), "made"), (folder.join("made"), "below")] {
            ensure_eq!(listing(&folder)?, [expected], "{what}: what lies in {}", folder.display());
        }
    }
    Ok(())
}

/// Kills one to three creators at random moments; returns the number of the first among all users.
fn kill_creators(
    arena: &Arena,
    path: &Path,
    settings: &str,
    chance: &mut Rng,
    longest: u64,
) -> Outcome<usize> {
    let first = chance.usize(..ALL.len());
    for user in ALL.into_iter().cycle().skip(first).take(chance.usize(1..=3)) {
        let creator = start(arena, path, settings, user)?;
        std::thread::sleep(Duration::from_micros(chance.u64(..=longest)));
        creator.kill::<String>()?;
    }
    Ok(first)
}

/// Lets every user work with what was left, beginning with one who left none of it first.
fn take_over_from(arena: &Arena, path: &Path, settings: &str, first: usize) -> Outcome {
    let folder = folder_of(arena.target, path)?;
    let left = if folder.is_dir() { listing(&folder)? } else { Vec::new() };
    let what = format!("settings {settings:?}, after {left:?} was left behind");
    for (user, before) in ALL.into_iter().cycle().skip(first + 1).take(ALL.len()).zip(0_u64..) {
        let hire = arena.worker_on(path, "take_over")?.plan(before)?.settings(settings).umask(0o077);
        as_user(hire, user).start()?.finish::<()>().context(&what)?;
    }
    Rights::OF_GROUP.check(arena.target, path, &what)?;
    is_tidy(arena.target, path).context(what)
}
