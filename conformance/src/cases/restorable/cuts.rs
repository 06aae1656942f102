//! Power that is cut while dumps are restored.

use std::path::{Path, PathBuf};
use std::time::Duration;

use fastrand::Rng;
use serde::{Deserialize, Serialize};
use store_core::dump::{Existing, Outline};
use store_core::{Blocking, Settings};

use super::dumps::{outline, restore, verify};
use super::generations::Generations;
use super::kills::works_on;
use crate::arena::{Arena, Hire, patient};
use crate::audit;
use crate::cases::works;
use crate::counts::Count;
use crate::drill::{Cut, Filesystem, Ground, apart};
use crate::failure::{Context, Failure, Outcome, ensure};
use crate::job::{Job, Work};
use crate::rounds::Rounds;
use crate::worker::Worker;

pub(super) const WORKS: &[Work] = works![cut_the_power_of_restores, look_after_a_cut];

/// So many that one restored too early or too late is another one.
const GENERATIONS: u64 = 12;
const SIZE: usize = 2000;

#[derive(Debug, Serialize, Deserialize)]
struct Plan {
    cuts: Rounds,
    dumps: Vec<PathBuf>,
    seed: u64,
}

/// What is there after a cut was restored last, or is being restored; it is whole, and the store takes writes.
pub(super) fn a_power_cut_amid_a_restore_leaves_what_was_there_or_what_was_restored(
    arena: &Arena,
) -> Outcome {
    let dumps = Generations::make(arena, GENERATIONS, SIZE)?;
    let plan = Plan { cuts: arena.rounds(5, 200), dumps: dumps.paths(), seed: arena.chance().u64(..) };
    let drill = apart(arena, "drill", "cut_the_power_of_restores")?.plan(plan)?.start()?;
    // It says something after every cut, so that it never seems to hang.
    let said: Vec<u64> = drill.finish()?;
    let cuts = said.len() as u64;
    ensure!(cuts > 0, "there was no cut");
    arena.count(Count::Cuts, cuts);
    Ok(())
}

fn cut_the_power_of_restores(job: &Job) -> Outcome {
    let Plan { cuts, dumps, seed } = job.plan()?;
    let told = dumps.iter().map(|path| verify(path)).collect::<Result<Vec<Outline>, _>>()?;
    let mut chance = Rng::with_seed(seed);
    let ground = Ground::make(job.orders.path.parent().context("no folder")?)?;
    let disk = ground.disk(Filesystem::Ext4, "disk")?;
    let folder = disk.at().join("store");
    std::fs::create_dir(&folder)?;
    let path = job.target.place(&folder);
    let store = Blocking::new(job.target.open(&path, patient(job.target, Settings::default()))?);
    restore(&store, dumps.first().context("no dumps")?, Existing::Refuse)?;
    store.close()?;
    drop(store);
    let mut restorer = Hire::new(job.target, &path, "restore_until_killed")?.plan((&dumps, 1))?.start()?;
    restorer.hear::<String>()?;
    let mut last = 0;
    for cut in cuts.go() {
        std::thread::sleep(Duration::from_micros(chance.u64(..40_000)));
        last = newest(&mut restorer, last)?;
        let copy = Cut::of(&disk)?;
        let after = newest(&mut restorer, last)? + 1;
        let mounted = copy.mount(&disk)?;
        let at = mounted.at().join(path.strip_prefix(disk.at())?);
        let expected: Vec<&Outline> = (last..=after + 1)
            .map(|number| told.get(usize::try_from(number).unwrap_or(0) % told.len()))
            .collect::<Option<_>>()
            .context("no dumps")?;
        let names: Vec<Vec<(&str, &str)>> = expected.into_iter().map(digests).collect();
        let hire = Hire::new(job.target, &at, "look_after_a_cut")?;
        let looked = hire.plan(&names)?.start()?.finish::<()>();
        looked.context(format_args!("after cut {cut}, between restores {last} and {after}"))?;
        mounted.unmount()?;
        job.say(cut)?;
    }
    restorer.kill::<u64>()?;
    disk.discard()?;
    ground.discard()
}

/// Returns the number of the newest restore that is known to be done.
fn newest(restorer: &mut Worker, last: u64) -> Outcome<u64> {
    Ok(restorer.heard_by_now::<u64>()?.pop().unwrap_or(last))
}

/// Returns the names of namespaces and the digests of their contents.
fn digests(outline: &Outline) -> Vec<(&str, &str)> {
    outline.namespaces.iter().map(|space| (space.name.as_str(), space.digest.as_str())).collect()
}

fn look_after_a_cut(job: &Job) -> Outcome {
    let expected: Vec<Vec<(String, String)>> = job.plan()?;
    let store = job.open()?;
    let found = outline(&store)?;
    let digests = digests(&found).into_iter().map(|(name, digest)| (name.to_owned(), digest.to_owned()));
    let digests: Vec<(String, String)> = digests.collect();
    ensure!(
        expected.contains(&digests),
        "it holds nothing that was restored by then, whole: {} keys in {} namespaces",
        found.keys(),
        found.namespaces.len()
    );
    works_on(&store)?;
    audit::check(&store)?;
    store.close()?;
    drop(store);
    is_sound(job, &job.orders.path)
}

fn is_sound(job: &Job, path: &Path) -> Outcome {
    let whole = job.target.check_integrity(path);
    whole.map_err(|found| Failure::new(format_args!("the engine finds its store damaged: {found}")))
}
