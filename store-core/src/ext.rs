//! Typed sugar over the contract, for every store.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{Mutex, MutexGuard};

use crate::batch::Batch;
use crate::error::{Error, ErrorKind, Result};
use crate::json::Json;
use crate::numbers::{Expect, Revision, Seq};
use crate::store::StateStore;
use crate::types::Entry;
use crate::wait::timer;

/// What [`update_as`](StateStoreExt::update_as) makes of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Update<T> {
    /// Puts this value.
    Put(T),
    /// Deletes the key; nothing happens if there is none.
    Delete,
    /// Leaves everything as it is.
    Keep,
}

/// Typed calls on every store.
///
/// # Examples
/// ```
/// use store_core::{Result, StateStore, StateStoreExt, Update};
///
/// async fn count(store: &dyn StateStore) -> Result<()> {
///     store.update_as("stats", "visits", |n: Option<u64>| Ok(Update::Put(n.unwrap_or(0) + 1))).await?;
///     let visits: Option<u64> = store.get_as("stats", "visits").await?;
///     assert!(visits >= Some(1));
///     Ok(())
/// }
/// ```
#[async_trait]
pub trait StateStoreExt: StateStore {
    /// Returns the value under a key, decoded.
    ///
    /// # Errors
    /// `InvalidInput` if it is not of that type; those of [`get`](StateStore::get).
    async fn get_as<T: DeserializeOwned + Send>(&self, namespace: &str, key: &str) -> Result<Option<T>> {
        let entry = self.get(namespace, key).await?;
        entry.map(|entry| decode(&entry, namespace, key)).transpose()
    }

    /// Encodes a value and puts it under a key.
    ///
    /// # Errors
    /// `InvalidInput` for what JSON cannot say, such as NaN; those of [`put`](StateStore::put).
    async fn put_as<T: Serialize + Sync + ?Sized>(
        &self,
        namespace: &str,
        key: &str,
        value: &T,
    ) -> Result<Revision> {
        let value = Json::encode(value).map_err(|e| e.with_operation("put_as").with_key(namespace, key))?;
        self.put(namespace, key, value).await
    }

    /// Encodes an entry and appends it to a log.
    ///
    /// # Errors
    /// `InvalidInput` for what JSON cannot say, such as NaN; those of [`append`](StateStore::append).
    async fn append_as<T: Serialize + Sync + ?Sized>(
        &self,
        namespace: &str,
        log: &str,
        entry: &T,
    ) -> Result<Seq> {
        let entry =
            Json::encode(entry).map_err(|e| e.with_operation("append_as").with_key(namespace, log))?;
        self.append(namespace, log, entry).await
    }

    /// Reads a value, lets `change` decide, and writes under the check that nobody wrote in between; returns
    /// the object's new revision, or none if nothing changed.
    ///
    /// - Writers of one process take turns; against those of others it is tried again, after a short random
    ///   rest, until the store's timeout. So `change` may run more than once.
    /// - Never tried again after `Indeterminate`.
    ///
    /// # Errors
    /// - What `change` returns, and then nothing is changed.
    /// - `Busy` if others were always faster until the timeout.
    /// - Those of [`get_as`](Self::get_as) and [`commit`](StateStore::commit).
    async fn update_as<T, F>(&self, namespace: &str, key: &str, mut change: F) -> Result<Option<Revision>>
    where
        T: Serialize + DeserializeOwned + Send,
        F: FnMut(Option<T>) -> Result<Update<T>> + Send,
    {
        let named = |e: Error| e.with_operation("update_as").with_key(namespace, key);
        let deadline = Instant::now() + self.timeout();
        let _turn = take_turn(namespace, key, deadline).await.map_err(named)?;
        let mut rest = FIRST_REST;
        loop {
            let entry = self.get(namespace, key).await?;
            let (expect, value) = match &entry {
                Some(entry) => (Expect::Revision(entry.revision), Some(decode(entry, namespace, key)?)),
                None => (Expect::Absent, None),
            };
            let batch = Batch::new().check(namespace, key, expect);
            let batch = match change(value).map_err(named)? {
                Update::Put(value) => batch.put(namespace, key, Json::encode(&value).map_err(named)?),
                Update::Delete if entry.is_some() => batch.delete(namespace, key),
                Update::Delete | Update::Keep => return Ok(None),
            };
            let left = deadline.saturating_duration_since(Instant::now());
            match self.commit(batch.deadline(left)).await {
                Ok(receipt) => return Ok(receipt.revision(namespace)),
                Err(error) if error.kind() != ErrorKind::Conflict => return Err(named(error)),
                Err(conflict) => {
                    let next = next_try(&mut rest, deadline, conflict).map_err(named)?;
                    timer::sleep_until(next).await?;
                }
            }
        }
    }
}

impl<S: StateStore + ?Sized> StateStoreExt for S {}

const FIRST_REST: Duration = Duration::from_micros(100);
const LONGEST_REST: Duration = Duration::from_millis(20);

/// Returns when to try again, after a random part of a rest that doubles.
fn next_try(rest: &mut Duration, deadline: Instant, conflict: Error) -> Result<Instant> {
    let next = Instant::now() + rest.mul_f64(fastrand::f64());
    *rest = (*rest * 2).min(LONGEST_REST);
    if next < deadline {
        return Ok(next);
    }
    let why = "others changed the value between reading and writing, until the timeout; nothing was changed, \
               try again or raise the timeout";
    Err(Error::new(ErrorKind::Busy, why).with_source(conflict))
}

fn decode<T: DeserializeOwned>(entry: &Entry, namespace: &str, key: &str) -> Result<T> {
    entry.value.decode().map_err(|e| e.with_operation("get_as").with_key(namespace, key))
}

/// The turns of this process: one for each hash of a key, so that unrelated keys seldom meet.
static TURNS: LazyLock<Vec<Mutex<()>>> = LazyLock::new(|| (0..256).map(|_| Mutex::new(())).collect());

async fn take_turn(namespace: &str, key: &str, deadline: Instant) -> Result<Option<MutexGuard<'static, ()>>> {
    let mut hasher = DefaultHasher::new();
    (namespace, key).hash(&mut hasher);
    let turn = usize::try_from(hasher.finish() % TURNS.len() as u64).ok().and_then(|at| TURNS.get(at));
    let Some(turn) = turn else { return Ok(None) };
    if let Ok(taken) = turn.try_lock() {
        return Ok(Some(taken));
    }
    let Some(taken) = timer::until(deadline, turn.lock()).await? else {
        let why =
            "other updates of this process did not end before the timeout; nothing was changed, try again";
        return Err(Error::new(ErrorKind::Busy, why));
    };
    Ok(Some(taken))
}
