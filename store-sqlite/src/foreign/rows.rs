//! Reading the rows: the good ones into objects, the bad ones into words.

use std::collections::btree_map::Entry;

use rusqlite::types::ValueRef;
use rusqlite::{Row, Rows};
use store_core::{Json, Result};

use super::database::Database;
use super::table::Table;
use super::{BadRow, Contents, Layout, Namespace};

/// Reads all rows.
pub(super) fn read(
    database: &Database,
    table: &Table,
    layout: &Layout,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Contents> {
    let mut contents = Contents::default();
    let mut read = || {
        let count: i64 = database.connection.query_row(&table.count, [], |row| row.get(0))?;
        let count = u64::try_from(count).unwrap_or(0);
        let mut statement = database.connection.prepare(&table.rows)?;
        let mut rows = statement.query([])?;
        let mut number = 0;
        while let Some(row) = rows.next()? {
            number += 1;
            take(&mut contents, row, &Names { table, layout, number })?;
            progress(number, count);
        }
        if let Some(sql) = &table.newest {
            let mut statement = database.connection.prepare(sql)?;
            newest(&mut contents, statement.query([])?, layout)?;
        }
        Ok(())
    };
    read().map_err(|error| database.said(error))?;
    Ok(contents)
}

/// What names a row in words.
struct Names<'a> {
    table: &'a Table,
    layout: &'a Layout,
    number: u64,
}

fn take(contents: &mut Contents, row: &Row<'_>, names: &Names<'_>) -> rusqlite::Result<()> {
    let Names { table, layout, number } = *names;
    let place =
        if table.has_rowid { format!("rowid {}", row.get::<_, i64>(0)?) } else { format!("row {number}") };
    let namespace = match &layout.namespace {
        Namespace::Column(column) => name("namespace", column, row.get_ref(1)?, store_core::check_namespace),
        Namespace::Fixed(namespace) => Ok(namespace.clone()),
    };
    let key = name("key", &layout.key, row.get_ref(2)?, store_core::check_key);
    let value = value(&layout.value, row.get_ref(3)?);
    let why = match (namespace.clone(), key.clone(), value) {
        (Ok(namespace), Ok(key), Ok(value)) => {
            let object = contents.objects.entry(namespace).or_default();
            match object.entry(key) {
                Entry::Vacant(free) => {
                    free.insert(value);
                    return Ok(());
                }
                Entry::Occupied(_) => "an earlier row has the same key; leave one of them".to_owned(),
            }
        }
        (Err(why), _, _) | (_, Err(why), _) | (_, _, Err(why)) => why,
    };
    contents.bad_count += 1;
    if contents.bad.len() < Contents::MOST_BAD {
        let place = format!("table {:?}, {place}", layout.table);
        let shown = match &layout.namespace {
            Namespace::Column(_) => namespace.ok(),
            Namespace::Fixed(_) => None,
        };
        contents.bad.push(BadRow { place, namespace: shown, key: key.ok(), why });
    }
    Ok(())
}

/// Returns a name: a text, or a whole number, that may be one.
fn name(
    what: &str,
    column: &str,
    value: ValueRef<'_>,
    check: fn(&str) -> Result<()>,
) -> std::result::Result<String, String> {
    let name = match value {
        ValueRef::Text(bytes) => std::str::from_utf8(bytes)
            .map_err(|error| format!("the {what} in {column:?} is not UTF-8: {error}"))?
            .to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        other => {
            return Err(format!(
                "the {what} in {column:?} is {}; it has to be a text or a whole number",
                kind(other)
            ));
        }
    };
    check(&name).map_err(|error| format!("the {what} in {column:?} cannot be one: {}", error.message()))?;
    Ok(name)
}

fn value(column: &str, value: ValueRef<'_>) -> std::result::Result<Json, String> {
    match value {
        ValueRef::Text(bytes) => {
            Json::from_slice(bytes).map_err(|error| format!("the value in {column:?} is {}", error.message()))
        }
        other => Err(format!("the value in {column:?} is {}; it has to be a JSON text", kind(other))),
    }
}

fn kind(value: ValueRef<'_>) -> &'static str {
    match value {
        ValueRef::Null => "NULL",
        ValueRef::Integer(_) => "a whole number",
        ValueRef::Real(_) => "a number with a fraction",
        ValueRef::Text(_) => "a text",
        ValueRef::Blob(_) => "a BLOB",
    }
}

fn newest(contents: &mut Contents, mut rows: Rows<'_>, layout: &Layout) -> rusqlite::Result<()> {
    while let Some(row) = rows.next()? {
        let namespace = match (&layout.namespace, row.get_ref(0)?) {
            (Namespace::Fixed(namespace), _) => namespace.clone(),
            (Namespace::Column(_), ValueRef::Text(text)) => String::from_utf8_lossy(text).into_owned(),
            (Namespace::Column(_), ValueRef::Integer(number)) => number.to_string(),
            // The rows of it are bad, and have been told as such.
            (Namespace::Column(_), _) => continue,
        };
        let at = match row.get_ref(1)? {
            ValueRef::Integer(number) => Json::from(number),
            ValueRef::Real(number) => {
                Json::encode(&number).unwrap_or_else(|_| Json::from(number.to_string()))
            }
            ValueRef::Text(text) => Json::from(String::from_utf8_lossy(text).into_owned()),
            ValueRef::Null | ValueRef::Blob(_) => continue,
        };
        contents.newest.insert(namespace, at);
    }
    Ok(())
}
