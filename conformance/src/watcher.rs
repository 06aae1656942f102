//! A process that looks at folders as fast as it can and notes every state in which it sees what lies there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::arena::Arena;
use crate::failure::{Outcome, ensure};
use crate::job::Job;
use crate::rights::Found;
use crate::worker::Worker;

/// How often the files that are expected are looked at for each time that the folder is listed.
const LOOKS: usize = 8;

/// One state in which something was seen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Sight {
    pub(crate) path: PathBuf,
    pub(crate) found: Found,
    pub(crate) size: u64,
}

/// What a watcher looks at: files that are expected to appear, and folders that are listed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct View {
    pub(crate) files: Vec<PathBuf>,
    pub(crate) folders: Vec<PathBuf>,
}

/// The work of a watcher: looks until it is told to stop, and tells what it saw, again and again.
pub(crate) fn watch(job: &Job) -> Outcome {
    while let Some(view) = job.hear::<Option<View>>()? {
        job.say("watching")?;
        let mut seen = BTreeSet::new();
        while !job.was_told()? {
            view.look(&mut seen);
        }
        view.look(&mut seen);
        job.say(seen)?;
    }
    Ok(())
}

impl View {
    fn look(&self, seen: &mut BTreeSet<Sight>) {
        for _ in 0..LOOKS {
            for path in &self.files {
                note(path, seen);
            }
        }
        for entry in self.folders.iter().filter_map(|folder| folder.read_dir().ok()).flatten().flatten() {
            note(&entry.path(), seen);
        }
    }
}

/// Notes how a file looks; one that is not there, or not any more, is no sight.
fn note(path: &Path, seen: &mut BTreeSet<Sight>) {
    let Ok(metadata) = path.symlink_metadata() else { return };
    let sight = Sight { path: path.to_owned(), found: Found::of(&metadata), size: metadata.len() };
    seen.insert(sight);
}

/// The suite's side of a watcher.
#[derive(Debug)]
pub(crate) struct Watcher(Worker);

impl Watcher {
    /// Starts a watcher.
    pub(crate) fn start(arena: &Arena) -> Outcome<Self> {
        Ok(Self(arena.worker("watch")?.start()?))
    }

    /// Returns every state that was seen while something was done.
    pub(crate) fn during(&mut self, view: &View, act: impl FnOnce() -> Outcome) -> Outcome<BTreeSet<Sight>> {
        self.0.say(Some(view))?;
        self.0.hear::<String>()?;
        act()?;
        self.0.say("enough")?;
        let seen: BTreeSet<Sight> = self.0.hear()?;
        ensure!(!seen.is_empty(), "the watcher saw nothing at all");
        Ok(seen)
    }
}
