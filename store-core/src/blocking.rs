//! The contract for programs without async.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::batch::{Batch, Receipt};
use crate::error::Result;
use crate::ext::{StateStoreExt, Update};
use crate::json::Json;
use crate::mirror::{Mirror, MirrorConfig};
use crate::numbers::{Revision, Seq};
use crate::store::{RebuildWork, SnapshotWork, StateStore, StoreInfo};
use crate::types::{Entry, KeyRange, LogEntry, LogInfo, LogRange, NamespaceInfo, Object};

/// A store whose calls block the thread: the same calls, guarantees and errors as [`StateStore`] and
/// [`StateStoreExt`].
///
/// Do not call it from async code; there use the store itself.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use store_core::{Blocking, Result, StateStore};
///
/// fn remember(store: Arc<dyn StateStore>) -> Result<u64> {
///     let store = Blocking::new(store);
///     store.put_as("jobs", "42", "running")?;
///     store.append_as("jobs", "events", "started")
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Blocking {
    store: Arc<dyn StateStore>,
}

/// Generates the calls that only pass through.
macro_rules! pass {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $type:ty),*) -> $out:ty;)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// Those of the call of the same name of [`StateStore`].
        pub fn $name(&self, $($arg: $type),*) -> Result<$out> {
            pollster::block_on(self.store.$name($($arg),*))
        }
    )*};
}

impl Blocking {
    /// Wraps a store.
    pub fn new(store: Arc<dyn StateStore>) -> Self {
        Self { store }
    }

    /// Opens a store, blocking until it is open.
    ///
    /// # Errors
    /// Those of opening it.
    pub fn open(opening: impl Future<Output = Result<Arc<dyn StateStore>>>) -> Result<Self> {
        pollster::block_on(opening).map(Self::new)
    }

    /// Returns the store, for async code.
    pub fn store(&self) -> &Arc<dyn StateStore> {
        &self.store
    }

    /// Names a mirror of the store, to be written and checked when it is told to.
    ///
    /// # Errors
    /// Those of [`Mirror::new`].
    pub fn mirror(&self, config: MirrorConfig) -> Result<Mirror> {
        pollster::block_on(Mirror::new(Arc::clone(&self.store), config))
    }

    pass! {
        /// Returns the entry under a key, or none.
        get(namespace: &str, key: &str) -> Option<Entry>;
        /// Returns all entries of a namespace and its revision, at one instant.
        object(namespace: &str) -> Object;
        /// Returns the entries of a range of keys.
        list(namespace: &str, range: KeyRange) -> Vec<(String, Entry)>;
        /// Returns entries of a log in order.
        read_log(namespace: &str, log: &str, range: LogRange) -> Vec<LogEntry>;
        /// Returns the logs of a namespace.
        logs(namespace: &str) -> Vec<LogInfo>;
        /// Returns the namespaces that hold something.
        namespaces() -> Vec<NamespaceInfo>;
        /// Commits a batch.
        commit(batch: Batch) -> Receipt;
        /// Puts a value under a key.
        put(namespace: &str, key: &str, value: Json) -> Revision;
        /// Deletes a key and returns whether there was one.
        delete(namespace: &str, key: &str) -> bool;
        /// Replaces all keys of a namespace at one instant.
        replace_object(namespace: &str, object: BTreeMap<String, Json>) -> Revision;
        /// Appends an entry to a log and returns its number.
        append(namespace: &str, log: &str, entry: Json) -> Seq;
        /// Drops the entries of a log before a number.
        trim_log(namespace: &str, log: &str, before: Seq) -> ();
        /// Deletes all keys and logs of a namespace and returns whether there were any.
        delete_namespace(namespace: &str) -> bool;
        /// Returns once everything seen so far survives the loss of power.
        sync() -> ();
        /// Runs work on one instant of the whole store.
        snapshot(work: SnapshotWork) -> ();
        /// Runs work in one transaction that may replace all that the store holds.
        rebuild(operation: &'static str, work: RebuildWork) -> ();
        /// Lets the engine look through its own structures and returns what is wrong.
        check_integrity() -> Vec<String>;
        /// Closes the handle.
        close() -> ();
        /// Tells what store this is.
        info() -> StoreInfo;
    }

    /// Returns the value under a key, decoded.
    ///
    /// # Errors
    /// Those of [`StateStoreExt::get_as`].
    pub fn get_as<T: DeserializeOwned + Send>(&self, namespace: &str, key: &str) -> Result<Option<T>> {
        pollster::block_on(self.store.get_as(namespace, key))
    }

    /// Encodes a value and puts it under a key.
    ///
    /// # Errors
    /// Those of [`StateStoreExt::put_as`].
    pub fn put_as<T: Serialize + Sync + ?Sized>(
        &self,
        namespace: &str,
        key: &str,
        value: &T,
    ) -> Result<Revision> {
        pollster::block_on(self.store.put_as(namespace, key, value))
    }

    /// Encodes an entry and appends it to a log.
    ///
    /// # Errors
    /// Those of [`StateStoreExt::append_as`].
    pub fn append_as<T: Serialize + Sync + ?Sized>(
        &self,
        namespace: &str,
        log: &str,
        entry: &T,
    ) -> Result<Seq> {
        pollster::block_on(self.store.append_as(namespace, log, entry))
    }

    /// Reads, changes and writes a value, as if nobody else were there.
    ///
    /// # Errors
    /// Those of [`StateStoreExt::update_as`].
    pub fn update_as<T, F>(&self, namespace: &str, key: &str, change: F) -> Result<Option<Revision>>
    where
        T: Serialize + DeserializeOwned + Send,
        F: FnMut(Option<T>) -> Result<Update<T>> + Send,
    {
        pollster::block_on(self.store.update_as(namespace, key, change))
    }
}
