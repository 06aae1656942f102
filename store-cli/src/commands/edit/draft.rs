//! The file that is edited: in a private folder of its own, gone afterwards unless it has to be kept.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use statestore::Error;
use tempfile::TempDir;

use crate::exit::Failure;
use crate::input;

/// A text that is being edited. A folder of its own, that nobody else may enter, holds whatever editors put
/// beside a file, and the file however an editor replaces it.
#[derive(Debug)]
pub(super) struct Draft {
    folder: TempDir,
    path: PathBuf,
}

impl Draft {
    /// Writes the text into a new file.
    pub(super) fn new(text: &str) -> Result<Self, Failure> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("statestore-edit-");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let folder = builder
            .tempdir()
            .map_err(|e| Error::from_io("cannot make a folder for the text", &std::env::temp_dir(), e))?;
        let path = folder.path().join("edit.json");
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options
            .open(&path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|e| Error::from_io("cannot write the text", &path, e))?;
        Ok(Self { folder, path })
    }

    /// Returns where the text is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the text as it is now.
    pub(super) fn read(&self) -> Result<Vec<u8>, Failure> {
        Ok(input::file(&self.path)?)
    }

    /// Leaves the text where it is.
    pub(super) fn keep(&mut self) {
        self.folder.disable_cleanup(true);
    }
}
