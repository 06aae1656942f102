//! Who a worker is: the user, the groups and the umask under which it works.

use nix::sys::stat::{Mode, umask};
use nix::unistd::{Gid, Uid, setgid, setgroups, setuid};
use serde::{Deserialize, Serialize};

use crate::failure::{Context, Outcome};

/// A user by number; none of them need be known to the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// One more group that the user is in.
    pub(crate) group: Option<u32>,
}

impl User {
    /// Somebody who shares no group with anybody.
    pub(crate) const OUTSIDER: Self = Self { uid: 64_013, gid: 64_013, group: None };

    /// Turns this process into one of the user, for good.
    pub(crate) fn assume(self) -> Outcome {
        let groups: Vec<Gid> = self.group.into_iter().map(Gid::from_raw).collect();
        setgroups(&groups).context("cannot change the groups")?;
        setgid(Gid::from_raw(self.gid)).context("cannot change the group")?;
        setuid(Uid::from_raw(self.uid)).context("cannot change the user")
    }
}

/// Sets the umask of this process.
pub(crate) fn assume_umask(mask: u32) {
    umask(Mode::from_bits_truncate(mask));
}

/// Returns the group of this process, as a number.
pub(crate) fn own_group() -> String {
    nix::unistd::getegid().to_string()
}

/// Says why a case that needs several users cannot run here; none if it can.
pub(crate) fn why_not_root() -> Option<String> {
    (!nix::unistd::geteuid().is_root()).then(|| "needs root to become other users".to_owned())
}
