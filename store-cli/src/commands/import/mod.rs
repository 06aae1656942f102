//! `import-json` and `import-sqlite`: what people have, in one commit.

mod bar;
mod json;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::collections::BTreeMap;

use statestore::Json;
use statestore::import::{Existing, Import, Imported};

use self::bar::Bar;
pub(super) use self::json::run as json;
#[cfg(feature = "sqlite")]
pub(super) use self::sqlite::run as sqlite;
use super::place;
use crate::args::StoreArgs;
use crate::exit::Failure;
use crate::output::{Output, quoted};

/// Commits what was read and prints what came of it; `newest` is told with the namespace it is of.
fn commit(
    args: &StoreArgs,
    import: &Import,
    existing: Existing,
    newest: &BTreeMap<String, Json>,
) -> Result<(), Failure> {
    // What cannot be imported must not create a store either.
    let config = import.fit(place::config(args)?)?;
    let store = place::creating_as(&config)?;
    let bar = Bar::waiting("writing");
    let imported = import.commit_blocking(&store, existing);
    bar.clear();
    let mut out = Output::new();
    for done in imported? {
        out.line(format_args!("{}", line(&done, newest)))?;
    }
    out.flush()
}

fn line(done: &Imported, newest: &BTreeMap<String, Json>) -> String {
    match done {
        Imported::Object { namespace, keys, revision } => {
            let newest = newest.get(namespace).map(|at| format!(r#","newest":{at}"#)).unwrap_or_default();
            let name = quoted(namespace);
            format!(r#"{{"namespace":{name},"keys":{keys},"revision":{revision}{newest}}}"#)
        }
        Imported::Log { namespace, log, entries, numbers } => {
            let (namespace, log) = (quoted(namespace), quoted(log));
            let [first, last] = numbers.map_or(["null".to_owned(), "null".to_owned()], |(first, last)| {
                [first.to_string(), last.to_string()]
            });
            format!(
                r#"{{"namespace":{namespace},"log":{log},"entries":{entries},"first":{first},"last":{last}}}"#
            )
        }
        // What a later version of the library imports.
        other => quoted(&format!("{other:?}")).to_string(),
    }
}
