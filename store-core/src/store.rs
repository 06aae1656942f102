//! The contract: what a state store does, whatever the engine.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;

use crate::backend::{Snapshot, Transaction};
use crate::batch::{Batch, Receipt};
use crate::config::{Access, Durability};
use crate::error::{Error, ErrorKind, Result};
use crate::json::Json;
use crate::mirror::MirrorStatus;
use crate::numbers::{Revision, Seq};
use crate::shared::access::Modes;
use crate::types::{Entry, KeyRange, LogEntry, LogInfo, LogRange, NamespaceInfo, Object};

/// What [`StateStore::snapshot`] runs.
pub type SnapshotWork = Box<dyn FnMut(&dyn Snapshot) -> Result<()> + Send>;
/// What [`StateStore::rebuild`] runs.
pub type RebuildWork = Box<dyn FnMut(&mut dyn Transaction) -> Result<()> + Send>;

/// State that several processes and users of one machine share: objects of JSON values and append-only logs
/// in namespaces.
///
/// - **Atomic**: a batch, and every single write is one, is seen whole or not at all by every reader.
/// - **Linearizable**: each call takes effect at one instant between its start and its return.
/// - **Durable**: an acknowledged write survives what its [`Durability`] says.
/// - **Bounded**: no call waits past its deadline, the store's timeout unless a batch brings its own.
/// - **Loud**: every failure is a typed [`Error`](crate::Error); all kinds but `Indeterminate` mean that the
///   call surely changed nothing.
///
/// Any executor runs it; no runtime is asked for. Dropping the future of a write that is still queued means
/// that it never happens; one that was taken goes on.
///
/// # Errors
/// Every method can return `Busy` (deadline passed, surely not done), `Closed`, `PermissionDenied`,
/// `Corrupted`, `Io`, and `InvalidInput` for a name that cannot be. Every write can also return `ReadOnly`,
/// `TooLarge`, `StorageFull` and `Indeterminate`.
///
/// # Examples
/// ```
/// use store_core::{Json, Result, StateStore};
///
/// async fn remember(store: &dyn StateStore) -> Result<()> {
///     store.put("jobs", "42", r#"{"state": "running"}"#.parse()?).await?;
///     let entry = store.get("jobs", "42").await?;
///     assert!(entry.is_some_and(|entry| entry.value.as_str() == r#"{"state":"running"}"#));
///     store.append("jobs", "events", Json::from("started")).await?;
///     Ok(())
/// }
/// ```
#[async_trait]
pub trait StateStore: Debug + Send + Sync + 'static {
    /// Returns the entry under a key, or none.
    ///
    /// - The value is the text that was put, white space aside: digits, key order and escapes are kept.
    /// - It runs on the caller's thread and does not wait, unless the engine is not ready at once.
    async fn get(&self, namespace: &str, key: &str) -> Result<Option<Entry>>;

    /// Returns all entries of a namespace and its revision, at one instant.
    ///
    /// - A namespace never written gives revision 0 and no entries.
    /// - While it is replaced, readers see the old object or the new one.
    async fn object(&self, namespace: &str) -> Result<Object>;

    /// Returns the entries of a range of keys, in the order of the keys' bytes, at one instant.
    async fn list(&self, namespace: &str, range: KeyRange) -> Result<Vec<(String, Entry)>>;

    /// Returns entries of a log in order, at one instant; none if there is no such log.
    async fn read_log(&self, namespace: &str, log: &str, range: LogRange) -> Result<Vec<LogEntry>>;

    /// Returns the logs of a namespace by name, with their extents.
    async fn logs(&self, namespace: &str) -> Result<Vec<LogInfo>>;

    /// Returns the namespaces that hold a key or a log, by name.
    async fn namespaces(&self) -> Result<Vec<NamespaceInfo>>;

    /// Commits a batch: all of its writes at one instant, if all of its checks hold; else none.
    ///
    /// - Checks are against the state before the batch; writes apply in order.
    /// - All changes of one object in a batch share one revision.
    ///
    /// # Errors
    /// `Conflict` for a check that does not hold, with what was found; and those of every write.
    async fn commit(&self, batch: Batch) -> Result<Receipt>;

    /// Puts a value under a key, whatever was there, and returns the object's new revision.
    ///
    /// - Putting an equal value is a change too and gets a revision.
    async fn put(&self, namespace: &str, key: &str, value: Json) -> Result<Revision>;

    /// Deletes a key and returns whether there was one; deleting a missing key changes nothing.
    async fn delete(&self, namespace: &str, key: &str) -> Result<bool>;

    /// Deletes all keys of a namespace and inserts these, at one instant; returns the new revision.
    ///
    /// - No reader ever sees it empty, mixed or half done. Logs stay as they are.
    async fn replace_object(&self, namespace: &str, object: BTreeMap<String, Json>) -> Result<Revision>;

    /// Appends an entry to a log and returns its number: the last one's plus 1, from 1.
    ///
    /// - Does not raise the revision of the object.
    async fn append(&self, namespace: &str, log: &str, entry: Json) -> Result<Seq>;

    /// Drops the entries of a log numbered below `before`; the numbering goes on where it was.
    ///
    /// - Past the end, all entries go. Trimming a missing log changes nothing.
    async fn trim_log(&self, namespace: &str, log: &str, before: Seq) -> Result<()>;

    /// Deletes all keys and logs of a namespace and returns whether there were any.
    ///
    /// - The revision goes on growing where it was; logs start again at 1.
    async fn delete_namespace(&self, namespace: &str) -> Result<bool>;

    /// Returns once everything seen so far, by whomever it was written, survives the loss of power.
    ///
    /// # Errors
    /// `Indeterminate` if the sync failed.
    async fn sync(&self) -> Result<()>;

    /// Closes the handle: new calls fail with `Closed`; what is queued is answered before it returns, within
    /// the timeout.
    async fn close(&self) -> Result<()>;

    /// Runs work on one instant of the whole store, for as long as it takes, on a thread of its own, and returns
    /// once what the work saw survives the loss of power.
    ///
    /// - Others go on writing, but for engines whose files are read in the gate; they say so.
    /// - The work may be run more than once; what its last run saw counts.
    /// - The timeout bounds the wait for the instant, not the work. A future that is dropped before the work has
    ///   begun never runs it.
    ///
    /// # Errors
    /// `Unsupported` by a store that has no such instant; the work's own.
    async fn snapshot(&self, work: SnapshotWork) -> Result<()> {
        drop(work);
        Err(lacks("snapshot"))
    }

    /// Runs work in one transaction that may replace all that the store holds, in the gate, for as long as it
    /// takes; all of it is seen at one instant, or none. For tools that rebuild a store: who writes uses batches.
    ///
    /// - The work itself keeps the rules of revisions and numbers. It must not call this store.
    /// - The timeout bounds the wait for the gate, not the work. A future that is dropped before the work has
    ///   begun never runs it.
    /// - What a failed sync left in doubt is written anew first.
    ///
    /// # Errors
    /// `Unsupported` by a store that cannot; the work's own, after which nothing was changed; those of every
    /// write.
    async fn rebuild(&self, operation: &'static str, work: RebuildWork) -> Result<()> {
        drop(work);
        Err(lacks(operation))
    }

    /// Lets the engine look through its own structures, where reading does not show that they are whole, and returns
    /// what is wrong, in words. What every record holds is checked by reading it.
    ///
    /// # Errors
    /// `Unsupported` by a store that cannot; any that keeps it from looking.
    async fn check_integrity(&self) -> Result<Vec<String>> {
        Err(lacks("check_integrity"))
    }

    /// Tells what store this is, and who holds its gate; never waits for the gate.
    async fn info(&self) -> Result<StoreInfo>;

    /// Returns how long a call waits at most unless its batch says otherwise.
    fn timeout(&self) -> Duration;
}

fn lacks(operation: &'static str) -> Error {
    let why = "this store does not have one instant of everything; ask the store that it is made of";
    Error::new(ErrorKind::Unsupported, why).with_operation(operation)
}

/// What store a handle is open on, and how it stands, for people who operate it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreInfo {
    /// The engine's name, the scheme of its URLs.
    pub engine: String,
    /// The engine's version.
    pub engine_version: String,
    /// The absolute path.
    pub path: PathBuf,
    /// What an acknowledged write survives by default.
    pub durability: Durability,
    /// Whether this process created the store when it opened it.
    pub created: bool,
    /// The store's epoch, the high part of its revisions.
    pub epoch: u32,
    /// The files and their sizes in bytes; files that are not there are left out.
    pub files: Vec<(PathBuf, u64)>,
    /// Who may share the files, as the rights of the data file say; none if it cannot be looked at.
    pub access: Option<Access>,
    /// The modes and the group of what belongs to the store, as the data file says; none if it cannot be
    /// looked at.
    pub modes: Option<Modes>,
    /// The absolute path of the gate.
    pub gate: PathBuf,
    /// Who holds the gate: none if it is free.
    pub gate_holder: Option<String>,
    /// Whether a sync failed, so that the next writer rewrites what is in doubt first.
    pub in_doubt: bool,
    /// How the mirror of this handle stands; none if it has none.
    pub mirror: Option<MirrorStatus>,
}

impl StoreInfo {
    /// Starts a description, for implementations of the contract; the rest is filled in field by field.
    pub fn new(engine: impl Into<String>, engine_version: impl Into<String>, path: PathBuf) -> Self {
        Self {
            engine: engine.into(),
            engine_version: engine_version.into(),
            path,
            durability: Durability::default(),
            created: false,
            epoch: 0,
            files: Vec::new(),
            access: None,
            modes: None,
            gate: PathBuf::new(),
            gate_holder: None,
            in_doubt: false,
            mirror: None,
        }
    }
}
