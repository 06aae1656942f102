//! A folder of JSON files that becomes an object: each file a key.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::path::Path;

use store_core::shared::os;
use store_core::{Error, ErrorKind, Json, Limits, Result};

/// What is read at most of one folder, so that an endless one ends with an error and not with all memory.
const MOST: u64 = 2 * Limits::CEILING;

/// What a folder of JSON files holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Folder {
    /// The value of each file `NAME.json`, under the key `NAME`.
    pub object: BTreeMap<String, Json>,
    /// What is no such file.
    pub skipped: Skipped,
}

/// How much of a folder was not read, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Skipped {
    /// Files of zero bytes, which hold no value.
    pub empty: u64,
    /// Names that begin with a dot.
    pub hidden: u64,
    /// Files that do not end in `.json`.
    pub other: u64,
    /// Folders.
    pub folders: u64,
    /// Symbolic links, which may lead out of the folder, and what is no file at all.
    pub links: u64,
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [
            (self.empty, "of zero bytes"),
            (self.hidden, "hidden"),
            (self.other, "not ending in .json"),
            (self.folders, "folders"),
            (self.links, "symbolic links or no files"),
        ];
        let some = counts.iter().filter(|(count, _)| *count > 0);
        let some: Vec<_> = some.map(|(count, what)| format!("{count} {what}")).collect();
        f.write_str(&some.join(", "))
    }
}

impl Skipped {
    /// Returns whether everything was read.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Reads a folder in which each file `NAME.json` holds the value of the key `NAME`.
///
/// Only files of the folder itself are read: sub-folders and symbolic links are skipped, as are hidden files,
/// other suffixes, and files of zero bytes, for they hold no value. All are counted. `progress` is told how
/// many names are done, and of how many.
///
/// # Errors
/// `InvalidInput` with the file, line and column for malformed JSON, for a name that cannot be a key, and for
/// a folder that is not there; `TooLarge` above 512 MiB; those of the operating system.
pub fn folder(path: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<Folder> {
    let unreadable = |error| Error::from_io("cannot read the folder", path, error);
    let mut names = Vec::new();
    let entries = std::fs::read_dir(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => {
            invalid("cannot read; give a folder that is there").with_path(path).with_source(error)
        }
        _ => unreadable(error),
    })?;
    for entry in entries {
        names.push(entry.map_err(unreadable)?.file_name());
    }
    // The same refusal each time, whatever order the folder has.
    names.sort();
    let (mut found, mut bytes, all) = (Folder::default(), 0, names.len() as u64);
    for (done, name) in (1..).zip(names) {
        let file = path.join(&name);
        if let Some(value) = value_of(&file, &mut found.skipped, MOST - bytes)? {
            bytes += value.len() as u64;
            let value = Json::from_slice(&value).map_err(|error| error.with_path(&file))?;
            found.object.insert(key_of(&file)?, value);
        }
        progress(done, all);
    }
    Ok(found)
}

/// Reads a file that counts; none if it does not, which is then counted.
fn value_of(file: &Path, skipped: &mut Skipped, most: u64) -> Result<Option<Vec<u8>>> {
    let unreadable = |error| Error::from_io("cannot read", file, error);
    let seen = file.symlink_metadata().map_err(unreadable)?;
    let name = file.file_name().unwrap_or_default().as_encoded_bytes();
    let counter = if name.starts_with(b".") {
        &mut skipped.hidden
    } else if seen.is_dir() {
        &mut skipped.folders
    } else if !seen.is_file() {
        &mut skipped.links
    } else if !name.ends_with(b".json") {
        &mut skipped.other
    } else if seen.len() == 0 {
        &mut skipped.empty
    } else {
        // A link that came in its place in between is not followed.
        let open = os::open_plain(file, false).map_err(unreadable)?;
        let mut bytes = Vec::new();
        open.take(most + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > most {
            let why = format!("the folder has more than {MOST} bytes, the most that is read; split it");
            return Err(Error::new(ErrorKind::TooLarge, why).with_path(file));
        }
        return Ok(Some(bytes));
    };
    *counter += 1;
    Ok(None)
}

fn key_of(file: &Path) -> Result<String> {
    let Some(key) = file.file_stem().and_then(|stem| stem.to_str()) else {
        return Err(invalid("the file's name is not UTF-8 and cannot be a key; rename it").with_path(file));
    };
    store_core::check_key(key).map_err(|error| error.with_path(file))?;
    Ok(key.to_owned())
}

fn invalid(why: &str) -> Error {
    Error::new(ErrorKind::InvalidInput, why)
}
