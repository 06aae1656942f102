//! Rights of what lies in a store, given without opening it and without following any link.
//!
//! A handle is a descriptor that names a file and opens nothing (`O_PATH`). Closing one drops no lock of this
//! process, as closing any other descriptor of a database does; and what it names stays the same when the path
//! is exchanged meanwhile, so that root is not led to a file of somebody else.

use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io;
use std::path::{Component, Path};

/// A file or folder that is named, not opened.
#[derive(Debug)]
pub struct Handle(File);

/// Returns the names of a path that goes only down.
fn names(path: &Path) -> io::Result<Vec<&OsStr>> {
    let names = path.components().map(|component| match component {
        Component::Normal(name) => Ok(name),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "a path that leaves the folder")),
    });
    names.collect()
}

#[cfg(target_os = "linux")]
impl Handle {
    /// Names a folder, or what lies at a path below it; no link below the folder is followed.
    ///
    /// # Errors
    /// `NotADirectory` for a link, or a file, on the way; `InvalidInput` for a path that leaves the folder; those
    /// of `openat`.
    pub fn of(folder: &Path, below: &Path) -> io::Result<Self> {
        use rustix::fs::{CWD, Mode, OFlags, openat};
        let named = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let names = names(below)?;
        let mut handle = openat(CWD, folder, named | OFlags::DIRECTORY, Mode::empty())?;
        for (at, name) in names.iter().enumerate() {
            let flags = if at + 1 < names.len() { named | OFlags::DIRECTORY } else { named };
            handle = openat(&handle, *name, flags, Mode::empty())?;
        }
        Ok(Self(handle.into()))
    }

    /// Returns what it is: of a link, the link itself.
    ///
    /// # Errors
    /// Those of `fstat`.
    pub fn metadata(&self) -> io::Result<Metadata> {
        self.0.metadata()
    }

    /// Gives it owner and group, if they are named, and then its mode.
    ///
    /// # Errors
    /// Those of `chown` and `chmod`; what it has already is not asked for.
    pub fn set_rights(&self, mode: u32, owner: Option<u32>, group: Option<u32>) -> io::Result<()> {
        use std::os::fd::AsRawFd;
        use std::os::unix::fs::PermissionsExt;

        use rustix::fs::{AtFlags, Gid, Uid, chownat};
        let found = self.metadata()?;
        let owner = owner.filter(|owner| *owner != super::owner(&found));
        let group = group.filter(|group| *group != super::group(&found));
        // They come first: changing them may clear mode bits.
        if owner.is_some() || group.is_some() {
            let (owner, group) = (owner.map(Uid::from_raw), group.map(Gid::from_raw));
            chownat(&self.0, "", owner, group, AtFlags::EMPTY_PATH)?;
        }
        if super::mode(&self.metadata()?) == mode {
            return Ok(());
        }
        // The one way to change the mode of what is not open.
        let path = format!("/proc/self/fd/{}", self.0.as_raw_fd());
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
    }
}

#[cfg(not(target_os = "linux"))]
impl Handle {
    /// Names nothing: there is no such handle here.
    ///
    /// # Errors
    /// `InvalidInput` for a path that leaves the folder, else `Unsupported`.
    pub fn of(_folder: &Path, below: &Path) -> io::Result<Self> {
        names(below)?;
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Returns what it is.
    ///
    /// # Errors
    /// Those of the system.
    pub fn metadata(&self) -> io::Result<Metadata> {
        self.0.metadata()
    }

    /// Refuses.
    ///
    /// # Errors
    /// `Unsupported`.
    pub fn set_rights(&self, _mode: u32, _owner: Option<u32>, _group: Option<u32>) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::shared::os;

    #[test]
    fn rights_are_given_and_no_link_is_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (inside, outside) = (dir.path().join("store"), dir.path().join("outside"));
        std::fs::create_dir(&inside).unwrap();
        std::fs::create_dir(&outside).unwrap();
        for file in [inside.join("a"), outside.join("b")] {
            File::create_new(file).unwrap();
        }
        symlink(outside.join("b"), inside.join("link")).unwrap();
        symlink(&outside, inside.join("way")).unwrap();
        let before = os::mode(&outside.join("b").metadata().unwrap());
        Handle::of(&inside, Path::new("a")).unwrap().set_rights(0o640, None, None).unwrap();
        assert_eq!(os::mode(&inside.join("a").metadata().unwrap()), 0o640);
        let link = Handle::of(&inside, Path::new("link")).unwrap();
        assert!(link.metadata().unwrap().is_symlink());
        assert!(link.set_rights(0o600, None, None).is_err());
        assert_eq!(Handle::of(&inside, Path::new("way/b")).unwrap_err().kind(), io::ErrorKind::NotADirectory);
        assert_eq!(
            Handle::of(&inside, Path::new("../outside/b")).unwrap_err().kind(),
            io::ErrorKind::InvalidInput
        );
        assert_eq!(os::mode(&outside.join("b").metadata().unwrap()), before);
    }

    #[test]
    fn a_handle_drops_no_lock() {
        use rustix::fs::{FlockOperation, fcntl_lock};
        let file = tempfile::NamedTempFile::new().unwrap();
        fcntl_lock(file.as_file(), FlockOperation::LockExclusive).unwrap();
        let held = || os::locks_on(os::identity(&file.as_file().metadata().unwrap())).len();
        assert_eq!(held(), 1);
        let (folder, name) = (file.path().parent().unwrap(), Path::new(file.path().file_name().unwrap()));
        let handle = Handle::of(folder, name).unwrap();
        handle.set_rights(0o640, None, None).unwrap();
        drop(handle);
        assert_eq!(held(), 1, "the lock is gone");
        // Opened otherwise, it would be.
        drop(File::open(file.path()).unwrap());
        assert_eq!(held(), 0);
    }
}
