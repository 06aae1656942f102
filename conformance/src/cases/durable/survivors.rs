//! What writers write before a power cut, and what of it has to be there afterwards.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use store_core::{Batch, Blocking, Durability, Json, LogRange, Seams, Settings};

use crate::arena::patient;
use crate::audit;
use crate::cases::works;
use crate::failure::{Failure, Outcome, ensure, ensure_eq};
use crate::job::{Job, Work};

pub(super) const WORKS: &[Work] = works![write_on, check_what_survived];

/// The keys of the object that each batch replaces.
const KEYS: usize = 8;

/// When a writer acknowledges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Says {
    /// As the contract has it under `power`.
    WhenSynced,
    /// Too early, as a store under `process`.
    Unsynced,
    /// Too early, before it has written anything.
    BeforeItWrites,
}

impl Says {
    pub(super) fn durability(self) -> Durability {
        if self == Self::Unsynced { Durability::Process } else { Durability::Power }
    }
}

/// A writer: all that it writes bears its number.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Writer {
    pub(super) number: u64,
    pub(super) says: Says,
}

/// What a writer has acknowledged: the numbers of its last batch and of its last put, and the revision that
/// the batch was given.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct Ack {
    batch: u64,
    put: u64,
    revision: u64,
}

/// What was acknowledged when the power was cut, by writer, and the boot after it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Ending {
    pub(super) heard: BTreeMap<u64, Ack>,
    pub(super) boot: String,
}

/// What is there after a power cut: by writer the number of its last batch, and what is missing, in words.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Survived {
    pub(super) stands: BTreeMap<u64, u64>,
    pub(super) lost: Vec<String>,
}

/// An entry of the common log.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Mark {
    writer: u64,
    n: u64,
}

/// Writes, and acknowledges each write, until it is killed.
fn write_on(job: &Job) -> Outcome {
    let Writer { number, says } = job.plan()?;
    let store = job.open()?;
    let name = number.to_string();
    let early = says == Says::BeforeItWrites;
    let mut ack = Ack::default();
    job.say(ack)?;
    for n in 1.. {
        let object = (0..KEYS).map(|key| (format!("key {key}"), Json::from(n))).collect();
        let batch = Batch::new()
            .put("plain", name.as_str(), n)
            .append("common", "log", Json::encode(&Mark { writer: number, n })?)
            .replace_object(format!("object of {name}"), object)
            .put("other", name.as_str(), n);
        ack.batch = n;
        if early {
            job.say(ack)?;
        }
        ack.revision = store.commit(batch)?.revision("plain").unwrap_or_default().get();
        if !early {
            job.say(ack)?;
        }
        store.put("single", &name, Json::from(n))?;
        ack.put = n;
        job.say(ack)?;
    }
    Ok(())
}

/// Opens the store as after a boot, and looks at everything.
fn check_what_survived(job: &Job) -> Outcome {
    let Ending { heard, boot } = job.plan()?;
    let seams = Seams { boot_id: Some(boot), ..Seams::default() };
    // Nobody could acknowledge anything before there was a store.
    let settings = patient(job.target, Settings::default().with_seams(seams));
    let store = Blocking::new(job.target.open(&job.orders.path, settings)?);
    audit::check(&store)?;
    let survived = survivors(&store, &heard)?;
    let given = heard.values().map(|ack| ack.revision).max().unwrap_or_default();
    let next = store.put("plain", "after", Json::from(1u64))?.get();
    ensure!(next > given, "revision {given} was given before the cut, {next} after it");
    let last = store.logs("common")?.first().map_or(0, |info| info.last);
    ensure_eq!(store.append("common", "log", Json::from(0u64))?, last + 1, "the next entry of the log");
    audit::check(&store)?;
    store.close()?;
    drop(store);
    let whole = job.target.check_integrity(&job.orders.path);
    whole.map_err(|found| Failure::new(format_args!("the engine finds its store damaged: {found}")))?;
    job.say(survived)
}

/// Returns what is there of each writer; it fails if any of it is not whole.
fn survivors(store: &Blocking, heard: &BTreeMap<u64, Ack>) -> Outcome<Survived> {
    let mut survived = Survived::default();
    let logged = logged(store)?;
    let written = store.object("plain")?.entries.into_keys();
    let writers = written.filter_map(|name| name.parse().ok()).chain(heard.keys().copied());
    for writer in writers.collect::<std::collections::BTreeSet<u64>>() {
        let name = writer.to_string();
        let stands = store.get_as::<u64>("plain", &name)?.unwrap_or(0);
        is_whole(store, &name, stands)?;
        ensure_eq!(logged.get(&writer).copied().unwrap_or(0), stands, "entries of writer {writer}");
        let single = store.get_as::<u64>("single", &name)?.unwrap_or(0);
        // Each is made after the batch before it was acknowledged, and may not outlive it.
        ensure!(single <= stands, "writer {writer}: put {single} is there, batch {stands} before it not");
        let ack = heard.get(&writer).copied().unwrap_or_default();
        if stands < ack.batch || single < ack.put {
            survived.lost.push(format!("of writer {writer} {ack:?} was heard, {stands} and {single} stand"));
        }
        survived.stands.insert(writer, stands);
    }
    Ok(survived)
}

/// Makes sure that a writer's last batch is there in all its parts.
fn is_whole(store: &Blocking, name: &str, stands: u64) -> Outcome {
    ensure_eq!(store.get_as::<u64>("other", name)?.unwrap_or(0), stands, "the other half of writer {name}");
    let object = store.object(&format!("object of {name}"))?;
    ensure_eq!(object.entries.len(), if stands == 0 { 0 } else { KEYS }, "keys of writer {name}");
    for (key, entry) in &object.entries {
        ensure_eq!(entry.value.decode::<u64>()?, stands, "{key} of writer {name}");
    }
    Ok(())
}

/// Returns how many entries each writer has in the common log, where they stand in order and without gap.
fn logged(store: &Blocking) -> Outcome<BTreeMap<u64, u64>> {
    let mut next: BTreeMap<u64, u64> = BTreeMap::new();
    for (entry, seq) in store.read_log("common", "log", LogRange::all())?.into_iter().zip(1..) {
        ensure_eq!(entry.seq, seq, "the number of an entry");
        let mark: Mark = entry.entry.decode()?;
        let n = next.entry(mark.writer).or_default();
        *n += 1;
        ensure_eq!(mark.n, *n, "the next entry of writer {}", mark.writer);
    }
    Ok(next)
}
