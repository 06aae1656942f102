//! The files that a run leaves.

use std::fs::{File, OpenOptions};
use std::path::Path;

use crate::Result;

/// Opens a file to be written anew; its folder is made if it is not there.
pub(crate) fn fresh(path: &Path) -> Result<File> {
    let why = |e: std::io::Error| format!("cannot write {}: {e}", path.display());
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(why)?;
    }
    Ok(OpenOptions::new().write(true).create(true).truncate(true).open(path).map_err(why)?)
}
