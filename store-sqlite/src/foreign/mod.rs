//! JSON values in a table of somebody else's SQLite database, for import: read, and nothing else.
//!
//! Nothing on disk is changed and no companion is made: a `-wal` or `-shm` that belongs to whoever imports
//! would shut the database's own users out. All of it is one read transaction.

mod database;
mod rows;
#[cfg(feature = "conformance")]
mod scratch;
mod table;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use store_core::{Json, Result};

use self::database::Database;
use self::table::Table;

#[cfg(feature = "conformance")]
pub use scratch::Scratch;

/// Which table holds the values, and in which columns.
///
/// # Examples
/// ```
/// use store_sqlite::foreign::Layout;
/// let layout = Layout::new("state");
/// assert_eq!((layout.key.as_str(), layout.value.as_str()), ("item_key", "value_json"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The table, or a view.
    pub table: String,
    /// Where the namespaces come from.
    pub namespace: Namespace,
    /// The column of the keys: texts or whole numbers.
    pub key: String,
    /// The column of the values: JSON texts.
    pub value: String,
    /// The column that tells when a row was written, if one is wanted.
    pub updated: Option<String>,
    /// Whether that column may be missing.
    pub updated_may_lack: bool,
}

impl Layout {
    /// Names a table of the columns `namespace`, `item_key` and `value_json`.
    pub fn new(table: impl Into<String>) -> Self {
        Self {
            table: table.into(),
            namespace: Namespace::Column("namespace".into()),
            key: "item_key".into(),
            value: "value_json".into(),
            updated: None,
            updated_may_lack: false,
        }
    }
}

/// Where the namespaces of rows come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Namespace {
    /// From a column.
    Column(String),
    /// All rows are of this one.
    Fixed(String),
}

/// What a table holds, at one instant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Contents {
    /// The good rows: by namespace, then by key, each value with the text that it has there.
    pub objects: BTreeMap<String, BTreeMap<String, Json>>,
    /// The latest time of each namespace, as the table has it.
    pub newest: BTreeMap<String, Json>,
    /// The first of the bad rows, at most [`Contents::MOST_BAD`].
    pub bad: Vec<BadRow>,
    /// How many bad rows there are.
    pub bad_count: u64,
}

impl Contents {
    /// How many bad rows are described.
    pub const MOST_BAD: usize = 20;
}

/// A row that cannot be imported.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BadRow {
    /// Where it is: the table, and the rowid or, of what has none, the number in the order of reading.
    pub place: String,
    /// Its namespace, if that is readable.
    pub namespace: Option<String>,
    /// Its key, if that is readable.
    pub key: Option<String>,
    /// What is wrong with it, with line and column of the value if that is malformed.
    pub why: String,
}

impl fmt::Display for BadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place)?;
        if let Some(namespace) = &self.namespace {
            write!(f, ", namespace {namespace:?}")?;
        }
        if let Some(key) = &self.key {
            write!(f, ", key {key:?}")?;
        }
        write!(f, ": {}", self.why)
    }
}

/// Reads the table; `progress` is told how many rows are done, and of how many.
///
/// A live database in WAL mode is read beside its writers, as its companions are there. One in WAL mode that
/// nobody has open has none; then it is read as immutable, and it is checked that it stayed so.
///
/// # Errors
/// - `InvalidInput` for a file that is not there or no SQLite database (or an encrypted one), for a table or
///   a column that is not there (those that are get listed), and for a log that needs mending first.
/// - `Busy` if a writer keeps readers out for longer than `timeout`, or opened the database meanwhile.
/// - `Corrupted` for a damaged database; `PermissionDenied` and `Io` as the system has it.
pub fn read(
    path: &Path,
    layout: &Layout,
    timeout: Duration,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Contents> {
    let database = Database::open(path, timeout)?;
    let table = Table::find(&database, layout)?;
    let contents = rows::read(&database, &table, layout, progress)?;
    database.finish()?;
    Ok(contents)
}
