//! Options of what goes to and comes from dumps: export, import, backup, restore, verify, drill, migrate.

use std::path::PathBuf;

/// The words below the help of `backup`.
pub(crate) const BACKUP_HELP: &str = "\
The dump is taken at one instant while others write (a json: store holds its writers up meanwhile), is synced,
and is read again, every byte, before older ones are removed. In a folder it is named
STORE-20260131T093000.000Z.dump; with --keep only such files of the same store are counted and removed.";

/// The words below the help of `restore`.
pub(crate) const RESTORE_HELP: &str = "\
The file is read to its end before the store is touched. Everything changes at one instant, in one transaction
that is compared with the dump before it is committed; handles that are open see it, and an interrupted restore
leaves the store as it was. Revisions go on above all that were ever given.";

/// The words below the help of `drill`.
pub(crate) const DRILL_HELP: &str = "\
Backs up, restores to scratch with the same engine, opens that anew, lets the engine look through it, and compares
counts, digests, revisions and times. Exit codes: 0 if the backup was proven, 5 if it was not; others as below.";

/// The words below the help of `migrate`.
pub(crate) const MIGRATE_HELP: &str = "\
Copies, compares by digest and leaves word in the old store, in one hold of its gate: no write falls between. From
then on whoever has the old store open, and whoever opens it, is told where to (exit code 5, kind `moved`). Its
contents stay on the disk. Interrupted at any moment, the old store serves on.";

/// What to export.
#[derive(Debug, clap::Args)]
pub(crate) struct ExportArgs {
    /// The file; - is stdout
    #[arg(default_value = "-")]
    pub(crate) file: PathBuf,
    /// Compress it with zstd, as a name that ends in .zst does too
    #[arg(long)]
    pub(crate) zstd: bool,
}

/// What to import or restore.
#[derive(Debug, clap::Args)]
pub(crate) struct RestoreArgs {
    /// The dump; - is stdin
    pub(crate) file: PathBuf,
    /// Replace all that the store holds; without, a store that is not empty is refused
    #[arg(long)]
    pub(crate) replace: bool,
}

/// Where to back up to.
#[derive(Debug, clap::Args)]
pub(crate) struct BackupArgs {
    /// A file, or a folder in which it gets a dated name
    pub(crate) target: PathBuf,
    /// Keep the newest N backups in the folder, which is made if it is missing
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub(crate) keep: Option<u64>,
    /// Compress it with zstd, as a name that ends in .zst does too
    #[arg(long)]
    pub(crate) zstd: bool,
}

/// What to prove.
#[derive(Debug, clap::Args)]
pub(crate) struct DrillArgs {
    /// Prove this backup instead of a new one; the store is not touched
    #[arg(long, value_name = "FILE")]
    pub(crate) backup: Option<PathBuf>,
    /// Restore in a folder of its own below this one [default: the system's for temporary files]
    #[arg(long, value_name = "DIR")]
    pub(crate) scratch: Option<PathBuf>,
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where to move to.
#[derive(Debug, clap::Args)]
pub(crate) struct MigrateArgs {
    /// The new store, such as redb:state.redb
    #[arg(long, value_name = "URL")]
    pub(crate) to: String,
    /// Leave no word in the old store, which goes on by itself
    #[arg(long)]
    pub(crate) keep_old: bool,
    /// Replace all that the new store holds; without, one that is not empty is refused
    #[arg(long)]
    pub(crate) replace: bool,
}
