//! `adopt`: files that people changed by hand count from now on.

use statestore::Adopted;

use super::place;
use crate::args::StoreArgs;
use crate::exit::Failure;
use crate::output::{self, Output, quoted};

/// Takes the files over and prints each.
pub(super) fn run(args: &StoreArgs, ns: Option<&str>) -> Result<(), Failure> {
    ns.map_or(Ok(()), statestore::check_namespace)?;
    let config = place::config(args)?;
    let adopted = config.clone().with_create(false).adopt(ns)?;
    if config.mirror().is_some() && !adopted.is_empty() {
        // Opened with its mirror, it shows what counts from now on.
        drop(place::existing(args)?);
    }
    if adopted.is_empty() {
        output::say("nothing had to be adopted");
    }
    let mut out = Output::new();
    for file in &adopted {
        out.line(format_args!("{}", line(file)))?;
    }
    out.flush()
}

fn line(adopted: &Adopted) -> String {
    let (file, namespace) = (quoted(&adopted.file.to_string_lossy()), quoted(&adopted.namespace));
    let log = adopted.log.as_deref().map(|log| format!(r#","log":{}"#, quoted(log))).unwrap_or_default();
    let (revision, entries) = (adopted.revision, adopted.entries);
    format!(r#"{{"file":{file},"namespace":{namespace}{log},"revision":{revision},"entries":{entries}}}"#)
}
