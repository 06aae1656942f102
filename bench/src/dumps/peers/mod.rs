//! The peers: what a careful programmer has for a copy of everything, and nothing that the store promises beyond.

mod files;
mod redb;
mod sqlite;

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::time::Instant;

use super::contents::Spread;
use super::errand::Carried;
use super::plan::{Case, Work};
use crate::Result;
use crate::plan::Engine;

/// What was prepared: the store's own files, and what the peers need.
const ABOVE: &str = "..";

/// Makes what the peer of a case needs beside the store, in the current folder.
pub(super) fn prepare(case: Case) -> Result<()> {
    match (case.work, case.engine) {
        (Work::Backup | Work::Mirror, _) | (_, Engine::Sqlite) => Ok(()),
        (_, Engine::Redb) => redb::import(Path::new("."), Spread::of(case.size)).map(drop),
        (_, Engine::Json) => files::pack(Path::new("."), Path::new(".")).map(drop),
    }
}

/// Exports or imports, from opening to closing.
pub(super) fn carry(case: Case) -> Result<Carried> {
    let (above, here, spread) = (Path::new(ABOVE), Path::new("."), Spread::of(case.size));
    let began = Instant::now();
    let bytes = match (case.work, case.engine) {
        (Work::Import, Engine::Sqlite) => sqlite::import(spread)?,
        (Work::Import, Engine::Redb) => redb::import(here, spread)?,
        (Work::Import, Engine::Json) => files::unpack(above, here)?,
        (_, Engine::Sqlite) => sqlite::export(above)?,
        (_, Engine::Redb) => redb::export(above)?,
        (_, Engine::Json) => files::pack(above, here)?,
    };
    Ok(Carried { time: began.elapsed(), bytes, records: spread.records(), memory: None })
}

/// Creates a file to be written from front to back.
fn create(path: &Path) -> Result<BufWriter<File>> {
    Ok(BufWriter::with_capacity(256 << 10, crate::out::fresh(path)?))
}

/// Syncs what was written, and returns its size.
fn sync(file: BufWriter<File>) -> Result<u64> {
    let file = file.into_inner()?;
    file.sync_all()?;
    Ok(file.metadata()?.len())
}
