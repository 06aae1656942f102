//! Several handles of one process on one store, by whatever path.

use std::path::{Path, PathBuf};
use std::time::Duration;

use store_core::{Blocking, Json, KeyRange, LogRange, Settings};

use crate::arena::Arena;
use crate::failure::{Context, Outcome, ensure_eq};
use crate::values::entry;

pub(super) fn a_second_handle_sees_at_once_what_the_first_wrote(arena: &Arena) -> Outcome {
    let first = arena.open()?;
    let second = arena.open_with(Settings::default().with_read_only(true))?;
    let third = arena.open()?;
    for round in 1..=20_u64 {
        let (writer, reader) = if round % 2 == 0 { (&first, &third) } else { (&third, &first) };
        sees_at_once(writer, reader, round)?;
        sees_at_once(writer, &second, round + 100)?;
    }
    first.close()?;
    sees_at_once(&third, &second, 1000)
}

/// As patient as the handles that the arena opens.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Writes through one handle and reads through the other, in every way there is.
fn sees_at_once(writer: &Blocking, reader: &Blocking, n: u64) -> Outcome {
    let value = Json::from(n);
    let revision = writer.put("n", "k", value.clone())?;
    let found = entry(reader, "n", "k")?;
    ensure_eq!((&found.value, found.revision), (&value, revision));
    ensure_eq!(reader.object("n")?.revision, revision);
    ensure_eq!(reader.list("n", KeyRange::all())?, [("k".to_owned(), found)]);
    let seq = writer.append("n", "log", value.clone())?;
    let last = reader.read_log("n", "log", LogRange::tail(1))?.pop().context("no entry")?;
    ensure_eq!((last.seq, &last.entry), (seq, &value));
    ensure_eq!(reader.logs("n")?.pop().context("no log")?.last, seq);
    Ok(())
}

pub(super) fn links_and_relative_paths_lead_to_the_same_store(arena: &Arena) -> Outcome {
    let path = arena.path()?;
    let first = arena.open()?;
    first.put("n", "k", Json::from(0u64))?;
    let name = path.file_name().context("the store has no name")?;
    let folder = path.parent().context("the store has no folder")?;
    let (to_folder, to_file) = (arena.folder().join("to-folder"), arena.folder().join("to-file"));
    std::os::unix::fs::symlink(folder, &to_folder)?;
    std::os::unix::fs::symlink(&path, &to_file)?;
    let ways = [
        to_folder.join(name),
        to_file,
        folder.join(".").join("..").join(folder.file_name().context("no folder")?).join(name),
        relative(&path)?,
    ];
    for (n, way) in (1..).zip(&ways) {
        let other = arena.target.open(way, Settings::default().with_create(false).with_timeout(TIMEOUT));
        let other = Blocking::new(other.context(way.display())?);
        ensure_eq!(other.info()?.path, first.info()?.path, "the path by way of {}", way.display());
        sees_at_once(&other, &first, 2 * n).context(way.display())?;
        sees_at_once(&first, &other, 2 * n + 1).context(way.display())?;
        other.close()?;
    }
    Ok(())
}

/// Returns a path from the current folder.
fn relative(path: &Path) -> Outcome<PathBuf> {
    let here = std::env::current_dir()?.canonicalize()?;
    let up: PathBuf = here.components().skip(1).map(|_| "..").collect();
    Ok(up.join(path.canonicalize()?.strip_prefix("/")?))
}
