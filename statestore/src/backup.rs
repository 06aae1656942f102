//! Backups: a dump that was read again before it is called one, under dated names of which so many are kept.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use store_core::dump::{Compression, DumpSource, Meter, Outline, export};
use store_core::shared::access::{Modes, explain_denial};
use store_core::shared::files;
use store_core::{Access, Error, ErrorKind, Result, StateStore, Timestamp};

/// How every backup's name ends.
const ENDS: [&str; 2] = [".dump", ".dump.zst"];

/// How backups are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct BackupOptions {
    /// How many are kept in the folder, this one included; all of them if none is said.
    pub keep: Option<usize>,
    /// Whether a backup in a folder is compressed; a file's own name decides otherwise.
    pub compression: Compression,
}

impl BackupOptions {
    /// Keeps so many backups in the folder, the newest; at least one.
    pub fn keep(mut self, keep: usize) -> Self {
        self.keep = Some(keep.max(1));
        self
    }

    /// Compresses backups in a folder.
    pub fn compressed(mut self) -> Self {
        self.compression = Compression::Zstd;
        self
    }
}

/// A backup that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Backup {
    /// Its file.
    pub file: PathBuf,
    /// What it holds.
    pub outline: Outline,
    /// Older ones that were removed for it.
    pub removed: Vec<PathBuf>,
}

/// Writes a backup of one instant of a store, while others write, to a file or under a dated name into a folder, and
/// reads it again, every byte, before older ones are removed.
///
/// A file whose name ends in `.zst` is compressed. In a folder, names are `STORE-20260131T093000.000Z.dump`; only
/// such of the same store are counted and removed. A folder is made if backups are to be kept in it.
///
/// # Errors
/// Those of [`export`] and of [`DumpSource::verify`]; no backup was removed then.
pub async fn backup(
    store: &dyn StateStore,
    target: &Path,
    options: BackupOptions,
    meter: &Arc<Meter>,
) -> Result<Backup> {
    let info = store.info().await?;
    let modes = info.modes.unwrap_or(Modes::of(Access::Private, None));
    if options.keep.is_some() {
        files::create_folder(target, &modes)?;
    }
    let stem = info.path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let in_folder = target.is_dir();
    let (file, compression) = if in_folder {
        files::sweep_unlocked(target);
        let end = if options.compression == Compression::Zstd { ".dump.zst" } else { ".dump" };
        (target.join(format!("{stem}-{}{end}", dated(Timestamp::now()))), options.compression)
    } else {
        (target.to_owned(), compression_of(target, options.compression))
    };
    let outline = export(store, &file, compression, meter).await?;
    let read = DumpSource::open(&file)?.verify(meter)?;
    if read.digest != outline.digest {
        let why = "the backup does not read as it was written; check the disk, and make another";
        return Err(Error::new(ErrorKind::Corrupted, why).with_path(file));
    }
    let removed = match options.keep {
        Some(keep) => rotate(target, &stem, &file, keep)?,
        None => Vec::new(),
    };
    Ok(Backup { file, outline, removed })
}

/// Returns whether a dump under a name is compressed: if its name says so, or if it was asked for.
pub fn compression_of(file: &Path, asked: Compression) -> Compression {
    match file.extension() {
        Some(end) if end == "zst" => Compression::Zstd,
        _ => asked,
    }
}

/// Writes a moment without what file names cannot have.
fn dated(at: Timestamp) -> String {
    at.to_string().chars().filter(|c| !matches!(c, '-' | ':')).collect()
}

/// Whether a name is one that this program gives to backups of a store.
fn is_backup(name: &str, stem: &str) -> bool {
    let rest = name.strip_prefix(stem).and_then(|rest| rest.strip_prefix('-'));
    let moment = rest.and_then(|rest| ENDS.iter().find_map(|end| rest.strip_suffix(end)));
    moment.is_some_and(|moment| {
        let shape = "00000000T000000.000Z";
        let fits = |(c, like): (char, char)| if like == '0' { c.is_ascii_digit() } else { c == like };
        moment.len() == shape.len() && moment.chars().zip(shape.chars()).all(fits)
    })
}

/// Removes the oldest backups until so many are left; names are in the order of time.
fn rotate(folder: &Path, stem: &str, newest: &Path, keep: usize) -> Result<Vec<PathBuf>> {
    let failed = |e| explain_denial("cannot list the folder of backups", folder, e);
    let mut found = Vec::new();
    for entry in folder.read_dir().map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_file
            && entry.path() != newest
            && entry.file_name().to_str().is_some_and(|name| is_backup(name, stem))
        {
            found.push(entry.path());
        }
    }
    found.sort();
    let surplus = (found.len() + 1).saturating_sub(keep);
    found.truncate(surplus);
    for old in &found {
        std::fs::remove_file(old).map_err(|e| explain_denial("cannot remove an old backup", old, e))?;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_were_given_are_backups() {
        let name = format!("state-{}.dump", dated(Timestamp::from_millis(1_700_000_000_123)));
        assert_eq!(name, "state-20231114T221320.123Z.dump");
        for (name, is) in [
            (name.as_str(), true),
            ("state-20231114T221320.123Z.dump.zst", true),
            ("state-20231114T221320.123Z.dump.bak", false),
            ("state-2-20231114T221320.123Z.dump", false),
            ("other-20231114T221320.123Z.dump", false),
            ("state-before-the-move.dump", false),
            ("state.db", false),
        ] {
            assert_eq!(is_backup(name, "state"), is, "{name}");
        }
    }
}
