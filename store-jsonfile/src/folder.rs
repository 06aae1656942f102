//! The folder of an open store: its files as they are now.

use std::io;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use store_core::backend::Epoch;
use store_core::shared::access::{Modes, explain_denial};
use store_core::shared::os::{self, FileVersion};
use store_core::{Error, Json, Result};

use crate::changes::Changes;
use crate::error::FileError;
use crate::journal::{self, Change};
use crate::layout::{Item, Layout};
use crate::listing::is_folder;
use crate::log::{Log, Source};
use crate::object::{self, FORMAT, Object};
use crate::objects::{Objects, read_file};

/// The files of a store, and what is known of them.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) layout: Layout,
    pub(crate) modes: Modes,
    pub(crate) changes: Changes,
    pub(crate) objects: Objects,
}

/// The changes of a journal, and which file it is.
#[derive(Debug, Clone)]
pub(crate) struct Journal {
    pub(crate) changes: Arc<Vec<Change>>,
    pub(crate) version: FileVersion,
}

#[derive(Serialize, Deserialize)]
struct EpochFields {
    epoch: u32,
    boot: String,
}

impl Folder {
    pub(crate) fn new(path: &Path, modes: Modes, cache: u64) -> Self {
        let layout = Layout::new(path);
        Self { changes: Changes::new(layout.changes()), objects: Objects::new(cache), layout, modes }
    }

    /// Returns the number of the last change that began; none if the file of it is missing or spoilt, which
    /// whoever writes next mends before anything else.
    pub(crate) fn number(&self) -> Result<Option<u64>> {
        match self.changes.read() {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            read => read.map_err(|e| FileError::from(e).at(&self.layout.changes())),
        }
    }

    /// Returns which file the journal is; none if there is none.
    pub(crate) fn journal_version(&self) -> Result<Option<FileVersion>> {
        let path = self.layout.journal();
        match path.symlink_metadata() {
            Ok(found) => Ok(Some(os::version(&found))),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(explain_denial("cannot look at", &path, e)),
        }
    }

    /// Reads the journal; none if there is none.
    pub(crate) fn journal(&self) -> Result<Option<Journal>> {
        if self.journal_version()?.is_none() {
            return Ok(None);
        }
        let path = self.layout.journal();
        match read_file(&path) {
            Ok((file, bytes)) => {
                let found = file.metadata().map_err(|e| Error::from_io("cannot look at", &path, e))?;
                let changes = Arc::new(journal::decode(&bytes).map_err(|e| e.at(&path))?);
                Ok(Some(Journal { changes, version: os::version(&found) }))
            }
            Err(FileError::Io(e)) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.at(&path)),
        }
    }

    /// Reads an object, as a journal leaves it.
    pub(crate) fn object(&self, namespace: &str, journal: Option<&[Change]>) -> Result<Option<Arc<Object>>> {
        let item = Item::Object(namespace.to_owned());
        let read = match change_of(journal, &item) {
            Some(Change::Replace { bytes, .. }) => {
                object::decode(namespace, bytes).map(|o| Some(Arc::new(o)))
            }
            Some(Change::Place { .. }) => match self.next_object(namespace) {
                // It has taken its place.
                Err(FileError::Io(e)) if e.kind() == io::ErrorKind::NotFound => {
                    self.objects.load(&self.layout, namespace)
                }
                next => next.map(|object| Some(Arc::new(object))),
            },
            Some(_) => Ok(None),
            None => self.objects.load(&self.layout, namespace),
        };
        read.map_err(|e| e.at(&self.layout.path(&item)))
    }

    /// Reads the object that is to take the place of a namespace's.
    pub(crate) fn next_object(&self, namespace: &str) -> Result<Object, FileError> {
        let (_, bytes) = read_file(&self.layout.next_path(&Item::Object(namespace.to_owned())))?;
        object::decode(namespace, &bytes)
    }

    /// Reads an object that need not be kept: a store may have more of them than memory.
    pub(crate) fn object_once(&self, namespace: &str, journal: Option<&[Change]>) -> Result<Arc<Object>> {
        let item = Item::Object(namespace.to_owned());
        if change_of(journal, &item).is_some() {
            return Ok(self.object(namespace, journal)?.unwrap_or_default());
        }
        let path = self.layout.path(&item);
        match read_file(&path).and_then(|(_, bytes)| object::decode(namespace, &bytes)) {
            // Whether it was there once is known where they are kept.
            Err(FileError::Io(e)) if e.kind() == io::ErrorKind::NotFound => {
                Ok(self.object(namespace, journal)?.unwrap_or_default())
            }
            read => read.map(Arc::new).map_err(|e| e.at(&path)),
        }
    }

    /// Opens a log, as a journal leaves it; none if there is none.
    pub(crate) fn log(&self, namespace: &str, log: &str, journal: Option<&[Change]>) -> Result<Option<Log>> {
        let item = Item::Log(namespace.to_owned(), log.to_owned());
        let path = self.layout.path(&item);
        let open = || -> Result<Option<Log>, FileError> {
            let change = change_of(journal, &item);
            let source = match change {
                Some(Change::Remove { .. }) => return Ok(None),
                Some(Change::Replace { bytes, .. }) => Source { file: None, length: 0, added: bytes.clone() },
                Some(Change::Place { .. }) => match self.open_next_log(namespace, log, &path)? {
                    Some(file) => Source::of_file(file)?,
                    None => return Ok(None),
                },
                _ => match self.open_log(namespace, &path)? {
                    Some(file) => Source::of_file(file)?,
                    None => return Ok(None),
                },
            };
            let source = match change {
                Some(Change::Append { at, bytes, .. }) => {
                    Source { length: *at, added: bytes.clone(), ..source }
                }
                _ => source,
            };
            Log::open(source, namespace, log).map(Some)
        };
        open().map_err(|e| e.at(&path))
    }

    /// Opens a log that takes its place, or has.
    fn open_next_log(
        &self,
        namespace: &str,
        log: &str,
        path: &Path,
    ) -> Result<Option<std::fs::File>, FileError> {
        let next = self.layout.next_path(&Item::Log(namespace.to_owned(), log.to_owned()));
        match os::open_plain(&next, false) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => self.open_log(namespace, path),
            opened => Ok(Some(opened?)),
        }
    }

    fn open_log(&self, namespace: &str, path: &Path) -> Result<Option<std::fs::File>, FileError> {
        match os::open_plain(path, false) {
            // What a link in the place of the folder leads to is not the store's.
            Ok(_) if !is_folder(&self.layout.logs(namespace))? => Err(FileError::NoFolder),
            Ok(file) => Ok(Some(file)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    /// Reads the epoch.
    pub(crate) fn epoch(&self, journal: Option<&[Change]>) -> Result<Epoch> {
        let path = self.layout.path(&Item::Epoch);
        let read = || -> Result<Epoch, FileError> {
            let bytes = match change_of(journal, &Item::Epoch) {
                Some(Change::Replace { bytes, .. }) => bytes.clone(),
                _ => read_file(&path).map(|(_, bytes)| bytes).map_err(gone)?,
            };
            let body = object::unseal(&bytes)?;
            let fields = body.strip_suffix(",\n").and_then(|fields| {
                let fields = fields.split_once(',')?.1;
                serde_json::from_str::<EpochFields>(&format!("{{{fields}}}")).ok()
            });
            let odd = || FileError::changed(1, "it fits its digest but is not what this program writes");
            fields.map(|fields| Epoch { number: fields.epoch, boot: fields.boot }).ok_or_else(odd)
        };
        read().map_err(|e| e.at(&path))
    }
}

fn change_of<'j>(journal: Option<&'j [Change]>, item: &Item) -> Option<&'j Change> {
    journal?.iter().find(|change| change.item() == item)
}

/// A file that every store has is there, or was removed.
fn gone(error: FileError) -> FileError {
    match error {
        FileError::Io(e) if e.kind() == io::ErrorKind::NotFound => FileError::Gone,
        error => error,
    }
}

/// Writes the file of an epoch.
pub(crate) fn encode_epoch(epoch: &Epoch) -> Result<String> {
    let fields = Json::encode(&EpochFields { epoch: epoch.number, boot: epoch.boot.clone() })?;
    let fields = fields.as_str().trim_start_matches('{').trim_end_matches('}');
    Ok(object::seal(format!("{{\"statestore\":{FORMAT},{fields},\n")))
}

#[cfg(test)]
mod tests {
    use store_core::Access;

    use super::*;

    #[test]
    fn an_epoch_is_read_as_written() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::new(dir.path(), Modes::of(Access::Private, None), 0);
        assert!(folder.epoch(None).unwrap_err().to_string().contains("removed"));
        let epoch = Epoch { number: 7, boot: "a{b}\"c,".into() };
        let bytes = encode_epoch(&epoch).unwrap().into_bytes();
        let change = [Change::Replace { item: Item::Epoch, bytes }];
        assert_eq!(folder.epoch(Some(&change)).unwrap(), epoch);
    }
}
