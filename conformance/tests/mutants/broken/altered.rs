//! A snapshot, or a transaction, that does not quite do what it is told.

use std::ops::ControlFlow;
use std::sync::Arc;

use store_core::backend::{Epoch, Snapshot, Transaction};
use store_core::{Entry, Json, KeyRange, LogEntry, LogInfo, NamespaceInfo, Result, Revision, Seq};

use super::backend::Disk;
use super::beside::{self, Line};
use super::table::Mutant;
use crate::state::State;

/// A state, and what the fault makes of it.
#[derive(Debug)]
pub(super) struct Altered<'d> {
    disk: &'d Disk,
    state: Arc<State>,
    writes: bool,
    /// Whether every call looks at what is there by then.
    moves: bool,
    lines: Vec<Line>,
}

impl<'d> Altered<'d> {
    pub(super) fn to_read(disk: &'d Disk, state: Arc<State>) -> Self {
        let moves = disk.mutant == Mutant::SnapshotOfSeveralInstants;
        Self { disk, state, writes: false, moves, lines: Vec::new() }
    }

    pub(super) fn to_dump(disk: &'d Disk, state: Arc<State>) -> Self {
        let moves = disk.mutant == Mutant::DumpOfSeveralInstants;
        Self { moves, ..Self::to_read(disk, state) }
    }

    pub(super) fn to_write(disk: &'d Disk, state: Arc<State>) -> Self {
        Self { disk, state, writes: true, moves: false, lines: Vec::new() }
    }

    /// Returns the state after the transaction, and what it did to logs.
    pub(super) fn finish(mut self) -> (Arc<State>, Vec<Line>) {
        if self.is(Mutant::RevisionReusedAfterDeletion) {
            let state = Arc::make_mut(&mut self.state);
            state.namespaces.retain(|_, space| !space.entries.is_empty() || !space.logs.is_empty());
        }
        (self.state, self.lines)
    }

    fn is(&self, mutant: Mutant) -> bool {
        self.disk.mutant == mutant
    }

    /// Returns the state that a call looks at.
    fn now(&self) -> Result<Arc<State>> {
        if self.moves {
            return self.disk.load();
        }
        Ok(Arc::clone(&self.state))
    }

    fn value(&self, value: &Json) -> Json {
        if self.is(Mutant::ValuesWrittenAnew)
            && let Ok(tree) = value.to_value()
        {
            return tree.into();
        }
        value.clone()
    }

    fn changed(&mut self) -> &mut State {
        Arc::make_mut(&mut self.state)
    }
}

impl Snapshot for Altered<'_> {
    fn get(&self, namespace: &str, key: &str) -> Result<Option<Entry>> {
        self.now()?.get(namespace, key)
    }

    fn revision(&self, namespace: &str) -> Result<Revision> {
        self.now()?.revision(namespace)
    }

    fn scan(
        &self,
        namespace: &str,
        range: &KeyRange,
        visit: &mut dyn FnMut(&str, Entry) -> ControlFlow<()>,
    ) -> Result<()> {
        let state = self.now()?;
        if !matches!(self.disk.mutant, Mutant::KeysInTheOrderOfPeople | Mutant::IntegerKeysFirst) {
            return state.scan(namespace, range, visit);
        }
        let mut found = Vec::new();
        state.scan(namespace, range, &mut |key, entry| {
            found.push((key.to_owned(), entry));
            ControlFlow::Continue(())
        })?;
        match self.disk.mutant {
            Mutant::KeysInTheOrderOfPeople => found.sort_by_key(|(key, _)| key.to_lowercase()),
            // As an object of JavaScript has them.
            _ => found.sort_by_key(|(key, _)| key.parse::<u32>().unwrap_or(u32::MAX)),
        }
        let _ = found.into_iter().try_for_each(|(key, entry)| visit(&key, entry));
        Ok(())
    }

    fn log_info(&self, namespace: &str, log: &str) -> Result<Option<LogInfo>> {
        let found = self.now()?.log_info(namespace, log)?;
        if !self.writes || !self.is(Mutant::SequenceGapAfterACrash) {
            return Ok(found);
        }
        let reserved = beside::reserved(&self.disk.folder, namespace, log);
        Ok(found.map(|info| LogInfo { last: info.last.max(reserved), ..info }))
    }

    fn scan_log(
        &self,
        namespace: &str,
        log: &str,
        from: Seq,
        visit: &mut dyn FnMut(LogEntry) -> ControlFlow<()>,
    ) -> Result<()> {
        self.now()?.scan_log(namespace, log, from, visit)
    }

    fn namespaces(&self, visit: &mut dyn FnMut(NamespaceInfo) -> ControlFlow<()>) -> Result<()> {
        self.now()?.namespaces(visit)
    }

    fn logs(&self, namespace: &str, visit: &mut dyn FnMut(LogInfo) -> ControlFlow<()>) -> Result<()> {
        self.now()?.logs(namespace, visit)
    }

    fn epoch(&self) -> Result<Epoch> {
        self.now()?.epoch()
    }
}

impl Transaction for Altered<'_> {
    fn put(&mut self, namespace: &str, key: &str, entry: &Entry) -> Result<()> {
        let entry = Entry { value: self.value(&entry.value), ..entry.clone() };
        self.changed().put(namespace, key, &entry)
    }

    fn delete(&mut self, namespace: &str, key: &str) -> Result<()> {
        self.changed().delete(namespace, key)
    }

    fn clear(&mut self, namespace: &str) -> Result<()> {
        self.changed().clear(namespace)?;
        if self.is(Mutant::DeleteInsertWithoutTransaction) {
            self.disk.save(&self.state).map_err(|(error, _)| error)?;
        }
        Ok(())
    }

    fn set_revision(&mut self, namespace: &str, revision: Revision) -> Result<()> {
        self.changed().set_revision(namespace, revision)
    }

    fn append(&mut self, namespace: &str, log: &str, entry: &LogEntry) -> Result<()> {
        if self.is(Mutant::SequenceGapAfterACrash) {
            beside::reserve(&self.disk.folder, namespace, log, entry.seq);
        }
        let entry = LogEntry { entry: self.value(&entry.entry), ..entry.clone() };
        self.lines.push(Line::appended(namespace, log, &entry));
        self.changed().append(namespace, log, &entry)
    }

    fn trim(&mut self, namespace: &str, log: &str, first: Seq) -> Result<()> {
        self.lines.push(Line::trimmed(namespace, log, first));
        self.changed().trim(namespace, log, first)
    }

    fn delete_log(&mut self, namespace: &str, log: &str) -> Result<()> {
        self.lines.push(Line::deleted(namespace, log));
        self.changed().delete_log(namespace, log)
    }

    fn set_epoch(&mut self, epoch: &Epoch) -> Result<()> {
        let number =
            if self.is(Mutant::RevisionReusedAfterACrash) { self.state.epoch.number } else { epoch.number };
        self.changed().set_epoch(&Epoch { number, boot: epoch.boot.clone() })
    }
}
