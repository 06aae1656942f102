//! Two users who share nothing but a group, and the folders that they share.

use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

use crate::arena::{Arena, Hire};
use crate::failure::{Context, Outcome};
use crate::users::User;

/// The group that both are in; it need not be known to the machine.
pub(crate) const GROUP: u32 = 65_532;
pub(crate) const FIRST: User = User { uid: 65_534, gid: 65_534, group: Some(GROUP) };
pub(crate) const SECOND: User = User { uid: 65_533, gid: 65_533, group: Some(GROUP) };

/// Everybody who may work with what the group shares; nobody is root.
pub(crate) const ALL: [Option<User>; 3] = [None, Some(FIRST), Some(SECOND)];
/// The umasks that users of real machines have.
pub(crate) const UMASKS: [u32; 4] = [0o077, 0o027, 0o022, 0o000];

/// A folder that the group may use and that hands its group down.
pub(crate) const HANDS_DOWN: u32 = 0o2770;
/// A folder that the group may use.
pub(crate) const PLAIN: u32 = 0o770;
/// The same for everybody to look into.
pub(crate) const OPEN: u32 = 0o775;
pub(crate) const OPEN_HANDS_DOWN: u32 = 0o2775;

/// Lets a worker become a user; root it is already.
pub(crate) fn as_user(worker: Hire, user: Option<User>) -> Hire {
    match user {
        Some(user) => worker.user(user),
        None => worker,
    }
}

/// Gives a folder to the group, with a mode.
pub(crate) fn give_to_group(folder: &Path, mode: u32) -> Outcome {
    chown(folder, None, Some(GROUP)).context("cannot give a folder to the group")?;
    Ok(std::fs::set_permissions(folder, std::fs::Permissions::from_mode(mode))?)
}

/// Makes a folder with a mode for a store of the group, and returns the path of the store.
pub(crate) fn shared_place(arena: &Arena, name: &str, mode: u32) -> Outcome<PathBuf> {
    let path = arena.place(name)?;
    give_to_group(path.parent().context("the store has no folder")?, mode)?;
    Ok(path)
}
