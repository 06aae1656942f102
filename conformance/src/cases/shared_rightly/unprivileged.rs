//! Users who may not change rights: they work where the rights do, and leave nothing where they do not.

use std::os::unix::fs::PermissionsExt;

use store_core::{Batch, ErrorKind, Json};

use crate::arena::Arena;
use crate::audit::dump;
use crate::cases::works;
use crate::failure::{Context, Outcome, Refused, ensure, ensure_eq};
use crate::job::{Job, Work};
use crate::members::{FIRST, HANDS_DOWN, SECOND, as_user, shared_place};
use crate::rights::Rights;
use crate::target::{Shape, folder_of};
use crate::users::User;
use crate::values::listing;

pub(super) const WORKS: &[Work] = works![read_and_be_denied, be_refused_a_group, be_refused_an_unknown_group];

/// The configuration of the second user would make other rights; he may not, and need not, change those of
/// the first user's store.
pub(super) fn whoever_may_not_change_rights_works_all_the_same(arena: &Arena) -> Outcome {
    let path = shared_place(arena, "shared", HANDS_DOWN)?;
    let take_turn = |turn: u64, user: Option<User>, settings: &str| {
        let hire = arena.worker_on(&path, "take_a_turn")?.plan(turn)?.settings(settings).umask(0o077);
        let hire = as_user(hire, user);
        hire.start()?.finish::<()>().map(drop).context(format_args!("turn {turn} with {settings:?}"))
    };
    take_turn(1, Some(FIRST), "group=65532")?;
    let others = ["access=private", "access=shared", "access=group&group=65533", "group=65532", ""];
    for (settings, turn) in others.into_iter().zip(2_u64..) {
        take_turn(turn, Some(SECOND), settings)?;
        Rights::OF_GROUP.check(arena.target, &path, &format!("after {settings:?}"))?;
    }
    // Nor does root change what is there.
    take_turn(7, None, "access=private")?;
    Rights::OF_GROUP.check(arena.target, &path, "after root")?;
    let folder = folder_of(arena.target, &path)?;
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o550))?;
    let next = match arena.target.shape() {
        // In a folder where nobody may make files a store beside others works as long as all of it is there.
        Shape::File => take_turn(8, Some(SECOND), "").map(|()| 9)?,
        // One whose folder is its own has been taken away, and says so.
        Shape::Folder => {
            arena.worker_on(&path, "read_and_be_denied")?.user(SECOND).start()?.finish::<()>()?;
            8
        }
    };
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(HANDS_DOWN))?;
    take_turn(next, Some(FIRST), "")
}

fn read_and_be_denied(job: &Job) -> Outcome {
    let store = job.open()?;
    let before = dump(&store)?;
    let denied = ErrorKind::PermissionDenied;
    store.put("new", "k", Json::from(1u64)).refused(denied)?;
    store.append("new", "log", Json::from(1u64)).refused(denied)?;
    store.commit(Batch::new().put("turns", "k", 1u64).put("new", "k", 1u64)).refused(denied)?;
    ensure_eq!(dump(&store)?, before);
    Ok(store.close()?)
}

fn be_refused_a_group(job: &Job) -> Outcome {
    let words = job.open().refused(ErrorKind::PermissionDenied)?.to_string();
    let who = User::OUTSIDER.uid.to_string();
    ensure!(words.contains("65532") && words.contains(&who), "it does not say which group, and who: {words}");
    Ok(())
}

fn be_refused_an_unknown_group(job: &Job) -> Outcome {
    let error = job.open().refused(ErrorKind::ConfigInvalid)?;
    ensure!(error.to_string().contains("no-such-group"), "it does not name the group: {error}");
    Ok(())
}

/// Nobody can give a file to a group that he is not in; then nothing at all is made, no folder either.
pub(super) fn a_group_that_cannot_be_given_leaves_nothing(arena: &Arena) -> Outcome {
    let attempts = [
        ("be_refused_a_group", "group=65532"),
        ("be_refused_a_group", "access=shared&group=65532"),
        ("be_refused_an_unknown_group", "group=no-such-group"),
    ];
    for (work, settings) in attempts {
        let folder = arena.folder().join(settings);
        std::fs::create_dir(&folder)?;
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o777))?;
        for path in [arena.target.place(&folder), arena.target.place(&folder.join("made/below"))] {
            let outsider = arena.worker_on(&path, work)?.settings(settings).user(User::OUTSIDER);
            outsider.start()?.finish::<()>().context(format_args!("settings {settings:?}"))?;
            ensure_eq!(listing(&folder)?, [""; 0], "what {settings:?} left behind");
        }
    }
    Ok(())
}

/// Where the folder lets nobody in, a store is not created, and nothing is left of the attempt.
pub(super) fn a_folder_that_may_not_be_written_gets_no_store(arena: &Arena) -> Outcome {
    let path = shared_place(arena, "closed", 0o555)?;
    for settings in ["", "access=shared", "group=65532"] {
        let hire = arena.worker_on(&path, "be_shut_out")?.settings(settings);
        hire.user(FIRST).start()?.finish::<()>()?;
        ensure_eq!(listing(path.parent().context("no folder")?)?, [""; 0]);
    }
    Ok(())
}
