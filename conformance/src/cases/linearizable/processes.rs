//! Several processes on one store: no lost update, one winner, one creator, no stale read.

use std::os::unix::fs::MetadataExt;

use serde::{Deserialize, Serialize};
use store_core::{Batch, Conflict, Expect, Json, KeyRange, LogRange, Revision, Settings, Update};

use crate::arena::Arena;
use crate::cases::works;
use crate::failure::{Context, Outcome, ensure_eq};
use crate::job::{Job, Work};
use crate::target::{Role, artefact};
use crate::values::entry;
use crate::worker::{Worker, finish_all, release};

pub(super) const WORKS: &[Work] =
    works![count_up, create_a_key, open_first, write_and_tell, exchange_and_tell];

const COUNTERS: u64 = 8;
const COUNTS: u64 = 250;

/// Starts so many workers of one kind, each with its number as its plan.
fn start(arena: &Arena, work: &'static str, settings: &str, count: u64) -> Outcome<Vec<Worker>> {
    (0..count).map(|n| arena.worker(work)?.settings(settings).plan(n)?.start()).collect()
}

pub(super) fn eight_processes_count_to_the_exact_sum(arena: &Arena) -> Outcome {
    let counts = arena.commits(COUNTS);
    let hire = |_| {
        let hire = arena.worker("count_up")?.settings("durability=process&timeout=30s");
        hire.plan(counts)?.start()
    };
    let mut workers = (0..COUNTERS).map(hire).collect::<Outcome<Vec<_>>>()?;
    release(&mut workers)?;
    let mut revisions: Vec<Revision> =
        finish_all(workers)?.into_iter().flatten().map(Revision::new).collect();
    let store = arena.open()?;
    ensure_eq!(store.get_as::<u64>("n", "k")?, Some(COUNTERS * counts));
    revisions.sort();
    revisions.dedup();
    ensure_eq!(revisions.len() as u64, COUNTERS * counts, "revisions, each given once");
    Ok(())
}

fn count_up(job: &Job) -> Outcome {
    let counts: u64 = job.plan()?;
    let store = job.open()?;
    job.meet()?;
    for _ in 0..counts {
        let given = store.update_as("n", "k", |n: Option<u64>| Ok(Update::Put(n.unwrap_or(0) + 1)))?;
        job.say(given.context("a put without a revision")?.get())?;
    }
    Ok(())
}

const RIVALS: u64 = 16;
const PRIZES: u64 = 25;

pub(super) fn one_of_sixteen_creates_a_key(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    let mut rivals = start(arena, "create_a_key", "durability=process&timeout=30s", RIVALS)?;
    for prize in 0..PRIZES {
        release(&mut rivals)?;
        let mut claims: Vec<Claim> = Vec::new();
        for rival in &mut rivals {
            claims.push(rival.hear()?);
        }
        let found = entry(&store, "n", &format!("prize {prize}"))?;
        let winner: u64 = found.value.decode()?;
        for (rival, claim) in (0..).zip(claims) {
            let expected =
                if rival == winner { Claim::Won } else { Claim::Lost { found: found.revision.get() } };
            ensure_eq!(claim, expected, "rival {rival} of prize {prize}, which {winner} holds");
        }
    }
    finish_all::<()>(rivals)?;
    Ok(())
}

/// What became of an attempt to create a key.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Claim {
    Won,
    Lost { found: u64 },
}

fn create_a_key(job: &Job) -> Outcome {
    let rival: u64 = job.plan()?;
    let store = job.open()?;
    for prize in 0..PRIZES {
        let key = format!("prize {prize}");
        job.meet()?;
        let batch = Batch::new().check("n", key.as_str(), Expect::Absent).put("n", key.as_str(), rival);
        let claim = match store.commit(batch) {
            Ok(_) => Claim::Won,
            Err(error) => match error.conflict() {
                Some(Conflict::Key { found: Some(found), .. }) => Claim::Lost { found: found.get() },
                _ => return Err(error.into()),
            },
        };
        job.say(claim)?;
    }
    Ok(())
}

const OPENERS: u64 = 20;
const STORES: usize = 10;

/// What one of the first openers finds.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Opened {
    /// Which file it is: device and inode.
    file: (u64, u64),
    epoch: u32,
}

pub(super) fn twenty_first_openers_share_one_store(arena: &Arena) -> Outcome {
    for round in 0..STORES {
        let path = arena.place(&format!("round {round}"))?;
        let mut openers = Vec::new();
        for n in 0..OPENERS {
            openers.push(arena.worker_on(&path, "open_first")?.settings("timeout=30s").plan(n)?.start()?);
        }
        release(&mut openers)?;
        let mut found = Vec::new();
        for opener in &mut openers {
            found.push(opener.hear::<Opened>()?);
        }
        found.dedup();
        ensure_eq!(found.len(), 1, "what they opened: {found:?}");
        // Now that all have written, each looks what the others wrote.
        release(&mut openers)?;
        finish_all::<()>(openers)?;
        let store = arena.target.open(&path, Settings::default().with_create(false))?;
        let log = pollster::block_on(store.read_log("n", "log", LogRange::all()))?;
        ensure_eq!(log.len() as u64, OPENERS);
    }
    Ok(())
}

fn open_first(job: &Job) -> Outcome {
    let n: u64 = job.plan()?;
    job.meet()?;
    let store = job.open()?;
    let file = artefact(job.target, &job.orders.path, Role::Data)?.metadata()?;
    store.put("n", &format!("opener {n}"), Json::from(n))?;
    store.append("n", "log", Json::from(n))?;
    job.say(Opened { file: (file.dev(), file.ino()), epoch: store.info()?.epoch })?;
    job.meet()?;
    let seen = store.object("n")?.entries.len() as u64;
    ensure_eq!(seen, OPENERS, "entries that opener {n} sees");
    Ok(())
}

const TOLD: u64 = 300;

/// One process writes and tells; what another one then reads is never older.
pub(super) fn no_process_reads_what_was_replaced(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    let mut writer = arena.worker("write_and_tell")?.settings("durability=process").start()?;
    for expected in 1..=TOLD {
        writer.say("next")?;
        let revision = Revision::new(writer.hear()?);
        let found = match expected % 4 {
            0 => entry(&store, "n", "k")?,
            1 => store.object("n")?.entries.remove("k").context("the key is gone")?,
            2 => store.list("n", KeyRange::prefix("k"))?.pop().context("the key is gone")?.1,
            _ => {
                let last = store.read_log("n", "log", LogRange::tail(1))?.pop().context("the log is gone")?;
                ensure_eq!(last.entry.decode::<u64>()?, expected, "the last entry of the log");
                entry(&store, "n", "k")?
            }
        };
        ensure_eq!((found.value.decode::<u64>()?, found.revision), (expected, revision));
        // And the other way round: what is read is no older than what was read before.
        store.put("n", "answer", Json::from(expected))?;
    }
    writer.finish::<()>().map(drop)
}

fn write_and_tell(job: &Job) -> Outcome {
    let store = job.open()?;
    for n in 1..=TOLD {
        job.hear::<String>()?;
        let answer: Option<u64> = store.get_as("n", "answer")?;
        ensure_eq!(answer.unwrap_or(0), n - 1, "what the suite wrote before it said so");
        let receipt = store.commit(Batch::new().put("n", "k", n).append("n", "log", n))?;
        job.say(receipt.revision("n").context("no revision")?.get())?;
    }
    Ok(())
}

const EXCHANGED: u64 = 100;

/// The same for what is replaced by as many bytes, within the same second: no size tells, and no time in
/// whole seconds.
pub(super) fn no_process_reads_what_as_many_bytes_replaced(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    let mut writer = arena.worker("exchange_and_tell")?.settings("durability=process").start()?;
    for expected in 1..=EXCHANGED {
        writer.say("next")?;
        let revision = Revision::new(writer.hear()?);
        let found = match expected % 3 {
            0 => entry(&store, "n", "k")?,
            1 => store.object("n")?.entries.remove("k").context("the key is gone")?,
            _ => store.list("n", KeyRange::prefix("k"))?.pop().context("the key is gone")?.1,
        };
        ensure_eq!((found.value.decode::<u64>()?, found.revision), (EXCHANGED + expected, revision));
    }
    writer.finish::<()>().map(drop)
}

fn exchange_and_tell(job: &Job) -> Outcome {
    let store = job.open()?;
    for n in 1..=EXCHANGED {
        job.hear::<String>()?;
        // All of three digits.
        job.say(store.put("n", "k", Json::from(EXCHANGED + n))?.get())?;
    }
    Ok(())
}
