//! Files and folders that come into sight complete: contents, mode and group are right from the first
//! instant at which others can see them.

use std::fs::{File, Metadata};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::access::{Modes, explain_denial};
use super::os;
use crate::error::{Error, ErrorKind, Result};

/// How the names of what is not complete yet begin and end.
const HIDDEN: &str = ".statestore-";
const UNNAMED: &str = ".new";
/// How old a file is that whoever made it would have locked long ago.
const ABANDONED: Duration = Duration::from_mins(1);
/// How often a folder is made again that somebody else removed meanwhile.
const TRIES: usize = 100;

/// What became of an attempt to create.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    /// It was made by this call.
    New,
    /// Somebody had made it before; it was left as it is.
    AlreadyThere,
}

/// Creates a file with its contents and mode, and the owner and group of `modes`, durably; never replaces one.
///
/// It is made nameless where the filesystem can, so that a kill leaves nothing behind; elsewhere under a
/// random hidden name.
///
/// # Errors
/// `PermissionDenied` if the folder, or the group, is not ours to use; `StorageFull`; `Io`.
pub fn create_file(path: &Path, contents: &[u8], mode: u32, modes: &Modes) -> Result<Created> {
    let folder = folder_of(path);
    let made = match os::open_nameless(folder) {
        Ok(file) => fill(&file, contents, mode, modes).and_then(|()| os::link_nameless(&file, path)),
        Err(e) if e.kind() == io::ErrorKind::Unsupported => create_named(folder, path, contents, mode, modes),
        Err(e) => Err(e),
    };
    match made {
        Ok(()) => sync_folder(folder).map(|()| Created::New),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(Created::AlreadyThere),
        Err(e) => Err(explain_creation(path, modes.group, e)),
    }
}

fn create_named(folder: &Path, path: &Path, contents: &[u8], mode: u32, modes: &Modes) -> io::Result<()> {
    let temporary = tempfile::Builder::new().prefix(HIDDEN).suffix(UNNAMED).tempfile_in(folder)?;
    fill(temporary.as_file(), contents, mode, modes)?;
    temporary.persist_noclobber(path).map_err(|e| e.error)?;
    Ok(())
}

fn fill(mut file: &File, contents: &[u8], mode: u32, modes: &Modes) -> io::Result<()> {
    file.write_all(contents)?;
    settle(file, mode, modes)
}

/// Gives a file its rights and makes it survive the loss of power.
fn settle(file: &File, mode: u32, modes: &Modes) -> io::Result<()> {
    os::set_rights(file, mode, modes.owner, modes.group)?;
    file.sync_all()
}

/// Replaces a file, or makes it, with its contents and mode, and returns it open for reading and writing.
///
/// Everybody sees the old file or the new one, whole. The new one is synced; that it has its name survives
/// the loss of power only after [`sync_folder`]. It is made in `scratch`, a folder on the same filesystem,
/// where a kill may leave it under a hidden name, see [`sweep_files`].
///
/// # Errors
/// `PermissionDenied`, `StorageFull`, `Io`: then nothing was changed.
pub fn replace_file(path: &Path, scratch: &Path, contents: &[u8], mode: u32, modes: &Modes) -> Result<File> {
    let mut staged = Staged::new(path, scratch)?;
    staged.write(contents)?;
    staged.complete(mode, modes)?;
    staged.replace()
}

/// A file on its way: it has a hidden random name until it is complete and replaces another, or makes it.
///
/// Dropped before, it is removed, and nothing was changed.
#[derive(Debug)]
pub struct Staged {
    path: PathBuf,
    temporary: tempfile::NamedTempFile,
    group: Option<u32>,
}

impl Staged {
    /// Begins a file that will have a path; it is made in `scratch`, a folder on the same filesystem.
    ///
    /// # Errors
    /// `PermissionDenied`, `StorageFull`, `Io`.
    pub fn new(path: &Path, scratch: &Path) -> Result<Self> {
        let temporary = tempfile::Builder::new().prefix(HIDDEN).suffix(UNNAMED).tempfile_in(scratch);
        let temporary = temporary.map_err(|e| explain_creation(path, None, e))?;
        Ok(Self { path: path.to_owned(), temporary, group: None })
    }

    /// Returns the file, to be locked, or written and read by other means.
    pub fn file(&self) -> &File {
        self.temporary.as_file()
    }

    /// Returns the path that it will have.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes bytes behind those that are there.
    ///
    /// # Errors
    /// `StorageFull`, `Io`.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.temporary.as_file().write_all(bytes).map_err(|e| explain_creation(&self.path, None, e))
    }

    /// Gives it its mode, and the owner and group of `modes`, syncs it, and tells what it is now.
    ///
    /// # Errors
    /// `PermissionDenied` if the group is not ours to use; `StorageFull`, `Io`.
    pub fn complete(&mut self, mode: u32, modes: &Modes) -> Result<Metadata> {
        self.group = modes.group;
        let file = self.temporary.as_file();
        let complete = os::set_rights(file, mode, modes.owner, modes.group)
            .and_then(|()| file.sync_all())
            .and_then(|()| file.metadata());
        complete.map_err(|e| explain_creation(&self.path, self.group, e))
    }

    /// Gives it its name: everybody sees what had it before, or this file, whole.
    ///
    /// That survives the loss of power only after [`sync_folder`].
    ///
    /// # Errors
    /// `PermissionDenied`, `StorageFull`, `Io`: then nothing was changed.
    pub fn replace(self) -> Result<File> {
        let Self { path, temporary, group } = self;
        temporary.persist(&path).map_err(|e| explain_creation(&path, group, e.error))
    }
}

/// Moves a file that is complete and synced into its place, or into that of another, on the same filesystem.
///
/// That it has its name survives the loss of power only after [`sync_folder`].
///
/// # Errors
/// Those of the system: then nothing was changed.
#[expect(clippy::disallowed_methods, reason = "this is where it is done right")]
pub fn place_file(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::rename(from, to)
}

/// Removes the files that killed processes left in a folder before they had their names.
///
/// Call it where no other process can be making one: in the gate of the store that the folder belongs to.
pub fn sweep_files(folder: &Path) {
    for found in hidden(folder) {
        if found.file_type().is_ok_and(|kind| kind.is_file()) {
            // One that is not ours to remove stays.
            let _ = std::fs::remove_file(found.path());
        }
    }
}

/// Removes the files that killed processes left in a folder which many use without a gate: those that nobody has
/// locked, and that are older than a minute.
///
/// Whoever makes one there locks it at once, see [`Staged::file`].
pub fn sweep_unlocked(folder: &Path) {
    let is_old = |file: &File| {
        let changed = file.metadata().and_then(|found| found.modified()).ok();
        changed.and_then(|changed| changed.elapsed().ok()).is_some_and(|age| age > ABANDONED)
    };
    for found in hidden(folder) {
        if let Ok(file) = os::open_plain(&found.path(), false)
            && is_old(&file)
            && file.try_lock().is_ok()
        {
            // One that is not ours to remove stays.
            let _ = std::fs::remove_file(found.path());
        }
    }
}

/// Returns what in a folder has not got its name yet: of processes that are making it, or that were killed.
pub fn hidden(folder: &Path) -> impl Iterator<Item = std::fs::DirEntry> {
    let found = std::fs::read_dir(folder).into_iter().flatten().flatten();
    found.filter(|found| {
        let name = found.file_name();
        let name = name.to_string_lossy();
        name.starts_with(HIDDEN) && name.ends_with(UNNAMED)
    })
}

/// Creates a folder with its mode and group, and those above it that are missing; an existing one is left as
/// it is.
///
/// # Errors
/// `PermissionDenied` if the folder above, or the group, is not ours to use; `Io`.
pub fn create_folder(path: &Path, modes: &Modes) -> Result<Created> {
    if path.is_dir() {
        return Ok(Created::AlreadyThere);
    }
    let parent = folder_of(path);
    create_folder(parent, modes)?;
    let mut tries = 0;
    loop {
        tries += 1;
        match make_folder(parent, path, modes) {
            Ok(()) => return sync_folder(parent).map(|()| Created::New),
            Err(_) if path.is_dir() => return Ok(Created::AlreadyThere),
            // Somebody took it for a leftover, before it had its name.
            Err(e) if e.kind() == io::ErrorKind::NotFound && parent.is_dir() && tries < TRIES => {}
            Err(e) => return Err(explain_creation(path, modes.group, e)),
        }
    }
}

/// Removes the folders that killed processes left in a folder before they had their names.
///
/// Only empty ones go; a process that is alive and misses its own makes another.
pub fn sweep(folder: &Path) {
    for found in hidden(folder) {
        if found.file_type().is_ok_and(|kind| kind.is_dir()) {
            // One that is not empty, or not ours to remove, stays.
            let _ = std::fs::remove_dir(found.path());
        }
    }
}

fn make_folder(parent: &Path, path: &Path, modes: &Modes) -> io::Result<()> {
    let hidden = private_folder(parent)?;
    os::set_rights(&File::open(hidden.path())?, modes.folder, modes.owner, modes.group)?;
    os::rename_folder(hidden.path(), path)?;
    // The folder has another name now; nothing is left to remove.
    let _ = hidden.keep();
    Ok(())
}

/// Makes a folder under a random hidden name, for its owner alone until it has its rights.
#[cfg(unix)]
fn private_folder(parent: &Path) -> io::Result<tempfile::TempDir> {
    use std::os::unix::fs::PermissionsExt;
    let owner_alone = std::fs::Permissions::from_mode(0o700);
    tempfile::Builder::new().prefix(HIDDEN).suffix(UNNAMED).permissions(owner_alone).tempdir_in(parent)
}

#[cfg(not(unix))]
fn private_folder(parent: &Path) -> io::Result<tempfile::TempDir> {
    tempfile::Builder::new().prefix(HIDDEN).suffix(UNNAMED).tempdir_in(parent)
}

fn explain_creation(path: &Path, group: Option<u32>, error: io::Error) -> Error {
    match (error.kind(), group) {
        // EPERM, unlike EACCES, comes from changing the group to one that we are not in.
        (io::ErrorKind::PermissionDenied, Some(group)) if error.raw_os_error() == Some(1) => {
            let group = os::group_name(group);
            let why = format!(
                "cannot give it to group {group} as {}; join that group, let one of its members create the \
                 store, or name another group; nothing was created",
                os::describe_self()
            );
            Error::new(ErrorKind::PermissionDenied, why).with_path(path).with_source(error)
        }
        _ => explain_denial("cannot create", path, error),
    }
}

/// Makes the names in a folder survive the loss of power.
///
/// # Errors
/// `PermissionDenied` if the folder cannot be opened; `Io` if it cannot be synced, for want of room too.
#[cfg(unix)]
pub fn sync_folder(folder: &Path) -> Result<()> {
    const ACTION: &str = "cannot sync the folder";
    let opened = File::open(folder).map_err(|e| explain_denial(ACTION, folder, e))?;
    opened.sync_all().map_err(|e| Error::from_sync(ACTION, folder, e))
}

/// Does nothing: folders cannot be synced here.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn sync_folder(_folder: &Path) -> Result<()> {
    Ok(())
}

/// Returns the folder that a file lies in.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    const PRIVATE: Modes = Modes { file: 0o600, folder: 0o700, gate: 0o600, owner: None, group: None };

    fn mode_of(path: &Path) -> u32 {
        path.metadata().map_or(0, |found| os::mode(&found))
    }

    #[test]
    fn a_file_is_complete_and_never_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        assert_eq!(create_file(&path, b"one", 0o664, &PRIVATE).unwrap(), Created::New);
        assert_eq!(create_file(&path, b"two", 0o600, &PRIVATE).unwrap(), Created::AlreadyThere);
        assert_eq!(std::fs::read(&path).unwrap(), b"one");
        assert_eq!(mode_of(&path), 0o664);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn without_nameless_files_it_is_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        create_named(dir.path(), &path, b"one", 0o660, &PRIVATE).unwrap();
        let again = create_named(dir.path(), &path, b"two", 0o660, &PRIVATE).unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!((std::fs::read(&path).unwrap().as_slice(), mode_of(&path)), (&b"one"[..], 0o660));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_replaced_file_has_its_mode_and_what_was_left_goes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        for contents in [b"one", b"two"] {
            replace_file(&path, dir.path(), contents, 0o640, &PRIVATE).unwrap();
            assert_eq!((std::fs::read(&path).unwrap().as_slice(), mode_of(&path)), (&contents[..], 0o640));
        }
        std::fs::File::create_new(dir.path().join(".statestore-x.new")).unwrap();
        std::fs::File::create_new(dir.path().join(".statestore-x")).unwrap();
        sweep_files(dir.path());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn folders_get_the_mode_and_existing_ones_keep_theirs() {
        let dir = tempfile::tempdir().unwrap();
        let before = mode_of(dir.path());
        let path = dir.path().join("a/b");
        let modes = Modes::of(crate::Access::Group, None);
        assert_eq!(create_folder(&path, &modes).unwrap(), Created::New);
        assert_eq!(create_folder(&path, &modes).unwrap(), Created::AlreadyThere);
        assert_eq!((mode_of(&path), mode_of(&dir.path().join("a"))), (0o2770, 0o2770));
        assert_eq!(mode_of(dir.path()), before);
    }
}
