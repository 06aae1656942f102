//! Whether what is acknowledged had been synced, as the system calls tell.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use store_core::{Batch, Durability, Json};

use crate::arena::Arena;
use crate::cases::works;
use crate::failure::{Context, Outcome, ensure, ensure_eq};
use crate::job::{Job, Work};
use crate::wire::PATIENCE;

pub(super) const WORKS: &[Work] = works![write_and_acknowledge, write_slowly, see_and_sync];

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

const SEEN_AND_SYNCED: &str = "seen and synced";

/// Replaces, then appends, then does both in two namespaces; leaves a file once each is acknowledged.
fn write_slowly(job: &Job) -> Outcome {
    let marks: PathBuf = job.plan()?;
    let store = job.open()?;
    for (n, batch) in (1..).zip(slow_batches()) {
        job.say("about to write")?;
        job.hear::<String>()?;
        store.commit(batch)?;
        File::create_new(marks.join(format!("acknowledged {n}")))?;
    }
    job.say("done")?;
    job.hear::<String>().map(drop)
}

/// Batches of which each can be seen by the number of entries in a log or by a key.
fn slow_batches() -> [Batch; 3] {
    [
        Batch::new().put("n", "k", 1u64),
        Batch::new().append("n", "log", 2u64),
        Batch::new().put("n", "k", 3u64).append("other", "log", 3u64),
    ]
}

/// Waits until it sees what another process writes, syncs, and tells whether that was acknowledged by then.
fn see_and_sync(job: &Job) -> Outcome {
    let marks: PathBuf = job.plan()?;
    let store = job.open()?;
    let seen = |n: u64| -> store_core::Result<bool> {
        match n {
            2 => Ok(store.logs("n")?.iter().any(|info| info.name == "log")),
            n => Ok(store.get_as::<u64>("n", "k")? == Some(n)),
        }
    };
    for n in 1..=3 {
        job.say("looking")?;
        let until = Instant::now() + PATIENCE;
        while !seen(n)? {
            ensure!(Instant::now() < until, "write {n} was never seen");
            std::thread::sleep(Duration::from_millis(1));
        }
        job.say("seen")?;
        store.sync()?;
        let acknowledged = marks.join(format!("acknowledged {n}")).exists();
        job.say((SEEN_AND_SYNCED, acknowledged))?;
        job.hear::<String>()?;
    }
    Ok(())
}

/// Returns of each sync of a reader, as its trace has it, whether a sync ended between seeing and telling.
fn synced_itself(trace: &Path) -> Outcome<Vec<bool>> {
    let text = std::fs::read_to_string(trace).context(trace.display())?;
    let (mut synced, mut all) = (false, Vec::new());
    for line in text.lines() {
        if line.contains("sync") && line.ends_with("= 0") {
            synced = true;
        } else if line.contains("write(1, ") && line.contains(SEEN_AND_SYNCED) {
            all.push(synced);
        } else if line.contains("write(1, ") && line.contains("seen") {
            synced = false;
        }
    }
    Ok(all)
}

/// The syncs of a writer take long, so that its writes are seen before they are acknowledged. Who sees one
/// and syncs, syncs it: or the writer had its answer by then.
pub(super) fn what_is_seen_and_synced_is_synced(arena: &Arena) -> Outcome {
    arena.open()?.put("n", "k", Json::from(0u64))?;
    let trace = arena.folder().join("trace");
    let file = trace.to_string_lossy().into_owned();
    let slow = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "inject=fsync,fdatasync:delay_enter=400000"];
    let mut writer = arena.worker("write_slowly")?.plan(arena.folder())?.under(&slow).start()?;
    let traced = ["strace", "-f", "-qq", "-s", "64", "-e", "trace=fsync,fdatasync,write", "-o", &file];
    let mut reader = arena.worker("see_and_sync")?.plan(arena.folder())?.under(&traced).start()?;
    let mut acknowledged = Vec::new();
    for _ in 0..slow_batches().len() {
        reader.hear::<String>()?;
        writer.hear::<String>()?;
        writer.say("go")?;
        reader.hear::<String>()?;
        acknowledged.push(reader.hear::<(String, bool)>()?.1);
        reader.say("on")?;
    }
    reader.finish::<()>()?;
    writer.hear::<String>()?;
    writer.say("enough")?;
    writer.finish::<()>()?;
    let synced = synced_itself(&trace)?;
    ensure_eq!(synced.len(), acknowledged.len(), "syncs in the trace");
    for (n, (synced, acknowledged)) in (1..).zip(synced.iter().zip(acknowledged)) {
        ensure!(*synced || acknowledged, "write {n} was seen, and sync() did not wait for its sync");
    }
    Ok(())
}
