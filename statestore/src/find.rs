//! Where a configuration comes from when the code does not name it: the environment, then a file.

use std::env::{self, VarError};
use std::io::Read;
use std::path::{Path, PathBuf};

use store_core::{Error, ErrorKind, Result};

use crate::config::StoreConfig;
use crate::table;

/// The variable of the environment that holds a URL.
pub const URL_VARIABLE: &str = "STATESTORE_URL";
/// The variable of the environment that names a configuration file.
pub const FILE_VARIABLE: &str = "STATESTORE_CONFIG";
/// The configuration file that is looked for in the current folder.
pub const FILE_NAME: &str = "statestore.toml";

/// Far more than a configuration needs.
const LARGEST_FILE: u64 = 1 << 20;

impl StoreConfig {
    /// Finds the configuration: that of the [environment](Self::from_env), else `statestore.toml` in the
    /// current folder.
    ///
    /// The folders above are not searched, so that what a program opens can be told from where it runs.
    /// Nothing is mixed: the first one found is the whole configuration. None if there is none.
    ///
    /// # Errors
    /// `ConfigInvalid` if the first one found cannot be; `PermissionDenied` or `Io` if it cannot be read.
    pub fn find() -> Result<Option<Self>> {
        if let Some(config) = Self::from_env()? {
            return Ok(Some(config));
        }
        match Path::new(FILE_NAME).symlink_metadata() {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            _ => Self::from_file(FILE_NAME).map(Some),
        }
    }

    /// Reads the configuration that the environment names: the URL in `STATESTORE_URL`, else the file that
    /// `STATESTORE_CONFIG` names. None if neither is set; an empty variable counts as not set.
    ///
    /// # Errors
    /// `ConfigInvalid` for a value that is not Unicode, and as for [`from_url`](Self::from_url) and
    /// [`from_file`](Self::from_file).
    pub fn from_env() -> Result<Option<Self>> {
        named_by(|name| env::var(name))
    }

    /// Reads a configuration file; see [`from_toml`](Self::from_toml). Paths in it are relative to the folder
    /// of the file.
    ///
    /// # Errors
    /// - `ConfigInvalid` for a file that is not there or has no configuration that can be; it names the file,
    ///   and line and column where there is a place.
    /// - `PermissionDenied` or `Io` if it cannot be read.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let file = std::path::absolute(path).map_err(|e| unreadable(path, e))?;
        let text = read(&file)?;
        let folder = file.parent().unwrap_or(Path::new(""));
        Self::from_toml(&text, folder).map_err(|e| e.with_path(&file))
    }
}

/// Reads the configuration that variables name.
pub(crate) fn named_by(look_up: impl Fn(&str) -> Result<String, VarError>) -> Result<Option<StoreConfig>> {
    if let Some(url) = variable(URL_VARIABLE, &look_up)? {
        let why = |e: Error| Error::new(e.kind(), format!("{URL_VARIABLE}: {}", e.message()));
        return StoreConfig::from_url(&url).map(Some).map_err(why);
    }
    match variable(FILE_VARIABLE, &look_up)? {
        Some(path) => StoreConfig::from_file(path).map(Some),
        None => Ok(None),
    }
}

fn variable(name: &str, look_up: impl Fn(&str) -> Result<String, VarError>) -> Result<Option<String>> {
    match look_up(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => {
            let why = format!("the variable {name} of the environment is not Unicode; set it again");
            Err(Error::new(ErrorKind::ConfigInvalid, why))
        }
    }
}

fn read(path: &Path) -> Result<String> {
    // A pipe in its place would keep whoever opens it waiting.
    if path.metadata().map_err(|e| unreadable(path, e))?.is_file() {
        let file = std::fs::File::open(path).map_err(|e| unreadable(path, e))?;
        let mut bytes = Vec::new();
        file.take(LARGEST_FILE + 1).read_to_end(&mut bytes).map_err(|e| unreadable(path, e))?;
        if bytes.len() as u64 > LARGEST_FILE {
            return Err(invalid(path, "has more than 1 MiB, so it is no configuration; name another file"));
        }
        return String::from_utf8(bytes).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(error.as_bytes());
            // What is valid is the same in both.
            let at = table::place(&text, valid);
            invalid(path, &format!("{at}: the text is not UTF-8; write it as such"))
        });
    }
    Err(invalid(path, "is not a file; name a configuration file"))
}

fn unreadable(path: &Path, error: std::io::Error) -> Error {
    use std::io::ErrorKind as K;
    match error.kind() {
        K::NotFound | K::NotADirectory | K::InvalidInput | K::InvalidFilename => {
            invalid(path, "there is no such configuration file; name one that is there").with_source(error)
        }
        _ => Error::from_io("cannot read the configuration", path, error),
    }
}

fn invalid(path: &Path, why: &str) -> Error {
    Error::new(ErrorKind::ConfigInvalid, why).with_path(PathBuf::from(path))
}
