//! Short ways to write values, and to see what a store holds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use store_core::{Blocking, Entry, Json, LogRange, Object};

use crate::failure::{Context, Outcome, ensure, ensure_eq};
use crate::target::{Shape, Target, folder_of};

/// Returns an object of numbers.
pub(crate) fn numbers<const N: usize>(pairs: [(&str, u64); N]) -> BTreeMap<String, Json> {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), Json::from(value))).collect()
}

/// Returns what an object holds, without revisions and times.
pub(crate) fn bare(object: &Object) -> BTreeMap<String, Json> {
    object.entries.iter().map(|(key, entry)| (key.clone(), entry.value.clone())).collect()
}

/// Returns an entry that has to be there.
#[track_caller]
pub(crate) fn entry(store: &Blocking, namespace: &str, key: &str) -> Outcome<Entry> {
    store.get(namespace, key)?.context(format_args!("there is no {key:?} in {namespace:?}"))
}

/// Returns the whole of a log as numbers and texts.
#[track_caller]
pub(crate) fn log(store: &Blocking, namespace: &str, log: &str) -> Outcome<Vec<(u64, String)>> {
    page(store, namespace, log, LogRange::all())
}

/// Returns a page of a log as numbers and texts.
#[track_caller]
pub(crate) fn page(
    store: &Blocking,
    namespace: &str,
    log: &str,
    range: LogRange,
) -> Outcome<Vec<(u64, String)>> {
    let entries = store.read_log(namespace, log, range)?;
    Ok(entries.into_iter().map(|entry| (entry.seq, entry.entry.as_str().to_owned())).collect())
}

/// Makes sure that nothing lies about in the folder of a store, nor, if the store is a folder, beside it.
#[track_caller]
pub(crate) fn is_tidy(target: &dyn Target, path: &Path) -> Outcome {
    let folder = folder_of(target, path)?;
    let known: BTreeSet<PathBuf> = target.artefacts(path).into_iter().map(|artefact| artefact.path).collect();
    for found in below(&folder)? {
        ensure!(known.contains(&found), "{} lies about", found.display());
    }
    if target.shape() == Shape::Folder {
        let name = path.file_name().context("the store has no name")?.to_string_lossy().into_owned();
        ensure_eq!(listing(path.parent().context("no folder")?)?, [name], "what lies beside the store");
    }
    Ok(())
}

/// Returns the paths of all files and folders below a folder, in order.
pub(crate) fn below(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).context(format_args!("cannot list {}", folder.display()))? {
        let entry = entry?;
        found.push(entry.path());
        if entry.file_type()?.is_dir() {
            found.extend(below(&entry.path())?);
        }
    }
    found.sort();
    Ok(found)
}

/// Returns the names of what lies in a folder, in order.
#[track_caller]
pub(crate) fn listing(folder: &Path) -> Outcome<Vec<String>> {
    let mut names = Vec::new();
    for found in std::fs::read_dir(folder).context(format_args!("cannot list {}", folder.display()))? {
        names.push(found?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}
