//! Writers that are killed amid changes of several files, and of large ones.

use std::path::Path;
use std::time::Duration;

use conformance::{OwnWork, Process, tell};
use serde_json::Value;
use store_core::{Batch, Json};

use super::{Done, demand, number, numbers, open, place, said};
use crate::target::Files;

pub(super) const SEVERAL: OwnWork = OwnWork { name: "write_several_files", run: write_several_files };
pub(super) const LARGE_APPEND: OwnWork = OwnWork { name: "append_4_mb", run: append_4_mb };

const ROUNDS: usize = 40;
/// How many entries make one large append, and how many bytes each has.
const LARGE: (u64, usize) = (64, 64 << 10);

fn write_several_files(path: &Path, _plan: &Value) -> Done {
    let store = open(path)?;
    for n in number(&store, "n")? + 1.. {
        let batch = Batch::new().put("n", "k", n).put("other", "k", n).put("third", "k", n);
        store.commit(batch.append("n", "log", n).append("other", "log", n)).map_err(said)?;
        tell(n)?;
    }
    Ok(())
}

pub(super) fn amid_several_files(folder: &Path) -> Done {
    let path = place(folder);
    let mut journals = 0;
    for round in 0..ROUNDS {
        let mut writer = Process::start(&Files, "write_several_files", &path, Value::Null)?;
        let first = writer.hear_line()?;
        let told = writer.kill_after(Duration::from_micros(fastrand::u64(..10_000)))?;
        let told = told.last().unwrap_or(&first).as_u64().unwrap_or(0);
        journals += usize::from(path.join(".journal").exists());
        let store = open(&path)?;
        let found = [number(&store, "n")?, number(&store, "other")?, number(&store, "third")?];
        let last = numbers(&store, "log")?.pop().unwrap_or(0);
        let same = found.iter().all(|n| *n == last) && (told..=told + 1).contains(&last);
        demand(same, format!("round {round}: {told} was acknowledged, found are {found:?} and {last}"))?;
    }
    demand(journals > 0, format!("none of {ROUNDS} kills came amid a change of several files"))
}

fn append_4_mb(path: &Path, _plan: &Value) -> Done {
    let store = open(path)?;
    let (entries, size) = LARGE;
    loop {
        let filler = Json::encode(&"x".repeat(size)).map_err(said)?;
        let batch = (0..entries).fold(Batch::new(), |batch, _| batch.append("n", "log", filler.clone()));
        store.commit(batch).map_err(said)?;
        tell(1)?;
    }
}

pub(super) fn amid_a_large_append(folder: &Path) -> Done {
    let path = place(folder);
    let entries = LARGE.0;
    let mut acknowledged = 0;
    for round in 0..ROUNDS / 4 {
        let mut writer = Process::start(&Files, "append_4_mb", &path, Value::Null)?;
        writer.hear_line()?;
        let told = writer.kill_after(Duration::from_micros(fastrand::u64(..20_000)))?;
        acknowledged += 1 + told.len() as u64;
        let store = open(&path)?;
        let last = store.logs("n").map_err(said)?.pop().map_or(0, |info| info.last);
        let whole = last % entries == 0 && last / entries >= acknowledged;
        demand(whole, format!("round {round}: {last} entries after {acknowledged} batches of {entries}"))?;
        acknowledged = last / entries;
    }
    let store = open(&path)?;
    let next = store.append("n", "log", 1u64.into()).map_err(said)?;
    demand(next == acknowledged * entries + 1, format!("the next entry is {next}"))
}
