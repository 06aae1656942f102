//! Files that are taken away, or exchanged, while the store is open: nothing is acknowledged that nobody
//! would find.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use store_core::{Batch, Blocking, Durability, Error, ErrorKind, Json, Settings};

use super::places::filled;
use crate::arena::Arena;
use crate::cases::works;
use crate::failure::{Context, Outcome, Refused, ensure, ensure_eq};
use crate::job::{Job, Work};
use crate::target::{Role, of_role};
use crate::worker::Worker;

pub(super) const WORKS: &[Work] = works![tell_what_stands, write_beside];

/// Renames, over whatever is there.
#[expect(clippy::disallowed_methods, reason = "what careless hands do")]
fn rename(from: &Path, to: &Path) -> Outcome {
    Ok(std::fs::rename(from, to)?)
}

/// Does something to a file, and returns where the original went.
type Act = fn(&Path, &Path) -> Outcome;

fn take_away(file: &Path, aside: &Path) -> Outcome {
    rename(file, aside)
}

fn exchange_for_a_copy(file: &Path, aside: &Path) -> Outcome {
    rename(file, aside)?;
    std::fs::copy(aside, file)?;
    Ok(())
}

const ACTS: [(&str, Act); 2] = [("taken away", take_away), ("exchanged", exchange_for_a_copy)];

fn write(store: &Blocking, durability: Durability, n: u64) -> Result<(), Error> {
    let batch = Batch::new().put("n", "k", n).append("n", "log", Json::from(n));
    store.commit(batch.durability(durability)).map(drop)
}

/// A store that is open, and of which something was taken away.
struct Robbed {
    store: Blocking,
    path: PathBuf,
    file: PathBuf,
    aside: PathBuf,
}

/// Opens a filled store, does something to an artefact of it, and returns all that a case needs; none if the
/// engine has no artefact of the role.
fn open_and(arena: &Arena, role: Role, name: &str, act: Act) -> Outcome<Option<Robbed>> {
    let path = filled(arena, &format!("{role:?} {name}"))?;
    let Some(file) = of_role(arena.target, &path, role).into_iter().next() else { return Ok(None) };
    let store = Blocking::new(arena.target.open(&path, Settings::default())?);
    write(&store, Durability::Power, 1)?;
    let aside = arena.folder().join(format!("aside {role:?} {name}"));
    act(&file, &aside)?;
    Ok(Some(Robbed { store, path, file, aside }))
}

pub(super) fn data_that_is_removed_or_exchanged_takes_no_write(arena: &Arena) -> Outcome {
    for (name, act) in ACTS {
        let robbed = open_and(arena, Role::Data, name, act)?.context("the target names no data")?;
        let Robbed { store, file, aside, .. } = robbed;
        for durability in [Durability::Power, Durability::Process] {
            let error = write(&store, durability, 2).refused(ErrorKind::Corrupted).context(name)?;
            ensure!(error.path().is_some(), "it names no path: {error}");
        }
        store.append("n", "log", Json::from(2u64)).refused(ErrorKind::Corrupted)?;
        store.delete_namespace("n").refused(ErrorKind::Corrupted)?;
        // Back in its place it is the store again, without what was refused.
        rename(&aside, &file)?;
        write(&store, Durability::Power, 3).context(name)?;
        ensure_eq!(store.logs("n")?.pop().context("no log")?.last, 22, "{name}: entries");
        ensure_eq!(store.get_as::<u64>("n", "k")?, Some(3));
    }
    Ok(())
}

/// Writes, and stays until it is told to end; tells whether the write was acknowledged.
fn write_beside(job: &Job) -> Outcome {
    let durability: String = job.plan()?;
    let durability = if durability == "power" { Durability::Power } else { Durability::Process };
    let batch = Batch::new().put("n", "stranger", 2_u64).durability(durability);
    let store = job.open();
    job.say(store.as_ref().is_ok_and(|store| store.commit(batch).is_ok()))?;
    job.hear::<String>().map(drop)
}

/// What whoever comes next finds under the keys of both writers.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Next {
    Finds { ours: Option<u64>, strangers: Option<u64> },
    IsToldOfDamage,
}

fn tell_what_stands(job: &Job) -> Outcome {
    let found = job.open().and_then(|store| {
        Ok(Next::Finds { ours: store.get_as("n", "k")?, strangers: store.get_as("n", "stranger")? })
    });
    match found {
        Err(error) if error.kind() == ErrorKind::Corrupted => job.say(Next::IsToldOfDamage),
        found => job.say(found?),
    }
}

/// What belongs to the data counts as much: a write that goes where nobody finds it is not acknowledged, or
/// whoever opens the store next is told; whether another process has opened it meanwhile or not.
fn loses_nothing_in_silence(arena: &Arena, role: Role) -> Outcome {
    for (name, act) in ACTS {
        for durability in [Durability::Power, Durability::Process] {
            for with_stranger in [false, true] {
                let what = format!("{name}, {durability:?}, stranger {with_stranger}");
                let robbed = open_and(arena, role, &what, act)?;
                let Some(Robbed { store, path, .. }) = robbed else { return Ok(()) };
                let stranger = || arena.worker_on(&path, "write_beside")?.plan(durability.as_str())?.start();
                let mut stranger = if with_stranger { Some(stranger()?) } else { None };
                let theirs: bool = stranger.as_mut().map_or(Ok(false), Worker::hear)?;
                let ours = write(&store, durability, 2).is_ok();
                drop(stranger);
                store.close()?;
                drop(store);
                let next: Next =
                    arena.worker_on(&path, "tell_what_stands")?.start()?.hear().context(&what)?;
                let Next::Finds { ours: k, strangers: s } = next else { continue };
                ensure!(
                    (!ours || k == Some(2)) && (!theirs || s == Some(2)),
                    "{what}: acknowledged to us {ours}, to the stranger {theirs}, and next are found {k:?}, {s:?}"
                );
            }
        }
    }
    Ok(())
}

pub(super) fn a_companion_that_is_removed_or_exchanged_loses_nothing_in_silence(arena: &Arena) -> Outcome {
    loses_nothing_in_silence(arena, Role::Companion)
}

pub(super) fn shared_memory_that_is_removed_or_exchanged_loses_nothing_in_silence(arena: &Arena) -> Outcome {
    loses_nothing_in_silence(arena, Role::Shared)
}
