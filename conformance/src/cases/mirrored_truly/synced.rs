//! Whether what a mirror shows had been synced, as the system calls tell.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use store_core::Json;

use super::open_mirrored;
use crate::arena::Arena;
use crate::cases::works;
use crate::failure::{Context, Outcome, ensure, ensure_eq};
use crate::job::{Job, Work};

pub(super) const WORKS: &[Work] = works![write_and_mirror];

const WRITES: u64 = 6;
const MARK: &str = "about to write";

/// Writes what no commit syncs where the engine leaves it to the system, and has each mirrored.
fn write_and_mirror(job: &Job) -> Outcome {
    let store = open_mirrored(job, Duration::ZERO)?;
    for n in 0..WRITES {
        job.say(MARK)?;
        store.put("n", "k", Json::from(n))?;
    }
    Ok(store.close()?)
}

/// Returns how often a file of the mirror came into its place in a trace, and how often no sync of the
/// store came before, since the writer said that it was about to write.
fn unsynced(trace: &Path) -> Outcome<(u64, u64)> {
    let text = std::fs::read_to_string(trace).context(trace.display())?;
    let (mut synced, mut shown, mut bare) = (false, 0, 0);
    // Syncs that were begun when the trace turned to another thread.
    let mut begun = BTreeSet::new();
    for line in text.lines() {
        let thread = line.split_whitespace().next().unwrap_or_default();
        if line.contains("write(1<") && line.contains(MARK) {
            synced = false;
        } else if line.contains("rename") && line.contains("/mirror/n.json\"") {
            shown += 1;
            bare += u64::from(!synced);
        } else if line.contains("sync(") && !line.contains("/mirror") {
            if line.ends_with("= 0") {
                synced = true;
            } else {
                begun.insert(thread);
            }
        } else if line.contains("sync resumed") && line.ends_with("= 0") {
            synced |= begun.remove(thread);
        }
    }
    Ok((shown, bare))
}

/// A commit need not be synced to be shown, but then the mirror syncs the store before it shows it.
pub(super) fn what_a_mirror_shows_was_synced_before(arena: &Arena) -> Outcome {
    arena.open()?.put("other", "k", Json::from(0_u64))?;
    let trace = arena.folder().join("trace");
    let file = trace.to_string_lossy().into_owned();
    let calls = "trace=fsync,fdatasync,rename,renameat,renameat2,write";
    let under = ["strace", "-f", "-qq", "-y", "-s", "256", "-e", calls, "-o", &file];
    let hire = arena.worker("write_and_mirror")?.under(&under).settings("durability=process");
    hire.start()?.finish::<String>()?;
    let (shown, bare) = unsynced(&trace)?;
    ensure_eq!(shown, WRITES, "how often the file was written");
    ensure!(bare == 0, "{bare} of {shown} files were shown before what they show was synced");
    Ok(())
}
