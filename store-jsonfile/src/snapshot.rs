//! One instant of the folder: each file is read once, through the journal that was there at the beginning.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::ops::{Bound, ControlFlow};
use std::rc::Rc;
use std::sync::Arc;

use store_core::backend::{Epoch, Snapshot};
use store_core::{Entry, Error, KeyRange, LogEntry, LogInfo, NamespaceInfo, Result, Revision, Seq};

use crate::error::FileError;
use crate::folder::{Folder, Journal};
use crate::journal::Change;
use crate::layout::Item;
use crate::listing::Listing;
use crate::log::Log;
use crate::object::Object;

type Key = (String, String);

/// What was read so far.
#[derive(Debug)]
pub(crate) struct View<'f> {
    folder: &'f Folder,
    journal: Option<Journal>,
    objects: RefCell<HashMap<String, Arc<Object>>>,
    logs: RefCell<HashMap<Key, Option<Rc<Log>>>>,
    listing: RefCell<Option<Rc<Listing>>>,
    epoch: RefCell<Option<Epoch>>,
    /// Whether names were listed, of which a view keeps no more than the last list.
    listed: Cell<bool>,
    /// Whether it is of a whole store, of which no more is kept than the last object.
    whole: bool,
}

impl<'f> View<'f> {
    pub(crate) fn new(folder: &'f Folder, journal: Option<Journal>) -> Self {
        Self {
            folder,
            journal,
            objects: RefCell::default(),
            logs: RefCell::default(),
            listing: RefCell::default(),
            epoch: RefCell::default(),
            listed: Cell::new(false),
            whole: false,
        }
    }

    /// Begins to read a whole store: what is asked for twice is read twice, so only where nothing changes, or
    /// where it is looked afterwards whether it did.
    pub(crate) fn of_whole(folder: &'f Folder, journal: Option<Journal>) -> Self {
        let listed = Cell::new(true);
        Self { whole: true, listed, ..Self::new(folder, journal) }
    }

    fn journal(&self) -> Option<&[Change]> {
        self.journal.as_ref().map(|journal| journal.changes.as_slice())
    }

    /// Whether all that was read is one file, which is always of one instant.
    pub(crate) fn is_of_one_file(&self) -> bool {
        let files = self.objects.borrow().len() + self.logs.borrow().len();
        let epoch = usize::from(self.epoch.borrow().is_some());
        !self.listed.get() && files + epoch <= 1
    }

    /// Returns the object of a namespace, an empty one if it was never written.
    pub(crate) fn object(&self, namespace: &str) -> Result<Arc<Object>> {
        if let Some(object) = self.objects.borrow().get(namespace) {
            return Ok(Arc::clone(object));
        }
        let object = if self.whole {
            self.objects.borrow_mut().clear();
            self.folder.object_once(namespace, self.journal())?
        } else {
            self.folder.object(namespace, self.journal())?.unwrap_or_default()
        };
        self.objects.borrow_mut().insert(namespace.to_owned(), Arc::clone(&object));
        Ok(object)
    }

    /// Returns a log; none if there is none.
    pub(crate) fn log(&self, namespace: &str, log: &str) -> Result<Option<Rc<Log>>> {
        let key = (namespace.to_owned(), log.to_owned());
        if let Some(log) = self.logs.borrow().get(&key) {
            return Ok(log.clone());
        }
        let found = self.folder.log(namespace, log, self.journal())?.map(Rc::new);
        if self.whole {
            // Each is an open file.
            self.logs.borrow_mut().clear();
        }
        self.logs.borrow_mut().insert(key, found.clone());
        Ok(found)
    }

    /// Returns the names of a namespace's logs.
    pub(crate) fn logs_of(&self, namespace: &str) -> Result<BTreeSet<String>> {
        self.listed.set(true);
        self.folder.logs_of(namespace, self.journal())
    }

    /// Returns the names of all objects and logs.
    pub(crate) fn listing(&self) -> Result<Rc<Listing>> {
        self.listed.set(true);
        if let Some(listing) = &*self.listing.borrow() {
            return Ok(Rc::clone(listing));
        }
        let listing = Rc::new(self.folder.list(self.journal())?);
        *self.listing.borrow_mut() = Some(Rc::clone(&listing));
        Ok(listing)
    }

    /// Visits the entries of an open log.
    pub(crate) fn scan_open(
        &self,
        item: (&str, &str),
        log: &Log,
        from: Seq,
        visit: &mut dyn FnMut(LogEntry) -> ControlFlow<()>,
    ) -> Result<()> {
        let item = || Item::Log(item.0.to_owned(), item.1.to_owned());
        log.scan(from, visit).map_err(|e| self.explain(e, &item()))
    }

    /// Says in which file something is wrong.
    pub(crate) fn explain(&self, error: FileError, item: &Item) -> Error {
        error.at(&self.folder.layout.path(item))
    }
}

/// Visits the entries of an object in a range.
pub(crate) fn scan_object(
    object: &Object,
    range: &KeyRange,
    visit: &mut dyn FnMut(&str, Entry) -> ControlFlow<()>,
) {
    let from = Bound::Included(range.start().unwrap_or_default());
    for (key, entry) in object.entries.range::<str, _>((from, Bound::Unbounded)) {
        if !range.contains(key) || visit(key, entry.clone()).is_break() {
            break;
        }
    }
}

impl Snapshot for View<'_> {
    fn get(&self, namespace: &str, key: &str) -> Result<Option<Entry>> {
        Ok(self.object(namespace)?.entries.get(key).cloned())
    }

    fn revision(&self, namespace: &str) -> Result<Revision> {
        Ok(self.object(namespace)?.revision)
    }

    fn scan(
        &self,
        namespace: &str,
        range: &KeyRange,
        visit: &mut dyn FnMut(&str, Entry) -> ControlFlow<()>,
    ) -> Result<()> {
        scan_object(&*self.object(namespace)?, range, visit);
        Ok(())
    }

    fn log_info(&self, namespace: &str, log: &str) -> Result<Option<LogInfo>> {
        let found = self.log(namespace, log)?;
        Ok(found.map(|found| LogInfo { name: log.to_owned(), first: found.first, last: found.last }))
    }

    fn scan_log(
        &self,
        namespace: &str,
        log: &str,
        from: Seq,
        visit: &mut dyn FnMut(LogEntry) -> ControlFlow<()>,
    ) -> Result<()> {
        match self.log(namespace, log)? {
            Some(found) => self.scan_open((namespace, log), &found, from, visit),
            None => Ok(()),
        }
    }

    fn namespaces(&self, visit: &mut dyn FnMut(NamespaceInfo) -> ControlFlow<()>) -> Result<()> {
        let listing = self.listing()?;
        for name in listing.namespaces() {
            // Not kept in the view: a store may have more objects than memory.
            let object = if self.whole {
                self.object(name)?
            } else {
                self.folder.object(name, self.journal())?.unwrap_or_default()
            };
            let holds_something = !object.entries.is_empty() || listing.logs.contains_key(name);
            let info = NamespaceInfo { name: name.clone(), revision: object.revision };
            if holds_something && visit(info).is_break() {
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
        if let Some(epoch) = &*self.epoch.borrow() {
            return Ok(epoch.clone());
        }
        let epoch = self.folder.epoch(self.journal())?;
        *self.epoch.borrow_mut() = Some(epoch.clone());
        Ok(epoch)
    }
}
