//! Finding the table and its columns, or saying which there are.

use store_core::{Error, ErrorKind, Result};

use super::database::Database;
use super::{Layout, Namespace};

/// The statements that read a table.
pub(super) struct Table {
    /// Returns the number of rows.
    pub(super) count: String,
    /// Returns, of each row, place, namespace, key and value.
    pub(super) rows: String,
    /// Returns, of each namespace, the latest time; none if that is not wanted.
    pub(super) newest: Option<String>,
    /// Whether the place of a row is its rowid.
    pub(super) has_rowid: bool,
}

impl Table {
    /// Looks the names up, for SQLite takes a quoted name that is no column for a text.
    pub(super) fn find(database: &Database, layout: &Layout) -> Result<Self> {
        let tables = tables(database)?;
        let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
        let Some((name, has_rowid)) = tables.iter().find(|(name, _)| same(name, &layout.table)) else {
            let there = listed(tables.iter().map(|(name, _)| name));
            return Err(refused(database, &format!("there is no table {:?}; {there}", layout.table)));
        };
        let columns = columns(database, name)?;
        let column = |wanted: &str| {
            let found = columns.iter().find(|column| same(column, wanted));
            found.map(|column| quoted(column)).ok_or_else(|| {
                let there = listed(columns.iter());
                refused(database, &format!("table {name:?} has no column {wanted:?}; {there}"))
            })
        };
        let namespace = match &layout.namespace {
            Namespace::Column(wanted) => column(wanted)?,
            Namespace::Fixed(_) => "NULL".to_owned(),
        };
        let (key, value) = (column(&layout.key)?, column(&layout.value)?);
        let updated = match layout.updated.as_deref().map(column).transpose() {
            Err(_) if layout.updated_may_lack => None,
            updated => updated?,
        };
        // A column of the same name hides it.
        let free = |id: &&str| *has_rowid && !columns.iter().any(|column| same(column, id));
        let rowid = ["rowid", "_rowid_", "oid"].into_iter().find(free);
        let (place, order) = rowid.map_or(("NULL", String::new()), |id| (id, format!(" ORDER BY {id}")));
        let from = format!("FROM main.{}", quoted(name));
        Ok(Self {
            count: format!("SELECT count(*) {from}"),
            rows: format!("SELECT {place}, {namespace}, {key}, {value} {from}{order}"),
            newest: updated.map(|at| format!("SELECT {namespace}, max({at}) {from} GROUP BY 1")),
            has_rowid: rowid.is_some(),
        })
    }
}

/// Returns the tables and views, and whether each has row numbers.
fn tables(database: &Database) -> Result<Vec<(String, bool)>> {
    let sql = "SELECT name, type = 'table' AND NOT wr FROM pragma_table_list \
               WHERE schema = 'main' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";
    let read = || {
        let mut statement = database.connection.prepare(sql)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect::<rusqlite::Result<Vec<_>>>()
    };
    read().map_err(|error| database.said(error))
}

fn columns(database: &Database, table: &str) -> Result<Vec<String>> {
    let read = || {
        // Generated columns too.
        let mut statement = database.connection.prepare("SELECT name FROM pragma_table_xinfo(?1, 'main')")?;
        let rows = statement.query_map([table], |row| row.get(0))?;
        rows.collect::<rusqlite::Result<Vec<_>>>()
    };
    read().map_err(|error| database.said(error))
}

fn refused(database: &Database, why: &str) -> Error {
    Error::new(ErrorKind::InvalidInput, why).with_path(&database.path)
}

fn listed<'n>(names: impl Iterator<Item = &'n String>) -> String {
    let names: Vec<_> = names.map(String::as_str).collect();
    if names.is_empty() { "there are none".into() } else { format!("there are: {}", names.join(", ")) }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
