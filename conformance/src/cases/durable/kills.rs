//! Writers that are killed at random moments, two hundred times.

use std::collections::BTreeMap;
use std::time::Duration;

use fastrand::Rng;
use serde::{Deserialize, Serialize};
use store_core::{Batch, Blocking, Durability, Json, LogRange};

use crate::arena::Arena;
use crate::cases::works;
use crate::failure::{Context, Outcome, ensure, ensure_eq};
use crate::job::{Job, Work};
use crate::worker::Worker;

pub(super) const WORKS: &[Work] = works![write_until_killed, write_large_until_killed];

const KILLS: u64 = 200;
const WRITERS: usize = 4;
/// The keys of the object that each write replaces.
const KEYS: usize = 20;

/// One life of a writer: everything it writes bears its number.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Life {
    number: u64,
    durable: bool,
}

/// An entry of the common log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    life: u64,
    n: u64,
}

/// 4 writers under both durabilities acknowledge each write before the next; 200 times one is killed at a
/// random moment and followed by a new process, which has to write within its deadline. What was
/// acknowledged is there; of the write that was not, all or nothing.
pub(super) fn two_hundred_kills_lose_nothing(arena: &Arena) -> Outcome {
    let mut chance = arena.chance();
    let store = arena.open()?;
    let mut done: BTreeMap<u64, u64> = BTreeMap::new();
    let mut alive = Vec::new();
    let mut births = 0;
    for _ in 0..KILLS {
        while alive.len() < WRITERS {
            births += 1;
            let life = Life { number: births, durable: chance.bool() };
            alive.push((life, arena.worker("write_until_killed")?.plan(life)?.start()?));
        }
        let (life, writer) = alive.remove(chance.usize(..alive.len()));
        let acknowledged = kill_at_random(writer, &mut chance).context(format_args!("{life:?}"))?;
        let stands = check_life(&store, life, acknowledged)?;
        done.insert(life.number, stands);
    }
    for (life, writer) in alive {
        let said: Vec<u64> = writer.kill()?;
        done.insert(life.number, check_life(&store, life, said.last().copied().unwrap_or(0))?);
    }
    check_log(&store, &done)
}

/// Kills a writer before, while or after it writes and returns the last write that it acknowledged.
fn kill_at_random(mut writer: Worker, chance: &mut Rng) -> Outcome<u64> {
    let mut heard = 0;
    // One in five is killed while it starts.
    if chance.u8(..5) > 0 {
        heard = writer.hear()?;
    }
    std::thread::sleep(Duration::from_micros(chance.u64(..15_000)));
    Ok(writer.kill::<u64>()?.last().copied().unwrap_or(heard))
}

/// Makes sure that what a dead writer wrote is whole, and returns the number of its last write.
fn check_life(store: &Blocking, life: Life, acknowledged: u64) -> Outcome<u64> {
    let name = life.number.to_string();
    let stands = store.get_as::<u64>("plain", &name)?.unwrap_or(0);
    let kept = (acknowledged..=acknowledged + 1).contains(&stands);
    ensure!(kept, "{life:?} was told that write {acknowledged} is done, found {stands}");
    ensure_eq!(store.get_as::<u64>("other", &name)?.unwrap_or(0), stands, "the other half of {life:?}");
    let object = store.object(&format!("object of {name}"))?;
    ensure_eq!(object.entries.len(), if stands == 0 { 0 } else { KEYS }, "keys of the object of {life:?}");
    for (key, entry) in &object.entries {
        ensure_eq!(entry.value.decode::<u64>()?, stands, "{key} of {life:?}");
    }
    Ok(stands)
}

/// Makes sure that the common log is dense and holds the writes of each life once and in their order.
fn check_log(store: &Blocking, done: &BTreeMap<u64, u64>) -> Outcome {
    let log = store.read_log("common", "log", LogRange::all())?;
    let mut next: BTreeMap<u64, u64> = BTreeMap::new();
    for (entry, seq) in log.iter().zip(1..) {
        ensure_eq!(entry.seq, seq, "the number of an entry");
        let mark: Mark = entry.entry.decode()?;
        let n = next.entry(mark.life).or_default();
        *n += 1;
        ensure_eq!(mark.n, *n, "the next entry of life {}", mark.life);
    }
    let wrote: BTreeMap<u64, u64> =
        done.iter().filter(|(_, n)| **n > 0).map(|(life, n)| (*life, *n)).collect();
    ensure_eq!(next, wrote, "how many entries each life has");
    ensure!(wrote.len() as u64 > KILLS / 2, "only {} of them came to write anything", wrote.len());
    Ok(())
}

fn write_until_killed(job: &Job) -> Outcome {
    let life: Life = job.plan()?;
    let store = job.open()?;
    let name = life.number.to_string();
    let durability = if life.durable { Durability::Power } else { Durability::Process };
    for n in 1.. {
        let object = (0..KEYS).map(|key| (format!("key {key}"), Json::from(n))).collect();
        let batch = Batch::new()
            .put("plain", name.as_str(), n)
            .append("common", "log", Json::encode(&Mark { life: life.number, n })?)
            .replace_object(format!("object of {name}"), object)
            .put("other", name.as_str(), n)
            .durability(durability);
        store.commit(batch)?;
        job.say(n)?;
    }
    Ok(())
}

const LARGE_KILLS: u64 = 40;
const LARGE: usize = 300_000;

/// A writer of large values keeps the engine busy with its own files: it grows them, and copies from one
/// into the other. Wherever in that it is killed, the store opens, and holds what was acknowledged.
pub(super) fn kills_amid_large_writes_lose_nothing(arena: &Arena) -> Outcome {
    let mut chance = arena.chance();
    let mut last = 0;
    for _ in 0..arena.commits(2 * LARGE_KILLS).min(LARGE_KILLS) {
        let hire = arena.worker("write_large_until_killed")?.settings("durability=process");
        let mut writer = hire.plan(last)?.start()?;
        let first: u64 = writer.hear()?;
        std::thread::sleep(Duration::from_micros(chance.u64(..60_000)));
        let acknowledged = writer.kill::<u64>()?.last().copied().unwrap_or(first);
        let store = arena.open()?;
        let stands = store.logs("n")?.pop().context("there is no log")?.last;
        ensure!(
            (acknowledged..=acknowledged + 1).contains(&stands),
            "{acknowledged} acknowledged, {stands} there"
        );
        let tail = store.read_log("n", "log", LogRange::tail(3))?;
        for entry in tail {
            ensure!(entry.entry == large(entry.seq), "entry {} came back otherwise", entry.seq);
        }
        store.close()?;
        last = stands;
    }
    Ok(())
}

fn large(n: u64) -> Json {
    Json::from(format!("{n} ").repeat(LARGE / 4))
}

fn write_large_until_killed(job: &Job) -> Outcome {
    let last: u64 = job.plan()?;
    let store = job.open()?;
    for n in last + 1.. {
        let key = format!("key {}", n % 50);
        store.commit(Batch::new().append("n", "log", large(n)).put("n", key, large(n)))?;
        job.say(n)?;
    }
    Ok(())
}
