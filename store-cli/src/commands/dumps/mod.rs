//! What goes to and comes from dumps: `export`, `import`, `backup`, `restore`, `verify`, `drill`, `migrate`.

mod drill;
mod report;

use std::io;
use std::path::Path;
use std::sync::Arc;

use statestore::dump::{self, Compression, DumpSource, Existing, Meter, Old};
use statestore::{BackupOptions, Error, ErrorKind, Result, StoreConfig};

pub(super) use self::drill::drill;
use super::place;
use crate::args::{BackupArgs, ExportArgs, MigrateArgs, RestoreArgs, StoreArgs};
use crate::exit::Failure;
use crate::input::STDIN;
use crate::output;
use crate::progress::Bar;

/// Runs a call of the store with a bar.
fn with_bar<T>(call: impl AsyncFnOnce(&Arc<Meter>) -> Result<T>) -> Result<T> {
    let meter = Arc::new(Meter::new());
    let _bar = Bar::watch(&meter);
    pollster::block_on(call(&meter))
}

/// Writes a dump to a file, or to stdout.
pub(super) fn export(args: &StoreArgs, export: &ExportArgs) -> Result<(), Failure> {
    let store = place::reading(args)?;
    let asked = if export.zstd { Compression::Zstd } else { Compression::None };
    if export.file == Path::new("-") {
        let written = with_bar(async |meter| {
            dump::export_to(&**store.store(), io::stdout().lock(), asked, meter).await
        });
        return written.map(drop).map_err(broken_pipe);
    }
    let compression = statestore::compression_of(&export.file, asked);
    let outline =
        with_bar(async |meter| dump::export(&**store.store(), &export.file, compression, meter).await)?;
    output::print(&report::of_file(&export.file, &outline, &[]))
}

/// Whoever reads stdout may want no more.
fn broken_pipe(error: Error) -> Failure {
    let source = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<io::Error>());
    match source.map(io::Error::kind) {
        Some(io::ErrorKind::BrokenPipe) => Failure::OutputClosed,
        _ => error.into(),
    }
}

fn source(file: &Path) -> Result<DumpSource> {
    if file == Path::new("-") { DumpSource::spool(io::stdin().lock(), STDIN) } else { DumpSource::open(file) }
}

/// Restores a dump; for `import` it may come from a pipe.
pub(super) fn restore(args: &StoreArgs, restore: &RestoreArgs) -> Result<(), Failure> {
    let dump = source(&restore.file)?;
    let store = match place::existing(args) {
        Err(Failure::Store(error)) if error.kind() == ErrorKind::NotFound => {
            // What cannot be restored must not create a store either.
            with_bar(async |meter| dump.verify(meter))?;
            place::creating(args)?
        }
        opened => opened?,
    };
    let existing = if restore.replace { Existing::Replace } else { Existing::Refuse };
    let outline = with_bar(async |meter| dump::restore(&**store.store(), dump, existing, meter).await)?;
    store.close()?;
    output::print(&report::of_file(&restore.file, &outline, &[]))
}

/// Makes a backup, and removes old ones.
pub(super) fn backup(args: &StoreArgs, backup: &BackupArgs) -> Result<(), Failure> {
    let store = place::reading(args)?;
    let mut options = BackupOptions::default();
    if let Some(keep) = backup.keep {
        options = options.keep(usize::try_from(keep).unwrap_or(usize::MAX));
    }
    if backup.zstd {
        options = options.compressed();
    }
    let made =
        with_bar(async |meter| statestore::backup(&**store.store(), &backup.target, options, meter).await)?;
    output::print(&report::of_file(&made.file, &made.outline, &made.removed))
}

/// Reads a dump to its end.
pub(super) fn verify(file: &Path) -> Result<(), Failure> {
    let dump = source(file)?;
    let outline = with_bar(async |meter| dump.verify(meter))?;
    output::print(&report::of_file(file, &outline, &[]))
}

/// Moves a store.
pub(super) fn migrate(args: &StoreArgs, migrate: &MigrateArgs) -> Result<(), Failure> {
    let from = place::config(args)?;
    let to = StoreConfig::from_url(&migrate.to)?.with_timeout(from.settings().timeout);
    let old = if migrate.keep_old { Old::Keep } else { Old::Bury };
    let existing = if migrate.replace { Existing::Replace } else { Existing::Refuse };
    let outline = with_bar(async |meter| from.migrate_to(&to, old, existing, meter).await)?;
    output::print(&report::of_move(&from.to_string(), &to.to_string(), &outline))
}
