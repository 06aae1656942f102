//! The sidecar index: what each file of a mirror shows, so that staleness and changes by hand can be told.
//!
//! It is written before the files that it speaks of, and keeps what each showed before: a file that fits
//! neither was changed by somebody else.

use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io;
use std::path::Path;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use super::item::Item;
use crate::error::{Error, ErrorKind, Result};
use crate::json::Json;
use crate::shared::access::{Modes, explain_denial};
use crate::shared::files;
use crate::shared::os;

/// The name of the index in the folder of a mirror.
pub(super) const INDEX: &str = ".mirror.json";
const FORMAT: u32 = 1;
/// Far more than an index needs.
const LARGEST: u64 = 256 << 20;

/// What a file shows of the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Edition {
    /// The revision of the object; of a log the number of its last entry.
    pub(super) revision: u64,
    /// Of a log the number of the first entry shown.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) first: Option<u64>,
    /// Of a log the digest of its last entry: one that was deleted and filled again may have the same numbers.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) tail: Option<String>,
}

/// What a file was when it was written, which a look is enough to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stat {
    size: u64,
    inode: u64,
    modified: u64,
}

impl Stat {
    pub(super) fn of(metadata: &Metadata) -> Self {
        let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let modified = modified.and_then(|since| u64::try_from(since.as_nanos()).ok()).unwrap_or(0);
        Self { size: metadata.len(), inode: os::identity(metadata).1, modified }
    }
}

/// One file as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Version {
    #[serde(flatten)]
    pub(super) edition: Edition,
    /// BLAKE3 of the file, in hexadecimal digits.
    pub(super) digest: String,
    /// When it was written.
    pub(super) at: String,
    pub(super) stat: Stat,
}

/// What is known of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// What it shows, or will once it is in place.
    #[serde(flatten)]
    pub(super) now: Version,
    /// What it showed before, for a writer may be killed between the index and the file.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) before: Option<Version>,
}

impl Record {
    /// Returns the version with a property, the newer one first.
    pub(super) fn find(&self, fits: impl Fn(&Version) -> bool) -> Option<&Version> {
        [Some(&self.now), self.before.as_ref()].into_iter().flatten().find(|version| fits(version))
    }
}

/// The index of a mirror.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Index {
    #[serde(rename = "statestore_mirror")]
    format: u32,
    /// The store that is mirrored: engine and path.
    pub(super) store: String,
    files: BTreeMap<String, Record>,
}

#[derive(Deserialize)]
struct Head {
    statestore_mirror: u32,
}

/// What stands in the place of an index.
#[derive(Debug)]
pub(super) enum Read {
    /// One that can be read.
    Index(Index),
    /// None.
    Nothing,
    /// Something else; the words say what.
    Spoilt(String),
}

impl Index {
    /// Begins the index of a store's mirror.
    pub(super) fn new(store: &str) -> Self {
        Self { format: FORMAT, store: store.to_owned(), files: BTreeMap::new() }
    }

    /// Reads the index of a folder.
    ///
    /// # Errors
    /// `IncompatibleFormat` for a newer one; `PermissionDenied` or `Io`.
    pub(super) fn read(folder: &Path) -> Result<Read> {
        let path = folder.join(INDEX);
        let file = match os::open_plain(&path, false) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Read::Nothing),
            Err(e) if e.kind() == io::ErrorKind::InvalidInput => {
                return Ok(Read::Spoilt("it is no plain file".into()));
            }
            Err(e) => return Err(explain_denial("cannot open the index of the mirror", &path, e)),
        };
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut io::Read::take(file, LARGEST), &mut bytes)
            .map_err(|e| Error::from_io("cannot read the index of the mirror", &path, e))?;
        if let Ok(Head { statestore_mirror: format }) = serde_json::from_slice(&bytes)
            && format != FORMAT
        {
            let why = format!(
                "the index of the mirror has format {format}, this program knows {FORMAT}; update this program, or \
                 name another folder"
            );
            return Err(Error::new(ErrorKind::IncompatibleFormat, why).with_path(path));
        }
        Ok(match serde_json::from_slice(&bytes) {
            Ok(index) => Read::Index(index),
            Err(error) => Read::Spoilt(error.to_string()),
        })
    }

    /// Writes the index, so that it is there before what it speaks of, also after the loss of power.
    ///
    /// # Errors
    /// `PermissionDenied`, `StorageFull`, `Io`.
    pub(super) fn write(&self, folder: &Path, modes: &Modes) -> Result<()> {
        let text = Json::encode(self)?.pretty();
        files::replace_file(&folder.join(INDEX), folder, text.as_bytes(), modes.file, modes)?;
        files::sync_folder(folder)
    }

    /// Returns what is known of a file.
    pub(super) fn get(&self, item: &Item) -> Option<&Record> {
        self.files.get(&item.name())
    }

    /// Notes what a file will show, and what it shows now.
    pub(super) fn note(&mut self, item: &Item, now: Version, before: Option<Version>) {
        self.files.insert(item.name(), Record { now, before });
    }

    /// Forgets a file; whether there was one.
    pub(super) fn forget(&mut self, item: &Item) -> bool {
        self.files.remove(&item.name()).is_some()
    }

    /// Returns the files that it knows.
    pub(super) fn items(&self) -> impl Iterator<Item = Item> {
        self.files.keys().filter_map(|name| Item::parse(name))
    }
}

/// Returns the digest of a file; none if there is none.
///
/// # Errors
/// `PermissionDenied` or `Io`; `Io` for what is no plain file.
pub(super) fn digest_of(path: &Path) -> Result<Option<String>> {
    let digest =
        |file: File| blake3::Hasher::new().update_reader(file).map(|hasher| hasher.finalize().to_hex());
    match os::open_plain(path, false).and_then(digest) {
        Ok(hex) => Ok(Some(hex.to_string())),
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(e) => Err(explain_denial("cannot read", path, e)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Access;

    fn version(revision: u64) -> Version {
        let edition = Edition { revision, first: None, tail: None };
        let stat = Stat { size: 1, inode: u64::MAX, modified: 3 };
        Version { edition, digest: format!("{revision:x}"), at: "now".into(), stat }
    }

    #[test]
    fn an_index_is_read_as_written_and_a_newer_one_refused() {
        let dir = tempfile::tempdir().unwrap();
        let modes = Modes::of(Access::Private, None);
        assert!(matches!(Index::read(dir.path()).unwrap(), Read::Nothing));
        let mut index = Index::new("memory:/s");
        index.note(&Item::object("a/b"), version(2), Some(version(1)));
        index.note(&Item::log("a", "l"), version(u64::MAX >> 1), None);
        index.write(dir.path(), &modes).unwrap();
        let Read::Index(read) = Index::read(dir.path()).unwrap() else { panic!("spoilt") };
        assert_eq!(read, index);
        let found =
            read.get(&Item::object("a/b")).and_then(|record| record.find(|version| version.digest == "1"));
        assert_eq!(found.map(|version| version.edition.revision), Some(1));
        for (text, spoilt) in [("", true), ("{}", true), ("{\"statestore_mirror\":2,\"x\":[]}", false)] {
            files::replace_file(&dir.path().join(INDEX), dir.path(), text.as_bytes(), 0o600, &modes).unwrap();
            match Index::read(dir.path()) {
                Ok(read) => assert!(spoilt && matches!(read, Read::Spoilt(_)), "{text}: {read:?}"),
                Err(error) => assert!(!spoilt && error.kind() == ErrorKind::IncompatibleFormat, "{error}"),
            }
        }
    }
}
