//! The journal of a writer that was killed.

use std::path::{Path, PathBuf};

use store_core::{Batch, ErrorKind, Settings};

use super::{Done, bytes_of, demand, number, numbers, open, open_with, place, refused, said};
use crate::journal::{self, Change};
use crate::layout::Item;
use crate::target::damages::overwrite;

/// Makes a store whose last write stands in its journal alone, and returns the journal's bytes.
fn killed_after_its_journal(path: &Path) -> Result<Vec<u8>, String> {
    let items = [Item::Object("n".into()), Item::Object("other".into()), Item::Log("n".into(), "log".into())];
    let files = items.clone().map(|item| path.join(item.name()));
    let read = |file: &PathBuf| std::fs::read(file).map_err(said);
    let store = open(path)?;
    let write = |n: u64| {
        let batch = Batch::new().put("n", "k", n).put("other", "k", n).append("n", "log", n);
        store.commit(batch).map(drop).map_err(said)
    };
    write(1)?;
    let before = files.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    write(2)?;
    store.close().map_err(said)?;
    let mut changes = Vec::new();
    for ((item, file), before) in items.into_iter().zip(&files).zip(&before) {
        let after = read(file)?;
        changes.push(match item {
            Item::Log(..) => Change::Append {
                item,
                at: before.len() as u64,
                bytes: after.get(before.len()..).unwrap_or_default().to_vec(),
            },
            item => Change::Replace { item, bytes: after },
        });
        overwrite(file, before)?;
    }
    journal::encode(&changes).map_err(said)
}

pub(super) fn cut_at_every_byte(folder: &Path) -> Done {
    let path = place(folder);
    let journal = killed_after_its_journal(&path)?;
    for length in 0..journal.len() {
        overwrite(&path.join(".journal"), journal.get(..length).unwrap_or_default())?;
        let before = bytes_of(&path)?;
        let store = open(&path)?;
        let at = |what: String| format!("cut to {length} bytes: {what}");
        refused(store.get("n", "k"), ErrorKind::Corrupted).map_err(at)?;
        refused(store.put("far", "k", 1u64.into()), ErrorKind::Corrupted).map_err(at)?;
        demand(bytes_of(&path)? == before, at("files were changed".into()))?;
    }
    // The files cannot be used until somebody decides; that is what is left for the checks after the case.
    overwrite(&path.join(".journal"), &journal)?;
    open(&path)?.put("n", "k", 3u64.into()).map(drop).map_err(said)
}

pub(super) fn read_through(folder: &Path) -> Done {
    let path = place(folder);
    let journal = killed_after_its_journal(&path)?;
    overwrite(&path.join(".journal"), &journal)?;
    let before = bytes_of(&path)?;
    let reader = open_with(&path, Settings::default().with_read_only(true))?;
    let look =
        || Ok::<_, String>((number(&reader, "n")?, number(&reader, "other")?, numbers(&reader, "log")?));
    demand(look()? == (2, 2, vec![1, 2]), format!("through the journal: {:?}", look()?))?;
    demand(reader.logs("n").map_err(said)?.len() == 1, "the log is not listed")?;
    demand(reader.namespaces().map_err(said)?.len() == 2, "the namespaces are not listed")?;
    demand(bytes_of(&path)? == before, "a reader changed files")?;
    open(&path)?.append("n", "log", 3u64.into()).map_err(said)?;
    demand(!path.join(".journal").exists(), "the journal is left")?;
    demand(look()? == (2, 2, vec![1, 2, 3]), format!("after the next write: {:?}", look()?))
}
