//! The rights of a mirror's files, whoever writes them.

use std::time::Duration;

use store_core::{Batch, MirrorState};

use super::{config_of, dir_of, open_mirrored};
use crate::arena::Arena;
use crate::cases::works;
use crate::failure::{Context, Outcome, ensure, ensure_eq};
use crate::job::{Job, Work};
use crate::members::{FIRST, HANDS_DOWN, OPEN, PLAIN, SECOND, shared_place};
use crate::rights::{Found, Rights};
use crate::target::Role;
use crate::values::below;

pub(super) const WORKS: &[Work] = works![mirror_in_turn];

/// Writes, and finds all of it in the mirror at once; the plan is the number of the turn.
fn mirror_in_turn(job: &Job) -> Outcome {
    let turn: u64 = job.plan()?;
    let store = open_mirrored(job, Duration::ZERO)?;
    store.commit(Batch::new().put("n", "turn", turn).append("n", "log", turn))?;
    let config = config_of(&job.orders.path)?;
    for check in store.mirror(config)?.check(None)? {
        ensure!(check.state == MirrorState::Fresh, "in turn {turn}: {check:?}");
    }
    Ok(store.close()?)
}

/// Two users of a group take turns, under every umask: files, logs and their folders, the index and the lock have
/// the mode and group of the store, so each can write what the other did.
pub(super) fn a_mirror_has_the_rights_of_its_store_whoever_writes_it(arena: &Arena) -> Outcome {
    let configurations = [
        ("group=65532", PLAIN, Rights::OF_GROUP, &[FIRST, SECOND, FIRST][..]),
        ("", HANDS_DOWN, Rights::OF_GROUP, &[FIRST, SECOND]),
        ("access=shared&group=65532", OPEN, Rights::SHARED, &[FIRST, SECOND]),
        ("access=private", PLAIN, Rights::PRIVATE, &[FIRST, FIRST]),
    ];
    for (settings, mode, rights, users) in configurations {
        for &umask in arena.umasks() {
            let path = shared_place(arena, &format!("{settings} {umask:03o}"), mode)?;
            for (&user, turn) in users.iter().zip(1_u64..) {
                let what = format!("settings {settings:?}, umask {umask:03o}, turn {turn} of {user:?}");
                let hire = arena.worker_on(&path, "mirror_in_turn")?.plan(turn)?.settings(settings);
                hire.umask(umask).user(user).start()?.finish::<()>().context(&what)?;
                let dir = dir_of(&path)?;
                rights.check_folder(&dir, &what)?;
                let found = below(&dir)?;
                ensure_eq!(found.len(), 5, "{what}: {found:?}");
                for path in found {
                    let gate = path.file_name().is_some_and(|name| name == ".mirror.gate");
                    let has = Found::of(&path.symlink_metadata()?);
                    let role = if gate { Role::Gate } else { Role::Data };
                    ensure!(rights.fit(role, has), "{what}: {} has {has:?}", path.display());
                }
            }
        }
    }
    Ok(())
}
