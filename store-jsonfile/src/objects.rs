//! The objects that were read, kept parsed for as long as their files are unchanged.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use store_core::shared::os::{self, FileVersion};

use crate::error::FileError;
use crate::layout::{Item, Layout};
use crate::object::{self, Object};

/// The most files that are kept, for each is held open: so its number cannot become another file's.
const MOST_FILES: usize = 128;

#[derive(Debug)]
struct Kept {
    path: PathBuf,
    _file: File,
    version: FileVersion,
    size: u64,
    object: Arc<Object>,
    used: u64,
}

#[derive(Debug, Default)]
struct State {
    kept: HashMap<String, Kept>,
    /// Those that were there once: no object's file is ever removed by this program.
    seen: HashSet<String>,
    size: u64,
    uses: u64,
}

/// The objects of one open store.
#[derive(Debug)]
pub(crate) struct Objects {
    state: Mutex<State>,
    most: u64,
}

impl Objects {
    /// Keeps so many bytes of files.
    pub(crate) fn new(most: u64) -> Self {
        Self { state: Mutex::default(), most }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the object of a namespace as its file is now; none if there is no file.
    pub(crate) fn load(&self, layout: &Layout, namespace: &str) -> Result<Option<Arc<Object>>, FileError> {
        let mut state = self.state();
        state.uses += 1;
        let uses = state.uses;
        if let Some(kept) = state.kept.get_mut(namespace)
            && kept.path.symlink_metadata().is_ok_and(|found| os::version(&found) == kept.version)
        {
            kept.used = uses;
            return Ok(Some(Arc::clone(&kept.object)));
        }
        drop(state);
        let path = layout.path(&Item::Object(namespace.to_owned()));
        match read_file(&path) {
            Ok((file, bytes)) => {
                let object = Arc::new(object::decode(namespace, &bytes)?);
                self.keep(namespace, path, file, Arc::clone(&object));
                Ok(Some(object))
            }
            Err(FileError::Io(e)) if e.kind() == io::ErrorKind::NotFound => {
                if self.state().seen.contains(namespace) { Err(FileError::Gone) } else { Ok(None) }
            }
            Err(error) => Err(error),
        }
    }

    /// Keeps an object that was read from, or written to, a file.
    pub(crate) fn keep(&self, namespace: &str, path: PathBuf, file: File, object: Arc<Object>) {
        let mut state = self.state();
        if !state.seen.contains(namespace) {
            state.seen.insert(namespace.to_owned());
        }
        state.forget(namespace);
        let Ok(found) = file.metadata() else { return };
        if found.len() > self.most {
            return;
        }
        while state.kept.len() >= MOST_FILES
            || (state.size + found.len() > self.most && !state.kept.is_empty())
        {
            let oldest = state.kept.iter().min_by_key(|(_, kept)| kept.used).map(|(name, _)| name.clone());
            let Some(oldest) = oldest else { break };
            state.forget(&oldest);
        }
        state.size += found.len();
        state.uses += 1;
        let used = state.uses;
        let kept = Kept { path, _file: file, version: os::version(&found), size: found.len(), object, used };
        state.kept.insert(namespace.to_owned(), kept);
    }
}

impl State {
    fn forget(&mut self, namespace: &str) {
        if let Some(kept) = self.kept.remove(namespace) {
            self.size -= kept.size;
        }
    }
}

/// Reads a plain file whole.
pub(crate) fn read_file(path: &Path) -> Result<(File, Vec<u8>), FileError> {
    let mut file = os::open_plain(path, false)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok((file, bytes))
}
