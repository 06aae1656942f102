//! Users of one group on one store: whoever creates it, under whatever umask, all of them work with it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use store_core::{Json, LogRange, Settings};

use crate::arena::Arena;
use crate::cases::works;
use crate::failure::{Context, Outcome, ensure_eq};
use crate::job::{Job, Work};
use crate::members::{
    ALL, FIRST, HANDS_DOWN, OPEN, OPEN_HANDS_DOWN, PLAIN, SECOND, as_user, give_to_group, shared_place,
};
use crate::rights::Rights;
use crate::target::Shape;
use crate::users::User;
use crate::values::numbers;
use crate::worker::{finish_all, release};

pub(super) const WORKS: &[Work] = works![take_a_turn, write_beside_another];

/// Reads what all before wrote, and writes; the plan is the number of the turn.
fn take_a_turn(job: &Job) -> Outcome {
    let turn: u64 = job.plan()?;
    let store = job.open()?;
    let before = store.read_log("turns", "log", LogRange::all())?;
    let seen: Vec<u64> = before.iter().map(|entry| entry.entry.decode()).collect::<Result<_, _>>()?;
    ensure_eq!(seen, (1..turn).collect::<Vec<_>>(), "what the others wrote, in turn {turn}");
    ensure_eq!(store.append("turns", "log", Json::from(turn))?, turn);
    store.put("turns", "last", Json::from(turn))?;
    ensure_eq!(store.get_as("turns", "last")?, Some(turn));
    store.replace_object("replaced", numbers([("turn", turn)]))?;
    ensure_eq!(store.append("trimmed", "log", Json::from(turn))?, turn);
    store.trim_log("trimmed", "log", turn)?;
    store.delete("replaced", "turn")?;
    store.sync()?;
    store.info()?;
    store.close()?;
    Ok(())
}

/// Lets one user create a store and everybody take turns; the rights stay as promised.
fn take_turns(
    arena: &Arena,
    path: &Path,
    settings: &str,
    creator: usize,
    umask: u32,
    rights: Rights,
) -> Outcome {
    let users = ALL.into_iter().cycle().skip(creator).take(ALL.len() + 1);
    for (user, turn) in users.zip(1_u64..) {
        let worker = arena.worker_on(path, "take_a_turn")?.plan(turn)?.settings(settings).umask(umask);
        let worker = as_user(worker, user);
        let what =
            format!("settings {settings:?}, creator {creator}, umask {umask:03o}, turn {turn} of {user:?}");
        worker.start()?.finish::<()>().context(&what)?;
        rights.check(arena.target, path, &what)?;
    }
    Ok(())
}

/// Tries a configuration with everybody as the creator, under every umask.
pub(super) fn whoever_creates(arena: &Arena, settings: &str, mode: u32, rights: Rights) -> Outcome {
    for creator in 0..ALL.len() {
        for &umask in arena.umasks() {
            let name = format!("{settings} {mode:o} {creator} {umask:03o}");
            take_turns(arena, &shared_place(arena, &name, mode)?, settings, creator, umask, rights)?;
        }
    }
    Ok(())
}

pub(super) fn a_named_group_shares_a_store_whoever_creates_it(arena: &Arena) -> Outcome {
    whoever_creates(arena, "access=group&group=65532", PLAIN, Rights::OF_GROUP)?;
    whoever_creates(arena, "access=group&group=65532", HANDS_DOWN, Rights::OF_GROUP)?;
    whoever_creates(arena, "group=65532", PLAIN, Rights::OF_GROUP)
}

pub(super) fn a_folder_that_hands_its_group_down_shares_a_store_whoever_creates_it(arena: &Arena) -> Outcome {
    whoever_creates(arena, "", HANDS_DOWN, Rights::OF_GROUP)?;
    whoever_creates(arena, "access=group", HANDS_DOWN, Rights::OF_GROUP)?;
    whoever_creates(arena, "access=shared", OPEN_HANDS_DOWN, Rights::SHARED)?;
    if arena.target.shape() == Shape::Folder {
        for creator in 0..ALL.len() {
            in_a_folder_that_is_there(arena, "", HANDS_DOWN, creator, Rights::OF_GROUP)?;
            in_a_folder_that_is_there(arena, "access=shared", OPEN_HANDS_DOWN, creator, Rights::SHARED)?;
        }
    }
    Ok(())
}

/// Somebody has made the folder of the store, and whoever comes first makes the store in it.
fn in_a_folder_that_is_there(
    arena: &Arena,
    settings: &str,
    mode: u32,
    creator: usize,
    rights: Rights,
) -> Outcome {
    let path = shared_place(arena, &format!("made before, {settings} {creator}"), mode)?;
    std::fs::create_dir(&path)?;
    give_to_group(&path, mode)?;
    take_turns(arena, &path, settings, creator, 0o077, rights)
}

pub(super) fn a_shared_store_is_written_by_its_group_whoever_creates_it(arena: &Arena) -> Outcome {
    whoever_creates(arena, "access=shared&group=65532", OPEN, Rights::SHARED)?;
    whoever_creates(arena, "access=shared&group=65532", OPEN_HANDS_DOWN, Rights::SHARED)
}

/// Folders that the store makes for itself are shared as its files are.
pub(super) fn folders_are_made_with_the_rights_of_the_store(arena: &Arena) -> Outcome {
    let configurations = [
        ("group=65532", PLAIN, Rights::OF_GROUP),
        ("", HANDS_DOWN, Rights::OF_GROUP),
        ("access=shared&group=65532", OPEN, Rights::SHARED),
    ];
    for (settings, mode, rights) in configurations {
        for creator in 0..ALL.len() {
            let folder = arena.folder().join(format!("{settings} {creator}"));
            std::fs::create_dir(&folder)?;
            give_to_group(&folder, mode)?;
            let made = [folder.join("made"), folder.join("made/below")];
            let path = arena.target.place(&folder.join("made/below"));
            take_turns(arena, &path, settings, creator, 0o077, rights)?;
            for folder in made {
                rights.check_folder(&folder, &format!("settings {settings:?}, creator {creator}"))?;
            }
        }
    }
    Ok(())
}

pub(super) fn a_private_store_is_its_creators_alone_wherever_it_lies(arena: &Arena) -> Outcome {
    for (creator, other) in [(FIRST, SECOND), (SECOND, FIRST)] {
        for &umask in arena.umasks() {
            let path = shared_place(arena, &format!("{} {umask:03o}", creator.uid), HANDS_DOWN)?;
            let hire = |work, user: User| {
                Ok::<_, crate::failure::Failure>(
                    arena.worker_on(&path, work)?.settings("access=private").user(user).umask(umask),
                )
            };
            hire("take_a_turn", creator)?.plan(1)?.start()?.finish::<()>()?;
            Rights::PRIVATE.check(arena.target, &path, &format!("umask {umask:03o}"))?;
            hire("be_shut_out", other)?.start()?.finish::<()>()?;
            hire("take_a_turn", creator)?.plan(2)?.start()?.finish::<()>()?;
            Rights::PRIVATE.check(arena.target, &path, &format!("umask {umask:03o}"))?;
        }
    }
    Ok(())
}

const WRITES: u64 = 100;
const ROUNDS: u64 = 8;

/// One of several who start together.
#[derive(Debug, Serialize, Deserialize)]
struct Part {
    number: u64,
    of: u64,
    writes: u64,
}

/// Nobody has created the store yet when six processes of two users start; whoever does, all write.
pub(super) fn two_users_who_start_together_share_one_store(arena: &Arena) -> Outcome {
    let writes = arena.commits(WRITES);
    for round in 0..arena.commits(ROUNDS) {
        let path: PathBuf = shared_place(arena, &format!("round {round}"), PLAIN)?;
        let mut crew = Vec::new();
        for (number, user) in (0..6).zip([FIRST, SECOND].into_iter().cycle()) {
            let hire = arena.worker_on(&path, "write_beside_another")?.user(user).umask(0o077);
            let settings = "group=65532&durability=process&timeout=30s";
            crew.push(hire.settings(settings).plan(Part { number, of: 6, writes })?.start()?);
        }
        release(&mut crew)?;
        release(&mut crew)?;
        finish_all::<()>(crew)?;
        Rights::OF_GROUP.check(arena.target, &path, &format!("round {round}"))?;
        let store = arena.target.open(&path, Settings::default().with_create(false))?;
        let log = pollster::block_on(store.read_log("n", "log", LogRange::all()))?;
        ensure_eq!(log.len() as u64, 6 * writes, "entries of all in round {round}");
    }
    Ok(())
}

fn write_beside_another(job: &Job) -> Outcome {
    let part: Part = job.plan()?;
    job.meet()?;
    let store = job.open()?;
    for n in 0..part.writes {
        store.append("n", "log", Json::from(part.number * part.writes + n))?;
    }
    // Once all have written, each sees the writes of all.
    job.meet()?;
    let log = store.read_log("n", "log", LogRange::all())?;
    ensure_eq!(log.len() as u64, part.of * part.writes, "entries that process {} sees", part.number);
    Ok(())
}
