//! A batch: checks and writes that happen all or not at all, at one instant.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::config::Durability;
use crate::error::{Error, ErrorKind, Result};
use crate::json::Json;
use crate::limits::{self, Limits};
use crate::numbers::{Expect, Revision, Seq};

/// One condition on the state before the batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// A key is absent or at a revision.
    Key {
        /// The namespace of the key.
        namespace: String,
        /// The key.
        key: String,
        /// What it must be.
        expect: Expect,
    },
    /// An object is at a revision.
    Object {
        /// The namespace of the object.
        namespace: String,
        /// The revision it must have.
        revision: Revision,
    },
    /// A log ends with a number.
    Log {
        /// The namespace of the log.
        namespace: String,
        /// The log.
        log: String,
        /// The number it must end with; 0 for a log without entries yet.
        last: Seq,
    },
}

/// One change of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Puts a value under a key, whatever was there.
    Put {
        /// The namespace.
        namespace: String,
        /// The key.
        key: String,
        /// The new value.
        value: Json,
    },
    /// Deletes a key; nothing happens if there is none.
    Delete {
        /// The namespace.
        namespace: String,
        /// The key.
        key: String,
    },
    /// Deletes all keys and inserts these.
    ReplaceObject {
        /// The namespace.
        namespace: String,
        /// All keys that it has afterwards.
        object: BTreeMap<String, Json>,
    },
    /// Appends an entry to a log.
    Append {
        /// The namespace.
        namespace: String,
        /// The log; made by its first entry.
        log: String,
        /// The entry.
        entry: Json,
    },
    /// Drops the entries of a log before a number.
    TrimLog {
        /// The namespace.
        namespace: String,
        /// The log.
        log: String,
        /// The first number that stays; past the end, all go and the numbering goes on.
        before: Seq,
    },
    /// Deletes all keys and logs of a namespace.
    DeleteNamespace {
        /// The namespace.
        namespace: String,
    },
}

/// Checks and writes that happen all or not at all, at one instant, over any number of namespaces.
///
/// Checks are against the state before the batch; writes apply in order. A batch without writes only checks.
///
/// # Examples
/// ```
/// use store_core::{Batch, Expect, Json};
///
/// let order: Json = r#"{"id": 7}"#.parse()?;
/// let batch = Batch::new()
///     .check("orders", "7", Expect::Absent)
///     .put("orders", "7", order.clone())
///     .append("orders", "events", order)
///     .put("stats", "newest", 7);
/// assert_eq!(batch.writes().len(), 3);
/// # Ok::<(), store_core::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    checks: Vec<Check>,
    writes: Vec<Write>,
    durability: Option<Durability>,
    deadline: Option<Duration>,
}

impl Batch {
    /// Makes an empty batch; committing it changes nothing and succeeds.
    pub fn new() -> Self {
        Self::default()
    }

    /// Requires of a key that it is absent or at a revision.
    pub fn check(mut self, namespace: impl Into<String>, key: impl Into<String>, expect: Expect) -> Self {
        self.checks.push(Check::Key { namespace: namespace.into(), key: key.into(), expect });
        self
    }

    /// Requires that an object is at a revision; [`Revision::NEVER`] for one never written.
    pub fn check_object(mut self, namespace: impl Into<String>, revision: Revision) -> Self {
        self.checks.push(Check::Object { namespace: namespace.into(), revision });
        self
    }

    /// Requires that a log ends with a number, 0 for one without entries: makes a retried append safe.
    pub fn check_log(mut self, namespace: impl Into<String>, log: impl Into<String>, last: Seq) -> Self {
        self.checks.push(Check::Log { namespace: namespace.into(), log: log.into(), last });
        self
    }

    /// Puts a value under a key, whatever was there.
    pub fn put(
        mut self,
        namespace: impl Into<String>,
        key: impl Into<String>,
        value: impl Into<Json>,
    ) -> Self {
        self.writes.push(Write::Put { namespace: namespace.into(), key: key.into(), value: value.into() });
        self
    }

    /// Deletes a key; nothing happens if there is none.
    pub fn delete(mut self, namespace: impl Into<String>, key: impl Into<String>) -> Self {
        self.writes.push(Write::Delete { namespace: namespace.into(), key: key.into() });
        self
    }

    /// Deletes all keys of a namespace and inserts these; never seen empty, mixed or half done.
    pub fn replace_object(mut self, namespace: impl Into<String>, object: BTreeMap<String, Json>) -> Self {
        self.writes.push(Write::ReplaceObject { namespace: namespace.into(), object });
        self
    }

    /// Appends an entry to a log.
    pub fn append(
        mut self,
        namespace: impl Into<String>,
        log: impl Into<String>,
        entry: impl Into<Json>,
    ) -> Self {
        self.writes.push(Write::Append { namespace: namespace.into(), log: log.into(), entry: entry.into() });
        self
    }

    /// Drops the entries of a log before a number; its numbering goes on.
    pub fn trim_log(mut self, namespace: impl Into<String>, log: impl Into<String>, before: Seq) -> Self {
        self.writes.push(Write::TrimLog { namespace: namespace.into(), log: log.into(), before });
        self
    }

    /// Deletes all keys and logs of a namespace.
    pub fn delete_namespace(mut self, namespace: impl Into<String>) -> Self {
        self.writes.push(Write::DeleteNamespace { namespace: namespace.into() });
        self
    }

    /// Chooses what this batch survives, instead of the store's default.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = Some(durability);
        self
    }

    /// Bounds the wait for this batch, counted from the call, instead of the store's timeout.
    pub fn deadline(mut self, within: Duration) -> Self {
        self.deadline = Some(within);
        self
    }

    /// Returns the checks in the order they were given.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// Returns the writes in the order they apply.
    pub fn writes(&self) -> &[Write] {
        &self.writes
    }

    /// Returns the durability asked for, if any.
    pub fn wanted_durability(&self) -> Option<Durability> {
        self.durability
    }

    /// Returns the bound on the wait, if any.
    pub fn wanted_deadline(&self) -> Option<Duration> {
        self.deadline
    }

    /// Returns whether it holds neither checks nor writes.
    pub fn is_empty(&self) -> bool {
        self.checks.is_empty() && self.writes.is_empty()
    }

    /// Checks all names and sizes and returns the size in bytes.
    ///
    /// # Errors
    /// - `InvalidInput` for a name that cannot be, or a value nested deeper than 128.
    /// - `TooLarge` for a value or a batch over its limit.
    pub fn validate(&self, limits: &Limits) -> Result<u64> {
        for check in &self.checks {
            check.validate()?;
        }
        let mut size = 0_u64;
        for write in &self.writes {
            size = size.saturating_add(write.validate(limits)?);
        }
        if size > limits.batch {
            return Err(Error::new(
                ErrorKind::TooLarge,
                format!(
                    "the batch has {size} bytes, the limit is {}; split it, or raise the limit",
                    limits.batch
                ),
            ));
        }
        Ok(size)
    }
}

impl Check {
    fn validate(&self) -> Result<()> {
        match self {
            Self::Key { namespace, key, .. } => {
                limits::check_namespace(namespace)?;
                limits::check_key(key).map_err(|e| e.with_namespace(namespace))
            }
            Self::Object { namespace, .. } => limits::check_namespace(namespace),
            Self::Log { namespace, log, .. } => {
                limits::check_namespace(namespace)?;
                limits::check_log(log).map_err(|e| e.with_namespace(namespace))
            }
        }
    }
}

impl Write {
    /// Returns the namespace that it changes.
    pub fn namespace(&self) -> &str {
        match self {
            Self::Put { namespace, .. }
            | Self::Delete { namespace, .. }
            | Self::ReplaceObject { namespace, .. }
            | Self::Append { namespace, .. }
            | Self::TrimLog { namespace, .. }
            | Self::DeleteNamespace { namespace } => namespace,
        }
    }

    fn validate(&self, limits: &Limits) -> Result<u64> {
        let namespace = self.namespace();
        limits::check_namespace(namespace)?;
        let in_namespace = |e: Error| e.with_namespace(namespace);
        let named = namespace.len() as u64;
        match self {
            Self::Put { key, value, .. } => {
                Ok(named + sized_key(key, namespace)? + sized_value(value, namespace, key, limits)?)
            }
            Self::Delete { key, .. } => Ok(named + sized_key(key, namespace)?),
            Self::ReplaceObject { object, .. } => object.iter().try_fold(named, |size, (key, value)| {
                Ok(size + sized_key(key, namespace)? + sized_value(value, namespace, key, limits)?)
            }),
            Self::Append { log, entry, .. } => {
                limits::check_log(log).map_err(in_namespace)?;
                Ok(named + log.len() as u64 + sized_value(entry, namespace, log, limits)?)
            }
            Self::TrimLog { log, .. } => {
                limits::check_log(log).map_err(in_namespace)?;
                Ok(named + log.len() as u64)
            }
            Self::DeleteNamespace { .. } => Ok(named),
        }
    }
}

fn sized_key(key: &str, namespace: &str) -> Result<u64> {
    limits::check_key(key).map_err(|e| e.with_namespace(namespace))?;
    Ok(key.len() as u64)
}

fn sized_value(value: &Json, namespace: &str, key: &str, limits: &Limits) -> Result<u64> {
    let size = value.size() as u64;
    if size > limits.value {
        let why = format!(
            "the value has {size} bytes, the limit is {}; split it, or raise the limit",
            limits.value
        );
        return Err(Error::new(ErrorKind::TooLarge, why).with_key(namespace, key));
    }
    if value.depth() > Json::MAX_DEPTH {
        let why = format!("the value is nested {} deep, the limit is {}", value.depth(), Json::MAX_DEPTH);
        return Err(Error::new(ErrorKind::InvalidInput, why).with_key(namespace, key));
    }
    Ok(size)
}

/// What one write of a batch did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The object was changed by this revision.
    Written(Revision),
    /// Whether there was something to delete.
    Deleted(bool),
    /// The entry got this number.
    Appended(Seq),
    /// The entries before the number are gone.
    Trimmed,
}

/// What a committed batch was given: the revision of each object it changed, and what each write did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Receipt {
    revisions: BTreeMap<String, Revision>,
    outcomes: Vec<Outcome>,
}

impl Receipt {
    /// Makes a receipt, for implementations of the contract.
    pub fn new(revisions: BTreeMap<String, Revision>, outcomes: Vec<Outcome>) -> Self {
        Self { revisions, outcomes }
    }

    /// Returns the revision that the batch gave to an object, if it changed it.
    pub fn revision(&self, namespace: &str) -> Option<Revision> {
        self.revisions.get(namespace).copied()
    }

    /// Returns what each write did, in the order of the batch.
    pub fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }

    /// Returns the numbers that the appends got, in the order of the batch.
    pub fn appended(&self) -> impl Iterator<Item = Seq> + '_ {
        self.outcomes.iter().filter_map(|outcome| match outcome {
            Outcome::Appended(seq) => Some(*seq),
            _ => None,
        })
    }
}
