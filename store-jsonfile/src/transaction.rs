//! What a transaction changes, in memory until it is committed.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::rc::Rc;
use std::sync::Arc;

use store_core::backend::{Epoch, Snapshot, Transaction};
use store_core::{Entry, KeyRange, LogEntry, LogInfo, NamespaceInfo, Result, Revision, Seq, Timestamp};

use crate::error::FileError;
use crate::folder::{Folder, encode_epoch};
use crate::journal::Change;
use crate::layout::Item;
use crate::log::Log;
use crate::object::{self, Object};
use crate::record::{self, Record};
use crate::snapshot::{View, scan_object};

/// Fewer dead bytes than this are not worth writing a log anew.
const WORTH: u64 = 64 << 10;

/// A log that is changed.
#[derive(Debug)]
struct Stage {
    /// The log as it was, unless it was deleted.
    base: Option<Rc<Log>>,
    appended: Vec<LogEntry>,
    first: Seq,
    last: Seq,
}

/// The changes of one transaction over what was there.
#[derive(Debug)]
pub(crate) struct Staged<'f> {
    view: View<'f>,
    objects: BTreeMap<String, Object>,
    logs: BTreeMap<(String, String), Stage>,
    epoch: Option<Epoch>,
    moves_to: Option<String>,
}

/// What has to become of the files, and the objects that they then hold.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) changes: Vec<Change>,
    pub(crate) objects: Vec<(String, Arc<Object>)>,
    /// Where the store moves, after all else.
    pub(crate) moves_to: Option<String>,
}

impl<'f> Staged<'f> {
    /// Begins a transaction, in the gate, with no journal left.
    pub(crate) fn new(folder: &'f Folder) -> Self {
        Self {
            view: View::new(folder, None),
            objects: BTreeMap::new(),
            logs: BTreeMap::new(),
            epoch: None,
            moves_to: None,
        }
    }

    fn object_mut(&mut self, namespace: &str) -> Result<&mut Object> {
        if !self.objects.contains_key(namespace) {
            let object = Object::clone(&*self.view.object(namespace)?);
            self.objects.insert(namespace.to_owned(), object);
        }
        Ok(self.objects.entry(namespace.to_owned()).or_default())
    }

    /// Starts an object anew, whatever its file holds.
    pub(crate) fn forget_object(&mut self, namespace: &str) {
        self.objects.insert(namespace.to_owned(), Object::default());
    }

    /// Starts a log anew, whatever its file holds.
    pub(crate) fn forget_log(&mut self, namespace: &str, log: &str, first: Seq) {
        let stage = Stage { base: None, appended: Vec::new(), first, last: first.saturating_sub(1) };
        self.logs.insert((namespace.to_owned(), log.to_owned()), stage);
    }

    fn stage(&mut self, namespace: &str, log: &str) -> Result<&mut Stage> {
        let key = (namespace.to_owned(), log.to_owned());
        if !self.logs.contains_key(&key) {
            let base = self.view.log(namespace, log)?;
            let (first, last) = base.as_ref().map_or((1, 0), |base| (base.first, base.last));
            self.logs.insert(key.clone(), Stage { base, appended: Vec::new(), first, last });
        }
        Ok(self.logs.entry(key).or_insert(Stage { base: None, appended: Vec::new(), first: 1, last: 0 }))
    }

    /// Settles what has to become of the files.
    pub(crate) fn outcome(self) -> Result<Outcome> {
        let mut outcome = Outcome { moves_to: self.moves_to, ..Outcome::default() };
        if let Some(epoch) = &self.epoch {
            let bytes = encode_epoch(epoch)?.into_bytes();
            outcome.changes.push(Change::Replace { item: Item::Epoch, bytes });
        }
        for (namespace, object) in self.objects {
            let bytes = object::encode(&namespace, &object)?.into_bytes();
            outcome.changes.push(Change::Replace { item: Item::Object(namespace.clone()), bytes });
            outcome.objects.push((namespace, Arc::new(object)));
        }
        for ((namespace, log), stage) in self.logs {
            let was_there = matches!(self.view.log(&namespace, &log), Ok(Some(_)) | Err(_));
            let item = Item::Log(namespace, log);
            outcome.changes.extend(stage.change(&item, was_there, &self.view)?);
        }
        Ok(outcome)
    }
}

impl Stage {
    fn change(&self, item: &Item, was_there: bool, view: &View<'_>) -> Result<Option<Change>> {
        let Item::Log(namespace, log) = item else { return Ok(None) };
        let batch = self.batch();
        let anew = |kept: Vec<u8>| -> Result<Option<Change>> {
            let mut bytes = record::header(namespace, log, self.last)?.into_bytes();
            bytes.extend(kept);
            bytes.extend(batch.as_bytes());
            Ok(Some(Change::Replace { item: item.clone(), bytes }))
        };
        match &self.base {
            None if self.last == 0 => Ok(was_there.then(|| Change::Remove { item: item.clone() })),
            None => anew(Vec::new()),
            Some(base) if self.first == base.first && self.appended.is_empty() => Ok(None),
            Some(base) => {
                let kept = self.kept(base).map_err(|e| view.explain(e, item))?;
                match kept {
                    Some(kept) => anew(kept),
                    None => Ok(Some(Change::Append {
                        item: item.clone(),
                        at: base.end,
                        bytes: batch.into_bytes(),
                    })),
                }
            }
        }
    }

    /// Returns the bytes that stay, if enough do not to make writing the log anew worth it.
    fn kept(&self, base: &Log) -> Result<Option<Vec<u8>>, FileError> {
        if self.first == base.first {
            return Ok(None);
        }
        if self.first > base.last {
            return Ok(Some(Vec::new()));
        }
        let from = base.find_exactly(self.first)?;
        let dead = from - base.header_end;
        let worth_it = dead > WORTH && dead > (base.end - base.header_end) / 2;
        worth_it.then(|| base.rest(from)).transpose()
    }

    /// Writes the records to add: those appended, or one that only moves the first.
    fn batch(&self) -> String {
        if !self.appended.is_empty() {
            return record::encode_batch(&self.appended, self.first);
        }
        let mut text = String::new();
        let record = Record { seq: self.last, at: Timestamp::now(), first: Some(self.first), entry: None };
        record::encode(&mut text, &record);
        text
    }
}

impl Snapshot for Staged<'_> {
    fn get(&self, namespace: &str, key: &str) -> Result<Option<Entry>> {
        match self.objects.get(namespace) {
            Some(object) => Ok(object.entries.get(key).cloned()),
            None => self.view.get(namespace, key),
        }
    }

    fn revision(&self, namespace: &str) -> Result<Revision> {
        match self.objects.get(namespace) {
            Some(object) => Ok(object.revision),
            None => self.view.revision(namespace),
        }
    }

    fn scan(
        &self,
        namespace: &str,
        range: &KeyRange,
        visit: &mut dyn FnMut(&str, Entry) -> ControlFlow<()>,
    ) -> Result<()> {
        match self.objects.get(namespace) {
            Some(object) => scan_object(object, range, visit),
            None => self.view.scan(namespace, range, visit)?,
        }
        Ok(())
    }

    fn log_info(&self, namespace: &str, log: &str) -> Result<Option<LogInfo>> {
        match self.logs.get(&(namespace.to_owned(), log.to_owned())) {
            Some(stage) if stage.base.is_none() && stage.last == 0 => Ok(None),
            Some(stage) => Ok(Some(LogInfo { name: log.to_owned(), first: stage.first, last: stage.last })),
            None => self.view.log_info(namespace, log),
        }
    }

    fn scan_log(
        &self,
        namespace: &str,
        log: &str,
        from: Seq,
        visit: &mut dyn FnMut(LogEntry) -> ControlFlow<()>,
    ) -> Result<()> {
        let Some(stage) = self.logs.get(&(namespace.to_owned(), log.to_owned())) else {
            return self.view.scan_log(namespace, log, from, visit);
        };
        let from = from.max(stage.first);
        let mut goes_on = true;
        if let Some(base) = &stage.base {
            self.view.scan_open((namespace, log), base, from, &mut |entry| {
                let flow = visit(entry);
                goes_on = flow.is_continue();
                flow
            })?;
        }
        for entry in stage.appended.iter().filter(|entry| entry.seq >= from) {
            if !goes_on || visit(entry.clone()).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn namespaces(&self, visit: &mut dyn FnMut(NamespaceInfo) -> ControlFlow<()>) -> Result<()> {
        let listing = self.view.listing()?;
        let staged = self.objects.keys().chain(self.logs.keys().map(|(namespace, _)| namespace));
        let names: BTreeSet<&String> = listing.namespaces().into_iter().chain(staged).collect();
        for name in names {
            let mut holds_something = false;
            let mut found = |_: LogInfo| {
                holds_something = true;
                ControlFlow::Break(())
            };
            self.logs(name, &mut found)?;
            self.scan(name, &KeyRange::all(), &mut |_, _| {
                holds_something = true;
                ControlFlow::Break(())
            })?;
            let info = NamespaceInfo { name: name.clone(), revision: self.revision(name)? };
            if holds_something && visit(info).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn logs(&self, namespace: &str, visit: &mut dyn FnMut(LogInfo) -> ControlFlow<()>) -> Result<()> {
        let mut names = self.view.logs_of(namespace)?;
        names.extend(self.logs.keys().filter(|(of, _)| of == namespace).map(|(_, log)| log.clone()));
        for log in names {
            if let Some(info) = self.log_info(namespace, &log)?
                && visit(info).is_break()
            {
                break;
            }
        }
        Ok(())
    }

    fn epoch(&self) -> Result<Epoch> {
        match &self.epoch {
            Some(epoch) => Ok(epoch.clone()),
            None => self.view.epoch(),
        }
    }
}

impl Transaction for Staged<'_> {
    fn put(&mut self, namespace: &str, key: &str, entry: &Entry) -> Result<()> {
        self.object_mut(namespace)?.entries.insert(key.to_owned(), entry.clone());
        Ok(())
    }

    fn delete(&mut self, namespace: &str, key: &str) -> Result<()> {
        self.object_mut(namespace)?.entries.remove(key);
        Ok(())
    }

    fn clear(&mut self, namespace: &str) -> Result<()> {
        self.object_mut(namespace)?.entries.clear();
        Ok(())
    }

    fn set_revision(&mut self, namespace: &str, revision: Revision) -> Result<()> {
        self.object_mut(namespace)?.revision = revision;
        Ok(())
    }

    fn append(&mut self, namespace: &str, log: &str, entry: &LogEntry) -> Result<()> {
        let stage = self.stage(namespace, log)?;
        if stage.last == 0 {
            stage.first = entry.seq;
        }
        stage.last = entry.seq;
        stage.appended.push(entry.clone());
        Ok(())
    }

    fn trim(&mut self, namespace: &str, log: &str, first: Seq) -> Result<()> {
        self.stage(namespace, log)?.first = first;
        Ok(())
    }

    fn delete_log(&mut self, namespace: &str, log: &str) -> Result<()> {
        *self.stage(namespace, log)? = Stage { base: None, appended: Vec::new(), first: 1, last: 0 };
        Ok(())
    }

    fn set_epoch(&mut self, epoch: &Epoch) -> Result<()> {
        self.epoch = Some(epoch.clone());
        Ok(())
    }

    fn entomb(&mut self, to: &str) -> Result<()> {
        self.moves_to = Some(to.to_owned());
        Ok(())
    }
}
