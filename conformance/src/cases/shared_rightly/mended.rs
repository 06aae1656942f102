//! What another program, or a careless hand, took away and the engine can make anew.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use store_core::{Blocking, ErrorKind, Settings};

use crate::arena::Arena;
use crate::audit::dump;
use crate::cases::works;
use crate::failure::{Context, Failure, Outcome, Refused, ensure, ensure_eq};
use crate::job::{Job, Work};
use crate::members::{ALL, FIRST, OPEN, PLAIN, SECOND, as_user, shared_place};
use crate::prints::{prints, prints_but_gate};
use crate::rights::Rights;
use crate::target::{Damage, Role, artefact, folder_of};
use crate::users::User;
use crate::watcher::{Sight, View, Watcher};

pub(super) const WORKS: &[Work] = works![tell_all, open_and_read, open_or_be_denied];

/// Tells all that the store holds.
fn tell_all(job: &Job) -> Outcome {
    let store = job.open()?;
    job.say(format!("{:?}", dump(&store)?))?;
    Ok(store.close()?)
}

/// Returns all that a store holds, as another process finds it: this one may then change the files.
fn held(arena: &Arena, path: &Path) -> Outcome<String> {
    let mut said = arena.worker_on(path, "tell_all")?.settings("create=false").start()?.finish()?;
    said.pop().context("it told nothing")
}

/// Makes a store with something in it and takes away what the engine can make anew; returns what it held.
fn lose(arena: &Arena, loss: &Damage, settings: &str, mode: u32) -> Outcome<(PathBuf, String)> {
    let path = shared_place(arena, &format!("{} {settings}", loss.name), mode)?;
    for turn in 1..=5 {
        let hire = arena.worker_on(&path, "take_a_turn")?.settings(settings).user(FIRST).plan(turn)?;
        hire.start()?.finish::<()>()?;
    }
    let before = held(arena, &path)?;
    (loss.inflict)(&path).map_err(Failure::new)?;
    Ok((path, before))
}

fn losses(arena: &Arena) -> Vec<Damage> {
    arena.target.damages().into_iter().filter(|damage| damage.refused.is_none()).collect()
}

fn open_and_read(job: &Job) -> Outcome {
    let store = job.open()?;
    ensure!(!dump(&store)?.is_empty(), "the store holds nothing any more");
    Ok(store.close()?)
}

/// Whoever opens it next makes it anew, with the rights that the store has: nothing is lost, and the other
/// user goes on.
pub(super) fn what_is_made_anew_has_the_same_rights_and_nothing_is_lost(arena: &Arena) -> Outcome {
    let configurations =
        [("group=65532", PLAIN, Rights::OF_GROUP), ("access=shared&group=65532", OPEN, Rights::SHARED)];
    let mut watcher = Watcher::start(arena)?;
    for loss in losses(arena) {
        for (settings, mode, rights) in configurations {
            for mender in [None, Some(SECOND)] {
                let (path, before) = lose(arena, &loss, settings, mode)?;
                let what = format!("{}, made anew by {mender:?}", loss.name);
                let artefacts = arena.target.artefacts(&path);
                let files = artefacts.iter().map(|artefact| artefact.path.clone()).collect();
                let seen = watcher.during(&View { files, folders: Vec::new() }, || {
                    let hire = arena.worker_on(&path, "open_and_read")?.umask(0o077);
                    let hire = as_user(hire, mender);
                    hire.start()?.finish::<()>().map(drop).context(&what)
                })?;
                for Sight { path, found, .. } in seen {
                    let artefact = artefacts.iter().find(|artefact| artefact.path == path);
                    let fits = artefact.is_some_and(|artefact| rights.fit(artefact.role, found));
                    ensure!(fits, "{what}, seen: {}, mode {:04o}, {found:?}", path.display(), found.mode);
                }
                rights.check(arena.target, &path, &what)?;
                ensure_eq!(held(arena, &path)?, before, "{what}");
                let hire = arena.worker_on(&path, "take_a_turn")?.user(FIRST).plan(6)?;
                hire.start()?.finish::<()>().context(&what)?;
                std::fs::remove_dir_all(path.parent().context("no folder")?)?;
            }
        }
    }
    Ok(())
}

/// Root may open everything, and must not make what the owner of a private store may then not open.
pub(super) fn what_root_makes_anew_its_owner_may_use(arena: &Arena) -> Outcome {
    for loss in losses(arena) {
        let (path, before) = lose(arena, &loss, "access=private", PLAIN)?;
        arena.worker_on(&path, "open_and_read")?.start()?.finish::<()>().context(loss.name)?;
        let hire = arena.worker_on(&path, "tell_all")?.user(FIRST).start()?.finish::<String>();
        ensure_eq!(hire.context(loss.name)?, [before], "{}: what its owner finds", loss.name);
        let turn = |number: u64, user: Option<User>| {
            let hire = arena.worker_on(&path, "take_a_turn")?.plan(number)?;
            let hire = as_user(hire, user);
            hire.start()?.finish::<()>().map(drop).context(format_args!("{}, turn {number}", loss.name))
        };
        turn(6, Some(FIRST))?;
        std::fs::remove_file(artefact(arena.target, &path, Role::Gate)?)?;
        turn(7, None)?;
        turn(8, Some(FIRST)).context("after root made the gate anew")?;
    }
    Ok(())
}

/// The gate, too, is made anew by the next who writes, whoever that is.
pub(super) fn a_gate_that_was_removed_is_made_anew_with_the_same_rights(arena: &Arena) -> Outcome {
    let configurations =
        [("group=65532", PLAIN, Rights::OF_GROUP), ("access=shared&group=65532", OPEN, Rights::SHARED)];
    for (settings, mode, rights) in configurations {
        for mender in ALL {
            let path = shared_place(arena, &format!("{settings} {mender:?}"), mode)?;
            let turn = |number: u64, user: Option<User>| {
                let hire = arena.worker_on(&path, "take_a_turn")?.settings(settings).umask(0o077);
                let hire = as_user(hire, user);
                hire.plan(number)?.start()?.finish::<()>().map(drop).context(format_args!("{user:?}"))
            };
            turn(1, Some(FIRST))?;
            std::fs::remove_file(artefact(arena.target, &path, Role::Gate)?)?;
            turn(2, mender)?;
            rights.check(arena.target, &path, &format!("the gate made anew by {mender:?}"))?;
            turn(3, Some(FIRST))?;
            turn(4, Some(SECOND))?;
        }
    }
    Ok(())
}

/// For reading only nothing is made: it is refused as such, or does without.
pub(super) fn nothing_is_made_anew_for_reading_only(arena: &Arena) -> Outcome {
    for loss in losses(arena) {
        let (path, before) = lose(arena, &loss, "group=65532", PLAIN)?;
        let there = prints(arena.target, &path)?;
        match arena.target.open(&path, Settings::default().with_read_only(true)) {
            Ok(store) => ensure_eq!(format!("{:?}", dump(&Blocking::new(store))?), before, "{}", loss.name),
            refused => drop(refused.refused(ErrorKind::ReadOnly).context(loss.name)?),
        }
        ensure_eq!(prints(arena.target, &path)?, there, "{}: the files", loss.name);
    }
    Ok(())
}

fn open_or_be_denied(job: &Job) -> Outcome {
    match job.open() {
        Ok(store) => Ok(store.close()?),
        refused => refused.refused(ErrorKind::PermissionDenied).map(drop),
    }
}

/// Who may make nothing in the folder is denied what has to be made, and changes nothing.
pub(super) fn who_may_not_make_it_anew_is_denied_and_changes_nothing(arena: &Arena) -> Outcome {
    for loss in losses(arena) {
        let (path, _) = lose(arena, &loss, "access=shared&group=65532", OPEN)?;
        let folder = folder_of(arena.target, &path)?;
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o555))?;
        let before = prints_but_gate(arena.target, &path)?;
        for user in [SECOND, User::OUTSIDER] {
            let denied = arena.worker_on(&path, "open_or_be_denied")?.user(user).start()?.finish::<()>();
            denied.context(loss.name)?;
            ensure_eq!(prints_but_gate(arena.target, &path)?, before, "{}, {user:?}: the files", loss.name);
        }
    }
    Ok(())
}
