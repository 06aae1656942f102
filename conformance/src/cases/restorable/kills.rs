//! Processes that are killed while they dump, restore and migrate.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use store_core::dump::{Compression, Existing, Old, Outline};
use store_core::{Blocking, ErrorKind, Json, Settings};

use super::dumps::{export, holds, migrate, outline, restore, verify};
use super::generations::{Generations, fill};
use crate::arena::Arena;
use crate::cases::works;
use crate::failure::{Context, Outcome, Refused, ensure, ensure_eq};
use crate::job::{Job, Work};
use crate::values::{is_tidy, listing};
use crate::worker::Worker;

pub(super) const WORKS: &[Work] = works![dump_until_killed, restore_until_killed, migrate_until_killed];

const SIZE: usize = 2000;
const GENERATIONS: u64 = 3;

/// Lets a worker go on for a while, a bit longer than what it does takes, and kills it; returns what it said last.
fn kill_within(worker: Worker, took: Duration, chance: &mut fastrand::Rng) -> Outcome<Option<u64>> {
    let most = u64::try_from(took.as_micros())?.max(1000) * 3 / 2;
    std::thread::sleep(Duration::from_micros(chance.u64(..most)));
    Ok(worker.kill::<u64>()?.pop())
}

/// A dump has its name when it is whole, or the one before has it.
pub(super) fn a_kill_amid_a_dump_leaves_one_that_is_whole_or_none(arena: &Arena) -> Outcome {
    let dumps = Generations::make(arena, 1, SIZE)?;
    let store = arena.open()?;
    restore(&store, &dumps.dump(0)?.0, Existing::Refuse)?;
    let expected = outline(&store)?;
    let folder = arena.folder().join("backups");
    std::fs::create_dir(&folder)?;
    let path = folder.join("the.dump");
    let begun = Instant::now();
    export(&store, &path, Compression::Zstd)?;
    let took = begun.elapsed() * 2;
    let mut chance = arena.chance();
    for round in arena.rounds(10, 300).go() {
        // Every other time there is none yet.
        if round % 2 == 0 && path.exists() {
            std::fs::remove_file(&path)?;
        }
        let before = path.exists();
        let mut worker = arena.worker("dump_until_killed")?.plan(&path)?.start()?;
        worker.hear::<String>()?;
        let said = kill_within(worker, took, &mut chance)?;
        if path.exists() {
            let found = verify(&path).context("the dump that was there after a kill")?;
            holds(&found, &dumps.dump(0)?.1)?;
        } else {
            ensure!(said.is_none() && !before, "a dump that was done, or was there before, is gone");
        }
        for name in listing(&folder)? {
            let hidden = name.starts_with(".statestore-");
            ensure!(hidden || name == "the.dump", "{name} was left");
        }
        ensure_eq!(outline(&store)?.digest, expected.digest, "the store that was dumped");
    }
    is_tidy(arena.target, &arena.path()?)
}

fn dump_until_killed(job: &Job) -> Outcome {
    let path: PathBuf = job.plan()?;
    let store = job.open()?;
    job.say("begun")?;
    for n in 0u64.. {
        let compression = if n % 2 == 0 { Compression::None } else { Compression::Zstd };
        export(&store, &path, compression)?;
        job.say(n)?;
    }
    Ok(())
}

/// The store holds what it held or what was restored; it takes writes, and nothing lies about.
pub(super) fn a_kill_amid_a_restore_leaves_what_was_there_or_what_was_restored(arena: &Arena) -> Outcome {
    let dumps = Generations::make(arena, GENERATIONS, SIZE)?;
    let path = arena.path()?;
    let begun = Instant::now();
    let store = arena.open()?;
    restore(&store, &dumps.dump(0)?.0, Existing::Refuse)?;
    store.close()?;
    let took = begun.elapsed();
    let (mut chance, mut last) = (arena.chance(), 0);
    for _ in arena.rounds(8, 400).go() {
        let hire = arena.worker("restore_until_killed")?;
        let mut worker = hire.plan((dumps.paths(), last + 1))?.start()?;
        worker.hear::<String>()?;
        let said = kill_within(worker, took, &mut chance)?.unwrap_or(last);
        let store = arena.open().context("after a kill")?;
        last = dumps.which(&store, said..=said + 1).context("after a kill amid a restore")?;
        works_on(&store)?;
        store.close()?;
        is_tidy(arena.target, &path)?;
    }
    Ok(())
}

/// Restores dumps one after the other, from a number on.
fn restore_until_killed(job: &Job) -> Outcome {
    let (dumps, from): (Vec<PathBuf>, u64) = job.plan()?;
    let store = job.open()?;
    job.say("begun")?;
    for n in from.. {
        let dump = dumps.get(usize::try_from(n)? % dumps.len()).context("no dumps")?;
        restore(&store, dump, Existing::Replace)?;
        job.say(n)?;
    }
    Ok(())
}

/// Makes sure that a store takes writes.
pub(super) fn works_on(store: &Blocking) -> Outcome {
    store.put("probe", "k", Json::from(1u64))?;
    ensure!(store.delete_namespace("probe")?, "what was written is gone");
    Ok(())
}

/// The old store serves on, or says where to, and there all of it is.
pub(super) fn a_kill_amid_a_migration_leaves_the_old_store_or_the_new_one(arena: &Arena) -> Outcome {
    let mut chance = arena.chance();
    let pair = |round: u64| {
        Ok::<_, crate::failure::Failure>((
            arena.place(&format!("old {round}"))?,
            arena.place(&format!("new {round}"))?,
        ))
    };
    let open = |path: &Path| arena.open_at(path, Settings::default());
    let mut took = Duration::ZERO;
    for round in arena.rounds(6, 200).go() {
        let (old, new) = pair(round)?;
        let to = new.to_string_lossy().into_owned();
        let store = open(&old)?;
        fill(&store, round % GENERATIONS, SIZE)?;
        let held = outline(&store)?;
        store.close()?;
        drop(store);
        let mut again = false;
        if round == 0 {
            // How long it takes, and that it can be done.
            let begun = Instant::now();
            migrate(&open(&old)?, &open(&new)?, &to, Old::Bury)?;
            took = begun.elapsed();
        } else {
            let mut worker = arena.worker_on(&old, "migrate_until_killed")?.plan(&new)?.start()?;
            worker.hear::<String>()?;
            let done = kill_within(worker, took, &mut chance)?.is_some();
            again = after_a_kill(arena, &old, &new, &held, done).context(format_args!("round {round}"))?;
        }
        let moved = arena.target.open(&old, crate::arena::patient(arena.target, Settings::default()));
        let error = moved.refused(ErrorKind::Moved).context("the old store after a migration")?;
        ensure!(error.to_string().contains(&to), "it does not say where to: {error}");
        let store = open(&new)?;
        let found = outline(&store)?;
        holds(&found, &held)?;
        // Over a copy that was whole already, revisions had to be raised.
        let same = again || found.digest == held.digest;
        ensure!(same, "the new store has other revisions or times");
        works_on(&store)?;
        store.close()?;
        drop(store);
        is_tidy(arena.target, &new)?;
        for path in [&old, &new] {
            arena.forget(path);
            std::fs::remove_dir_all(path.parent().context("no folder")?)?;
        }
    }
    Ok(())
}

/// Looks at both stores, and migrates again unless that was done; returns whether it did.
fn after_a_kill(arena: &Arena, old: &Path, new: &Path, held: &Outline, done: bool) -> Outcome<bool> {
    let settings = || crate::arena::patient(arena.target, Settings::default());
    let store = match arena.target.open(old, settings()) {
        Ok(store) => Blocking::new(store),
        Err(error) if error.kind() == ErrorKind::Moved => return Ok(false),
        Err(error) => return Err(error).context("the old store after a kill"),
    };
    ensure!(!done, "a migration that was done left the old store serving");
    ensure_eq!(outline(&store)?.digest, held.digest, "the old store after a kill");
    works_on(&store)?;
    let copy = arena.open_at(new, Settings::default()).context("the new store after a kill")?;
    let found = outline(&copy)?;
    ensure!(
        found.namespaces.is_empty() || held.differences(&found).is_empty(),
        "the new store has a part of the old: {}",
        held.differences(&found).join("; ")
    );
    let moved = migrate(&store, &copy, &new.to_string_lossy(), Old::Bury).context("once more")?;
    holds(&moved, held)?;
    Ok(true)
}

fn migrate_until_killed(job: &Job) -> Outcome {
    let new: PathBuf = job.plan()?;
    let old = job.open()?;
    let settings = crate::arena::patient(job.target, Settings::default());
    let store = Blocking::new(job.target.open(&new, settings)?);
    job.say("begun")?;
    migrate(&old, &store, &new.to_string_lossy(), Old::Bury)?;
    job.say(1u64)?;
    job.hear::<String>().map(drop)
}
