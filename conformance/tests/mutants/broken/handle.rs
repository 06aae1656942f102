//! A store that passes every call on, with a fault on the way.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use store_core::{
    Batch, Check, Entry, Error, ErrorKind, Json, KeyRange, LogEntry, LogInfo, LogRange, LogStart,
    NamespaceInfo, Object, Outcome, RebuildWork, Receipt, Result, Revision, Seq, SnapshotWork, StateStore,
    StoreInfo, Write,
};

use super::table::Mutant;

/// A handle with a fault.
#[derive(Debug)]
struct Handle {
    inner: Arc<dyn StateStore>,
    mutant: Mutant,
    /// The objects as they were read last.
    past: Mutex<BTreeMap<String, Object>>,
}

impl Handle {
    /// Whether a call without checks or a deadline of its own is as it should be.
    fn is_plain(&self) -> bool {
        matches!(
            self.mutant,
            Mutant::DeadlineIgnored | Mutant::MirrorOfWhatWasBefore | Mutant::TailLongerThanTheLogIsEmpty
        )
    }
}

/// Puts the fault of a mutant above a store, if it has one there.
pub(super) fn wrap(mutant: Mutant, inner: Arc<dyn StateStore>) -> Arc<dyn StateStore> {
    match mutant {
        Mutant::BusySwallowed
        | Mutant::CheckEvaluatedOutsideTheTransaction
        | Mutant::DeadlineIgnored
        | Mutant::FailedSyncMarkForgotten
        | Mutant::TailLongerThanTheLogIsEmpty => Arc::new(handle(mutant, inner)),
        _ => inner,
    }
}

/// Puts what a mirror shows above a store, with the fault of a mutant.
pub(super) fn shown(mutant: Mutant, inner: Arc<dyn StateStore>) -> Arc<dyn StateStore> {
    match mutant {
        Mutant::MirrorOfWhatWasBefore => Arc::new(handle(mutant, inner)),
        _ => inner,
    }
}

fn handle(mutant: Mutant, inner: Arc<dyn StateStore>) -> Handle {
    Handle { inner, mutant, past: Mutex::default() }
}

fn with_check(batch: Batch, check: Check) -> Batch {
    match check {
        Check::Key { namespace, key, expect } => batch.check(namespace, key, expect),
        Check::Object { namespace, revision } => batch.check_object(namespace, revision),
        Check::Log { namespace, log, last } => batch.check_log(namespace, log, last),
    }
}

fn with_write(batch: Batch, write: Write) -> Batch {
    match write {
        Write::Put { namespace, key, value } => batch.put(namespace, key, value),
        Write::Delete { namespace, key } => batch.delete(namespace, key),
        Write::ReplaceObject { namespace, object } => batch.replace_object(namespace, object),
        Write::Append { namespace, log, entry } => batch.append(namespace, log, entry),
        Write::TrimLog { namespace, log, before } => batch.trim_log(namespace, log, before),
        Write::DeleteNamespace { namespace } => batch.delete_namespace(namespace),
    }
}

fn durable_as(batch: Batch, model: &Batch) -> Batch {
    match model.wanted_durability() {
        Some(durability) => batch.durability(durability),
        None => batch,
    }
}

fn checks_of(batch: &Batch) -> Batch {
    batch.checks().iter().cloned().fold(Batch::new(), with_check)
}

fn writes_of(batch: &Batch) -> Batch {
    durable_as(batch.writes().iter().cloned().fold(Batch::new(), with_write), batch)
}

/// Makes up what a batch that is not written would have been answered.
fn invented(batch: &Batch) -> Receipt {
    let revisions = batch.writes().iter().map(|write| (write.namespace().to_owned(), Revision::new(1)));
    let outcomes = batch.writes().iter().map(|write| match write {
        Write::Append { .. } => Outcome::Appended(1),
        Write::TrimLog { .. } => Outcome::Trimmed,
        Write::Delete { .. } | Write::DeleteNamespace { .. } => Outcome::Deleted(true),
        _ => Outcome::Written(Revision::new(1)),
    });
    Receipt::new(revisions.collect::<BTreeMap<_, _>>(), outcomes.collect())
}

impl Handle {
    async fn write(&self, batch: Batch) -> Result<Receipt> {
        match self.mutant {
            Mutant::CheckEvaluatedOutsideTheTransaction if !batch.checks().is_empty() => {
                self.inner.commit(checks_of(&batch)).await?;
                self.inner.commit(writes_of(&batch)).await
            }
            Mutant::DeadlineIgnored => {
                let rebuilt = batch.writes().iter().cloned().fold(checks_of(&batch), with_write);
                self.inner.commit(durable_as(rebuilt, &batch)).await
            }
            Mutant::BusySwallowed => match self.inner.commit(batch.clone()).await {
                Err(error) if error.kind() == ErrorKind::Busy => Ok(invented(&batch)),
                done => done,
            },
            Mutant::FailedSyncMarkForgotten => match self.inner.commit(batch).await {
                Err(error) => Err(self.forget_mark(error).await),
                done => done,
            },
            _ => self.inner.commit(batch).await,
        }
    }

    /// Clears the mark of a failed sync, as if what it put in doubt had been mended.
    async fn forget_mark(&self, error: Error) -> Error {
        if let Ok(info) = self.inner.info().await
            && let Ok(gate) = File::options().write(true).open(info.gate)
        {
            let _ = gate.write_all_at(&[0; 8], 16);
        }
        error
    }

    async fn written(&self, batch: Batch) -> Result<Outcome> {
        let receipt = self.write(batch).await?;
        receipt.outcomes().first().copied().ok_or_else(|| Error::new(ErrorKind::Io, "no outcome"))
    }
}

#[async_trait]
impl StateStore for Handle {
    async fn get(&self, namespace: &str, key: &str) -> Result<Option<Entry>> {
        self.inner.get(namespace, key).await
    }

    async fn object(&self, namespace: &str) -> Result<Object> {
        let object = self.inner.object(namespace).await?;
        if self.mutant != Mutant::MirrorOfWhatWasBefore {
            return Ok(object);
        }
        let before = self.past.lock().unwrap().insert(namespace.to_owned(), object.clone());
        Ok(before.unwrap_or(object))
    }

    async fn list(&self, namespace: &str, range: KeyRange) -> Result<Vec<(String, Entry)>> {
        self.inner.list(namespace, range).await
    }

    async fn read_log(&self, namespace: &str, log: &str, range: LogRange) -> Result<Vec<LogEntry>> {
        let page = self.inner.read_log(namespace, log, range).await?;
        // A difference of numbers without a sign that falls below zero.
        let wraps = |count: u64| page.last().is_some_and(|last| count > last.seq);
        match range.start() {
            LogStart::Tail(count) if self.mutant == Mutant::TailLongerThanTheLogIsEmpty && wraps(count) => {
                Ok(Vec::new())
            }
            _ => Ok(page),
        }
    }

    async fn logs(&self, namespace: &str) -> Result<Vec<LogInfo>> {
        self.inner.logs(namespace).await
    }

    async fn namespaces(&self) -> Result<Vec<NamespaceInfo>> {
        self.inner.namespaces().await
    }

    fn commit<'s, 'f>(&'s self, batch: Batch) -> Pin<Box<dyn Future<Output = Result<Receipt>> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        Box::pin(self.write(batch))
    }

    async fn put(&self, namespace: &str, key: &str, value: Json) -> Result<Revision> {
        if self.is_plain() {
            return self.inner.put(namespace, key, value).await;
        }
        let receipt = self.write(Batch::new().put(namespace, key, value)).await?;
        Ok(receipt.revision(namespace).unwrap_or_default())
    }

    async fn delete(&self, namespace: &str, key: &str) -> Result<bool> {
        if self.is_plain() {
            return self.inner.delete(namespace, key).await;
        }
        Ok(self.written(Batch::new().delete(namespace, key)).await? == Outcome::Deleted(true))
    }

    async fn replace_object(&self, namespace: &str, object: BTreeMap<String, Json>) -> Result<Revision> {
        if self.is_plain() {
            return self.inner.replace_object(namespace, object).await;
        }
        let receipt = self.write(Batch::new().replace_object(namespace, object)).await?;
        Ok(receipt.revision(namespace).unwrap_or_default())
    }

    async fn append(&self, namespace: &str, log: &str, entry: Json) -> Result<Seq> {
        if self.is_plain() {
            return self.inner.append(namespace, log, entry).await;
        }
        let receipt = self.write(Batch::new().append(namespace, log, entry)).await?;
        Ok(receipt.appended().next().unwrap_or_default())
    }

    async fn trim_log(&self, namespace: &str, log: &str, before: Seq) -> Result<()> {
        if self.is_plain() {
            return self.inner.trim_log(namespace, log, before).await;
        }
        self.write(Batch::new().trim_log(namespace, log, before)).await.map(drop)
    }

    async fn delete_namespace(&self, namespace: &str) -> Result<bool> {
        if self.is_plain() {
            return self.inner.delete_namespace(namespace).await;
        }
        Ok(self.written(Batch::new().delete_namespace(namespace)).await? == Outcome::Deleted(true))
    }

    async fn sync(&self) -> Result<()> {
        match self.inner.sync().await {
            Err(error) if self.mutant == Mutant::FailedSyncMarkForgotten => {
                Err(self.forget_mark(error).await)
            }
            done => done,
        }
    }

    async fn close(&self) -> Result<()> {
        self.inner.close().await
    }

    async fn snapshot(&self, work: SnapshotWork) -> Result<()> {
        self.inner.snapshot(work).await
    }

    async fn rebuild(&self, operation: &'static str, work: RebuildWork) -> Result<()> {
        self.inner.rebuild(operation, work).await
    }

    async fn check_integrity(&self) -> Result<Vec<String>> {
        self.inner.check_integrity().await
    }

    async fn info(&self) -> Result<StoreInfo> {
        self.inner.info().await
    }

    fn timeout(&self) -> Duration {
        self.inner.timeout()
    }
}
