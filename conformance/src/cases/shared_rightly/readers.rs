//! Users who may only read, whatever of the store is there and whatever they may do in its folder.

use std::os::unix::fs::PermissionsExt;

use store_core::{ErrorKind, LogRange};

use crate::arena::Arena;
use crate::cases::loud::handles::refuses_writes;
use crate::cases::works;
use crate::failure::{Context, Failure, Outcome, ensure, ensure_eq};
use crate::job::{Job, Work};
use crate::members::{FIRST, OPEN, SECOND, shared_place};
use crate::prints::prints;
use crate::target::{Damage, folder_of};
use crate::users::User;

pub(super) const WORKS: &[Work] = works![read_or_be_told];

/// All of the store is there, or what can be made anew is missing, and in its folder the reader may make files
/// or not: he reads all there is, or is told that he may not; and whoever may write goes on afterwards.
pub(super) fn who_may_only_read_reads_or_is_told_and_is_in_nobodys_way(arena: &Arena) -> Outcome {
    let missing = arena.target.damages().into_iter().filter(|damage| damage.refused.is_none());
    for damage in std::iter::once(None).chain(missing.map(Some)) {
        for mode in [OPEN, 0o777] {
            for settings in ["read_only=true", ""] {
                let name = damage.map_or("all is there", |damage| damage.name);
                let name = format!("{name} {mode:o} {settings}");
                reads_or_is_told(arena, &name, damage, mode, settings).context(&name)?;
            }
        }
    }
    Ok(())
}

fn reads_or_is_told(arena: &Arena, name: &str, damage: Option<Damage>, mode: u32, settings: &str) -> Outcome {
    let path = shared_place(arena, name, OPEN)?;
    let turn = |user, turn: u64| {
        let hire = arena.worker_on(&path, "take_a_turn")?.settings("access=shared&group=65532");
        hire.user(user).umask(0o077).plan(turn)?.start()?.finish::<()>().map(drop)
    };
    turn(FIRST, 1)?;
    if let Some(damage) = damage {
        (damage.inflict)(&path).map_err(Failure::new)?;
    }
    let folder = folder_of(arena.target, &path)?;
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(mode))?;
    let before = prints(arena.target, &path)?;
    let reader = arena.worker_on(&path, "read_or_be_told")?.settings(settings).user(User::OUTSIDER);
    let read = reader.umask(0o077).start()?.finish::<bool>()?;
    ensure!(damage.is_some() || read == [true], "all of the store is there, and he may read it");
    // Where he may make files, and was not asked to read only, he may make anew what is missing.
    if damage.is_none() || mode == OPEN || !settings.is_empty() {
        ensure_eq!(prints(arena.target, &path)?, before, "the files, after reading: {read:?}");
    }
    turn(SECOND, 2).context("after the reader")
}

/// Says whether it read; if not, it was told that it may not.
fn read_or_be_told(job: &Job) -> Outcome {
    let read_only = job.orders.settings.contains("read_only");
    let store = match job.open() {
        Ok(store) => store,
        Err(error) => {
            let kind = error.kind();
            let fits = kind == ErrorKind::PermissionDenied || read_only && kind == ErrorKind::ReadOnly;
            ensure!(fits && error.path().is_some(), "told of as {error:?}");
            return job.say(false);
        }
    };
    ensure_eq!(store.get_as::<u64>("turns", "last")?, Some(1), "what the owner wrote");
    ensure_eq!(store.read_log("turns", "log", LogRange::all())?.len(), 1, "what the owner logged");
    refuses_writes(&store, if read_only { ErrorKind::ReadOnly } else { ErrorKind::PermissionDenied })?;
    store.close()?;
    job.say(true)
}
