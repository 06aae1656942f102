//! What was read goes into a store: one batch, one commit, under checks.

use std::collections::BTreeMap;
use std::time::Duration;

use store_core::{
    Batch, Blocking, Error, ErrorKind, Json, Limits, Receipt, Result, Revision, Seq, StateStore,
};

use crate::StoreConfig;

/// What an import does where something is already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Existing {
    /// It is refused: an object that has keys, or a log that has entries, stays as it is.
    #[default]
    Refuse,
    /// It takes the place of what is there: other keys go, a log starts anew; its numbers go on.
    Replace,
    /// Its keys take the place of those that are there, other keys stay. Logs are refused as by `Refuse`, for
    /// a second import would have every entry twice.
    Merge,
}

/// What an import did to an object or a log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Imported {
    /// Keys of an object.
    Object {
        /// The namespace.
        namespace: String,
        /// How many keys were written.
        keys: usize,
        /// The revision that wrote them; that of before if nothing had to be.
        revision: Revision,
    },
    /// Entries of a log.
    Log {
        /// The namespace.
        namespace: String,
        /// The log.
        log: String,
        /// How many entries were appended.
        entries: usize,
        /// The numbers of the first and the last; none if there are no entries.
        numbers: Option<(Seq, Seq)>,
    },
}

/// What there is to import; all of it becomes one batch.
///
/// # Examples
/// ```
/// # async fn run(store: &dyn statestore::StateStore) -> statestore::Result<()> {
/// use statestore::import::{self, Existing, Import};
///
/// // Takes the old file over when the service first starts with the store; a second start finds it done.
/// let jobs = import::object(br#"{"42": {"state": "running"}}"#)?;
/// match Import::new().with_object("jobs", jobs).commit(store, Existing::Refuse).await {
///     Err(error) if error.kind() == statestore::ErrorKind::Conflict => Ok(()),
///     done => done.map(drop),
/// }
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Import {
    objects: BTreeMap<String, BTreeMap<String, Json>>,
    logs: BTreeMap<(String, String), Vec<Json>>,
}

/// What the store held before.
#[derive(Default)]
struct Seen {
    revisions: BTreeMap<String, Revision>,
}

impl Import {
    /// How much of an import a slow disk takes in a second, for the time that it is given.
    const SLOW: u64 = 1 << 20;

    /// Makes an import of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.logs.is_empty()
    }

    /// Adds an object.
    pub fn with_object(mut self, namespace: impl Into<String>, object: BTreeMap<String, Json>) -> Self {
        self.objects.insert(namespace.into(), object);
        self
    }

    /// Adds a log.
    pub fn with_log(
        mut self,
        namespace: impl Into<String>,
        log: impl Into<String>,
        entries: Vec<Json>,
    ) -> Self {
        self.logs.insert((namespace.into(), log.into()), entries);
        self
    }

    /// Checks everything and returns the configuration with room for it in one batch: a larger
    /// [`Limits::batch`] where it needs one, up to [`Limits::CEILING`], and more time.
    ///
    /// # Errors
    /// - `InvalidInput` for a name that cannot be.
    /// - `TooLarge` for a value over its limit, or if it does not fit into one batch at all.
    pub fn fit(&self, config: StoreConfig) -> Result<StoreConfig> {
        let settings = config.settings();
        let (limits, timeout) = (settings.limits, settings.timeout);
        let size = self.batch(Existing::Replace).validate(&Limits { batch: u64::MAX, ..limits })?;
        let most = limits.batch.max(Limits::CEILING);
        if size > most {
            let why = format!(
                "the import has {size} bytes, and one transaction takes at most {most}; split the input: an object into \
                 parts that are merged one after the other, a log into several logs"
            );
            return Err(Error::new(ErrorKind::TooLarge, why));
        }
        let timeout = timeout.saturating_add(Duration::from_secs(size / Self::SLOW));
        Ok(config.with_limits(Limits { batch: limits.batch.max(size), ..limits }).with_timeout(timeout))
    }

    /// Commits all of it at one instant, or nothing.
    ///
    /// What is refused by `existing` is looked for first and checked again within the commit, so that nobody
    /// can write in between.
    ///
    /// # Errors
    /// - `Conflict` if something is there that `existing` keeps, or was written in between.
    /// - `TooLarge` as the store's limits have it; see [`fit`](Self::fit).
    /// - Those of [`StateStore::commit`].
    pub async fn commit(&self, store: &dyn StateStore, existing: Existing) -> Result<Vec<Imported>> {
        let mut batch = self.batch(existing);
        let mut seen = Seen::default();
        for namespace in self.objects.keys() {
            // Also where nothing is refused: an import of no key has a revision to tell.
            let object = store.object(namespace).await?;
            if existing == Existing::Refuse {
                if !object.entries.is_empty() {
                    return Err(holds_keys(namespace, object.entries.len()));
                }
                batch = batch.check_object(namespace, object.revision);
            }
            seen.revisions.insert(namespace.clone(), object.revision);
        }
        if existing != Existing::Replace {
            for (namespace, log) in self.logs.keys() {
                let logs = store.logs(namespace).await?;
                let info = logs.into_iter().find(|info| info.name == *log);
                if let Some(info) = info.as_ref().filter(|info| info.first <= info.last) {
                    return Err(holds_entries(namespace, log, info.last - info.first + 1));
                }
                batch = batch.check_log(namespace, log, info.map_or(0, |info| info.last));
            }
        }
        let receipt = store.commit(batch).await?;
        Ok(self.report(&receipt, &seen))
    }

    /// Does the same in a program without async; it blocks the thread.
    ///
    /// # Errors
    /// Those of [`commit`](Self::commit).
    pub fn commit_blocking(&self, store: &Blocking, existing: Existing) -> Result<Vec<Imported>> {
        pollster::block_on(self.commit(store.store().as_ref(), existing))
    }

    /// Returns the writes: those of the objects, then those of the logs.
    fn batch(&self, existing: Existing) -> Batch {
        let mut batch = Batch::new();
        for (namespace, object) in &self.objects {
            batch = match existing {
                Existing::Merge => {
                    object.iter().fold(batch, |b, (key, value)| b.put(namespace, key, value.clone()))
                }
                Existing::Refuse | Existing::Replace => batch.replace_object(namespace, object.clone()),
            };
        }
        for ((namespace, log), entries) in &self.logs {
            if existing == Existing::Replace {
                batch = batch.trim_log(namespace, log, Seq::MAX);
            }
            batch = entries.iter().fold(batch, |b, entry| b.append(namespace, log, entry.clone()));
        }
        batch
    }

    fn report(&self, receipt: &Receipt, seen: &Seen) -> Vec<Imported> {
        let objects = self.objects.iter().map(|(namespace, object)| Imported::Object {
            namespace: namespace.clone(),
            keys: object.len(),
            revision: receipt
                .revision(namespace)
                .or_else(|| seen.revisions.get(namespace).copied())
                .unwrap_or(Revision::NEVER),
        });
        let mut appended = receipt.appended();
        let logs = self.logs.iter().map(|((namespace, log), entries)| {
            let mut mine = appended.by_ref().take(entries.len());
            let first = mine.next();
            let last = mine.last().or(first);
            Imported::Log {
                namespace: namespace.clone(),
                log: log.clone(),
                entries: entries.len(),
                numbers: first.zip(last),
            }
        });
        objects.chain(logs).collect()
    }
}

fn holds_keys(namespace: &str, keys: usize) -> Error {
    let why = format!(
        "the namespace holds keys already ({keys}), and nothing was imported; choose another namespace, or say whether \
         to replace or to merge them"
    );
    Error::new(ErrorKind::Conflict, why).with_namespace(namespace)
}

fn holds_entries(namespace: &str, log: &str, entries: u64) -> Error {
    let why = format!(
        "the log holds entries already ({entries}), and nothing was imported, for each could be there twice; choose \
         another log, or say that it is to be replaced"
    );
    Error::new(ErrorKind::Conflict, why).with_key(namespace, log)
}
