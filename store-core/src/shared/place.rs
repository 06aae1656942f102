//! Where a store lies, and the places that are refused: those on which no lock or sync can be trusted.

use std::ffi::OsString;
use std::fs::Metadata;
use std::path::{Path, PathBuf};

use super::access::explain_denial;
use super::files::folder_of;
use super::os;
use crate::config::Settings;
use crate::error::{Error, ErrorKind, Result};

/// What lies at the path of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// The data file; its gate and companions lie beside it.
    File,
    /// A folder of the store's own, with everything in it.
    Folder,
}

/// The name, in a store that is a folder, of the file that says what it is.
const MARKER: &str = ".store.json";

/// The absolute path of a store, links resolved, so that one store has one name in a process.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    path: PathBuf,
    data: PathBuf,
    shape: Shape,
}

impl Place {
    /// Resolves a path, relative to the current folder, that need not exist.
    ///
    /// # Errors
    /// `ConfigInvalid` for a path without a file name; `PermissionDenied` or `Io` if it cannot be resolved.
    pub fn resolve(path: &Path, shape: Shape) -> Result<Self> {
        let Some(name) = path.file_name() else {
            let why = "this path has no name at its end; name a file or folder such as state.db";
            return Err(Error::new(ErrorKind::ConfigInvalid, why).with_path(path));
        };
        let resolved = match path.canonicalize() {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && path.is_symlink() => {
                let why = "is a symbolic link that leads nowhere; remove it, or make what it leads to";
                return Err(Error::new(ErrorKind::ConfigInvalid, why).with_path(path).with_source(e));
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                resolve_missing(folder_of(path))?.join(name)
            }
            Err(e) => return Err(explain_denial("cannot resolve the path", path, e)),
            Ok(resolved) => resolved,
        };
        let data = match shape {
            Shape::File => resolved.clone(),
            Shape::Folder => resolved.join(MARKER),
        };
        Ok(Self { path: resolved, data, shape })
    }

    /// Returns the absolute path of the store, as users name it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the folder that every file of the store lies in, or below.
    pub fn folder(&self) -> &Path {
        match self.shape {
            Shape::File => folder_of(&self.path),
            Shape::Folder => &self.path,
        }
    }

    /// Returns the path of the file that makes the store one: once it can be seen the store is there, and its
    /// rights are those of every other file.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Returns the path of the gate.
    pub fn gate(&self) -> PathBuf {
        match self.shape {
            Shape::File => self.beside(".gate"),
            Shape::Folder => self.path.join(".gate"),
        }
    }

    /// Returns the path of the data with something appended to its name, such as `.gate`.
    pub fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = OsString::from(&self.path);
        name.push(suffix);
        PathBuf::from(name)
    }

    /// Refuses a filesystem that is not of this machine; the folder need not exist.
    ///
    /// # Errors
    /// `ConfigInvalid` for a network filesystem, where locks and syncs reach only so far; `Io`.
    pub fn check_filesystem(&self, settings: &Settings) -> Result<()> {
        let folder = self.folder().ancestors().find(|folder| folder.exists()).unwrap_or(self.folder());
        let kind = match &settings.seams.filesystem {
            Some(pretended) => Some(pretended.as_str()),
            None => {
                os::network_filesystem(folder).map_err(|e| Error::from_io("cannot look at", folder, e))?
            }
        };
        let Some(kind) = kind else { return Ok(()) };
        let why = format!("lies on {kind}, where locks are not safe; choose a folder on a local disk");
        Err(Error::new(ErrorKind::ConfigInvalid, why).with_path(folder))
    }

    /// Refuses a folder that cannot hold a store.
    ///
    /// # Errors
    /// `ConfigInvalid` for what is no folder, and for a sticky folder, in which the kernel denies one user what another made; `PermissionDenied` or `Io`.
    pub fn check_folder(&self) -> Result<()> {
        let folder = self.folder();
        let metadata = folder.metadata().map_err(|e| explain_denial("cannot look at", folder, e))?;
        let refuse = |why: String| Err(Error::new(ErrorKind::ConfigInvalid, why).with_path(folder));
        if !metadata.is_dir() {
            return refuse("is not a folder, as a store of this engine must be; name another path".into());
        }
        if os::mode(&metadata) & 0o1000 != 0 {
            return refuse(format!(
                "is sticky ({}), so users cannot share files in it; make a folder of its own for the store",
                os::describe_rights(&metadata)
            ));
        }
        Ok(())
    }

    /// Looks at the data file: none if there is nothing.
    ///
    /// # Errors
    /// `ConfigInvalid` for what is no file, and for a file with several names, each of which would get
    /// companions of its own; `PermissionDenied` or `Io`.
    pub fn look_at_file(&self) -> Result<Option<Metadata>> {
        let data = self.data();
        let metadata = match data.metadata() {
            Ok(metadata) => metadata,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(explain_denial("cannot look at", data, e)),
        };
        let refuse = |why: String| Err(Error::new(ErrorKind::ConfigInvalid, why).with_path(data));
        if !metadata.is_file() {
            return refuse("is not a file; name the store's own file".into());
        }
        let names = os::link_count(&metadata);
        if names > 1 {
            return refuse(format!("has {names} names (hard links); remove all but one, or copy the file"));
        }
        Ok(Some(metadata))
    }
}

fn resolve_missing(folder: &Path) -> Result<PathBuf> {
    match (folder.canonicalize(), folder.file_name()) {
        (Ok(resolved), _) => Ok(resolved),
        (Err(e), Some(name)) if e.kind() == std::io::ErrorKind::NotFound => {
            Ok(resolve_missing(folder_of(folder))?.join(name))
        }
        (Err(e), _) => Err(explain_denial("cannot resolve the path", folder, e)),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn one_store_has_one_name() {
        let dir = tempfile::tempdir().unwrap();
        let real = dir.path().canonicalize().unwrap();
        std::os::unix::fs::symlink(&real, dir.path().join("link")).unwrap();
        let resolve = |path: &str| Place::resolve(&dir.path().join(path), Shape::File).unwrap();
        assert_eq!(resolve("link/./s.db").path(), real.join("s.db"));
        assert_eq!(resolve("link/s.db").gate(), real.join("s.db.gate"));
        assert_eq!(resolve("link/not/there/s.db").path(), real.join("not/there/s.db"));
        let nameless = Place::resolve(Path::new("/.."), Shape::File).unwrap_err();
        assert_eq!(nameless.kind(), ErrorKind::ConfigInvalid);
    }

    #[test]
    fn a_folder_has_everything_in_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().canonicalize().unwrap().join("state");
        let place = Place::resolve(&path, Shape::Folder).unwrap();
        assert_eq!((place.path(), place.folder()), (path.as_path(), path.as_path()));
        assert_eq!((place.gate(), place.data()), (path.join(".gate"), path.join(".store.json").as_path()));
    }
}
