//! A store with a mirror.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::config::{MirrorConfig, MirrorLogs};
use super::pass::Mirror;
use super::status::MirrorStatus;
use super::worker::Worker;
use crate::batch::{Batch, Outcome, Receipt, Write};
use crate::error::{ErrorKind, Result};
use crate::json::Json;
use crate::numbers::{Revision, Seq};
use crate::store::{RebuildWork, SnapshotWork, StateStore, StoreInfo};
use crate::types::{Entry, KeyRange, LogEntry, LogInfo, LogRange, NamespaceInfo, Object};

/// A store whose writes also show in a folder of JSON files, for people and dashboards.
///
/// - Each file is whole at every instant, and never goes back, however many processes write.
/// - A mirror that cannot be written fails no write and delays none: it is warned of, counted
///   (`statestore_mirror_failures_total`), told by [`status`](Self::status) and [`StateStore::info`], and
///   tried again after a rest that grows up to 30 s.
/// - Changes are gathered for the configured time and written by a thread of the mirror's own, which also
///   catches up with what others left when the store is opened. With a debounce of 0 a write returns only after its
///   mirror was tried, at most the store's timeout later.
/// - [`close`](StateStore::close) writes what is still to be written, within the timeout. A handle that is
///   dropped lets its thread do so, if the process lives on.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use store_core::{MirrorConfig, Mirrored, Result, StateStore};
///
/// async fn with_mirror(store: Arc<dyn StateStore>) -> Result<()> {
///     let store = Mirrored::new(store, MirrorConfig::new("/srv/bus/mirror")).await?;
///     store.put("jobs", "42", "running".into()).await?; // soon in /srv/bus/mirror/jobs.json
///     store.close().await
/// }
/// ```
#[derive(Debug)]
pub struct Mirrored {
    store: Arc<dyn StateStore>,
    worker: Worker,
    /// A forked child has no thread, and must not wait for it.
    process: u32,
}

impl Mirrored {
    /// Gives a store a mirror.
    ///
    /// # Errors
    /// Those of [`Mirror::new`].
    pub async fn new(store: Arc<dyn StateStore>, config: MirrorConfig) -> Result<Self> {
        let mirror = Mirror::new(Arc::clone(&store), config).await?;
        Ok(Self { store, worker: Worker::start(mirror), process: std::process::id() })
    }

    /// Tells how the mirror stands.
    pub fn status(&self) -> MirrorStatus {
        self.worker.status()
    }

    fn is_own_process(&self) -> bool {
        self.process == std::process::id()
    }

    /// Notes what a write touched, if it may have happened.
    async fn note<T>(
        &self,
        written: Result<T>,
        touched: impl FnOnce(Option<&T>) -> BTreeSet<String>,
    ) -> Result<T> {
        let done = match &written {
            Ok(done) => Some(done),
            Err(error) if error.kind() == ErrorKind::Indeterminate => None,
            Err(_) => return written,
        };
        let config = self.worker.mirror().config();
        let touched: BTreeSet<String> = touched(done).into_iter().filter(|name| config.wants(name)).collect();
        if !touched.is_empty() && self.is_own_process() {
            self.worker.note(touched, self.store.timeout()).await;
        }
        written
    }

    /// Whether an append changes a file: an emptied object shows again once there is a log.
    fn shows_append(&self, seq: Option<Seq>) -> bool {
        self.shows_logs() || seq.is_none_or(|seq| seq == 1)
    }

    fn shows_logs(&self) -> bool {
        self.worker.mirror().config().logs != MirrorLogs::None
    }

    /// Whether a write of a batch changes a file.
    fn shows(&self, touch: Touch, outcome: Option<&Outcome>) -> bool {
        match (touch, outcome) {
            (Touch::Append, Some(Outcome::Appended(seq))) => self.shows_append(Some(*seq)),
            (Touch::Trim, _) => self.shows_logs(),
            (_, Some(Outcome::Deleted(existed))) => *existed,
            _ => true,
        }
    }
}

/// What a write of a batch touches.
#[derive(Debug, Clone, Copy)]
enum Touch {
    Object,
    Append,
    Trim,
}

impl Touch {
    fn of(write: &Write) -> Self {
        match write {
            Write::Append { .. } => Self::Append,
            Write::TrimLog { .. } => Self::Trim,
            _ => Self::Object,
        }
    }
}

fn one(namespace: &str) -> BTreeSet<String> {
    BTreeSet::from([namespace.to_owned()])
}

fn one_if(shows: bool, namespace: &str) -> BTreeSet<String> {
    if shows { one(namespace) } else { BTreeSet::new() }
}

impl Drop for Mirrored {
    fn drop(&mut self) {
        // A forked child must not touch a lock that a thread of the parent may have held when it forked.
        if self.is_own_process() {
            self.worker.let_go();
        }
    }
}

#[async_trait]
impl StateStore for Mirrored {
    async fn get(&self, namespace: &str, key: &str) -> Result<Option<Entry>> {
        self.store.get(namespace, key).await
    }

    async fn object(&self, namespace: &str) -> Result<Object> {
        self.store.object(namespace).await
    }

    async fn list(&self, namespace: &str, range: KeyRange) -> Result<Vec<(String, Entry)>> {
        self.store.list(namespace, range).await
    }

    async fn read_log(&self, namespace: &str, log: &str, range: LogRange) -> Result<Vec<LogEntry>> {
        self.store.read_log(namespace, log, range).await
    }

    async fn logs(&self, namespace: &str) -> Result<Vec<LogInfo>> {
        self.store.logs(namespace).await
    }

    async fn namespaces(&self) -> Result<Vec<NamespaceInfo>> {
        self.store.namespaces().await
    }

    async fn commit(&self, batch: Batch) -> Result<Receipt> {
        let writes: Vec<_> =
            batch.writes().iter().map(|write| (write.namespace().to_owned(), Touch::of(write))).collect();
        let written = self.store.commit(batch).await;
        let touched = |receipt: Option<&Receipt>| {
            let outcomes = receipt.map_or(&[][..], Receipt::outcomes);
            let writes = writes.into_iter().enumerate();
            let touched = writes.filter(|(at, (_, touch))| self.shows(*touch, outcomes.get(*at)));
            touched.map(|(_, (namespace, _))| namespace).collect()
        };
        self.note(written, touched).await
    }

    async fn put(&self, namespace: &str, key: &str, value: Json) -> Result<Revision> {
        let written = self.store.put(namespace, key, value).await;
        self.note(written, |_| one(namespace)).await
    }

    async fn delete(&self, namespace: &str, key: &str) -> Result<bool> {
        let written = self.store.delete(namespace, key).await;
        self.note(written, |existed| one_if(existed.is_none_or(|existed| *existed), namespace)).await
    }

    async fn replace_object(&self, namespace: &str, object: BTreeMap<String, Json>) -> Result<Revision> {
        let written = self.store.replace_object(namespace, object).await;
        self.note(written, |_| one(namespace)).await
    }

    async fn append(&self, namespace: &str, log: &str, entry: Json) -> Result<Seq> {
        let written = self.store.append(namespace, log, entry).await;
        self.note(written, |seq| one_if(self.shows_append(seq.copied()), namespace)).await
    }

    async fn trim_log(&self, namespace: &str, log: &str, before: Seq) -> Result<()> {
        let written = self.store.trim_log(namespace, log, before).await;
        self.note(written, |_| one_if(self.shows_logs(), namespace)).await
    }

    async fn delete_namespace(&self, namespace: &str) -> Result<bool> {
        let written = self.store.delete_namespace(namespace).await;
        self.note(written, |existed| one_if(existed.is_none_or(|existed| *existed), namespace)).await
    }

    async fn sync(&self) -> Result<()> {
        self.store.sync().await
    }

    async fn snapshot(&self, work: SnapshotWork) -> Result<()> {
        self.store.snapshot(work).await
    }

    async fn rebuild(&self, operation: &'static str, work: RebuildWork) -> Result<()> {
        let rebuilt = self.store.rebuild(operation, work).await;
        let may_have =
            rebuilt.as_ref().map_or_else(|error| error.kind() == ErrorKind::Indeterminate, |()| true);
        if may_have && self.is_own_process() {
            self.worker.note_all(self.store.timeout()).await;
        }
        rebuilt
    }

    async fn check_integrity(&self) -> Result<Vec<String>> {
        self.store.check_integrity().await
    }

    async fn close(&self) -> Result<()> {
        if self.is_own_process() {
            self.worker.end(self.store.timeout()).await;
        }
        self.store.close().await
    }

    async fn info(&self) -> Result<StoreInfo> {
        let mut info = self.store.info().await?;
        info.mirror = Some(self.status());
        Ok(info)
    }

    fn timeout(&self) -> Duration {
        self.store.timeout()
    }
}
