//! Which modes and group every artefact gets, whatever the umask of who makes it.

use std::path::Path;

use super::os;
use crate::config::{Access, Settings};
use crate::error::{Error, ErrorKind, Result};

/// The modes and the group of a store's artefacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Modes {
    /// Of data files and their companions.
    pub file: u32,
    /// Of folders that the store makes.
    pub folder: u32,
    /// Of the gate: never readable by others, for whoever can open a lock file can hold it.
    pub gate: u32,
    /// The owner; none leaves it to the system. Named only when root makes what belongs to a store of
    /// somebody else.
    pub owner: Option<u32>,
    /// The owner group; none leaves it to the system.
    pub group: Option<u32>,
}

impl Modes {
    /// Settles the modes for a store in a folder, or in one that will be made there.
    ///
    /// Without a word on access it is `group` if a group is named or the folder hands its group down, else
    /// `private`.
    ///
    /// # Errors
    /// `ConfigInvalid` for a group that this machine does not have.
    pub fn settle(settings: &Settings, folder: &Path) -> Result<Self> {
        let folder = nearest_existing(folder)?;
        let hands_down = os::mode(&folder) & 0o2000 != 0;
        let access = settings.access.unwrap_or(match (&settings.group, hands_down) {
            (None, false) => Access::Private,
            _ => Access::Group,
        });
        let group = match &settings.group {
            Some(name) => Some(os::group_number(name).ok_or_else(|| unknown_group(name))?),
            None if hands_down && access != Access::Private => Some(os::group(&folder)),
            None => None,
        };
        Ok(Self::of(access, group))
    }

    /// Returns the modes for an access, with a group.
    pub fn of(access: Access, group: Option<u32>) -> Self {
        let (file, folder, gate) = match access {
            Access::Private => (0o600, 0o700, 0o600),
            Access::Group => (0o660, 0o2770, 0o660),
            Access::Shared => (0o664, 0o2775, 0o660),
        };
        Self { file, folder, gate, owner: None, group }
    }

    /// Returns the modes that go with an existing data file: its companions follow it, and what root makes
    /// belongs to its owner.
    pub fn of_file(metadata: &std::fs::Metadata) -> Self {
        let owner = (os::current_user() == 0).then(|| os::owner(metadata));
        Self { owner, ..Self::of(access_of(metadata), Some(os::group(metadata))) }
    }
}

/// Returns who may share a store, by the rights of its data file.
pub(crate) fn access_of(metadata: &std::fs::Metadata) -> Access {
    match os::mode(metadata) & 0o066 {
        bits if bits & 0o006 != 0 => Access::Shared,
        0 => Access::Private,
        _ => Access::Group,
    }
}

fn unknown_group(name: &str) -> Error {
    let why = format!(
        "group={name}: this machine has no such group; make it with `groupadd {name}`, or name another"
    );
    Error::new(ErrorKind::ConfigInvalid, why)
}

fn nearest_existing(folder: &Path) -> Result<std::fs::Metadata> {
    for ancestor in folder.ancestors().filter(|path| !path.as_os_str().is_empty()) {
        match ancestor.metadata() {
            Ok(metadata) => return Ok(metadata),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(Error::from_io("cannot look at", ancestor, e)),
        }
    }
    Path::new(".").metadata().map_err(|e| Error::from_io("cannot look at", Path::new("."), e))
}

/// Explains a refusal of the system: what the rights are, who we are, and the command that mends them.
///
/// Any other error passes unchanged.
pub fn explain_denial(action: &str, path: &Path, error: std::io::Error) -> Error {
    if error.kind() != std::io::ErrorKind::PermissionDenied {
        return Error::from_io(action, path, error);
    }
    // The file may be what cannot be seen, then the nearest folder that can is what denies.
    let seen = path.ancestors().find_map(|p| p.metadata().ok().map(|m| (p, m)));
    let rights = seen.map_or_else(String::new, |(p, m)| {
        let (what, mode) = if m.is_dir() { ("folder", "g+rwxs") } else { ("file", "g+rw") };
        let (p, group) = (p.display(), os::group_name(os::group(&m)));
        format!(
            "; the {what} {p} has {}; join that group, or let its owner run \
             `chgrp {group} {p} && chmod {mode} {p}`",
            os::describe_rights(&m)
        )
    });
    let why = format!("{action}, as {}{rights}", os::describe_self());
    Error::new(ErrorKind::PermissionDenied, why).with_path(path).with_source(error)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_folder_that_hands_its_group_down_means_group() {
        let dir = tempfile::tempdir().unwrap();
        let settings = Settings::default();
        assert_eq!(Modes::settle(&settings, dir.path()).unwrap().file, 0o600);
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o2770)).unwrap();
        let modes = Modes::settle(&settings, &dir.path().join("not/there")).unwrap();
        assert_eq!((modes.file, modes.gate), (0o660, 0o660));
        assert!(modes.group.is_some());
        let shared = Modes::settle(&settings.with_access(Access::Shared), dir.path()).unwrap();
        assert_eq!((shared.file, shared.folder, shared.gate), (0o664, 0o2775, 0o660));
    }

    #[test]
    fn an_unknown_group_is_named() {
        let settings = Settings::default().with_group("no-such-group");
        let error = Modes::settle(&settings, Path::new("/")).unwrap_err();
        assert!(error.to_string().contains("no-such-group"), "{error}");
    }
}
