//! Upkeep by users of a group: logs are put away, or written anew, by whoever comes to it.

use store_core::Json;

use super::members::whoever_creates;
use crate::arena::Arena;
use crate::cases::works;
use crate::drill::Setting;
use crate::failure::{Outcome, ensure_eq};
use crate::job::{Job, Work};
use crate::members::{FIRST, HANDS_DOWN, PLAIN, SECOND, as_user, shared_place};
use crate::rights::Rights;

pub(super) const WORKS: &[Work] = works![keep_up];

/// The bytes of a value that makes an engine put its log away.
const LARGE: usize = 4_500_000;

/// Writes so much, and trims so much, that the engine cleans up; the plan is the number of the turn.
fn keep_up(job: &Job) -> Outcome {
    let turn: u64 = job.plan()?;
    let large = if job.target.tight().is_some() { LARGE } else { LARGE / 50 };
    let store = job.open()?;
    ensure_eq!(store.get_as::<u64>("kept", "turn")?.unwrap_or(0), turn - 1, "what the last user kept");
    store.put("large", "k", Json::from("x".repeat(large)))?;
    ensure_eq!(store.append("kept", "log", Json::from("y".repeat(large / 8)))?, 2 * turn - 1);
    ensure_eq!(store.append("kept", "log", Json::from(turn))?, 2 * turn);
    store.trim_log("kept", "log", 2 * turn)?;
    store.put("large", "k", Json::from(0u64))?;
    store.put("kept", "turn", Json::from(turn))?;
    Ok(store.close()?)
}

pub(super) fn upkeep_by_whoever_comes_to_it_keeps_the_rights(arena: &Arena) -> Outcome {
    let users = [None, Some(FIRST), Some(SECOND)];
    for creator in 0..users.len() {
        let path = shared_place(arena, &format!("creator {creator}"), PLAIN)?;
        for (user, turn) in users.into_iter().cycle().skip(creator).take(4).zip(1_u64..) {
            let hire = arena.worker_on(&path, "keep_up")?.settings("group=65532").umask(0o077);
            as_user(hire.plan(turn)?, user).start()?.finish::<()>()?;
            Rights::OF_GROUP.check(arena.target, &path, &format!("turn {turn} of {user:?}"))?;
        }
    }
    Ok(())
}

/// The kernel's strictest protection of files in sticky folders is no hindrance where folders are not sticky:
/// everybody of the group works, whoever creates the store.
pub(super) fn a_kernel_that_protects_files_lets_the_group_share(arena: &Arena) -> Outcome {
    let _protects = Setting::change("/proc/sys/fs/protected_regular", "2")?;
    whoever_creates(arena, "", HANDS_DOWN, Rights::OF_GROUP)
}
