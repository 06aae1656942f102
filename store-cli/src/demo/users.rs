//! The users of the demo: two that share nothing but a group, as the services of the incident did.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A user that a process of the demo becomes, by numbers: neither needs an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct User {
    id: u32,
    shared_group: u32,
}

impl User {
    /// Both users.
    pub(super) const BOTH: [Self; 2] =
        [Self { id: 65534, shared_group: 65532 }, Self { id: 65533, shared_group: 65532 }];

    /// Returns the number of the group that both are in.
    pub(super) fn shared_group(self) -> u32 {
        self.shared_group
    }
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.id.fmt(f)
    }
}

#[cfg(unix)]
mod os {
    use nix::unistd::{self, Gid, Uid};

    use super::User;
    use crate::exit::{Code, Failure};

    /// Tells whether this process is root, who may become others.
    pub(in crate::demo) fn are_ours_to_choose() -> bool {
        Uid::effective().is_root()
    }

    impl User {
        /// Makes this process the user's, for good.
        pub(in crate::demo) fn take_over(self) -> Result<(), Failure> {
            let group = Gid::from_raw(self.id);
            // In this order: who is not root any more may change neither groups nor group.
            unistd::setgroups(&[Gid::from_raw(self.shared_group)])
                .and_then(|()| unistd::setgid(group))
                .and_then(|()| unistd::setuid(Uid::from_raw(self.id)))
                .map_err(|e| Failure::told(Code::Denied, format!("cannot become user {self}: {e}")))
        }
    }
}

#[cfg(not(unix))]
mod os {
    use super::User;
    use crate::exit::Failure;

    pub(in crate::demo) fn are_ours_to_choose() -> bool {
        false
    }

    impl User {
        pub(in crate::demo) fn take_over(self) -> Result<(), Failure> {
            Ok(())
        }
    }
}

pub(super) use os::are_ours_to_choose;
