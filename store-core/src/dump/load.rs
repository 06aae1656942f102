//! From a dump into a transaction.

use std::io::BufRead;
use std::ops::ControlFlow;

use super::line::Line;
use super::outline::Outline;
use super::read::Reader;
use super::restore::Existing;
use crate::backend::{Epoch, Transaction};
use crate::error::{Error, ErrorKind, Result};
use crate::numbers::{Revision, Seq};
use crate::types::{Entry, KeyRange, LogEntry};

/// Makes a store hold what a dump holds, and nothing else, and raises its epoch above both.
///
/// What was never written in this store keeps the revisions that it has in the dump. An object that was gets a
/// revision above all that were ever given, and so do its entries: under the old ones clients of this store may
/// have seen something else.
pub(super) fn load<R: BufRead>(
    transaction: &mut dyn Transaction,
    mut dump: Reader<'_, R>,
    existing: Existing,
) -> Result<Outline> {
    let old = transaction.epoch()?;
    let epoch = Epoch { number: old.number.max(dump.epoch()) + 1, boot: old.boot };
    clear(transaction, existing, epoch.number)?;
    transaction.set_epoch(&epoch)?;
    let mut into =
        Into { transaction, epoch: epoch.number, namespace: String::new(), raised: None, log: None };
    while let Some(line) = dump.next()? {
        into.add(line)?;
    }
    into.leave_log()?;
    Ok(dump.outline())
}

/// Deletes all that there is; objects keep growing where they were.
fn clear(transaction: &mut dyn Transaction, existing: Existing, epoch: u32) -> Result<()> {
    let mut names = Vec::new();
    transaction.namespaces(&mut |info| {
        names.push(info.name);
        if existing == Existing::Refuse { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    if let (Some(name), Existing::Refuse) = (names.first(), existing) {
        let why = format!(
            "the store is not empty: it holds namespace {name:?}; restore into an empty one, or allow to replace all \
             that it holds (--replace); nothing was touched"
        );
        return Err(Error::new(ErrorKind::Conflict, why));
    }
    for name in names {
        let mut has_keys = false;
        transaction.scan(&name, &KeyRange::all(), &mut |_, _| {
            has_keys = true;
            ControlFlow::Break(())
        })?;
        if has_keys {
            transaction.clear(&name)?;
            let revision = transaction.revision(&name)?.next(epoch);
            transaction.set_revision(&name, revision)?;
        }
        let mut logs = Vec::new();
        transaction.logs(&name, &mut |info| {
            logs.push(info.name);
            ControlFlow::Continue(())
        })?;
        logs.iter().try_for_each(|log| transaction.delete_log(&name, log))?;
    }
    Ok(())
}

struct Into<'t> {
    transaction: &'t mut dyn Transaction,
    epoch: u32,
    namespace: String,
    /// The revision that an object gets which was written here before.
    raised: Option<Revision>,
    /// The log that is filled: its name, where it begins, and the number of its last entry.
    log: Option<(String, Seq, Seq)>,
}

impl Into<'_> {
    fn add(&mut self, line: Line) -> Result<()> {
        match line {
            Line::Namespace { name, revision } => {
                self.leave_log()?;
                let before = self.transaction.revision(&name)?;
                self.raised = (before != Revision::NEVER).then(|| Revision::NEVER.next(self.epoch));
                // A namespace that has logs alone was never written.
                if revision != Revision::NEVER {
                    self.transaction.set_revision(&name, self.raised.unwrap_or(revision))?;
                }
                self.namespace = name;
            }
            Line::Key { key, revision, at, value } => {
                let revision = self.raised.unwrap_or(revision);
                self.transaction.put(&self.namespace, &key, &Entry { value, revision, at })?;
            }
            Line::Log { name, first, last } => {
                self.leave_log()?;
                self.log = Some((name, first, last));
            }
            Line::Entry { seq, at, entry } => {
                if let Some((log, ..)) = &self.log {
                    self.transaction.append(&self.namespace, log, &LogEntry { seq, at, entry })?;
                }
            }
            Line::Header(_) | Line::Sum(_) | Line::End(_) => {}
        }
        Ok(())
    }

    /// Ends a log; one whose entries were all trimmed is there with its numbering all the same.
    fn leave_log(&mut self) -> Result<()> {
        let Some((log, first, last)) = self.log.take() else { return Ok(()) };
        if first <= last {
            return Ok(());
        }
        let none = LogEntry { seq: last, at: crate::Timestamp::default(), entry: crate::Json::from(false) };
        self.transaction.append(&self.namespace, &log, &none)?;
        self.transaction.trim(&self.namespace, &log, first)
    }
}
