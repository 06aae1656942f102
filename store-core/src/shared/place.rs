//! Where a store lies, and the places that are refused: those on which no lock or sync can be trusted.

use std::ffi::OsString;
use std::fs::Metadata;
use std::path::{Path, PathBuf};

use super::access::explain_denial;
use super::files::folder_of;
use super::os;
use crate::config::Settings;
use crate::error::{Error, ErrorKind, Result};

/// The absolute path of a store, links resolved, so that one store has one name in a process.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    path: PathBuf,
}

impl Place {
    /// Resolves a path, relative to the current folder, that need not exist.
    ///
    /// # Errors
    /// `ConfigInvalid` for a path without a file name; `PermissionDenied` or `Io` if it cannot be resolved.
    pub fn resolve(path: &Path) -> Result<Self> {
        let Some(name) = path.file_name() else {
            let why = "this path has no file name; name a file such as state.db";
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
        Ok(Self { path: resolved })
    }

    /// Returns the absolute path of the data.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the folder that the data lies in.
    pub fn folder(&self) -> &Path {
        folder_of(&self.path)
    }

    /// Returns the path of the data with something appended to its name, such as `.gate`.
    pub fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = OsString::from(&self.path);
        name.push(suffix);
        PathBuf::from(name)
    }

    /// Refuses a folder that cannot hold a store.
    ///
    /// # Errors
    /// `ConfigInvalid` for a network filesystem, where locks and syncs reach only so far, and for a sticky
    /// folder, in which the kernel denies one user what another made; `PermissionDenied` or `Io`.
    pub fn check_folder(&self, settings: &Settings) -> Result<()> {
        let folder = self.folder();
        let metadata = folder.metadata().map_err(|e| explain_denial("cannot look at", folder, e))?;
        let refuse = |why: String| Err(Error::new(ErrorKind::ConfigInvalid, why).with_path(folder));
        let kind = match &settings.seams.filesystem {
            Some(pretended) => Some(pretended.as_str()),
            None => {
                os::network_filesystem(folder).map_err(|e| Error::from_io("cannot look at", folder, e))?
            }
        };
        if let Some(kind) = kind {
            return refuse(format!(
                "lies on {kind}, where locks are not safe; choose a folder on a local disk"
            ));
        }
        if os::mode(&metadata) & 0o1000 != 0 {
            return refuse(format!(
                "is sticky ({}), so users cannot share files in it; make a folder of its own for the store",
                os::describe_rights(&metadata)
            ));
        }
        Ok(())
    }

    /// Looks at a data file: none if there is nothing.
    ///
    /// # Errors
    /// `ConfigInvalid` for what is no file, and for a file with several names, each of which would get
    /// companions of its own; `PermissionDenied` or `Io`.
    pub fn look_at_file(&self) -> Result<Option<Metadata>> {
        let metadata = match self.path.metadata() {
            Ok(metadata) => metadata,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(explain_denial("cannot look at", &self.path, e)),
        };
        let refuse = |why: String| Err(Error::new(ErrorKind::ConfigInvalid, why).with_path(&self.path));
        if !metadata.is_file() {
            return refuse("is not a file; name the database file itself".into());
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
        let place = Place::resolve(&dir.path().join("link/./s.db")).unwrap();
        assert_eq!(place.path(), real.join("s.db"));
        assert_eq!(place.beside(".gate"), real.join("s.db.gate"));
        let missing = Place::resolve(&dir.path().join("link/not/there/s.db")).unwrap();
        assert_eq!(missing.path(), real.join("not/there/s.db"));
        assert_eq!(Place::resolve(Path::new("/..")).unwrap_err().kind(), ErrorKind::ConfigInvalid);
    }
}
