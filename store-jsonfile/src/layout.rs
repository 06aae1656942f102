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

use std::path::{Path, PathBuf};

use store_core::shared::names::{decode, encode};

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

#[cfg(test)]
mod tests {
    use super::*;

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
