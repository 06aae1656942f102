//! `import-sqlite`: a table of JSON values in a database of another program.

use std::collections::BTreeMap;

use statestore::import::{Existing, Import};
use statestore::{Error, ErrorKind};
use store_sqlite::foreign::{self, Contents, Layout, Namespace};

use super::Bar;
use crate::args::{ImportSqliteArgs, StoreArgs};
use crate::commands::place;
use crate::exit::Failure;
use crate::output;

/// The column that is looked for if none is named.
const UPDATED: &str = "updated_at";

/// Imports the table that the arguments name.
pub(in crate::commands) fn run(args: &StoreArgs, import: &ImportSqliteArgs) -> Result<(), Failure> {
    import.namespace.as_deref().map_or(Ok(()), statestore::check_namespace)?;
    let contents = read(args, import)?;
    if contents.bad_count > 0 {
        return Err(refused(&contents, import));
    }
    let existing = import.existing.existing();
    let mut all =
        contents.objects.into_iter().fold(Import::new(), |all, (ns, object)| all.with_object(ns, object));
    if all.is_empty() {
        output::say(format_args!("table {:?} has no rows", import.table));
        match &import.namespace {
            Some(ns) if existing == Existing::Replace => {
                all = all.with_object(ns, BTreeMap::new());
            }
            _ => return Ok(()),
        }
    }
    super::commit(args, &all, existing, &contents.newest)
}

fn read(args: &StoreArgs, import: &ImportSqliteArgs) -> Result<Contents, Failure> {
    let timeout = place::config(args)?.settings().timeout;
    let namespace = match &import.namespace {
        Some(ns) => Namespace::Fixed(ns.clone()),
        None => Namespace::Column(import.namespace_column.clone()),
    };
    let layout = Layout {
        table: import.table.clone(),
        namespace,
        key: import.key_column.clone(),
        value: import.value_column.clone(),
        updated: Some(import.updated_column.clone().unwrap_or_else(|| UPDATED.into())),
        updated_may_lack: import.updated_column.is_none(),
    };
    let mut bar = Bar::of_items("reading");
    let contents = foreign::read(&import.file, &layout, timeout, &mut |done, all| bar.at(done, Some(all)));
    bar.clear();
    Ok(contents?)
}

/// Names the bad rows, and returns the failure that they are.
fn refused(contents: &Contents, import: &ImportSqliteArgs) -> Failure {
    let file = import.file.display();
    for row in &contents.bad {
        output::say(format_args!("{file}: {}", row.to_string().replace(['\n', '\r'], " ")));
    }
    let more = contents.bad_count.saturating_sub(contents.bad.len() as u64);
    let more = if more > 0 { format!(" ({more} more are not shown)") } else { String::new() };
    let why = format!(
        "{} bad rows{more}; nothing was imported; mend them, or import a view without them",
        contents.bad_count
    );
    Failure::from(Error::new(ErrorKind::InvalidInput, why).with_path(&import.file))
}
