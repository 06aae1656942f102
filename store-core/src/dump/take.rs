//! From a snapshot to a dump.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::Path;

use super::export::Compression;
use super::line::Line;
use super::meter::Meter;
use super::outline::Outline;
use super::write::Writer;
use crate::backend::Snapshot;
use crate::error::{Error, Result};
use crate::types::{KeyRange, LogInfo, NamespaceInfo};

/// Where a dump is written to.
#[derive(Debug)]
pub(super) struct To<'n, W> {
    pub(super) sink: W,
    /// The name of the file, for messages.
    pub(super) name: &'n Path,
    /// What becomes of it there.
    pub(super) compression: Compression,
}

impl To<'static, io::Sink> {
    /// Nowhere: for what a dump would say of a store.
    pub(super) fn nowhere() -> Self {
        Self { sink: io::sink(), name: Path::new("<nowhere>"), compression: Compression::None }
    }
}

/// Writes all that a snapshot holds, in the order of names, with no more in memory than one entry and the names of
/// one namespace's logs; returns what it holds, and where it was written to.
pub(super) fn take<W: Write>(
    snapshot: &dyn Snapshot,
    engine: &str,
    to: To<'_, W>,
    meter: &Meter,
) -> Result<(Outline, W)> {
    let To { sink, name, compression } = to;
    let failed = |e: io::Error| Error::from_io("cannot write the dump", name, e);
    let writer = Writer::begin(sink, meter, engine, snapshot.epoch()?.number, compression).map_err(failed)?;
    let mut taking = Taking { snapshot, name, writer, failed: None };
    let visited = snapshot.namespaces(&mut |info| {
        let taken = taking.namespace(&info);
        taking.note(taken)
    });
    // What went wrong first made the visit end.
    taking.failed.map_or(visited, Err)?;
    taking.writer.end().map_err(failed)
}

struct Taking<'s, 'm, W> {
    snapshot: &'s dyn Snapshot,
    name: &'s Path,
    writer: Writer<'m, W>,
    failed: Option<Error>,
}

impl<W: Write> Taking<'_, '_, W> {
    fn note(&mut self, result: Result<()>) -> ControlFlow<()> {
        match result {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.failed.get_or_insert(error);
                ControlFlow::Break(())
            }
        }
    }

    fn add(&mut self, line: &Line) -> Result<()> {
        self.writer.add(line).map_err(|e| Error::from_io("cannot write the dump", self.name, e))
    }

    /// Ends a visit: what went wrong within it comes first.
    fn done(&mut self, visited: Result<()>) -> Result<()> {
        self.failed.take().map_or(visited, Err)
    }

    fn namespace(&mut self, info: &NamespaceInfo) -> Result<()> {
        self.add(&Line::Namespace { name: info.name.clone(), revision: info.revision })?;
        let snapshot = self.snapshot;
        let visited = snapshot.scan(&info.name, &KeyRange::all(), &mut |key, entry| {
            let (key, revision, at, value) = (key.to_owned(), entry.revision, entry.at, entry.value);
            let added = self.add(&Line::Key { key, revision, at, value });
            self.note(added)
        });
        self.done(visited)?;
        let mut logs: Vec<LogInfo> = Vec::new();
        snapshot.logs(&info.name, &mut |log| {
            logs.push(log);
            ControlFlow::Continue(())
        })?;
        logs.into_iter().try_for_each(|log| self.log(&info.name, &log))
    }

    fn log(&mut self, namespace: &str, info: &LogInfo) -> Result<()> {
        self.add(&Line::Log { name: info.name.clone(), first: info.first, last: info.last })?;
        let snapshot = self.snapshot;
        let visited = snapshot.scan_log(namespace, &info.name, info.first, &mut |entry| {
            let added = self.add(&Line::Entry { seq: entry.seq, at: entry.at, entry: entry.entry });
            self.note(added)
        });
        self.done(visited)
    }
}
