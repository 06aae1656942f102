//! The store's exports and imports.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use statestore::StateStore;
use statestore::dump::{Compression, DumpSource, Existing, Meter, export, restore};

use super::contents::{fill, url};
use super::errand::Carried;
use super::plan::{Case, Subject, Work};
use crate::Result;

/// Fills a store in the current folder, and makes a dump of it, as text and compressed, if any is to be imported.
pub(super) fn prepare(case: Case) -> Result<()> {
    let store = open(&url(case.engine, "."))?;
    fill(&store, case.size)?;
    if case.work.carries() {
        for subject in [Subject::Store, Subject::Zstd] {
            let (name, compression) = dump_of(subject);
            pollster::block_on(export(&*store, Path::new(name), compression, &Arc::new(Meter::new())))?;
        }
    }
    Ok(pollster::block_on(store.close())?)
}

/// Exports or imports, from opening the store to closing it.
pub(super) fn carry(case: Case, subject: Subject) -> Result<Carried> {
    let (name, compression) = dump_of(subject);
    let meter = Arc::new(Meter::new());
    let began = Instant::now();
    let (store, outline) = if case.work == Work::Import {
        let store = open(&url(case.engine, "."))?;
        let dump = DumpSource::open(&Path::new("..").join(name))?;
        let outline = pollster::block_on(restore(&*store, dump, Existing::Refuse, &meter))?;
        (store, outline)
    } else {
        let store = open(&url(case.engine, ".."))?;
        let outline = pollster::block_on(export(&*store, Path::new(name), compression, &meter))?;
        (store, outline)
    };
    pollster::block_on(store.close())?;
    let records = outline.keys() + outline.entries();
    Ok(Carried { time: began.elapsed(), bytes: outline.bytes, records, memory: None })
}

fn open(url: &str) -> Result<Arc<dyn StateStore>> {
    Ok(pollster::block_on(statestore::open(&format!("{url}?timeout={}s", PATIENCE.as_secs())))?)
}

/// How long it waits for whatever is in the way.
const PATIENCE: Duration = Duration::from_mins(1);

/// Returns the name of a dump, and whether it is compressed.
fn dump_of(subject: Subject) -> (&'static str, Compression) {
    match subject {
        Subject::Zstd => ("all.dump.zst", Compression::Zstd),
        _ => ("all.dump", Compression::None),
    }
}
