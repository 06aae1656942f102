//! What lies in a folder, byte for byte, to see whether something changed it.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::failure::{Context, Outcome};
use crate::target::{Role, Target};

/// What is known of one file or folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Print {
    kind: String,
    mode: u32,
    owner: (u32, u32),
    /// Size, time of the last change and a hash of the bytes; none for what changes by the way.
    contents: Option<(u64, i64, i64, u64)>,
}

/// All that lies in a folder, by path from it.
pub(crate) type Prints = BTreeMap<PathBuf, Print>;

/// Takes the prints of all that lies below a store's folder.
///
/// It opens files: a process that has the store open must leave it to another one, for closing a file drops
/// the locks that a process holds on it.
pub(crate) fn prints(target: &dyn Target, path: &Path) -> Outcome<Prints> {
    let folder = path.parent().context("the store has no folder")?;
    let mut found = Prints::new();
    take(folder, folder, &of_roles(target, path, &[Role::Shared]), &mut found)?;
    Ok(found)
}

/// The same without the bytes of the gate, into which everybody writes who passes it.
pub(crate) fn prints_but_gate(target: &dyn Target, path: &Path) -> Outcome<Prints> {
    let folder = path.parent().context("the store has no folder")?;
    let mut found = Prints::new();
    take(folder, folder, &of_roles(target, path, &[Role::Shared, Role::Gate]), &mut found)?;
    Ok(found)
}

/// Takes the prints of all that lies below a folder that holds no store.
pub(crate) fn prints_of(folder: &Path) -> Outcome<Prints> {
    let mut found = Prints::new();
    take(folder, folder, &[], &mut found)?;
    Ok(found)
}

fn of_roles(target: &dyn Target, path: &Path, roles: &[Role]) -> Vec<PathBuf> {
    let artefacts = target.artefacts(path).into_iter();
    artefacts.filter(|artefact| roles.contains(&artefact.role)).map(|artefact| artefact.path).collect()
}

fn take(root: &Path, folder: &Path, fleeting: &[PathBuf], found: &mut Prints) -> Outcome {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let metadata = path.symlink_metadata()?;
        let mut hasher = DefaultHasher::new();
        if metadata.is_symlink() {
            std::fs::read_link(&path)?.hash(&mut hasher);
        } else if metadata.is_file() && !fleeting.contains(&path) {
            std::fs::read(&path).context(path.display())?.hash(&mut hasher);
        }
        let lasting = !metadata.is_dir() && !fleeting.contains(&path);
        let contents = (metadata.len(), metadata.mtime(), metadata.mtime_nsec(), hasher.finish());
        let print = Print {
            kind: format!("{:?}", metadata.file_type()),
            mode: metadata.mode(),
            owner: (metadata.uid(), metadata.gid()),
            contents: lasting.then_some(contents),
        };
        found.insert(path.strip_prefix(root)?.to_owned(), print);
        if metadata.is_dir() {
            take(root, &path, fleeting, found)?;
        }
    }
    Ok(())
}
