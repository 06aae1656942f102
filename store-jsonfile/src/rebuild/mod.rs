//! A transaction that may replace all that there is: every file is written beside the old one, in `.next`, as soon as
//! the work turns to another, so that no more than one object is kept in memory. The journal then only says which
//! files take their places.

mod draft;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs::File;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use store_core::backend::{Epoch, Snapshot, Transaction};
use store_core::shared::files::{self, folder_of};
use store_core::shared::os;
use store_core::{Entry, Error, KeyRange, LogEntry, LogInfo, NamespaceInfo, Result, Revision, Seq};

use self::draft::LogDraft;
use crate::error::FileError;
use crate::folder::{Folder, encode_epoch};
use crate::journal::Change;
use crate::layout::Item;
use crate::log::{Log, Source};
use crate::object::{self, Object};
use crate::record;
use crate::snapshot::{View, scan_object};
use crate::transaction::Outcome;

/// The changes of a rebuild over what was there.
#[derive(Debug)]
pub(crate) struct Rebuild<'f> {
    folder: &'f Folder,
    view: View<'f>,
    /// Readers see what is written so far, for which it has to be brought to its file first.
    drafts: RefCell<Drafts>,
    epoch: Option<Epoch>,
    moves_to: Option<String>,
}

/// What is being written, and what has been.
#[derive(Debug, Default)]
struct Drafts {
    object: Option<(String, Object)>,
    log: Option<LogDraft>,
    placed: BTreeSet<Item>,
    removed: BTreeSet<Item>,
}

impl Drafts {
    /// Brings the log that is being written to its file.
    fn settle_log(&mut self) -> Result<()> {
        let Some(mut log) = self.log.take() else { return Ok(()) };
        log.finish().map_err(|e| FileError::from(e).at(&log.path))?;
        self.placed.insert(Item::Log(log.namespace, log.log));
        Ok(())
    }
}

impl<'f> Rebuild<'f> {
    /// Begins, in the gate, with no journal left and nothing beside the old files.
    pub(crate) fn new(folder: &'f Folder) -> Self {
        let (view, drafts) = (View::of_whole(folder, None), RefCell::default());
        Self { folder, view, drafts, epoch: None, moves_to: None }
    }

    /// Settles what has to become of the files; those that take places are synced, and so are their names.
    pub(crate) fn outcome(self) -> Result<Outcome> {
        self.settle()?;
        let Drafts { placed, removed, .. } = self.drafts.into_inner();
        let next = self.folder.layout.next();
        let folders: BTreeSet<PathBuf> =
            placed.iter().map(|item| folder_of(&self.folder.layout.next_path(item)).to_owned()).collect();
        folders.iter().try_for_each(|folder| files::sync_folder(folder))?;
        if !placed.is_empty() {
            files::sync_folder(&next)?;
            files::sync_folder(self.folder.layout.folder())?;
        }
        let mut changes = Vec::new();
        if let Some(epoch) = &self.epoch {
            changes.push(Change::Replace { item: Item::Epoch, bytes: encode_epoch(epoch)?.into_bytes() });
        }
        changes.extend(removed.into_iter().map(|item| Change::Remove { item }));
        changes.extend(placed.into_iter().map(|item| Change::Place { item }));
        Ok(Outcome { changes, objects: Vec::new(), moves_to: self.moves_to })
    }

    /// Brings what is being written to its file.
    fn settle(&self) -> Result<()> {
        let mut drafts = self.drafts.borrow_mut();
        self.settle_object(&mut drafts)?;
        drafts.settle_log()
    }

    fn settle_object(&self, drafts: &mut Drafts) -> Result<()> {
        let Some((namespace, object)) = drafts.object.take() else { return Ok(()) };
        let bytes = object::encode(&namespace, &object)?;
        let item = Item::Object(namespace);
        self.write_next(&item, bytes.as_bytes())?;
        drafts.placed.insert(item);
        Ok(())
    }

    /// Writes a file beside the one whose place it takes.
    fn write_next(&self, item: &Item, bytes: &[u8]) -> Result<File> {
        let (path, modes) = (self.folder.layout.next_path(item), &self.folder.modes);
        files::create_folder(folder_of(&path), modes)?;
        files::replace_file(&path, folder_of(&path), bytes, modes.file, modes)
    }

    /// Turns to an object, and runs work on it.
    fn change(&mut self, namespace: &str, work: impl FnOnce(&mut Object)) -> Result<()> {
        let mut drafts = self.drafts.borrow_mut();
        if drafts.object.as_ref().is_none_or(|(current, _)| current != namespace) {
            self.settle_object(&mut drafts)?;
            let object = Arc::unwrap_or_clone(self.find_object(&drafts, namespace)?);
            drafts.object = Some((namespace.to_owned(), object));
        }
        if let Some((_, object)) = &mut drafts.object {
            work(object);
        }
        Ok(())
    }

    /// Returns an object that is not being written now.
    fn find_object(&self, drafts: &Drafts, namespace: &str) -> Result<Arc<Object>> {
        let item = Item::Object(namespace.to_owned());
        if drafts.placed.contains(&item) {
            let read = self.folder.next_object(namespace);
            return read.map(Arc::new).map_err(|e| e.at(&self.folder.layout.next_path(&item)));
        }
        self.view.object(namespace)
    }

    /// Runs work on an object as it is now.
    fn look_at<T>(&self, namespace: &str, work: impl FnOnce(&Object) -> T) -> Result<T> {
        let drafts = self.drafts.borrow();
        match &drafts.object {
            Some((current, object)) if current == namespace => Ok(work(object)),
            _ => {
                let object = self.find_object(&drafts, namespace)?;
                // The work may ask for more.
                drop(drafts);
                Ok(work(&object))
            }
        }
    }

    /// Returns a log as it is now, what is being written of it brought to its file.
    fn find_log(&self, namespace: &str, log: &str) -> Result<Option<Rc<Log>>> {
        let mut drafts = self.drafts.borrow_mut();
        drafts.settle_log()?;
        let item = Item::Log(namespace.to_owned(), log.to_owned());
        if drafts.placed.contains(&item) {
            let path = self.folder.layout.next_path(&item);
            let open = || -> Result<Log, FileError> {
                Log::open(Source::of_file(os::open_plain(&path, false)?)?, namespace, log)
            };
            return open().map(|log| Some(Rc::new(log))).map_err(|e| e.at(&path));
        }
        if drafts.removed.contains(&item) { Ok(None) } else { self.view.log(namespace, log) }
    }

    /// Turns to a log, which is copied first if it was there before and goes on.
    fn draft<'d>(
        &self,
        drafts: &'d mut Drafts,
        namespace: &str,
        log: &str,
        first: Seq,
    ) -> Result<&'d mut LogDraft> {
        let is_current = |draft: &LogDraft| draft.namespace == namespace && draft.log == log;
        if !drafts.log.as_ref().is_some_and(is_current) {
            drafts.settle_log()?;
            let draft = self.open_draft(drafts, namespace, log, first)?;
            drafts.log = Some(draft);
        }
        let gone = || Error::new(store_core::ErrorKind::Io, "the log to write is gone; report this as a bug");
        drafts.log.as_mut().ok_or_else(gone)
    }

    fn open_draft(&self, drafts: &mut Drafts, namespace: &str, log: &str, first: Seq) -> Result<LogDraft> {
        let item = Item::Log(namespace.to_owned(), log.to_owned());
        let path = self.folder.layout.next_path(&item);
        let header = record::header(namespace, log, 0)?;
        let explain = |e: FileError| e.at(&path);
        let mut before = None;
        if drafts.placed.contains(&item) {
            let source = os::open_plain(&path, false).and_then(Source::of_file);
            let source = source.map_err(|e| explain(e.into()))?;
            before = Some(Log::open(source, namespace, log).map_err(explain)?);
        } else if drafts.removed.contains(&item) {
            drafts.removed.remove(&item);
            self.write_next(&item, header.as_bytes())?;
        } else if let Some(old) = self.view.log(namespace, log)? {
            let mut bytes = record::header(namespace, log, old.last)?.into_bytes();
            bytes.extend(old.rest(old.header_end).map_err(explain)?);
            self.write_next(&item, &bytes)?;
            let source = os::open_plain(&path, false).and_then(Source::of_file);
            before =
                Some(Log::open(source.map_err(|e| explain(e.into()))?, namespace, log).map_err(explain)?);
        } else {
            self.write_next(&item, header.as_bytes())?;
        }
        drafts.placed.insert(item);
        let (header_end, at, first, last) = match before {
            Some(log) => (log.header_end, log.end, log.first, log.last),
            None => (header.len() as u64, header.len() as u64, first, first.saturating_sub(1)),
        };
        let file = os::open_plain(&path, true).map_err(|e| explain(e.into()))?;
        let (namespace, log) = (namespace.to_owned(), log.to_owned());
        Ok(LogDraft { namespace, log, path, file, header_end, at, waiting: Vec::new(), size: 0, first, last })
    }
}

impl Snapshot for Rebuild<'_> {
    fn get(&self, namespace: &str, key: &str) -> Result<Option<Entry>> {
        self.look_at(namespace, |object| object.entries.get(key).cloned())
    }

    fn revision(&self, namespace: &str) -> Result<Revision> {
        self.look_at(namespace, |object| object.revision)
    }

    fn scan(
        &self,
        namespace: &str,
        range: &KeyRange,
        visit: &mut dyn FnMut(&str, Entry) -> ControlFlow<()>,
    ) -> Result<()> {
        self.settle()?;
        self.look_at(namespace, |object| scan_object(object, range, visit))
    }

    fn log_info(&self, namespace: &str, log: &str) -> Result<Option<LogInfo>> {
        let found = self.find_log(namespace, log)?;
        Ok(found.map(|found| LogInfo { name: log.to_owned(), first: found.first, last: found.last }))
    }

    fn scan_log(
        &self,
        namespace: &str,
        log: &str,
        from: Seq,
        visit: &mut dyn FnMut(LogEntry) -> ControlFlow<()>,
    ) -> Result<()> {
        match self.find_log(namespace, log)? {
            Some(found) => self.view.scan_open((namespace, log), &found, from, visit),
            None => Ok(()),
        }
    }

    fn namespaces(&self, visit: &mut dyn FnMut(NamespaceInfo) -> ControlFlow<()>) -> Result<()> {
        self.settle()?;
        let listing = self.view.listing()?;
        let mut names: BTreeSet<String> = listing.namespaces().into_iter().cloned().collect();
        names.extend(self.drafts.borrow().placed.iter().filter_map(|item| match item {
            Item::Object(namespace) | Item::Log(namespace, _) => Some(namespace.clone()),
            Item::Epoch => None,
        }));
        for name in names {
            let (revision, has_keys) =
                self.look_at(&name, |object| (object.revision, !object.entries.is_empty()))?;
            let holds_something = has_keys || !self.logs_of(&name)?.is_empty();
            if holds_something && visit(NamespaceInfo { name, revision }).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn logs(&self, namespace: &str, visit: &mut dyn FnMut(LogInfo) -> ControlFlow<()>) -> Result<()> {
        for log in self.logs_of(namespace)? {
            if let Some(info) = self.log_info(namespace, &log)?
                && visit(info).is_break()
            {
                break;
            }
        }
        Ok(())
    }

    fn epoch(&self) -> Result<Epoch> {
        self.epoch.clone().map_or_else(|| self.view.epoch(), Ok)
    }
}

impl Rebuild<'_> {
    /// Returns the names of a namespace's logs as they are now.
    fn logs_of(&self, namespace: &str) -> Result<BTreeSet<String>> {
        let mut drafts = self.drafts.borrow_mut();
        drafts.settle_log()?;
        let mut names = self.view.logs_of(namespace)?;
        names.retain(|log| !drafts.removed.contains(&Item::Log(namespace.to_owned(), log.clone())));
        names.extend(drafts.placed.iter().filter_map(|item| match item {
            Item::Log(of, log) if of == namespace => Some(log.clone()),
            _ => None,
        }));
        Ok(names)
    }
}

impl Transaction for Rebuild<'_> {
    fn put(&mut self, namespace: &str, key: &str, entry: &Entry) -> Result<()> {
        self.change(namespace, |object| drop(object.entries.insert(key.to_owned(), entry.clone())))
    }

    fn delete(&mut self, namespace: &str, key: &str) -> Result<()> {
        self.change(namespace, |object| drop(object.entries.remove(key)))
    }

    fn clear(&mut self, namespace: &str) -> Result<()> {
        self.change(namespace, |object| object.entries.clear())
    }

    fn set_revision(&mut self, namespace: &str, revision: Revision) -> Result<()> {
        self.change(namespace, |object| object.revision = revision)
    }

    fn append(&mut self, namespace: &str, log: &str, entry: &LogEntry) -> Result<()> {
        let mut drafts = self.drafts.borrow_mut();
        let draft = self.draft(&mut drafts, namespace, log, entry.seq)?;
        draft.add(entry.clone()).map_err(|e| FileError::from(e).at(&draft.path))
    }

    fn trim(&mut self, namespace: &str, log: &str, first: Seq) -> Result<()> {
        if self.log_info(namespace, log)?.is_none() {
            return Ok(());
        }
        let mut drafts = self.drafts.borrow_mut();
        let draft = self.draft(&mut drafts, namespace, log, first)?;
        draft.trim(first).map_err(|e| FileError::from(e).at(&draft.path))
    }

    fn delete_log(&mut self, namespace: &str, log: &str) -> Result<()> {
        let mut drafts = self.drafts.borrow_mut();
        drafts.settle_log()?;
        let item = Item::Log(namespace.to_owned(), log.to_owned());
        drafts.placed.remove(&item);
        if self.view.log(namespace, log)?.is_some() {
            drafts.removed.insert(item);
        }
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
