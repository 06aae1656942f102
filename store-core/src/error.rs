//! The one error of the contract: what failed, where, why, and what to do next.

use std::error::Error as StdError;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::numbers::{Expect, Revision, Seq};

/// The result of every call of the contract.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Tells what a caller can decide on; the words of an [`Error`] are for people.
///
/// Every kind but [`Indeterminate`](ErrorKind::Indeterminate) means that the operation surely did not happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// There is no store at this place, and the caller did not allow to create one.
    NotFound,
    /// A check of the batch did not hold; [`Error::conflict`] carries what was found instead.
    Conflict,
    /// Somebody else held what was needed until the deadline.
    Busy,
    /// The store was opened for reading only, or lies where nothing can be written.
    ReadOnly,
    /// The rights of a file or folder do not allow it; the message names the command that mends them.
    PermissionDenied,
    /// The configuration cannot be right: an unknown word, a bad value, a place that cannot hold a store.
    ConfigInvalid,
    /// An argument is not valid: a name, a JSON text, a range.
    InvalidInput,
    /// A value or a batch is larger than the configured limit.
    TooLarge,
    /// What is on disk is not what was written.
    Corrupted,
    /// The files, or the engine, are of a version that this program does not handle.
    IncompatibleFormat,
    /// The store has been migrated; the message says where to.
    Moved,
    /// This backend declares that it cannot do this.
    Unsupported,
    /// The disk, the quota or the engine has no room left.
    StorageFull,
    /// The operation may have happened: its answer was lost, its deadline passed after it was taken, or a
    /// sync failed. Read before trying again, or write under a check.
    Indeterminate,
    /// The handle was closed, or belongs to the parent of this forked process.
    Closed,
    /// The operating system failed otherwise.
    Io,
}

impl ErrorKind {
    /// Returns the word for this kind that starts every message.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "not found",
            Self::Conflict => "conflict",
            Self::Busy => "busy",
            Self::ReadOnly => "read-only",
            Self::PermissionDenied => "permission denied",
            Self::ConfigInvalid => "invalid configuration",
            Self::InvalidInput => "invalid input",
            Self::TooLarge => "too large",
            Self::Corrupted => "corrupted",
            Self::IncompatibleFormat => "incompatible format",
            Self::Moved => "moved",
            Self::Unsupported => "unsupported",
            Self::StorageFull => "storage full",
            Self::Indeterminate => "indeterminate",
            Self::Closed => "closed",
            Self::Io => "input/output error",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Says which check of a batch did not hold, and what was found in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Conflict {
    /// A key was expected absent, or at another revision.
    Key {
        /// The namespace of the key.
        namespace: String,
        /// The key that was checked.
        key: String,
        /// What the batch expected.
        expected: Expect,
        /// The revision that wrote the key, or none if it is absent.
        found: Option<Revision>,
    },
    /// An object was expected at another revision.
    Object {
        /// The namespace of the object.
        namespace: String,
        /// What the batch expected.
        expected: Revision,
        /// The object's revision.
        found: Revision,
    },
    /// A log was expected to end elsewhere.
    Log {
        /// The namespace of the log.
        namespace: String,
        /// The log that was checked.
        log: String,
        /// The number the batch expected the log to end with; 0 for a log without entries yet.
        expected: Seq,
        /// The number it ends with.
        found: Seq,
    },
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key { namespace, key, expected, found } => {
                write!(f, "key {key:?} of {namespace:?} ")?;
                match (expected, found) {
                    (Expect::Absent, Some(found)) => {
                        write!(f, "was expected absent but is at revision {found}")
                    }
                    (Expect::Absent, None) => f.write_str("was expected absent"),
                    (Expect::Revision(r), Some(found)) => {
                        write!(f, "was expected at revision {r} but is at {found}")
                    }
                    (Expect::Revision(r), None) => write!(f, "was expected at revision {r} but is absent"),
                }
            }
            Self::Object { namespace, expected, found } => {
                write!(f, "object {namespace:?} was expected at revision {expected} but is at {found}")
            }
            Self::Log { namespace, log, expected, found } => {
                write!(
                    f,
                    "log {log:?} of {namespace:?} was expected to end with {expected} but ends with {found}"
                )
            }
        }
    }
}

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    message: String,
    operation: Option<&'static str>,
    path: Option<PathBuf>,
    place: Option<String>,
    conflict: Option<Conflict>,
    source: Option<Box<dyn StdError + Send + Sync + 'static>>,
}

/// The error of every call: a [kind](ErrorKind) to decide on, and words that say what, where, why and what
/// to do next.
///
/// `Display` prints one line without the [source](StdError::source), which error reporters print themselves.
///
/// # Examples
/// ```
/// use store_core::{Error, ErrorKind};
///
/// let error = Error::new(ErrorKind::TooLarge, "the value has 17 bytes, the limit is 16")
///     .with_operation("put")
///     .with_key("routes", "a");
/// assert_eq!(error.to_string(), r#"put "routes" "a": too large: the value has 17 bytes, the limit is 16"#);
/// assert!(error.surely_not_done());
/// assert!(!error.is_retryable());
/// ```
#[derive(Debug)]
pub struct Error(Box<Inner>);

impl Error {
    /// Makes an error of a kind; the message says why, and what to do next.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            operation: None,
            path: None,
            place: None,
            conflict: None,
            source: None,
        }))
    }

    /// Makes the error of a failed check.
    pub fn from_conflict(conflict: Conflict) -> Self {
        let mut error = Self::new(ErrorKind::Conflict, conflict.to_string());
        error.0.conflict = Some(conflict);
        error
    }

    /// Makes the error of a store that was migrated.
    pub fn moved(to: &str) -> Self {
        Self::new(ErrorKind::Moved, format!("the store has been migrated; open {to} instead"))
    }

    /// Makes an error from what the operating system said of a path, with the kind that fits.
    ///
    /// Permission, read-only and full are told apart; `action` is a phrase such as "cannot open".
    pub fn from_io(action: &str, path: &Path, source: std::io::Error) -> Self {
        use std::io::ErrorKind as K;
        let kind = match source.kind() {
            K::PermissionDenied => ErrorKind::PermissionDenied,
            K::ReadOnlyFilesystem => ErrorKind::ReadOnly,
            K::StorageFull | K::QuotaExceeded | K::FileTooLarge => ErrorKind::StorageFull,
            _ => ErrorKind::Io,
        };
        Self::new(kind, action).with_path(path).with_source(source)
    }

    /// Makes the error of a sync that failed: `Io`, whatever the system calls it.
    ///
    /// A sync can say that there is no room, as a write does. But what a refused write leaves is known, and what
    /// a failed sync lost is not, so the two must not be told alike.
    pub fn from_sync(action: &str, path: &Path, source: std::io::Error) -> Self {
        Self::new(ErrorKind::Io, action).with_path(path).with_source(source)
    }

    /// Names the operation, unless one is named already.
    pub fn with_operation(mut self, operation: &'static str) -> Self {
        self.0.operation.get_or_insert(operation);
        self
    }

    /// Names the file or folder, unless one is named already.
    pub fn with_path(mut self, path: impl Into<PathBuf>) -> Self {
        self.0.path.get_or_insert_with(|| path.into());
        self
    }

    /// Names the namespace, unless a narrower place is named already.
    pub fn with_namespace(mut self, namespace: &str) -> Self {
        self.0.place.get_or_insert_with(|| format!("{namespace:?}"));
        self
    }

    /// Names the namespace and the key or log, unless a place is named already.
    pub fn with_key(mut self, namespace: &str, key: &str) -> Self {
        self.0.place.get_or_insert_with(|| format!("{namespace:?} {key:?}"));
        self
    }

    /// Keeps the error that caused this one.
    pub fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.0.source = Some(Box::new(source));
        self
    }

    /// Returns what a caller can decide on.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns why, and what to do next, without the place.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns the operation that failed, such as `put`.
    pub fn operation(&self) -> Option<&'static str> {
        self.0.operation
    }

    /// Returns the file or folder that it is about.
    pub fn path(&self) -> Option<&Path> {
        self.0.path.as_deref()
    }

    /// Returns the check that did not hold, for [`ErrorKind::Conflict`].
    pub fn conflict(&self) -> Option<&Conflict> {
        self.0.conflict.as_ref()
    }

    /// Tells whether the operation surely did not happen.
    pub fn surely_not_done(&self) -> bool {
        self.0.kind != ErrorKind::Indeterminate
    }

    /// Tells whether the operation surely did not happen and the same call may go through later.
    ///
    /// True for [`Busy`](ErrorKind::Busy) and [`StorageFull`](ErrorKind::StorageFull). A conflict is not:
    /// the same check fails again, so read first.
    pub fn is_retryable(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Busy | ErrorKind::StorageFull)
    }

    /// Makes a second error of the same content, for the other batches of a group; the source becomes text.
    pub(crate) fn again(&self) -> Self {
        Self(Box::new(Inner {
            kind: self.0.kind,
            message: self.0.message.clone(),
            operation: self.0.operation,
            path: self.0.path.clone(),
            place: self.0.place.clone(),
            conflict: self.0.conflict.clone(),
            source: self.0.source.as_ref().map(|source| source.to_string().into()),
        }))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, message, operation, path, place, .. } = &*self.0;
        match (operation, place) {
            (Some(operation), Some(place)) => write!(f, "{operation} {place}: ")?,
            (Some(operation), None) => write!(f, "{operation}: ")?,
            (None, Some(place)) => write!(f, "{place}: ")?,
            (None, None) => {}
        }
        write!(f, "{kind}: ")?;
        if let Some(path) = path {
            write!(f, "{}: ", path.display())?;
        }
        f.write_str(message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}
