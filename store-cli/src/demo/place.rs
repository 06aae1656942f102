//! The folder of a demo: made for it, shared by its users, and removed with all that is in it.

use std::io;
use std::path::{Path, PathBuf};

use statestore::Error;
use tempfile::TempDir;

use super::users::User;
use crate::exit::{Code, Failure};

/// The temporary folder; dropping it removes it.
#[derive(Debug)]
pub(super) struct Place {
    folder: TempDir,
    path: PathBuf,
}

impl Place {
    /// Makes a folder in another, by default in the one for temporary files.
    pub(super) fn make(at: Option<&Path>) -> Result<Self, Failure> {
        let at = at.map_or_else(std::env::temp_dir, Path::to_owned);
        if !at.is_dir() {
            let why =
                format!("{}: there is no such folder; make it, or give another with --at DIR", at.display());
            return Err(Failure::told(Code::Usage, why));
        }
        let make = || {
            let folder = tempfile::Builder::new().prefix("statestore-demo-").tempdir_in(&at)?;
            let path = folder.path().canonicalize()?;
            Ok(Self { folder, path })
        };
        make().map_err(|e: io::Error| Error::from_io("cannot make a folder here", &at, e).into())
    }

    /// Returns the absolute path.
    pub(super) fn folder(&self) -> &Path {
        debug_assert!(self.folder.path().is_dir());
        &self.path
    }

    /// Gives the folder to the group of its users.
    pub(super) fn share(&self, users: &[Option<User>]) -> Result<(), Failure> {
        let Some(user) = users.iter().flatten().next() else { return Ok(()) };
        hand_over(self.folder(), user.shared_group(), 0o2770)
    }
}

/// Gives a file or folder to a group, with a mode.
#[cfg(unix)]
pub(super) fn hand_over(path: &Path, group: u32, mode: u32) -> Result<(), Failure> {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt, chown};

    // In this order: changing the group can take the setgid bit away.
    chown(path, None, Some(group))
        .and_then(|()| std::fs::set_permissions(path, Permissions::from_mode(mode)))
        .map_err(|e| Error::from_io("cannot give it to the demo's users", path, e).into())
}

/// Does nothing: there is one user only.
#[cfg(not(unix))]
pub(super) fn hand_over(_path: &Path, _group: u32, _mode: u32) -> Result<(), Failure> {
    Ok(())
}
