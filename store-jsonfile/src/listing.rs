//! Which objects and logs have files.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use store_core::shared::access::explain_denial;
use store_core::shared::names;
use store_core::{Error, ErrorKind, Result};

use crate::error::FileError;
use crate::folder::Folder;
use crate::journal::Change;
use crate::layout::{self, Item};

/// The objects and logs that have files.
#[derive(Debug, Default, Clone)]
pub(crate) struct Listing {
    pub(crate) objects: BTreeSet<String>,
    pub(crate) logs: BTreeMap<String, BTreeSet<String>>,
}

impl Listing {
    /// Returns all namespaces that have a file.
    pub(crate) fn namespaces(&self) -> BTreeSet<&String> {
        self.objects.iter().chain(self.logs.keys()).collect()
    }

    /// Returns all files.
    pub(crate) fn items(&self) -> Vec<Item> {
        let objects = self.objects.iter().cloned().map(Item::Object);
        let logs = self
            .logs
            .iter()
            .flat_map(|(namespace, logs)| logs.iter().map(|log| Item::Log(namespace.clone(), log.clone())));
        objects.chain(logs).collect()
    }

    fn apply(&mut self, change: &Change) {
        match change {
            Change::Remove { item: Item::Log(namespace, log) } => {
                if let Some(logs) = self.logs.get_mut(namespace) {
                    logs.remove(log);
                }
            }
            Change::Replace { item: Item::Log(namespace, log), .. }
            | Change::Place { item: Item::Log(namespace, log) } => {
                self.logs.entry(namespace.clone()).or_default().insert(log.clone());
            }
            Change::Replace { item: Item::Object(namespace), .. }
            | Change::Place { item: Item::Object(namespace) } => {
                self.objects.insert(namespace.clone());
            }
            _ => {}
        }
    }
}

impl Folder {
    /// Lists what has files, as a journal leaves them.
    pub(crate) fn list(&self, journal: Option<&[Change]>) -> Result<Listing> {
        let mut listing = Listing::default();
        for name in names_in(self.layout.folder())? {
            if let Some(namespace) = names::decode(&name) {
                let logs = self.list_logs(&namespace)?;
                listing.logs.insert(namespace, logs);
            } else if layout::looks_like_object(&name) {
                match Item::parse(&name) {
                    Some(Item::Object(namespace)) => drop(listing.objects.insert(namespace)),
                    _ => return Err(foreign(self.layout.folder().join(name))),
                }
            }
        }
        journal.unwrap_or_default().iter().for_each(|change| listing.apply(change));
        listing.logs.retain(|_, logs| !logs.is_empty());
        Ok(listing)
    }

    /// Lists the logs of one namespace, as a journal leaves them.
    pub(crate) fn logs_of(&self, namespace: &str, journal: Option<&[Change]>) -> Result<BTreeSet<String>> {
        let mut listing = Listing::default();
        listing.logs.insert(namespace.to_owned(), self.list_logs(namespace)?);
        journal.unwrap_or_default().iter().for_each(|change| listing.apply(change));
        Ok(listing.logs.remove(namespace).unwrap_or_default())
    }

    fn list_logs(&self, namespace: &str) -> Result<BTreeSet<String>> {
        let folder = self.layout.logs(namespace);
        match folder.symlink_metadata() {
            Ok(found) if found.is_dir() => {}
            // Files of somebody else may lie here, but not where they would hide a namespace's logs.
            Ok(found) if found.is_file() && !self.has_object(namespace) => return Ok(BTreeSet::new()),
            Ok(_) => return Err(FileError::NoFolder.at(&folder)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
            Err(e) => return Err(explain_denial("cannot look at", &folder, e)),
        }
        let names = names_in(&folder)?.into_iter();
        let decoded = names.filter(|name| layout::looks_like_log(name)).map(|name| {
            let log = name.strip_suffix(".jsonl").and_then(names::decode);
            log.ok_or_else(|| foreign(folder.join(name)))
        });
        decoded.collect()
    }

    fn has_object(&self, namespace: &str) -> bool {
        self.layout.path(&Item::Object(namespace.to_owned())).symlink_metadata().is_ok()
    }
}

/// Whether a folder itself, and no link to one, stands at a path; that it cannot be looked at is no answer.
pub(crate) fn is_folder(path: &Path) -> io::Result<bool> {
    match path.symlink_metadata() {
        Ok(found) => Ok(found.is_dir()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(e),
    }
}

/// Lists the names in a folder; nothing if it is not there.
pub(crate) fn names_in(folder: &Path) -> Result<Vec<String>> {
    // Names that are no UTF-8 are none of ours.
    let read = || -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for found in folder.read_dir()? {
            names.extend(found?.file_name().into_string());
        }
        Ok(names)
    };
    match read() {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read.map_err(|e| explain_denial("cannot list the folder", folder, e)),
    }
}

fn foreign(path: PathBuf) -> Error {
    let why =
        "this is no name that this program gives to a file; rename it or move it out of the store's folder";
    Error::new(ErrorKind::Corrupted, why).with_path(path)
}
