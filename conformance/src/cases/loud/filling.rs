//! Processes that write until there is no room left, and what of it has to be there.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use store_core::{Batch, Blocking, ErrorKind, Json, LogRange, Settings};

use crate::arena::patient;
use crate::audit;
use crate::cases::works;
use crate::failure::{Failure, Outcome, ensure, ensure_eq};
use crate::job::{Job, Work};

pub(super) const WORKS: &[Work] = works![fill_up_and_go_on, check_tales];

/// The sizes of what is written, each until the first is refused, and how often at most: large ones fill the
/// disk, small ones find what room is left.
const SIZES: [(usize, u64); 3] = [(128 << 10, 120), (8 << 10, 40), (1 << 10, 40)];
/// How many writes are made once there is room again.
const AFTERWARDS: u64 = 5;

/// What became of a writer's writes, by their numbers.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Tale {
    pub(super) writer: u64,
    pub(super) done: Vec<u64>,
    pub(super) refused: Vec<u64>,
    pub(super) in_doubt: Vec<u64>,
    /// Why the last that was not done was not.
    why: String,
}

/// What a process that checks has to do.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Check {
    pub(super) tales: Vec<Tale>,
    pub(super) read_only: bool,
}

impl Tale {
    fn next(&self) -> u64 {
        (self.done.len() + self.refused.len() + self.in_doubt.len()) as u64 + 1
    }

    /// Makes one write over two namespaces; returns whether it was done. There is no other refusal than that
    /// there is no room.
    fn write(&mut self, store: &Blocking, size: usize) -> Outcome<bool> {
        let n = self.next();
        let text = format!("{n} ").repeat(size / 4);
        let mark = Json::encode(&(self.writer, n, &text))?;
        let batch = Batch::new().put(self.space(n), "k", text).append("common", "log", mark);
        match store.commit(batch) {
            Ok(_) => self.done.push(n),
            Err(error) if error.kind() == ErrorKind::StorageFull => {
                ensure!(error.surely_not_done() && error.is_retryable(), "it does not say enough: {error:?}");
                self.refused.push(n);
                self.why = format!("{error:?}");
                return Ok(false);
            }
            Err(error) if error.kind() == ErrorKind::Indeterminate => {
                self.in_doubt.push(n);
                self.why = format!("{error:?}");
                return Ok(false);
            }
            Err(error) => {
                let kind = error.kind();
                return Err(Failure::new(format_args!("write {n} on a full disk is {kind}: {error:?}")));
            }
        }
        Ok(true)
    }

    fn space(&self, n: u64) -> String {
        format!("writer {} write {n}", self.writer)
    }

    /// Makes sure that what was done is there, both halves of it, and that what was refused is not; `logged`
    /// has what the log holds of this writer.
    fn check(&self, store: &Blocking, logged: &BTreeMap<(u64, u64), String>) -> Outcome {
        for n in 1..self.next() {
            let put = store.get_as::<String>(&self.space(n), "k")?;
            let logged = logged.get(&(self.writer, n));
            let what = format!("write {n} of writer {}", self.writer);
            ensure!(put.as_ref() == logged, "{what} is there by half");
            ensure!(put.is_none_or(|text| text.starts_with(&format!("{n} {n} "))), "{what} is another");
            let there = logged.is_some();
            ensure!(there || !self.done.contains(&n), "{what} was acknowledged and is not there");
            ensure!(!there || !self.refused.contains(&n), "{what} was refused and is there all the same");
        }
        Ok(())
    }
}

/// Returns what the log holds of each write, which has to be there once.
fn logged(store: &Blocking) -> Outcome<BTreeMap<(u64, u64), String>> {
    let mut logged = BTreeMap::new();
    for entry in store.read_log("common", "log", LogRange::all())? {
        let (writer, n, text): (u64, u64, String) = entry.entry.decode()?;
        ensure!(logged.insert((writer, n), text).is_none(), "write {n} of writer {writer} is logged twice");
    }
    Ok(logged)
}

/// Writes until there is no room, reads all the same, and goes on with the same handle when there is room.
fn fill_up_and_go_on(job: &Job) -> Outcome {
    let store = job.open()?;
    let mut tale = Tale { writer: job.plan()?, ..Tale::default() };
    for (size, most) in SIZES {
        let mut written = 0;
        while written < most && tale.write(&store, size)? {
            written += 1;
        }
    }
    // Asking again does no harm.
    for (size, _) in SIZES {
        tale.write(&store, size)?;
    }
    ensure!(!tale.refused.is_empty() || !tale.in_doubt.is_empty(), "the disk was never full");
    tale.check(&store, &logged(&store)?)?;
    job.say(&tale)?;
    job.hear::<String>()?;
    for n in 0..AFTERWARDS {
        let done = tale.write(&store, 8 << 10)?;
        ensure!(done, "with room again, write {n} was refused: {:?}", tale.why);
    }
    tale.check(&store, &logged(&store)?)?;
    store.close()?;
    job.say(tale)
}

/// Opens a store afresh, compares it with what its writers tell, and writes unless it may only read.
fn check_tales(job: &Job) -> Outcome {
    let Check { tales, read_only } = job.plan()?;
    let settings = Settings::default().with_create(false).with_read_only(read_only);
    let store = Blocking::new(job.target.open(&job.orders.path, patient(job.target, settings))?);
    let found = logged(&store)?;
    tales.iter().try_for_each(|tale| tale.check(&store, &found))?;
    audit::check(&store)?;
    if !read_only {
        let last = store.append("afterwards", "log", Json::from("x".repeat(8 << 10)))?;
        ensure_eq!(last, store.logs("afterwards")?.first().map_or(0, |info| info.last));
    }
    store.close()?;
    drop(store);
    if read_only {
        // The engine may have to write to check itself.
        return Ok(());
    }
    let whole = job.target.check_integrity(&job.orders.path);
    whole.map_err(|found| Failure::new(format_args!("the engine finds its store damaged: {found}")))
}
