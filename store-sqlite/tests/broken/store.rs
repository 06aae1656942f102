//! A store that passes every call on, with its fault on the way.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use store_core::{
    Batch, Durability, Entry, Error, ErrorKind, Json, KeyRange, LogEntry, LogInfo, LogRange, LogStart,
    MirrorConfig, NamespaceInfo, Object, Outcome, RebuildWork, Receipt, Result, Revision, Seq, SnapshotWork,
    StateStore, StoreInfo, Timestamp, Write,
};

use super::batches::{append_null, invent, merge, rebuild, split};
use super::faults::Fault;
use super::mirrors;
use super::places::{reworded, swallows};
use super::whole;

static WRITES: AtomicU64 = AtomicU64::new(0);

/// Whether this process is the one that is starved.
static STARVED: OnceLock<bool> = OnceLock::new();

/// A handle with a fault.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) inner: Arc<dyn StateStore>,
    pub(crate) fault: Fault,
    /// The mirror that goes wrong above the store, if that is the fault.
    mirror: Option<MirrorConfig>,
    opened: Timestamp,
    past: Mutex<Past>,
}

/// What was read last.
#[derive(Debug, Default)]
struct Past {
    entries: HashMap<(String, String), Option<Entry>>,
    objects: HashMap<String, Object>,
    pages: HashMap<String, Vec<LogEntry>>,
}

impl Store {
    pub(crate) fn new(inner: Arc<dyn StateStore>, fault: Fault) -> Self {
        let opened = Timestamp::now();
        Self { inner, fault, mirror: None, opened, past: Mutex::default() }
    }

    /// Makes it one whose mirror goes wrong.
    pub(crate) fn with_mirror(self, config: MirrorConfig) -> Self {
        Self { mirror: Some(config), ..self }
    }

    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    /// Whether it is every so manieth write of this process.
    fn every(nth: u64) -> bool {
        WRITES.fetch_add(1, Ordering::Relaxed) % nth == nth - 1
    }

    fn revision(&self, revision: Revision) -> Revision {
        if self.is(Fault::HalvesRevisions) { Revision::new(revision.get() / 2) } else { revision }
    }

    fn entry(&self, entry: Entry) -> Entry {
        let is_text = entry.value.as_str().starts_with('"');
        Entry {
            revision: self.revision(entry.revision),
            at: if self.is(Fault::DatesWithTheOpening) { self.opened } else { entry.at },
            value: if is_text && self.is(Fault::GivesTextsAsZero) { Json::from(0) } else { entry.value },
        }
    }

    fn error(&self, error: Error) -> Error {
        if self.is(Fault::SaysBusyInDoubt) && error.kind() == ErrorKind::Indeterminate {
            return Error::new(ErrorKind::Busy, error.message());
        }
        reworded(self.fault, error)
    }

    /// Returns what was read, or nothing in its place.
    fn seen<T>(&self, read: Result<T>, nothing: T) -> Result<T> {
        match read {
            Err(error) if self.is(Fault::SeesNothingWrong) && error.kind() == ErrorKind::Corrupted => {
                Ok(nothing)
            }
            read => read.map_err(|error| self.error(error)),
        }
    }

    fn receipt(&self, batch: &Batch, receipt: &Receipt) -> Receipt {
        let zero = self.is(Fault::NumbersFromZero);
        let outcome = |outcome: &Outcome| match outcome {
            Outcome::Written(revision) => Outcome::Written(self.revision(*revision)),
            Outcome::Appended(seq) if zero => Outcome::Appended(seq - 1),
            Outcome::Deleted(_) if self.is(Fault::DeletesByPutting) => Outcome::Deleted(true),
            other => *other,
        };
        let spaces = batch.writes().iter().map(Write::namespace);
        let revisions =
            spaces.filter_map(|name| Some((name.to_owned(), self.revision(receipt.revision(name)?))));
        Receipt::new(revisions.collect(), receipt.outcomes().iter().map(outcome).collect())
    }

    async fn write(&self, batch: Batch) -> Result<Receipt> {
        if !self.is(Fault::LocksByMakingAFile) {
            return self.write_unlocked(batch).await;
        }
        let lock = self.inner.info().await?.path.with_extension("lock");
        let until = Instant::now() + Duration::from_secs(2);
        while std::fs::File::create_new(&lock).is_err() {
            if Instant::now() > until {
                return Err(Error::new(ErrorKind::Busy, "the lock file is there"));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        let written = self.write_unlocked(batch).await;
        let _ = std::fs::remove_file(lock);
        written
    }

    async fn write_unlocked(&self, batch: Batch) -> Result<Receipt> {
        let batch = rebuild(self, &batch);
        let written = match self.fault {
            Fault::SplitsBatches => self.one_by_one(split(&batch)).await,
            Fault::ReplacesKeyByKey => self.one_by_one(self.key_by_key(&batch).await?).await,
            Fault::ChecksAfterwards => {
                let written = self.inner.commit(rebuild_without_checks(&batch)).await?;
                let checks = batch.checks().iter().cloned().fold(Batch::new(), super::batches::with_check);
                self.inner.commit(checks).await.map(|_| written)
            }
            Fault::AcknowledgesWithoutWriting if Self::every(3) => invent(&*self.inner, &batch).await,
            Fault::AppendsTwice if Self::every(10) => {
                let written = self.inner.commit(batch.clone()).await;
                self.inner.commit(rebuild_without_checks(&batch)).await?;
                written
            }
            Fault::StarvesSome => {
                // As a lock that is polled, for one whose naps fall badly: the first that comes.
                let slow = self.inner.info().await?.path.with_extension("slow");
                if *STARVED.get_or_init(|| std::fs::File::create_new(slow).is_ok()) {
                    std::thread::sleep(Duration::from_millis(120));
                }
                self.inner.commit(batch.clone()).await
            }
            Fault::TriesAgainWhenBusy => self.again_and_again(&batch).await,
            _ => self.inner.commit(batch.clone()).await,
        };
        let written = match written {
            Err(error) if swallows(self.fault, error.kind()) => {
                let invented = invent(&*self.inner, &batch).await;
                let blind = || Receipt::new(BTreeMap::new(), vec![Outcome::Written(Revision::new(1))]);
                Ok(invented.unwrap_or_else(|_| blind()))
            }
            written => written,
        };
        if let (Ok(_), Some(config)) = (&written, &self.mirror) {
            mirrors::after_write(self, config, &batch).await?;
        }
        written.map(|receipt| self.receipt(&batch, &receipt)).map_err(|e| self.error(e))
    }

    /// Tries what is busy for as long as a careless caller has patience.
    async fn again_and_again(&self, batch: &Batch) -> Result<Receipt> {
        let until = Instant::now() + Duration::from_secs(8);
        loop {
            match self.inner.commit(batch.clone()).await {
                Err(error) if error.kind() == ErrorKind::Busy && Instant::now() < until => {}
                done => return done,
            }
        }
    }

    async fn one_by_one(&self, batches: Vec<Batch>) -> Result<Receipt> {
        let mut receipts = Vec::new();
        for batch in batches {
            receipts.push((self.inner.commit(batch.clone()).await?, batch));
        }
        Ok(merge(receipts))
    }

    /// Replaces an object by deleting its keys and putting the new ones.
    async fn key_by_key(&self, batch: &Batch) -> Result<Vec<Batch>> {
        let [Write::ReplaceObject { namespace, object }] = batch.writes() else {
            return Ok(vec![batch.clone()]);
        };
        let old = self.inner.object(namespace).await?.entries;
        let delete = old.keys().map(|key| Batch::new().delete(namespace, key));
        let put = object.iter().map(|(key, value)| Batch::new().put(namespace, key, value.clone()));
        Ok(delete.chain(put).collect())
    }

    async fn wait_for_the_gate(&self) -> Result<()> {
        if self.is(Fault::WaitsForTheGateToRead) {
            let passes = Batch::new().check_object("nowhere", Revision::NEVER);
            self.inner.commit(passes.deadline(Duration::from_millis(200))).await?;
        }
        Ok(())
    }

    async fn written(&self, batch: Batch) -> Result<Outcome> {
        Ok(self.write(batch).await?.outcomes()[0])
    }
}

/// Writes on a thread that nothing stops once it has begun.
async fn finish_on_a_thread(store: Arc<dyn StateStore>, batch: Batch) -> Result<Receipt> {
    let thread = std::thread::spawn(move || pollster::block_on(store.commit(batch)));
    std::future::poll_fn(|context| {
        context.waker().wake_by_ref();
        if thread.is_finished() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    thread.join().unwrap()
}

fn rebuild_without_checks(batch: &Batch) -> Batch {
    batch.writes().iter().cloned().fold(Batch::new(), super::batches::with_write)
}

#[async_trait]
impl StateStore for Store {
    async fn get(&self, namespace: &str, key: &str) -> Result<Option<Entry>> {
        self.wait_for_the_gate().await?;
        let (namespace, key) = (self.space(namespace), self.name(key));
        let entry = self.inner.get(&namespace, &key).await.map_err(|e| self.error(e))?;
        let entry = entry.map(|entry| self.entry(entry));
        if self.is(Fault::ReadsWhatWasBefore) {
            let before = self.past.lock().unwrap().entries.insert((namespace, key), entry.clone());
            return Ok(before.unwrap_or(entry));
        }
        Ok(entry)
    }

    async fn object(&self, namespace: &str) -> Result<Object> {
        self.wait_for_the_gate().await?;
        let namespace = self.space(namespace);
        let mut object = self.seen(self.inner.object(&namespace).await, Object::default())?;
        if self.is(Fault::InventsObjects) && object.revision == Revision::NEVER {
            object.revision = Revision::new(1);
        }
        if self.is(Fault::RaisesRevisionsByAppending) {
            let appended: u64 = self.inner.logs(&namespace).await?.iter().map(|log| log.last).sum();
            object.revision = Revision::new(object.revision.get() + appended);
        }
        let most = if self.is(Fault::ListsAThousand) { 1000 } else { usize::MAX };
        let entries = object.entries.into_iter().take(most).map(|(key, entry)| (key, self.entry(entry)));
        let object = Object { revision: self.revision(object.revision), entries: entries.collect() };
        if self.is(Fault::ReadsWhatWasBefore) {
            let before = self.past.lock().unwrap().objects.insert(namespace, object.clone());
            return Ok(before.unwrap_or(object));
        }
        Ok(object)
    }

    async fn list(&self, namespace: &str, mut range: KeyRange) -> Result<Vec<(String, Entry)>> {
        self.wait_for_the_gate().await?;
        if self.is(Fault::IncludesTheEnd)
            && let Some(end) = range.end().map(|end| format!("{end}\0"))
        {
            range = range.with_end(end);
        }
        if self.is(Fault::TakesPrefixesForPatterns) && matches!(range.start(), Some("_" | "%")) {
            range = KeyRange::all();
        }
        let listed = self.inner.list(&self.space(namespace), range).await.map_err(|e| self.error(e))?;
        let most = if self.is(Fault::ListsAThousand) { 1000 } else { usize::MAX };
        let mut listed: Vec<_> =
            listed.into_iter().take(most).map(|(key, entry)| (key, self.entry(entry))).collect();
        if self.is(Fault::ListsBackwards) {
            listed.reverse();
        }
        Ok(listed)
    }

    async fn read_log(&self, namespace: &str, log: &str, mut range: LogRange) -> Result<Vec<LogEntry>> {
        self.wait_for_the_gate().await?;
        let (namespace, log) = (self.space(namespace), self.name(log));
        if let LogStart::From(from @ 1..) = range.start()
            && self.is(Fault::StartsAfterTheFirst)
        {
            let limit = range.limit().unwrap_or(u64::MAX);
            range = LogRange::from(from.saturating_add(1)).with_limit(limit);
        }
        let mut page = self.seen(self.inner.read_log(&namespace, &log, range).await, Vec::new())?;
        let first = self.inner.logs(&namespace).await?.into_iter().find(|info| info.name == log);
        let first = first.map_or(1, |info| info.first);
        for entry in &mut page {
            match self.fault {
                Fault::NumbersFromZero => entry.seq -= 1,
                Fault::RenumbersAfterTrimming => entry.seq -= first - 1,
                Fault::DatesWithTheOpening => entry.at = self.opened,
                _ => {}
            }
        }
        if self.is(Fault::SwapsEntries) {
            let values: Vec<Json> = page.iter().map(|entry| entry.entry.clone()).collect();
            for (at, entry) in page.iter_mut().enumerate() {
                entry.entry = values.get(at ^ 1).unwrap_or(&values[at]).clone();
            }
        }
        if self.is(Fault::ReadsWhatWasBefore) {
            let before = self.past.lock().unwrap().pages.insert(format!("{namespace}\0{log}"), page.clone());
            return Ok(before.unwrap_or(page));
        }
        Ok(page)
    }

    async fn logs(&self, namespace: &str) -> Result<Vec<LogInfo>> {
        let mut logs = self.seen(self.inner.logs(&self.space(namespace)).await, Vec::new())?;
        for log in &mut logs {
            match self.fault {
                Fault::NumbersFromZero => (log.first, log.last) = (log.first - 1, log.last - 1),
                Fault::RenumbersAfterTrimming => (log.first, log.last) = (1, log.last + 1 - log.first),
                Fault::LosesTheFirstOfLogs => log.first = 1,
                _ => {}
            }
        }
        if self.is(Fault::ListsBackwards) {
            logs.reverse();
        }
        Ok(logs)
    }

    async fn namespaces(&self) -> Result<Vec<NamespaceInfo>> {
        let mut found = self.seen(self.inner.namespaces().await, Vec::new())?;
        for info in &mut found {
            info.revision = self.revision(info.revision);
        }
        if self.is(Fault::ListsAThousand) {
            found.truncate(1000);
        }
        if self.is(Fault::ListsBackwards) {
            found.reverse();
        }
        Ok(found)
    }

    fn commit<'s, 'f>(&'s self, batch: Batch) -> Pin<Box<dyn Future<Output = Result<Receipt>> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        match self.fault {
            Fault::None => self.inner.commit(batch),
            Fault::CommitsBeforeItIsAsked => {
                let done = pollster::block_on(self.inner.commit(batch));
                Box::pin(async { done })
            }
            Fault::FinishesDroppedWrites => Box::pin(finish_on_a_thread(Arc::clone(&self.inner), batch)),
            _ => Box::pin(self.write(batch)),
        }
    }

    async fn put(&self, namespace: &str, key: &str, value: Json) -> Result<Revision> {
        if self.is(Fault::None) {
            return self.inner.put(namespace, key, value).await;
        }
        if self.is(Fault::FinishesDroppedWrites) {
            let receipt = self.commit(Batch::new().put(namespace, key, value)).await?;
            return Ok(receipt.revision(namespace).unwrap_or_default());
        }
        match self.written(Batch::new().put(namespace, key, value)).await? {
            Outcome::Written(revision) => Ok(revision),
            other => panic!("{other:?}"),
        }
    }

    async fn delete(&self, namespace: &str, key: &str) -> Result<bool> {
        if self.is(Fault::None) {
            return self.inner.delete(namespace, key).await;
        }
        Ok(!matches!(self.written(Batch::new().delete(namespace, key)).await?, Outcome::Deleted(false)))
    }

    async fn replace_object(&self, namespace: &str, object: BTreeMap<String, Json>) -> Result<Revision> {
        if self.is(Fault::None) {
            return self.inner.replace_object(namespace, object).await;
        }
        let receipt = self.write(Batch::new().replace_object(namespace, object)).await?;
        Ok(receipt.revision(&self.space(namespace)).unwrap_or_default())
    }

    async fn append(&self, namespace: &str, log: &str, entry: Json) -> Result<Seq> {
        if self.is(Fault::None) {
            return self.inner.append(namespace, log, entry).await;
        }
        match self.written(Batch::new().append(namespace, log, entry)).await? {
            Outcome::Appended(seq) => Ok(seq),
            other => panic!("{other:?}"),
        }
    }

    async fn trim_log(&self, namespace: &str, log: &str, before: Seq) -> Result<()> {
        if self.is(Fault::None) {
            return self.inner.trim_log(namespace, log, before).await;
        }
        if self.is(Fault::MakesLogsByTrimming) && self.inner.logs(namespace).await?.is_empty() {
            self.inner.commit(append_null(namespace, log)).await?;
        }
        self.write(Batch::new().trim_log(namespace, log, before)).await.map(drop)
    }

    async fn delete_namespace(&self, namespace: &str) -> Result<bool> {
        if self.is(Fault::None) {
            return self.inner.delete_namespace(namespace).await;
        }
        let had_keys = !self.inner.object(&self.space(namespace)).await?.entries.is_empty();
        match self.written(Batch::new().delete_namespace(namespace)).await? {
            Outcome::Deleted(existed) => Ok(existed),
            _ => Ok(had_keys),
        }
    }

    async fn sync(&self) -> Result<()> {
        if self.is(Fault::SyncsNothing) {
            return Ok(());
        }
        self.inner.sync().await.map_err(|e| self.error(e))
    }

    async fn close(&self) -> Result<()> {
        if self.is(Fault::NeverCloses) {
            return Ok(());
        }
        self.inner.close().await
    }

    async fn snapshot(&self, work: SnapshotWork) -> Result<()> {
        whole::snapshot(self, work).await.map_err(|e| self.error(e))
    }

    async fn rebuild(&self, operation: &'static str, work: RebuildWork) -> Result<()> {
        whole::rebuild(self, operation, work).await.map_err(|e| self.error(e))
    }

    async fn check_integrity(&self) -> Result<Vec<String>> {
        self.inner.check_integrity().await
    }

    async fn info(&self) -> Result<StoreInfo> {
        let mut info = self.inner.info().await.map_err(|e| self.error(e))?;
        if self.is(Fault::LooksIntoItsFiles) {
            drop(std::fs::File::open(&info.path));
        }
        if self.is(Fault::SaysNothingOfItsMirror)
            && let Some(mirror) = &mut info.mirror
        {
            (mirror.failures, mirror.last_error) = (0, None);
        }
        if self.is(Fault::DescribesAnother) {
            info.path = PathBuf::from("/elsewhere");
            info.durability = Durability::Process;
        }
        Ok(info)
    }

    fn timeout(&self) -> Duration {
        self.inner.timeout()
    }
}
