//! Files of a mirror that somebody else changed, or that are behind.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use store_core::MirrorState::{Drifted, Fresh, Missing, Stale};
use store_core::{Blocking, Json, MirrorConfig, MirrorState};

use super::{NEVER, config_of, open_mirrored, shows_all, status, until_caught_up};
use crate::arena::Arena;
use crate::cases::works;
use crate::failure::{Outcome, ensure_eq};
use crate::job::{Job, Work};

pub(super) const WORKS: &[Work] = works![write_what_is_never_mirrored];

/// How often the killed process wrote what its mirror does not show.
const BEHIND: u64 = 3;

/// Writes and does not live to see it mirrored.
fn write_what_is_never_mirrored(job: &Job) -> Outcome {
    let store = open_mirrored(job, NEVER)?;
    until_caught_up(&store)?;
    for n in 1..=BEHIND {
        store.put("stale", "n", Json::from(n))?;
    }
    job.say(status(&store)?.pending)?;
    job.hear::<String>().map(drop)
}

/// A text that no file of the mirror had, in its place or in the file itself.
fn change(path: &Path, anew: bool) -> Outcome {
    if anew {
        std::fs::remove_file(path)?;
    }
    let mut file = File::options().create(anew).append(true).open(path)?;
    Ok(file.write_all(b"{\"n\": 7}\n")?)
}

type Stand = BTreeMap<String, (MirrorState, Option<u64>)>;

fn stand(store: &Blocking, config: &MirrorConfig) -> Outcome<Stand> {
    let checks = store.mirror(config.clone())?.check(None)?;
    Ok(checks.into_iter().map(|check| (check.namespace, (check.state, check.behind))).collect())
}

/// A file that was changed in place or exchanged is told as drifted, one that was removed as missing, one that
/// a killed process left behind as stale by so many revisions; all others are fresh. Writing mends all,
/// and nothing of the store was touched.
pub(super) fn what_somebody_changed_is_told_and_written_anew(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    let config = config_of(&arena.path()?)?;
    let names = ["edited", "exchanged", "fresh", "removed", "stale"];
    for name in names {
        store.put(name, "n", Json::from(0_u64))?;
    }
    let mirror = store.mirror(config.clone())?;
    ensure_eq!(mirror.write(None)?.changes.len(), names.len(), "files that were written");
    shows_all(&store, &config)?;
    change(&config.dir.join("edited.json"), false)?;
    change(&config.dir.join("exchanged.json"), true)?;
    std::fs::remove_file(config.dir.join("removed.json"))?;
    let told: Stand = [
        ("edited", Drifted, None),
        ("exchanged", Drifted, None),
        ("fresh", Fresh, Some(0)),
        ("removed", Missing, Some(1)),
        ("stale", Fresh, Some(0)),
    ]
    .map(|(name, state, behind)| (name.to_owned(), (state, behind)))
    .into();
    ensure_eq!(stand(&store, &config)?, told);
    let mended = mirror.write(None)?;
    ensure_eq!((mended.changes.len(), mended.failed.len()), (3, 0), "files that were mended");
    shows_all(&store, &config)?;
    let mut killed = arena.worker("write_what_is_never_mirrored")?.start()?;
    ensure_eq!(killed.hear::<Vec<String>>()?, ["stale"], "what is to be mirrored");
    killed.kill::<String>()?;
    let behind = stand(&store, &config)?.remove("stale");
    ensure_eq!(behind, Some((Stale, Some(BEHIND))), "the file that a killed process left behind");
    ensure_eq!(mirror.write(None)?.changes.len(), 1, "files that were behind");
    shows_all(&store, &config)
}
