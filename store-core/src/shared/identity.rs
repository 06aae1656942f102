//! Whether the files of an open store are still the ones that were opened.
//!
//! A file that is removed or exchanged under an open store parts those who have it open from those who open it
//! later: each side writes where the other does not look.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::access::explain_denial;
use super::os::{self, Identity};
use crate::error::{Error, ErrorKind, Result};

/// For how long a look is good enough for a read of one key.
const FRESH: Duration = Duration::from_millis(10);

/// Whether a path, links followed, still leads to the file that was opened.
///
/// # Errors
/// `PermissionDenied` or `Io` if it cannot be looked at, which says nothing about where the file is.
pub fn is_in_place(path: &Path, opened: Identity) -> Result<bool> {
    Ok(identity(path, path.metadata())? == Some(opened))
}

/// Returns what was found; none if nothing is there.
fn identity(path: &Path, found: std::io::Result<Metadata>) -> Result<Option<Identity>> {
    match found {
        Ok(found) => Ok(Some(os::identity(&found))),
        Err(e) if matches!(e.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(e) => Err(explain_denial("cannot look at", path, e)),
    }
}

/// The data and its companions as they were when they were opened.
#[derive(Debug)]
pub struct Identities {
    files: Vec<(PathBuf, Option<Identity>)>,
    since: Instant,
    /// Microseconds from `since` to the last look that found all well.
    looked: AtomicU64,
}

impl Identities {
    /// Looks at the data file, which comes first, and at its companions.
    ///
    /// # Errors
    /// `PermissionDenied` or `Io` if one cannot be looked at.
    pub fn of(files: impl IntoIterator<Item = PathBuf>) -> Result<Self> {
        let files = files.into_iter().map(|path| {
            let found = identity(&path, path.symlink_metadata())?;
            Ok((path, found))
        });
        Ok(Self { files: files.collect::<Result<_>>()?, since: Instant::now(), looked: AtomicU64::new(0) })
    }

    /// Refuses to go on if a file is not the one that was opened.
    ///
    /// # Errors
    /// `Corrupted` names the first that was moved, removed or replaced; `PermissionDenied` or `Io` if one
    /// cannot be looked at.
    pub fn check(&self) -> Result<()> {
        self.check_from(0)
    }

    /// The same for the companions alone, where the store above has just looked at the data.
    ///
    /// # Errors
    /// Those of [`check`](Self::check).
    pub fn check_companions(&self) -> Result<()> {
        self.check_from(1)
    }

    fn check_from(&self, first: usize) -> Result<()> {
        for (path, opened) in self.files.iter().skip(first) {
            let found = identity(path, path.symlink_metadata())?;
            if found != *opened || found.is_none() {
                let why = "was moved, removed or replaced while the store was open; stop all users of the store, keep \
                           a copy of all its files, and put it back";
                return Err(Error::new(ErrorKind::Corrupted, why).with_path(path));
            }
        }
        Ok(())
    }

    /// The same for a read of one key, which takes less time than a look: at most every 10 ms.
    ///
    /// # Errors
    /// Those of [`check`](Self::check).
    pub fn check_now_and_then(&self) -> Result<()> {
        let fresh = u64::try_from(FRESH.as_micros()).unwrap_or(0);
        if self.elapsed().saturating_sub(self.looked.load(Ordering::Relaxed)) < fresh {
            return Ok(());
        }
        self.check_from(0)?;
        self.looked.store(self.elapsed(), Ordering::Relaxed);
        Ok(())
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.since.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}
