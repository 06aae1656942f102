//! Taking over files that were changed by hand: as new revisions, with the rights of the store.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use store_core::backend::{Engine, Epoch, Presence, Snapshot, Transaction};
use store_core::shared::access::{Modes, explain_denial};
use store_core::shared::gate::Gate;
use store_core::shared::os;
use store_core::shared::passage::in_the_gate;
use store_core::shared::place::Place;
use store_core::{
    Entry, Error, ErrorKind, Json, LogEntry, Result, Revision, Seq, Settings, Timestamp, check_key,
};

use crate::commit::Failed;
use crate::engine::JsonFiles;
use crate::folder::Folder;
use crate::layout::Item;
use crate::object::format_of;
use crate::objects::read_file;
use crate::transaction::Staged;

/// A file that was taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adopted {
    /// The file.
    pub file: PathBuf,
    /// The namespace that it belongs to.
    pub namespace: String,
    /// The log that it holds; none for an object.
    pub log: Option<String>,
    /// The new revision of the namespace's object; [`Revision::NEVER`] for a log.
    pub revision: Revision,
    /// How many keys, or entries, it holds.
    pub entries: usize,
}

impl JsonFiles {
    /// Takes over the files of a store that were changed by hand, or of one namespace of it, in one change.
    ///
    /// An object gets a new revision, which all its keys bear; a log's entries are numbered anew from its
    /// first. The epoch is raised, for a revision that stood in a changed file proves nothing. All or none:
    /// a file that is no JSON, or holds what cannot be, is told with its line and column. Rights are mended
    /// where they differ and may be changed. A file that is as the store wrote it is left alone. Blocks, at
    /// most for the timeout.
    ///
    /// # Errors
    /// - `NotFound` if there is no store, or nothing of the namespace.
    /// - `InvalidInput` for a text that cannot be adopted, with line and column.
    /// - `Busy` if the gate is not had in time; `Corrupted`, `PermissionDenied`, `StorageFull`, `Io`.
    pub fn adopt(&self, path: &Path, settings: &Settings, namespace: Option<&str>) -> Result<Vec<Adopted>> {
        let place = Place::resolve(path, self.shape())?;
        if !place.folder().is_dir() || self.probe(&place, settings)? == Presence::Missing {
            let why = "there is no store here; check the path";
            return Err(Error::new(ErrorKind::NotFound, why).with_path(place.path()));
        }
        let data = place.data();
        let found = data.metadata().map_err(|e| explain_denial("cannot look at", data, e))?;
        let folder = Folder::new(place.path(), Modes::of_file(&found), 0);
        let namespace = namespace.map(str::to_owned);
        let gate = Gate::new(place.gate(), folder.modes);
        in_the_gate(gate, "adopt", settings.timeout, move || {
            folder.recover()?;
            adopt(&folder, namespace.as_deref())
        })
    }
}

fn adopt(folder: &Folder, namespace: Option<&str>) -> Result<Vec<Adopted>> {
    let mut items = folder.list(None)?.items();
    items.retain(|item| match item {
        Item::Object(of) | Item::Log(of, _) => namespace.is_none_or(|wanted| wanted == of),
        Item::Epoch => false,
    });
    if let (Some(namespace), true) = (namespace, items.is_empty()) {
        let why = format!("there is no file of namespace {namespace:?}");
        return Err(Error::new(ErrorKind::NotFound, why).with_path(folder.layout.folder()));
    }
    let mut staged = Staged::new(folder);
    let old = staged.epoch()?;
    let epoch = Epoch { number: old.number + 1, boot: old.boot };
    let mut adopted = Vec::new();
    for item in items {
        let path = folder.layout.path(&item);
        let taken = match &item {
            Item::Object(namespace) if folder.object(namespace, None).is_err() => {
                Some(take_object(&mut staged, &path, namespace, &epoch)?)
            }
            Item::Log(namespace, log) if is_changed(folder, namespace, log) => {
                Some(take_log(&mut staged, &path, namespace, log)?)
            }
            _ => None,
        };
        match taken {
            Some(taken) => adopted.push(taken),
            None => mend_rights(folder, &path)?,
        }
    }
    if adopted.is_empty() {
        return Ok(adopted);
    }
    staged.set_epoch(&epoch)?;
    let outcome = staged.outcome()?;
    folder.commit(&outcome.changes).map_err(|failed| match failed {
        Failed::Unseen(error) => error,
        Failed::Seen(error) => {
            let why = "adopted, but it may be lost with power; check the disk, then adopt again";
            Error::new(ErrorKind::Indeterminate, why).with_path(folder.layout.folder()).with_source(error)
        }
    })?;
    Ok(adopted)
}

fn is_changed(folder: &Folder, namespace: &str, log: &str) -> bool {
    let whole = folder.log(namespace, log, None).and_then(|found| {
        let path = folder.layout.path(&Item::Log(namespace.to_owned(), log.to_owned()));
        let mut goes_on = |_| std::ops::ControlFlow::Continue(());
        found.map_or(Ok(()), |found| found.scan(0, &mut goes_on).map_err(|e| e.at(&path)))
    });
    whole.is_err()
}

fn mend_rights(folder: &Folder, path: &Path) -> Result<()> {
    let file = os::open_plain(path, false).map_err(|e| explain_denial("cannot open", path, e))?;
    let found = file.metadata().map_err(|e| Error::from_io("cannot look at", path, e))?;
    let Modes { file: mode, owner, group, .. } = folder.modes;
    if os::mode(&found) == mode && group.is_none_or(|group| group == os::group(&found)) {
        return Ok(());
    }
    os::set_rights(&file, mode, owner, group).map_err(|e| explain_denial("cannot mend the rights", path, e))
}

/// The members of a JSON object with their texts; a key that comes twice is refused.
#[derive(Default)]
struct Members(BTreeMap<String, Box<RawValue>>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Members, A::Error> {
                let mut members = Members::default();
                while let Some((key, value)) = map.next_entry::<String, Box<RawValue>>()? {
                    if members.0.insert(key.clone(), value).is_some() {
                        return Err(serde::de::Error::custom(format!("key {key:?} comes twice")));
                    }
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

fn refuse(path: &Path, line: usize, error: impl fmt::Display) -> Error {
    let line = if line == 0 { String::new() } else { format!("line {line}: ") };
    let why = format!("{line}{error}; mend the file, then adopt it again; nothing was changed");
    Error::new(ErrorKind::InvalidInput, why).with_path(path)
}

fn text_of(path: &Path) -> Result<String> {
    let (_, bytes) = read_file(path).map_err(|e| e.at(path))?;
    if bytes.is_empty() {
        let why = "has zero bytes, which is no JSON: write {} for an empty object, or restore a backup";
        return Err(Error::new(ErrorKind::Corrupted, why).with_path(path));
    }
    String::from_utf8(bytes).map_err(|e| refuse(path, 0, e))
}

/// Takes the object of an envelope, or a plain object as a person may have put it there.
fn take_object(staged: &mut Staged<'_>, path: &Path, namespace: &str, epoch: &Epoch) -> Result<Adopted> {
    let text = text_of(path)?;
    let Members(mut members) = serde_json::from_str(&text).map_err(|e| refuse(path, 0, e))?;
    if format_of(text.trim_start()).is_some() || members.contains_key("statestore") {
        let why = "there is no \"object\" in it";
        let object = members.remove("object").ok_or_else(|| refuse(path, 0, why))?;
        members = serde_json::from_str::<Members>(object.get()).map_err(|e| refuse(path, 0, e))?.0;
    }
    let revision = Revision::NEVER.next(epoch.number);
    let at = Timestamp::now();
    staged.forget_object(namespace);
    let entries = members.len();
    for (key, value) in members {
        check_key(&key).map_err(|e| refuse(path, 0, format!("key {key:?}: {}", e.message())))?;
        let value = Json::from_string(value.get().to_owned());
        let value = value.map_err(|e| refuse(path, 0, format!("key {key:?}: {}", e.message())))?;
        staged.put(namespace, &key, &Entry { value, revision, at })?;
    }
    staged.set_revision(namespace, revision)?;
    Ok(Adopted { file: path.to_owned(), namespace: namespace.to_owned(), log: None, revision, entries })
}

#[derive(Deserialize)]
struct Line<'t> {
    seq: Option<Seq>,
    at: Option<u64>,
    #[serde(borrow)]
    entry: Option<&'t RawValue>,
}

/// Takes the entries of the lines that have one, in their order, numbered from the first one's number.
fn take_log(staged: &mut Staged<'_>, path: &Path, namespace: &str, log: &str) -> Result<Adopted> {
    let text = text_of(path)?;
    let mut first = None;
    let mut taken: Vec<LogEntry> = Vec::new();
    for (at, text) in text.lines().enumerate() {
        let is_header = at == 0 && format_of(text).is_some();
        if is_header || text.trim().is_empty() {
            continue;
        }
        let line: Line<'_> = serde_json::from_str(text).map_err(|e| refuse(path, at + 1, e))?;
        let Some(entry) = line.entry else { continue };
        let start = *first.get_or_insert(line.seq.unwrap_or(1).max(1));
        let value = Json::from_string(entry.get().to_owned());
        taken.push(LogEntry {
            seq: start + taken.len() as u64,
            at: line.at.map_or_else(Timestamp::now, Timestamp::from_millis),
            entry: value.map_err(|e| refuse(path, at + 1, e.message()))?,
        });
    }
    let entries = taken.len();
    staged.forget_log(namespace, log, first.unwrap_or(1));
    for entry in taken {
        staged.append(namespace, log, &entry)?;
    }
    let log = Some(log.to_owned());
    let (file, namespace) = (path.to_owned(), namespace.to_owned());
    Ok(Adopted { file, namespace, log, revision: Revision::NEVER, entries })
}
