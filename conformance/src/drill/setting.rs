//! Settings of the kernel that a case changes for a while.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::failure::{Context, Outcome};

/// A setting of the whole machine; it is what it was when this is dropped.
#[derive(Debug)]
pub(crate) struct Setting {
    path: PathBuf,
    before: String,
}

impl Setting {
    /// Changes one, by its file below `/proc/sys`.
    pub(crate) fn change(path: &str, value: &str) -> Outcome<Self> {
        let path = PathBuf::from(path);
        let before = std::fs::read_to_string(&path).context(path.display())?;
        let setting = Self { path, before };
        write(&setting.path, value).context(setting.path.display())?;
        Ok(setting)
    }
}

impl Drop for Setting {
    fn drop(&mut self) {
        let _ = write(&self.path, &self.before);
    }
}

fn write(path: &Path, value: &str) -> std::io::Result<()> {
    OpenOptions::new().write(true).open(path)?.write_all(value.as_bytes())
}
