//! The document on disk: read when it has changed, and replaced as a whole.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use store_core::shared::access::{Modes, explain_denial};
use store_core::shared::files::{replace_file, sync_folder};
use store_core::shared::os::{self, FileVersion};
use store_core::{Error, ErrorKind, Result};

use crate::document;
use crate::state::State;

/// The file of a store, and what was last read of it.
#[derive(Debug)]
pub(crate) struct Document {
    folder: PathBuf,
    path: PathBuf,
    modes: Modes,
    kept: Mutex<Option<Kept>>,
}

/// A state that was read, and what tells the file that it was read from.
///
/// The file is not held open, for it would keep its room on a disk that is full. So its number may become
/// another file's, which its digest tells.
#[derive(Debug)]
struct Kept {
    mark: Mark,
    state: Arc<State>,
}

/// How a file looks from outside, and its beginning, with the digest of the rest.
type Mark = (FileVersion, Vec<u8>);

fn mark_of(file: &File) -> std::io::Result<Mark> {
    let mut beginning = vec![0; 128];
    let read = os::read_at(file, &mut beginning, 0)?;
    beginning.truncate(read);
    Ok((os::version(&file.metadata()?), beginning))
}

impl Kept {
    fn of(file: &File, state: &Arc<State>) -> Option<Self> {
        // Without a look at it, it is read again.
        Some(Self { mark: mark_of(file).ok()?, state: Arc::clone(state) })
    }
}

/// How saving failed.
pub(crate) enum Failed {
    /// Nothing was changed.
    Unseen(Error),
    /// Everybody sees it, and it may be lost with power.
    Seen(Error),
}

impl Document {
    pub(crate) fn new(folder: &Path, modes: Modes) -> Self {
        Self { folder: folder.to_owned(), path: path_in(folder), modes, kept: Mutex::default() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns what the file holds now.
    ///
    /// # Errors
    /// `Corrupted` for a file that was removed or changed; those of the system.
    pub(crate) fn load(&self) -> Result<Arc<State>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found = os::open_plain(&self.path, false).and_then(|file| mark_of(&file)).ok();
        if let Some(kept) = kept.as_ref().filter(|kept| Some(&kept.mark) == found.as_ref()) {
            return Ok(Arc::clone(&kept.state));
        }
        let (file, bytes) = read_file(&self.path)?;
        let state = Arc::new(document::decode(&bytes).map_err(|error| error.with_path(&self.path))?);
        *kept = Kept::of(&file, &state);
        Ok(state)
    }

    /// Replaces the file, in the gate: it is synced before it gets its name, and its name after.
    ///
    /// # Errors
    /// Those of the system, and whether anybody can see the new state.
    pub(crate) fn save(&self, state: &Arc<State>) -> Result<(), Failed> {
        let text = document::encode(state).map_err(Failed::Unseen)?;
        let file = replace_file(&self.path, &self.folder, text.as_bytes(), self.modes.file, &self.modes);
        let file = file.map_err(Failed::Unseen)?;
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Kept::of(&file, state);
        self.sync_name().map_err(Failed::Seen)
    }

    /// Makes sure that the file has its name after a loss of power.
    ///
    /// # Errors
    /// Those of the system.
    pub(crate) fn sync_name(&self) -> Result<()> {
        sync_folder(&self.folder)
    }
}

/// Returns where the document of a store lies.
pub(crate) fn path_in(folder: &Path) -> PathBuf {
    folder.join("state.json")
}

/// Reads a plain file whole.
///
/// # Errors
/// `Corrupted` for one that is not there, or no plain file; those of the system.
pub(crate) fn read_file(path: &Path) -> Result<(File, Vec<u8>)> {
    let read = || {
        let mut file = os::open_plain(path, false)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map(|_| (file, bytes))
    };
    read().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::InvalidInput => {
            let why = "was removed, or something else stands in its place; put the file back";
            Error::new(ErrorKind::Corrupted, why).with_path(path).with_source(error)
        }
        _ => explain_denial("cannot read", path, error),
    })
}
