//! Whether what is acknowledged had been synced, as the system calls tell.

use std::path::Path;

use store_core::{Batch, Durability, Json};

use crate::arena::Arena;
use crate::cases::works;
use crate::failure::{Context, Outcome, ensure, ensure_eq};
use crate::job::{Job, Work};

pub(super) const WORKS: &[Work] = works![write_and_acknowledge];

const WRITES: u64 = 12;

fn write_and_acknowledge(job: &Job) -> Outcome {
    let store = job.open()?;
    job.say("open")?;
    for n in 0..WRITES {
        let batch = match n % 3 {
            0 => Batch::new().put("n", "k", n),
            1 => Batch::new().append("n", "log", n),
            _ => Batch::new().put("a", "k", n).put("b", "k", n).append("c", "log", n),
        };
        store.commit(batch)?;
        job.say(n)?;
    }
    Ok(())
}

/// Returns how many acknowledgements a trace has, and how many of them no finished sync came before.
fn unsynced(trace: &Path) -> Outcome<(u64, u64)> {
    let text = std::fs::read_to_string(trace).context(trace.display())?;
    let (mut synced, mut open, mut told, mut bare) = (false, false, 0, 0);
    for line in text.lines() {
        if line.contains("sync") && line.ends_with("= 0") {
            synced = true;
        } else if line.contains("write(1, ") && line.contains("Said") {
            // The first of them says that the store is open.
            if open {
                told += 1;
                bare += u64::from(!synced);
            }
            (open, synced) = (true, false);
        }
    }
    Ok((told, bare))
}

/// Between two acknowledgements of one writer there is a sync, whatever it wrote; under `process` too where
/// a commit survives the loss of power by itself.
pub(super) fn what_is_acknowledged_was_synced_before(arena: &Arena) -> Outcome {
    arena.open()?.put("n", "k", Json::from(0u64))?;
    let mut durabilities = vec![Durability::Power];
    if arena.target.durability() == Durability::Power {
        durabilities.push(Durability::Process);
    }
    for durability in durabilities {
        let trace = arena.folder().join(durability.as_str());
        let file = trace.to_string_lossy().into_owned();
        let under = [
            "strace",
            "-f",
            "-qq",
            "-s",
            "64",
            "-e",
            "trace=fsync,fdatasync,sync_file_range,write",
            "-o",
            &file,
        ];
        let hire = arena.worker("write_and_acknowledge")?.under(&under);
        let hire = hire.settings(&format!("durability={}", durability.as_str()));
        hire.start()?.finish::<serde_json::Value>()?;
        let (told, bare) = unsynced(&trace)?;
        ensure_eq!(told, WRITES, "acknowledgements in the trace");
        ensure!(bare == 0, "under {durability:?} {bare} of {told} writes were acknowledged without a sync");
    }
    Ok(())
}
