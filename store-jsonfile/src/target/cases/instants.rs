//! Readers of several files while they change together.

use std::path::Path;
use std::time::{Duration, Instant};

use conformance::{OwnWork, Process};
use serde_json::Value;
use store_core::{Batch, NamespaceInfo};

use super::{Done, demand, open, place, said};
use crate::target::Files;

pub(super) const WRITE_TWO: OwnWork = OwnWork { name: "write_two_files", run: write_two_files };

/// How many instants are to be seen, and how long that may take at most.
const INSTANTS: usize = 300;
const PATIENCE: Duration = Duration::from_mins(1);
/// How many namespaces lie between the two, so that reading all of them takes about as long as a write.
const BETWEEN: usize = 120;

/// Writes two namespaces together, on and on.
fn write_two_files(path: &Path, _plan: &Value) -> Done {
    let store = open(path)?;
    for n in 0_u64.. {
        store.commit(Batch::new().put("a", "k", n).put("z", "k", n)).map_err(said)?;
        if n == 0 {
            conformance::tell("writing")?;
        }
    }
    Ok(())
}

/// The first and the last namespace are always written together, so their revisions differ by as much at
/// every instant.
pub(super) fn listed_together(folder: &Path) -> Done {
    let path = place(folder);
    let store = open(&path)?;
    for n in 0..BETWEEN {
        store.put(&format!("m{n}"), "k", 1_u64.into()).map_err(said)?;
    }
    let mut writer = Process::start(&Files, "write_two_files", &path, Value::Null)?;
    writer.hear_line()?;
    let mut seen = std::collections::BTreeSet::new();
    let until = Instant::now() + PATIENCE;
    while seen.len() < INSTANTS {
        let listed = store.namespaces().map_err(said)?;
        let revision_of = |namespace: Option<&NamespaceInfo>| namespace.map_or(0, |info| info.revision.get());
        let (first, last) = (revision_of(listed.first()), revision_of(listed.last()));
        demand(listed.len() == BETWEEN + 2, format!("{} namespaces are listed", listed.len()))?;
        demand(first == last, format!("\"a\" is listed at {first}, \"z\" at {last}"))?;
        seen.insert(first);
        demand(Instant::now() < until, format!("only {} instants were seen", seen.len()))?;
    }
    writer.kill().map(drop)
}
