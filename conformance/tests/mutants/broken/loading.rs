//! How the document is read, with faults.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use store_core::shared::os::{self, FileVersion};
use store_core::{ErrorKind, Result};

use super::beside;
use super::table::Mutant;
use crate::document::{self, BEGINNING, FORMAT};
use crate::file::{path_in, read_file};
use crate::state::State;

/// The document of a store, and what was last read of it.
#[derive(Debug)]
pub(super) struct Loading {
    mutant: Mutant,
    folder: PathBuf,
    kept: Mutex<Option<Kept>>,
}

#[derive(Debug)]
struct Kept {
    version: FileVersion,
    /// How long the log beside it was.
    beside: u64,
    state: Arc<State>,
    _file: File,
}

impl Loading {
    pub(super) fn new(mutant: Mutant, folder: &Path) -> Self {
        Self { mutant, folder: folder.to_owned(), kept: Mutex::default() }
    }

    /// Returns what readers are given.
    pub(super) fn load(&self) -> Result<Arc<State>> {
        if self.mutant == Mutant::StaleCache {
            let kept = self.kept.lock().unwrap();
            // A change within the same second, of the same size, is none.
            let FileVersion([_, _, size, seconds, ..]) = self.version().unwrap_or(FileVersion([0; 7]));
            let same = kept.as_ref().filter(|Kept { version: FileVersion(kept), .. }| {
                (kept.get(2), kept.get(3)) == (Some(&size), Some(&seconds))
            });
            if let Some(kept) = same {
                return Ok(Arc::clone(&kept.state));
            }
        }
        self.load_newest()
    }

    fn version(&self) -> Option<FileVersion> {
        Some(os::version(&path_in(&self.folder).symlink_metadata().ok()?))
    }

    /// Returns what a writer begins with.
    pub(super) fn load_newest(&self) -> Result<Arc<State>> {
        let mut kept = self.kept.lock().unwrap();
        let beside = beside::length(&self.folder);
        let found = self.version();
        if let Some(kept) = kept.as_ref().filter(|kept| Some(kept.version) == found && kept.beside == beside)
        {
            return Ok(Arc::clone(&kept.state));
        }
        let (file, bytes) = self.read()?;
        let mut state = self.decode(&bytes).map_err(|error| error.with_path(path_in(&self.folder)))?;
        beside::replay(self.mutant, &self.folder, &mut state)?;
        let state = Arc::new(state);
        let version = file.metadata().ok().map(|found| os::version(&found));
        *kept = version.map(|version| Kept { version, beside, state: Arc::clone(&state), _file: file });
        Ok(state)
    }

    fn read(&self) -> Result<(File, Vec<u8>)> {
        let path = path_in(&self.folder);
        if self.mutant == Mutant::LinksFollowed
            && let (Ok(file), Ok(bytes)) = (File::open(&path), std::fs::read(&path))
        {
            return Ok((file, bytes));
        }
        read_file(&path)
    }

    fn decode(&self, bytes: &[u8]) -> Result<State> {
        match (self.mutant, document::decode(bytes)) {
            (Mutant::ParseFailureTakenAsEmpty, Err(_)) => Ok(State::default()),
            (Mutant::ZeroBytesTakenAsEmpty, Err(_)) if bytes.is_empty() => Ok(State::default()),
            (Mutant::NewerFormatTaken, Err(error)) if error.kind() == ErrorKind::IncompatibleFormat => {
                Ok(State::default())
            }
            (Mutant::DigestIgnored, Err(_)) => document::decode(&with_digest(bytes)),
            (_, decoded) => decoded,
        }
    }
}

/// Puts the digest that fits in place of whatever stands there.
fn with_digest(bytes: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let Some((_, rest)) = text.split_once('\n') else { return bytes.to_vec() };
    let digest = blake3::hash(rest.as_bytes()).to_hex();
    format!("{BEGINNING}{FORMAT},\"digest\":\"{digest}\",\n{rest}").into_bytes()
}
