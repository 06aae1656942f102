//! Writers whose every write is two halves of the same in two namespaces, so that what is not one instant shows.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use store_core::{Batch, Blocking, Result};

use super::dumps::Contents;
use crate::cases::works;
use crate::failure::{Context, Outcome, ensure, ensure_eq};
use crate::history::now;
use crate::job::{Job, Work};

pub(super) const WORKS: &[Work] = works![write_pairs];

/// Between two writes.
const REST: Duration = Duration::from_micros(500);

/// The halves.
pub(super) const SIDES: [&str; 2] = ["left", "right"];

/// A write that was acknowledged, and when, by the clock of the machine.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Wrote {
    pub(super) writer: u64,
    pub(super) n: u64,
    pub(super) begun: u64,
    pub(super) ended: u64,
    /// The revision that the left half got.
    pub(super) revision: u64,
}

impl Wrote {
    /// Makes the write of a number.
    pub(super) fn write(store: &Blocking, writer: u64, n: u64) -> Outcome<Result<Self>> {
        let begun = now()?;
        let batch = SIDES.iter().fold(Batch::new(), |batch, side| {
            batch.put(*side, key_of(writer), n).append(*side, "log", json!([writer, n]))
        });
        match store.commit(batch) {
            Ok(receipt) => {
                let revision = receipt.revision("left").context("no revision")?.get();
                Ok(Ok(Self { writer, n, begun, ended: now()?, revision }))
            }
            Err(error) => Ok(Err(error)),
        }
    }
}

/// Returns the key under which a writer counts.
pub(super) fn key_of(writer: u64) -> String {
    format!("writer {writer}")
}

/// Writes until it is told to stop.
fn write_pairs(job: &Job) -> Outcome {
    let writer: u64 = job.plan()?;
    let store = job.open()?;
    job.meet()?;
    for n in 1.. {
        if job.was_told()? {
            break;
        }
        job.say(Wrote::write(&store, writer, n)??)?;
        // Whoever listens reads all of it again and again.
        std::thread::sleep(REST);
    }
    Ok(())
}

/// The last number of each writer, and what the log holds: writers and their numbers.
type Halves = (BTreeMap<u64, u64>, Vec<(u64, u64)>);

/// Makes sure that both halves of a dump are the same; returns one of them.
pub(super) fn halves(dump: &Contents, writers: u64) -> Outcome<Halves> {
    let mut last = BTreeMap::new();
    for writer in 0..writers {
        let [left, right] = SIDES.map(|side| dump.number(side, &key_of(writer)));
        ensure_eq!(left, right, "the halves of writer {writer}");
        last.insert(writer, left);
    }
    let log = |side: &str| dump.logs.get(&(side.to_owned(), "log".to_owned())).cloned().unwrap_or_default();
    let [left, right] = SIDES.map(log);
    ensure_eq!(left, right, "the halves of the log");
    let entries: Vec<(u64, u64)> =
        left.into_iter().map(serde_json::from_value).collect::<std::result::Result<_, _>>()?;
    for (writer, last) in &last {
        let newest = entries.iter().rev().find(|entry| entry.0 == *writer).map_or(0, |entry| entry.1);
        ensure!(newest == *last, "writer {writer} counts {last} and its log {newest}");
    }
    Ok((last, entries))
}
