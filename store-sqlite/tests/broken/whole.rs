//! What takes a whole store at once, with its fault on the way.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use pollster::block_on;
use store_core::backend::{Epoch, Snapshot, Transaction};
use store_core::{
    Entry, KeyRange, LogEntry, LogInfo, LogRange, NamespaceInfo, RebuildWork, Result, Revision, Seq,
    SnapshotWork, StateStore,
};

use super::batches::round;
use super::faults::Fault;
use super::store::Store;

/// Runs work on one instant of a store, or on what looks like one.
pub(crate) async fn snapshot(store: &Store, mut work: SnapshotWork) -> Result<()> {
    let fault = store.fault;
    match fault {
        Fault::DumpsPieceByPiece => work(&Pieces(Arc::clone(&store.inner))),
        Fault::DumpsNoLogs => {
            let works = move |snapshot: &dyn Snapshot| work(&WithoutLogs(snapshot));
            store.inner.snapshot(Box::new(works)).await
        }
        _ => store.inner.snapshot(work).await,
    }
}

/// Runs work that replaces all that a store holds.
pub(crate) async fn rebuild(store: &Store, operation: &'static str, mut work: RebuildWork) -> Result<()> {
    let fault = store.fault;
    if fault == Fault::RestoresInTwoSteps && operation == "restore" {
        for found in store.inner.namespaces().await? {
            store.inner.delete_namespace(&found.name).await?;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let works = move |inner: &mut dyn Transaction| work(&mut Altered { fault, inner });
    store.inner.rebuild(operation, Box::new(works)).await
}

/// A store whose every part is read at an instant of its own.
struct Pieces(Arc<dyn StateStore>);

impl Snapshot for Pieces {
    fn get(&self, namespace: &str, key: &str) -> Result<Option<Entry>> {
        block_on(self.0.get(namespace, key))
    }

    fn revision(&self, namespace: &str) -> Result<Revision> {
        Ok(block_on(self.0.object(namespace))?.revision)
    }

    fn scan(
        &self,
        namespace: &str,
        range: &KeyRange,
        visit: &mut dyn FnMut(&str, Entry) -> ControlFlow<()>,
    ) -> Result<()> {
        let listed = block_on(self.0.list(namespace, range.clone()))?;
        let _ = listed.into_iter().try_for_each(|(key, entry)| visit(&key, entry));
        Ok(())
    }

    fn log_info(&self, namespace: &str, log: &str) -> Result<Option<LogInfo>> {
        Ok(block_on(self.0.logs(namespace))?.into_iter().find(|info| info.name == log))
    }

    fn scan_log(
        &self,
        namespace: &str,
        log: &str,
        from: Seq,
        visit: &mut dyn FnMut(LogEntry) -> ControlFlow<()>,
    ) -> Result<()> {
        let page = block_on(self.0.read_log(namespace, log, LogRange::from(from)))?;
        let _ = page.into_iter().try_for_each(visit);
        Ok(())
    }

    fn namespaces(&self, visit: &mut dyn FnMut(NamespaceInfo) -> ControlFlow<()>) -> Result<()> {
        let _ = block_on(self.0.namespaces())?.into_iter().try_for_each(visit);
        Ok(())
    }

    fn logs(&self, namespace: &str, visit: &mut dyn FnMut(LogInfo) -> ControlFlow<()>) -> Result<()> {
        let _ = block_on(self.0.logs(namespace))?.into_iter().try_for_each(visit);
        Ok(())
    }

    fn epoch(&self) -> Result<Epoch> {
        Ok(Epoch { number: block_on(self.0.info())?.epoch, boot: String::new() })
    }
}

/// An instant at which there are no logs.
struct WithoutLogs<'s>(&'s dyn Snapshot);

/// A transaction that does not quite do what it is told.
struct Altered<'t> {
    fault: Fault,
    inner: &'t mut dyn Transaction,
}

/// Passes on what reads, but for logs.
macro_rules! reads {
    ($this:ident => $inner:expr) => {
        fn get(&self, namespace: &str, key: &str) -> Result<Option<Entry>> {
            let $this = self;
            $inner.get(namespace, key)
        }

        fn revision(&self, namespace: &str) -> Result<Revision> {
            let $this = self;
            $inner.revision(namespace)
        }

        fn scan(
            &self,
            namespace: &str,
            range: &KeyRange,
            visit: &mut dyn FnMut(&str, Entry) -> ControlFlow<()>,
        ) -> Result<()> {
            let $this = self;
            $inner.scan(namespace, range, visit)
        }

        fn log_info(&self, namespace: &str, log: &str) -> Result<Option<LogInfo>> {
            let $this = self;
            $inner.log_info(namespace, log)
        }

        fn scan_log(
            &self,
            namespace: &str,
            log: &str,
            from: Seq,
            visit: &mut dyn FnMut(LogEntry) -> ControlFlow<()>,
        ) -> Result<()> {
            let $this = self;
            $inner.scan_log(namespace, log, from, visit)
        }

        fn namespaces(&self, visit: &mut dyn FnMut(NamespaceInfo) -> ControlFlow<()>) -> Result<()> {
            let $this = self;
            $inner.namespaces(visit)
        }

        fn epoch(&self) -> Result<Epoch> {
            let $this = self;
            $inner.epoch()
        }
    };
}

impl Snapshot for WithoutLogs<'_> {
    reads!(this => this.0);

    fn logs(&self, _namespace: &str, _visit: &mut dyn FnMut(LogInfo) -> ControlFlow<()>) -> Result<()> {
        Ok(())
    }
}

impl Snapshot for Altered<'_> {
    reads!(this => this.inner);

    fn logs(&self, namespace: &str, visit: &mut dyn FnMut(LogInfo) -> ControlFlow<()>) -> Result<()> {
        self.inner.logs(namespace, visit)
    }
}

impl Transaction for Altered<'_> {
    fn put(&mut self, namespace: &str, key: &str, entry: &Entry) -> Result<()> {
        let mut entry = entry.clone();
        if self.fault == Fault::RestoresRounded
            && let Ok(value) = entry.value.to_value()
        {
            entry.value = round(value).into();
        }
        self.inner.put(namespace, key, &entry)
    }

    fn delete(&mut self, namespace: &str, key: &str) -> Result<()> {
        self.inner.delete(namespace, key)
    }

    fn clear(&mut self, namespace: &str) -> Result<()> {
        self.inner.clear(namespace)
    }

    fn set_revision(&mut self, namespace: &str, revision: Revision) -> Result<()> {
        self.inner.set_revision(namespace, revision)
    }

    fn append(&mut self, namespace: &str, log: &str, entry: &LogEntry) -> Result<()> {
        self.inner.append(namespace, log, entry)
    }

    fn trim(&mut self, namespace: &str, log: &str, first: Seq) -> Result<()> {
        self.inner.trim(namespace, log, first)
    }

    fn delete_log(&mut self, namespace: &str, log: &str) -> Result<()> {
        self.inner.delete_log(namespace, log)
    }

    fn set_epoch(&mut self, epoch: &Epoch) -> Result<()> {
        if self.fault == Fault::KeepsTheEpoch {
            return Ok(());
        }
        self.inner.set_epoch(epoch)
    }

    fn entomb(&mut self, to: &str) -> Result<()> {
        if self.fault == Fault::BuriesNobody {
            return Ok(());
        }
        self.inner.entomb(to)
    }
}
