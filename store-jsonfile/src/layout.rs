//! Where the files of a store lie, and how names become file names.
//!
//! ```text
//! state/
//!   .store.json      what the folder is: written once
//!   .epoch.json      the epoch of the store
//!   .changes         a number that grows with every change; bears no data
//!   .gate            the lock that every write passes
//!   .journal         a change of several files, until all of them have it; for ever, of a store that has moved
//!   .next/           the files of a store that is rebuilt, until they take their places
//!   jobs.json        the object of namespace "jobs"
//!   jobs/
//!     events.jsonl   its log "events"
//! ```

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;
use store_core::check_namespace;

/// The end of an object's file name.
const OBJECT: &str = ".json";
/// The end of a log's file name.
const LOG: &str = ".jsonl";
const EPOCH: &str = ".epoch.json";

/// A file of a store that bears data.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Item {
    Epoch,
    Object(String),
    Log(String, String),
}

impl Item {
    /// Returns the path of the file below the store's folder.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Epoch => EPOCH.to_owned(),
            Self::Object(namespace) => format!("{}{OBJECT}", encode(namespace)),
            Self::Log(namespace, log) => format!("{}/{}{LOG}", encode(namespace), encode(log)),
        }
    }

    /// Reads a path that [`name`](Self::name) made; none for any other.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name.split_once('/') {
            Some((folder, file)) => Some(Self::Log(decode(folder)?, decode(file.strip_suffix(LOG)?)?)),
            None if name == EPOCH => Some(Self::Epoch),
            None => Some(Self::Object(decode(name.strip_suffix(OBJECT)?)?)),
        }
    }
}

/// The folder of a store.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    folder: PathBuf,
}

impl Layout {
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn path(&self, item: &Item) -> PathBuf {
        self.folder.join(item.name())
    }

    /// Returns the folder of a namespace's logs.
    pub(crate) fn logs(&self, namespace: &str) -> PathBuf {
        self.folder.join(encode(namespace))
    }

    pub(crate) fn changes(&self) -> PathBuf {
        self.folder.join(".changes")
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.folder.join(".journal")
    }

    /// Returns the folder of files that are to take the places of others.
    pub(crate) fn next(&self) -> PathBuf {
        self.folder.join(".next")
    }

    /// Returns where a file lies before it takes its place.
    pub(crate) fn next_path(&self, item: &Item) -> PathBuf {
        self.next().join(item.name())
    }
}

/// Whether a file in the store's folder has a name as objects have it, ours or not.
pub(crate) fn looks_like_object(file: &str) -> bool {
    !file.starts_with('.') && file.ends_with(OBJECT)
}

/// Whether a file in a folder of logs has a name as logs have it, ours or not.
pub(crate) fn looks_like_log(file: &str) -> bool {
    !file.starts_with('.') && file.ends_with(LOG)
}

/// Makes a file name of a name: small letters, digits, `-`, `_` and inner dots stay, but for that of a final
/// `.json`; every other byte becomes `%` and two digits.
///
/// So two names never become one where a filesystem folds case, none begins with a dot, and none is a device
/// on Windows.
pub(crate) fn encode(name: &str) -> String {
    let end = name.len().saturating_sub(1);
    let device = is_device(name);
    // A folder of logs must not have the name of an object's file.
    let suffix = name.len().checked_sub(OBJECT.len()).filter(|_| name.ends_with(OBJECT));
    let mut encoded = String::with_capacity(name.len());
    for (at, byte) in name.bytes().enumerate() {
        let plain = match byte {
            b'.' => at != 0 && at != end && Some(at) != suffix,
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => !(device && at == 0),
            _ => false,
        };
        if plain {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// Reads a file name that [`encode`] made of a name that can be; none for any other.
pub(crate) fn decode(file: &str) -> Option<String> {
    let name = percent_decode_str(file).decode_utf8().ok()?.into_owned();
    (check_namespace(&name).is_ok() && encode(&name) == file).then_some(name)
}

/// Names that Windows keeps for devices, whatever follows a dot
/// (<https://learn.microsoft.com/windows/win32/fileio/naming-a-file>).
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name);
    match stem {
        "con" | "prn" | "aux" | "nul" => true,
        _ => {
            let numbered = stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt"));
            numbered.is_some_and(|number| number.len() == 1 && number.bytes().all(|b| b.is_ascii_digit()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_file_names_and_back() {
        for (name, file) in [
            ("jobs", "jobs"),
            ("Jobs", "%4Aobs"),
            ("a.b", "a.b"),
            ("a.json", "a%2Ejson"),
            (".json", "%2Ejson"),
            (".gate", "%2Egate"),
            ("..", "%2E%2E"),
            ("../x", "%2E.%2Fx"),
            ("x.", "x%2E"),
            ("con", "%63on"),
            ("com1.x", "%63om1.x"),
            ("é", "%C3%A9"),
            ("100%", "100%25"),
        ] {
            assert_eq!(encode(name), file);
            assert_eq!(decode(file).as_deref(), Some(name));
        }
        for file in
            ["Jobs", "%6aobs", "%6Aobs", "a%2eb", "", "%ff", "a/b", ".x", "a.json", "a%0A", &"a".repeat(65)]
        {
            assert_eq!(decode(file), None, "{file}");
        }
    }

    #[test]
    fn items_and_their_paths() {
        for item in [Item::Epoch, Item::Object("A".into()), Item::Log("a.b".into(), "..".into())] {
            assert_eq!(Item::parse(&item.name()), Some(item));
        }
        for name in ["../x.json", "a/../b.jsonl", "x", ".gate", "/etc/x.jsonl", "a/b/c.jsonl"] {
            assert_eq!(Item::parse(name), None, "{name}");
        }
    }
}
