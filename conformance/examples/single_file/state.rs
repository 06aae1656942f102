//! All that a store holds, in memory: a snapshot that can be changed.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use store_core::backend::{Epoch, Snapshot, Transaction};
use store_core::{Entry, Error, KeyRange, LogEntry, LogInfo, NamespaceInfo, Result, Revision, Seq};

/// One instant of a store; a clone shares with its original all that neither changes.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    pub(crate) epoch: Epoch,
    pub(crate) namespaces: BTreeMap<String, Arc<Namespace>>,
    /// Where the store has moved to.
    pub(crate) moved_to: Option<String>,
}

/// What one namespace holds; its revision stays when everything else is deleted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Namespace {
    pub(crate) revision: Revision,
    pub(crate) entries: BTreeMap<String, Entry>,
    pub(crate) logs: BTreeMap<String, Arc<Log>>,
}

/// The entries of a log that are kept, numbered from `first` without gap.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    pub(crate) first: Seq,
    pub(crate) entries: Vec<LogEntry>,
}

impl Log {
    fn info(&self, name: &str) -> LogInfo {
        let last = self.first + self.entries.len() as u64 - 1;
        LogInfo { name: name.to_owned(), first: self.first, last }
    }

    /// Returns how many of the kept entries are numbered below a number.
    fn below(&self, seq: Seq) -> usize {
        usize::try_from(seq.saturating_sub(self.first)).unwrap_or(usize::MAX).min(self.entries.len())
    }
}

impl State {
    /// Refuses a store that has moved, to whoever reads or writes it.
    ///
    /// # Errors
    /// `Moved` says where to.
    pub(crate) fn check_moved(&self) -> Result<()> {
        self.moved_to.as_ref().map_or(Ok(()), |to| Err(Error::moved(to)))
    }

    fn space(&mut self, namespace: &str) -> &mut Namespace {
        Arc::make_mut(self.namespaces.entry(namespace.to_owned()).or_default())
    }

    fn log(&self, namespace: &str, log: &str) -> Option<&Log> {
        Some(self.namespaces.get(namespace)?.logs.get(log)?)
    }
}

impl Snapshot for State {
    fn get(&self, namespace: &str, key: &str) -> Result<Option<Entry>> {
        Ok(self.namespaces.get(namespace).and_then(|space| space.entries.get(key)).cloned())
    }

    fn revision(&self, namespace: &str) -> Result<Revision> {
        Ok(self.namespaces.get(namespace).map_or(Revision::NEVER, |space| space.revision))
    }

    fn scan(
        &self,
        namespace: &str,
        range: &KeyRange,
        visit: &mut dyn FnMut(&str, Entry) -> ControlFlow<()>,
    ) -> Result<()> {
        let Some(space) = self.namespaces.get(namespace) else { return Ok(()) };
        let entries = space.entries.range(range.start().unwrap_or_default().to_owned()..);
        for (key, entry) in entries.take_while(|(key, _)| range.contains(key)) {
            if visit(key, entry.clone()).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn log_info(&self, namespace: &str, log: &str) -> Result<Option<LogInfo>> {
        Ok(self.log(namespace, log).map(|found| found.info(log)))
    }

    fn scan_log(
        &self,
        namespace: &str,
        log: &str,
        from: Seq,
        visit: &mut dyn FnMut(LogEntry) -> ControlFlow<()>,
    ) -> Result<()> {
        let Some(log) = self.log(namespace, log) else { return Ok(()) };
        for entry in log.entries.iter().skip(log.below(from)) {
            if visit(entry.clone()).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn namespaces(&self, visit: &mut dyn FnMut(NamespaceInfo) -> ControlFlow<()>) -> Result<()> {
        for (name, space) in &self.namespaces {
            if space.entries.is_empty() && space.logs.is_empty() {
                continue;
            }
            if visit(NamespaceInfo { name: name.clone(), revision: space.revision }).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn logs(&self, namespace: &str, visit: &mut dyn FnMut(LogInfo) -> ControlFlow<()>) -> Result<()> {
        let Some(space) = self.namespaces.get(namespace) else { return Ok(()) };
        for (name, log) in &space.logs {
            if visit(log.info(name)).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn epoch(&self) -> Result<Epoch> {
        Ok(self.epoch.clone())
    }
}

impl Transaction for State {
    fn put(&mut self, namespace: &str, key: &str, entry: &Entry) -> Result<()> {
        self.space(namespace).entries.insert(key.to_owned(), entry.clone());
        Ok(())
    }

    fn delete(&mut self, namespace: &str, key: &str) -> Result<()> {
        self.space(namespace).entries.remove(key);
        Ok(())
    }

    fn clear(&mut self, namespace: &str) -> Result<()> {
        self.space(namespace).entries.clear();
        Ok(())
    }

    fn set_revision(&mut self, namespace: &str, revision: Revision) -> Result<()> {
        self.space(namespace).revision = revision;
        Ok(())
    }

    fn append(&mut self, namespace: &str, log: &str, entry: &LogEntry) -> Result<()> {
        let fresh = || Arc::new(Log { first: entry.seq, entries: Vec::new() });
        let log = self.space(namespace).logs.entry(log.to_owned()).or_insert_with(fresh);
        Arc::make_mut(log).entries.push(entry.clone());
        Ok(())
    }

    fn trim(&mut self, namespace: &str, log: &str, first: Seq) -> Result<()> {
        if let Some(log) = self.space(namespace).logs.get_mut(log) {
            let log = Arc::make_mut(log);
            log.entries.drain(..log.below(first));
            log.first = first;
        }
        Ok(())
    }

    fn delete_log(&mut self, namespace: &str, log: &str) -> Result<()> {
        self.space(namespace).logs.remove(log);
        Ok(())
    }

    fn set_epoch(&mut self, epoch: &Epoch) -> Result<()> {
        self.epoch = epoch.clone();
        Ok(())
    }

    fn entomb(&mut self, to: &str) -> Result<()> {
        self.moved_to = Some(to.to_owned());
        Ok(())
    }
}
