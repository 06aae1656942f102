//! A store of any engine: the life of a write and of a read, written once.
//!
//! ```text
//! caller ── submit ──► queue ──► leader ──► backend.write ──► answer            (process)
//!                                in the gate      └─► syncer: backend.sync ──► answer   (power)
//! ```
//!
//! | file | what it is |
//! |---|---|
//! | `pending` | a write on its way: its stages, its deadline, and the future that awaits it |
//! | `queue` | what waits for the gate, and who leads |
//! | `leader` | through the gate: drain, settle, write, conclude; the waiter thread |
//! | `settle` | what a batch means |
//! | `syncer` | the sync thread, and what a failed sync leads to |
//! | `readers` | the threads for reads that may take long |
//! | `whole` | what takes long: one instant of everything, rebuilding everything |
//! | `core`, `open` | the open store of a process, and how it is found or made |

mod core;
mod leader;
mod open;
mod pending;
mod queue;
mod readers;
mod settle;
mod syncer;
mod whole;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;

use self::core::{Core, closed};
use self::pending::{Answer, Outstanding, Pending};
use self::readers::Readers;
use self::syncer::{Barrier, Unsynced};
use crate::backend::{Backend, Engine, Snapshot, read_value};
use crate::batch::{Batch, Outcome, Receipt};
use crate::config::{Durability, Settings};
use crate::error::{Error, ErrorKind, Result};
use crate::json::Json;
use crate::limits;
use crate::numbers::{Revision, Seq};
use crate::shared::access::{Modes, access_of};
use crate::shared::gate::{Gate, Holder};
use crate::shared::place::{Place, Shape};
use crate::store::{RebuildWork, SnapshotWork, StateStore, StoreInfo};
use crate::types::{Entry, KeyRange, LogEntry, LogInfo, LogRange, NamespaceInfo, Object};
use crate::wait::slot::Slot;
use crate::wait::timer::Alarm;

/// A handle on a store of an engine that runs in this process.
///
/// Handles of one process on one place share connections, queue and threads, so that its writers are
/// serialised whatever handles they hold.
#[derive(Debug)]
pub struct Embedded<B: Backend> {
    core: Arc<Core<B>>,
    about: StoreInfo,
    settings: Settings,
    /// Whether the engine can give the durability `power`.
    survives_power: bool,
    closed: AtomicBool,
    outstanding: Arc<Outstanding>,
}

impl<B: Backend> Embedded<B> {
    /// Opens the store at a path, and creates it if it is missing and the settings do not say no.
    ///
    /// Nothing on disk needs the gate unless something has to be made, so a healthy store opens while
    /// somebody holds the gate for long.
    ///
    /// # Errors
    /// - `ConfigInvalid` for settings that cannot be, and for a place that cannot hold a store.
    /// - `Unsupported` for the durability `power` on an engine that cannot give it.
    /// - `NotFound` if there is no store and none may be created.
    /// - `PermissionDenied`, `Corrupted`, `IncompatibleFormat`, `StorageFull`, `Io` for what is found there.
    /// - `Busy` if it did not open within the timeout.
    pub async fn open<E: Engine<Backend = B>>(engine: E, path: &Path, settings: Settings) -> Result<Self> {
        settings.validate()?;
        let path =
            std::path::absolute(path).map_err(|e| Error::from_io("cannot resolve the path", path, e))?;
        let about = StoreInfo::new(engine.name(), engine.version(), path.clone());
        let survives_power = engine.survives_power();
        if settings.durability == Durability::Power && !survives_power {
            return Err(no_power(&about.engine).with_operation("open").with_path(path));
        }
        let opening = Arc::new(Readers::default());
        let obstacle = opening_obstacle(path.clone(), engine.shape());
        let chosen = settings.clone();
        let opened = opening.run(settings.timeout, obstacle, move |deadline| {
            Ok(Opened { core: Some(open::open(&engine, &path, &chosen, deadline)?) })
        });
        opening.close();
        let mut opened = opened.await.map_err(|e| e.with_operation("open").with_path(about.path.clone()))?;
        let core = opened.core.take().ok_or_else(closed)?;
        let about = StoreInfo {
            path: core.place.path().to_owned(),
            // An engine may give more than was asked for, and says so.
            durability: match core.backend.durability() {
                Durability::Power => Durability::Power,
                Durability::Process => settings.durability,
            },
            created: core.created,
            gate: core.place.gate(),
            ..about
        };
        let (closed, outstanding) = (AtomicBool::new(false), Arc::default());
        Ok(Self { core, about, settings, survives_power, closed, outstanding })
    }

    fn context(&self, operation: &'static str) -> impl FnOnce(Error) -> Error + '_ {
        move |error| error.with_operation(operation).with_path(self.core.place.path())
    }

    fn check_open(&self) -> Result<()> {
        self.core.check_process()?;
        if self.closed.load(Ordering::Acquire) { Err(closed()) } else { Ok(()) }
    }

    fn check_writable(&self) -> Result<()> {
        if !self.settings.read_only {
            return Ok(());
        }
        let why = "the store was opened with read_only=true; open it without to write";
        Err(Error::new(ErrorKind::ReadOnly, why))
    }

    /// Runs a read of one instant on the reader threads.
    async fn read<T: Send + 'static>(
        &self,
        work: impl Fn(&dyn Snapshot) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let core = Arc::clone(&self.core);
        let obstacle = {
            let core = Arc::clone(&self.core);
            move || match core.backend.holder() {
                holder if holder.is_empty() => "the read did not end".into(),
                holder => holder,
            }
        };
        let work = move |deadline| {
            core.check_place()?;
            read_value(&core.backend, deadline, work)
        };
        self.core.readers.run(self.settings.timeout, obstacle, work).await
    }

    async fn write(&self, batch: Batch) -> Result<Receipt> {
        self.check_open()?;
        self.check_writable()?;
        let size = batch.validate(&self.settings.limits)?;
        if batch.is_empty() {
            return Ok(Receipt::default());
        }
        let within = batch.wanted_deadline().unwrap_or(self.settings.timeout);
        let durability = batch.wanted_durability().unwrap_or(self.settings.durability);
        if durability == Durability::Power && !self.survives_power {
            return Err(no_power(&self.about.engine));
        }
        let needs_sync = durability == Durability::Power
            && self.core.backend.durability() == Durability::Process
            && !batch.writes().is_empty();
        let (queue, outstanding) = (Arc::clone(&self.core.queue), Arc::clone(&self.outstanding));
        let pending = Arc::new(Pending::new(batch, size, needs_sync, within, queue, outstanding));
        let answer = Answer::new(Arc::clone(&pending));
        self.core.submit(pending);
        answer.await
    }

    async fn write_one(&self, batch: Batch, operation: &'static str) -> Result<(Outcome, Receipt)> {
        let receipt = self.write(batch).await.map_err(self.context(operation))?;
        let outcome = receipt.outcomes().first().copied();
        outcome.map(|outcome| (outcome, receipt)).ok_or_else(|| odd_outcome(operation))
    }
}

/// What an opening thread hands over; if nobody takes it, the handle that was counted goes again.
struct Opened<B: Backend> {
    core: Option<Arc<Core<B>>>,
}

impl<B: Backend> Drop for Opened<B> {
    fn drop(&mut self) {
        if let Some(core) = self.core.take() {
            core.leave();
        }
    }
}

fn opening_obstacle(path: PathBuf, shape: Shape) -> impl Fn() -> String + Send + Sync + 'static {
    move || {
        let holder = Place::resolve(&path, shape).map_or(Holder::Unknown, |place| {
            Gate::new(place.gate(), Modes::of(crate::Access::Private, None)).holder()
        });
        match holder {
            Holder::Nobody => "the store did not open".to_owned(),
            holder => format!("the store did not open: the gate is held by {holder}"),
        }
    }
}

fn no_power(engine: &str) -> Error {
    let why = format!("the engine {engine:?} keeps nothing over a loss of power; ask for durability=process");
    Error::new(ErrorKind::Unsupported, why)
}

fn odd_outcome(operation: &'static str) -> Error {
    let why = "the receipt does not fit the write; report this as a bug";
    Error::new(ErrorKind::Indeterminate, why).with_operation(operation)
}

impl<B: Backend> Drop for Embedded<B> {
    fn drop(&mut self) {
        // A forked child must not touch what the parent's threads may have locked when it forked.
        if !self.closed.load(Ordering::Acquire) && self.core.is_own_process() {
            self.core.leave();
        }
    }
}

#[async_trait]
impl<B: Backend> StateStore for Embedded<B> {
    async fn get(&self, namespace: &str, key: &str) -> Result<Option<Entry>> {
        let checked = self.check_open().and_then(|()| {
            limits::check_namespace(namespace)?;
            limits::check_key(key)
        });
        let read = match checked.and_then(|()| self.core.backend.get(namespace, key)) {
            Err(error) if error.kind() == ErrorKind::Busy => {
                let (namespace, key) = (namespace.to_owned(), key.to_owned());
                self.read(move |snapshot| snapshot.get(&namespace, &key)).await
            }
            other => other,
        };
        read.map_err(|e| self.context("get")(e.with_key(namespace, key)))
    }

    async fn object(&self, namespace: &str) -> Result<Object> {
        let read = async {
            self.check_open()?;
            limits::check_namespace(namespace)?;
            let name = namespace.to_owned();
            self.read(move |snapshot| read_object(snapshot, &name)).await
        };
        read.await.map_err(|e: Error| self.context("object")(e.with_namespace(namespace)))
    }

    async fn list(&self, namespace: &str, range: KeyRange) -> Result<Vec<(String, Entry)>> {
        let read = async {
            self.check_open()?;
            limits::check_namespace(namespace)?;
            let name = namespace.to_owned();
            self.read(move |snapshot| read_range(snapshot, &name, &range)).await
        };
        read.await.map_err(|e: Error| self.context("list")(e.with_namespace(namespace)))
    }

    async fn read_log(&self, namespace: &str, log: &str, range: LogRange) -> Result<Vec<LogEntry>> {
        let read = async {
            self.check_open()?;
            limits::check_namespace(namespace)?;
            limits::check_log(log)?;
            let (namespace, log) = (namespace.to_owned(), log.to_owned());
            self.read(move |snapshot| read_page(snapshot, &namespace, &log, range)).await
        };
        read.await.map_err(|e: Error| self.context("read_log")(e.with_key(namespace, log)))
    }

    async fn logs(&self, namespace: &str) -> Result<Vec<LogInfo>> {
        let read = async {
            self.check_open()?;
            limits::check_namespace(namespace)?;
            let name = namespace.to_owned();
            self.read(move |snapshot| {
                let mut logs = Vec::new();
                snapshot.logs(&name, &mut |info| {
                    logs.push(info);
                    ControlFlow::Continue(())
                })?;
                Ok(logs)
            })
            .await
        };
        read.await.map_err(|e: Error| self.context("logs")(e.with_namespace(namespace)))
    }

    async fn namespaces(&self) -> Result<Vec<NamespaceInfo>> {
        let read = async {
            self.check_open()?;
            self.read(|snapshot| {
                let mut found = Vec::new();
                snapshot.namespaces(&mut |info| {
                    found.push(info);
                    ControlFlow::Continue(())
                })?;
                Ok(found)
            })
            .await
        };
        read.await.map_err(self.context("namespaces"))
    }

    async fn commit(&self, batch: Batch) -> Result<Receipt> {
        self.write(batch).await.map_err(self.context("commit"))
    }

    async fn put(&self, namespace: &str, key: &str, value: Json) -> Result<Revision> {
        let written = self.write_one(Batch::new().put(namespace, key, value), "put").await;
        match written.map_err(|e| e.with_key(namespace, key))?.0 {
            Outcome::Written(revision) => Ok(revision),
            _ => Err(odd_outcome("put")),
        }
    }

    async fn delete(&self, namespace: &str, key: &str) -> Result<bool> {
        let written = self.write_one(Batch::new().delete(namespace, key), "delete").await;
        match written.map_err(|e| e.with_key(namespace, key))?.0 {
            Outcome::Deleted(existed) => Ok(existed),
            _ => Err(odd_outcome("delete")),
        }
    }

    async fn replace_object(&self, namespace: &str, object: BTreeMap<String, Json>) -> Result<Revision> {
        let written = self.write_one(Batch::new().replace_object(namespace, object), "replace_object").await;
        match written.map_err(|e| e.with_namespace(namespace))?.0 {
            Outcome::Written(revision) => Ok(revision),
            _ => Err(odd_outcome("replace_object")),
        }
    }

    async fn append(&self, namespace: &str, log: &str, entry: Json) -> Result<Seq> {
        let written = self.write_one(Batch::new().append(namespace, log, entry), "append").await;
        match written.map_err(|e| e.with_key(namespace, log))?.0 {
            Outcome::Appended(seq) => Ok(seq),
            _ => Err(odd_outcome("append")),
        }
    }

    async fn trim_log(&self, namespace: &str, log: &str, before: Seq) -> Result<()> {
        let written = self.write_one(Batch::new().trim_log(namespace, log, before), "trim_log").await;
        written.map(drop).map_err(|e| e.with_key(namespace, log))
    }

    async fn delete_namespace(&self, namespace: &str) -> Result<bool> {
        let written = self.write_one(Batch::new().delete_namespace(namespace), "delete_namespace").await;
        match written.map_err(|e| e.with_namespace(namespace))?.0 {
            Outcome::Deleted(existed) => Ok(existed),
            _ => Err(odd_outcome("delete_namespace")),
        }
    }

    async fn sync(&self) -> Result<()> {
        self.check_open().map_err(self.context("sync"))?;
        if !self.survives_power {
            return Err(self.context("sync")(no_power(&self.about.engine)));
        }
        // What a commit survives by itself others may see before it does, and then this has to wait for it.
        let barrier = Arc::new(Barrier { slot: Slot::new() });
        let deadline = Instant::now() + self.settings.timeout;
        let _alarm = Alarm::set(deadline, &barrier).map_err(self.context("sync"))?;
        self.core.sync_later(vec![Unsynced::Barrier(Arc::clone(&barrier))]);
        std::future::poll_fn(|context| barrier.slot.poll(context)).await.map_err(self.context("sync"))
    }

    async fn close(&self) -> Result<()> {
        self.core.check_process().map_err(self.context("close"))?;
        if self.closed.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        let drained = self.outstanding.drained(self.settings.timeout).await;
        self.core.leave();
        drained.map_err(self.context("close"))
    }

    async fn snapshot(&self, work: SnapshotWork) -> Result<()> {
        self.check_open().map_err(self.context("snapshot"))?;
        self.core.snapshot(self.settings.timeout, work).await.map_err(self.context("snapshot"))?;
        // Where nothing survives the loss of power, nobody was promised that it does.
        if self.survives_power { self.sync().await } else { Ok(()) }
    }

    async fn rebuild(&self, operation: &'static str, work: RebuildWork) -> Result<()> {
        let checked = self.check_open().and_then(|()| self.check_writable());
        checked.map_err(self.context(operation))?;
        let rebuilt = self.core.rebuild(operation, self.settings.timeout, self.survives_power, work);
        rebuilt.await.map_err(self.context(operation))
    }

    async fn check_integrity(&self) -> Result<Vec<String>> {
        self.check_open().map_err(self.context("check_integrity"))?;
        self.core.check_integrity(self.settings.timeout).await.map_err(self.context("check_integrity"))
    }

    async fn info(&self) -> Result<StoreInfo> {
        self.check_open().map_err(self.context("info"))?;
        let epoch = self.read(|snapshot| snapshot.epoch()).await.map_err(self.context("info"))?;
        let (holder, in_doubt) = self.core.gate.inspect();
        let mut info = StoreInfo { epoch: epoch.number, in_doubt, ..self.about.clone() };
        let data = self.core.place.data().metadata().ok();
        info.access = data.as_ref().map(access_of);
        info.modes = data.as_ref().map(Modes::of_file);
        info.gate_holder = (holder != Holder::Nobody).then(|| holder.to_string());
        let files = self.core.backend.files().into_iter();
        info.files = files.filter_map(|path| path.metadata().ok().map(|found| (path, found.len()))).collect();
        Ok(info)
    }

    fn timeout(&self) -> Duration {
        self.settings.timeout
    }
}

fn read_object(snapshot: &dyn Snapshot, namespace: &str) -> Result<Object> {
    let entries = read_range(snapshot, namespace, &KeyRange::all())?.into_iter().collect();
    Ok(Object { revision: snapshot.revision(namespace)?, entries })
}

fn read_range(snapshot: &dyn Snapshot, namespace: &str, range: &KeyRange) -> Result<Vec<(String, Entry)>> {
    let limit = range.limit().unwrap_or(usize::MAX);
    let mut found = Vec::new();
    if limit == 0 {
        return Ok(found);
    }
    snapshot.scan(namespace, range, &mut |key, entry| {
        found.push((key.to_owned(), entry));
        if found.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(found)
}

fn read_page(snapshot: &dyn Snapshot, namespace: &str, log: &str, range: LogRange) -> Result<Vec<LogEntry>> {
    let limit = range.limit().unwrap_or(u64::MAX);
    let mut page = Vec::new();
    let Some(info) = snapshot.log_info(namespace, log)? else { return Ok(page) };
    let first = range.first_wanted(&info);
    if limit == 0 || first > info.last {
        return Ok(page);
    }
    snapshot.scan_log(namespace, log, first, &mut |entry| {
        page.push(entry);
        if (page.len() as u64) < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(page)
}
