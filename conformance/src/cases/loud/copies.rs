//! Copies of a store, each to be spoilt, and whoever then opens one.

use std::collections::BTreeSet;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use store_core::{Batch, Blocking, ErrorKind, Json, Settings};

use super::places::folder;
use crate::arena::Arena;
use crate::audit::dump;
use crate::cases::works;
use crate::failure::{Context, Failure, Outcome, ensure, ensure_eq};
use crate::job::{Job, Work};
use crate::values::below;
use crate::worker::Worker;

pub(super) const WORKS: &[Work] = works![fill_step_by_step, open_what_is_told];

/// How many writes a store has from which copies are made.
const STEPS: u64 = 24;
/// The bytes of a value that is written to make the engine put its log away, and then replaced.
const FILLER: usize = 4_500_000;

/// The hash of all that a store holds.
type Stand = u64;

fn stand(store: &Blocking) -> Outcome<Stand> {
    let mut hasher = DefaultHasher::new();
    for (name, held) in dump(store)? {
        (name, held.object.revision).hash(&mut hasher);
        for (key, entry) in &held.object.entries {
            (key, entry.revision, entry.value.as_str()).hash(&mut hasher);
        }
        for (info, entries) in &held.logs {
            (&info.name, info.first, info.last).hash(&mut hasher);
            for entry in entries {
                (entry.seq, entry.entry.as_str()).hash(&mut hasher);
            }
        }
    }
    Ok(hasher.finish())
}

/// Writes step by step, with large values in between, and tells how the store stands after each.
fn fill_step_by_step(job: &Job) -> Outcome {
    // Only what grows beside the data is put away into it now and then.
    let filler = if job.target.tight().is_some() { FILLER } else { FILLER / 50 };
    let store = job.open()?;
    let mut stands = vec![stand(&store)?];
    for n in 1..=STEPS {
        let text = format!("step {n} ").repeat(60);
        let mut batch = Batch::new().put("n", format!("key {n}"), text.as_str()).append("n", "log", text);
        if n % 8 == 3 {
            batch = batch.append("other", "log", n).delete("n", format!("key {}", n - 1));
        }
        if (10..=12).contains(&n) {
            let filler = if n == 12 { String::new() } else { "f".repeat(filler) };
            batch = batch.put("filled", "k", filler);
        }
        store.commit(batch)?;
        stands.push(stand(&store)?);
    }
    store.close()?;
    job.say(stands)
}

/// A store with something in it, and how it stood after each write.
pub(super) struct Original {
    pub(super) path: PathBuf,
    stands: Vec<Stand>,
}

impl Original {
    pub(super) fn make(arena: &Arena) -> Outcome<Self> {
        let path = arena.target.place(&folder(arena, "original")?);
        let stands = arena.worker_on(&path, "fill_step_by_step")?.start()?.finish::<Vec<Stand>>()?;
        let stands = stands.into_iter().next().context("the worker told nothing")?;
        Ok(Self { path, stands })
    }

    /// Copies the store into a folder of its own and returns the path of the copy.
    pub(super) fn copy(&self, arena: &Arena, name: &str) -> Outcome<PathBuf> {
        let from = self.path.parent().context("no folder")?;
        let to = folder(arena, name)?;
        for found in below(from)? {
            let copy = to.join(found.strip_prefix(from)?);
            if found.is_dir() {
                std::fs::create_dir(copy)?;
            } else {
                std::fs::copy(&found, copy)?;
            }
        }
        Ok(arena.target.place(&to))
    }

    /// Returns where a file of the original lies in a copy.
    pub(super) fn counterpart(&self, copy: &Path, file: &Path) -> Outcome<PathBuf> {
        let from = file.strip_prefix(self.path.parent().context("no folder")?)?;
        Ok(copy.parent().context("no folder")?.join(from))
    }

    /// Whether a stand is that after the last write.
    pub(super) fn is_whole(&self, found: Stand) -> bool {
        self.stands.last() == Some(&found)
    }

    /// Whether a stand is that before the first write.
    pub(super) fn is_nothing(&self, found: Stand) -> bool {
        self.stands.first() == Some(&found)
    }

    /// Whether a stand is that after any of the writes.
    pub(super) fn was_once(&self, found: Stand) -> bool {
        self.stands.iter().collect::<BTreeSet<_>>().contains(&found)
    }
}

/// What whoever opens a spoilt store is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Told {
    /// It finds this, and can write.
    Stands(Stand),
    /// It reads this, and is told when it writes.
    Reads(Stand, String, String),
    /// An error: its kind and its words.
    Of(String, String),
}

/// Opens each store that it is told, reads all there is, and writes if it may.
fn open_what_is_told(job: &Job) -> Outcome {
    while let Some((path, read_only)) = job.hear::<Option<(PathBuf, bool)>>()? {
        job.say(open_one(job, &path, read_only)?)?;
    }
    Ok(())
}

fn told(error: &store_core::Error) -> Outcome<(String, String)> {
    ensure!(error.surely_not_done() && error.message().len() > 10, "the words do not help: {error:?}");
    Ok((format!("{:?}", error.kind()), error.to_string()))
}

fn open_one(job: &Job, path: &Path, read_only: bool) -> Outcome<Told> {
    let settings = Settings::default().with_read_only(read_only).with_create(!read_only);
    let store = match job.target.open(path, settings) {
        Ok(store) => Blocking::new(store),
        Err(error) => return told(&error).map(|(kind, words)| Told::Of(kind, words)),
    };
    // A read that fails says so in the words of a failure of the case; only a typed error counts.
    let found = match store.namespaces().and_then(|all| read_all(&store, all)) {
        Ok(()) => stand(&store)?,
        Err(error) => return told(&error).map(|(kind, words)| Told::Of(kind, words)),
    };
    if read_only {
        return Ok(Told::Stands(found));
    }
    if let Err(error) = store.commit(Batch::new().put("n", "late", 1u64).append("n", "late", 1u64)) {
        let (kind, words) = told(&error)?;
        return Ok(Told::Reads(found, kind, words));
    }
    ensure_eq!(store.get("n", "late")?.map(|entry| entry.value), Some(Json::from(1u64)), "what it wrote");
    store.close()?;
    Ok(Told::Stands(found))
}

fn read_all(store: &Blocking, all: Vec<store_core::NamespaceInfo>) -> store_core::Result<()> {
    for space in all {
        store.object(&space.name)?;
        for log in store.logs(&space.name)? {
            store.read_log(&space.name, &log.name, store_core::LogRange::all())?;
        }
    }
    Ok(())
}

/// The suite's side of a process that opens spoilt stores.
pub(super) struct Opener(Worker);

impl Opener {
    pub(super) fn start(arena: &Arena) -> Outcome<Self> {
        Ok(Self(arena.worker("open_what_is_told")?.start()?))
    }

    pub(super) fn open(&mut self, path: &Path, read_only: bool) -> Outcome<Told> {
        self.0.say(Some((path, read_only)))?;
        let told: Told = self.0.hear()?;
        if let Told::Of(kind, words) | Told::Reads(_, kind, words) = &told {
            const KINDS: [ErrorKind; 4] = [
                ErrorKind::Corrupted,
                ErrorKind::IncompatibleFormat,
                ErrorKind::ConfigInvalid,
                ErrorKind::Io,
            ];
            let fits = KINDS.iter().any(|known| format!("{known:?}") == *kind);
            // What has to be mended first a reader does not mend.
            ensure!(fits || read_only && kind == "ReadOnly", "it is told of as {kind}: {words}");
        }
        Ok(told)
    }
}

/// Makes a file with contents, in a folder outside of any store.
pub(super) fn outside(arena: &Arena, name: &str, original: &Path) -> Outcome<PathBuf> {
    let outside = folder(arena, name)?.join("outside");
    if original.is_dir() {
        std::fs::create_dir(&outside)?;
        for found in below(original)? {
            std::fs::copy(&found, outside.join(found.file_name().context("no name")?))?;
        }
    } else {
        drop(File::create_new(&outside)?);
        std::fs::copy(original, &outside).map_err(Failure::from)?;
    }
    Ok(outside)
}
