//! What stands at the end of a log that nobody acknowledged, or no longer stands there.

use std::path::Path;

use store_core::{Batch, ErrorKind, Json, LogEntry, LogRange, Timestamp};

use super::{Done, bytes_of, demand, numbers, open, place, refused, said};
use crate::record::encode_batch;
use crate::target::damages::overwrite;

/// Makes a log of three entries, in two batches, and returns its bytes.
fn three_entries(path: &Path) -> Result<Vec<u8>, String> {
    let store = open(path)?;
    store.append("n", "log", 1u64.into()).map_err(said)?;
    let two = Batch::new().append("n", "log", 2u64).append("n", "log", 3u64);
    store.commit(two).map_err(said)?;
    store.close().map_err(said)?;
    std::fs::read(path.join("n/log.jsonl")).map_err(said)
}

/// The tails that a kill, or a loss of power, can leave of a batch of three.
fn unfinished() -> Vec<Vec<u8>> {
    let entry = |seq| LogEntry { seq, at: Timestamp::now(), entry: Json::from(format!("lost {seq}")) };
    let batch = encode_batch(&[entry(4), entry(5), entry(6)], 1).into_bytes();
    let mut tails: Vec<Vec<u8>> =
        (1..batch.len()).map(|length| batch.get(..length).unwrap_or_default().to_vec()).collect();
    for zeros in [1, 511, 512, 4096, 100_000] {
        tails.push(vec![0; zeros]);
        let mut cut = batch.get(..batch.len() / 2).unwrap_or_default().to_vec();
        cut.extend(vec![0; zeros]);
        tails.push(cut);
    }
    // A sector in its middle never came to the disk.
    let mut torn = batch.clone();
    torn.iter_mut().skip(batch.len() * 2 / 3).take(60).for_each(|byte| *byte = 0);
    tails.push(torn);
    tails
}

pub(super) fn unfinished_appends_are_cut_off(folder: &Path) -> Done {
    let path = place(folder);
    let log = path.join("n/log.jsonl");
    let whole = three_entries(&path)?;
    for tail in unfinished() {
        let what =
            |why: String| format!("behind {} bytes, {:?}: {why}", tail.len(), String::from_utf8_lossy(&tail));
        overwrite(&log, [whole.as_slice(), &tail].concat())?;
        let store = open(&path)?;
        let found = numbers(&store, "log").map_err(what)?;
        demand(found == [1, 2, 3], what(format!("found {found:?}")))?;
        let seq = store.append("n", "log", 4u64.into()).map_err(|error| what(error.to_string()))?;
        demand(seq == 4 && numbers(&store, "log")? == [1, 2, 3, 4], what(format!("the next is {seq}")))?;
        store.close().map_err(said)?;
    }
    Ok(())
}

pub(super) fn cuts_are_refused(folder: &Path) -> Done {
    let path = place(folder);
    let log = path.join("n/log.jsonl");
    let whole = three_entries(&path)?;
    let cuts = (0..whole.len()).map(|length| whole.get(..length).unwrap_or_default().to_vec());
    let mut spoilt: Vec<Vec<u8>> = cuts.collect();
    spoilt.push([whole.as_slice(), b"hello\n"].concat());
    for contents in spoilt {
        let length = contents.len();
        overwrite(&log, contents)?;
        let before = bytes_of(&path)?;
        let store = open(&path)?;
        let at = |what: String| format!("{length} of {} bytes: {what}", whole.len());
        refused(store.read_log("n", "log", LogRange::all()), ErrorKind::Corrupted).map_err(at)?;
        refused(store.append("n", "log", 4u64.into()), ErrorKind::Corrupted).map_err(at)?;
        demand(bytes_of(&path)? == before, at("files were changed".into()))?;
    }
    overwrite(&log, whole)
}
