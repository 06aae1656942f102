//! Readers and writers that are processes of their own: what one replaces, another sees whole.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use store_core::{Batch, Blocking, Json, KeyRange, LogRange, Revision};

use crate::arena::Arena;
use crate::cases::works;
use crate::failure::{Context, Outcome, ensure, ensure_eq};
use crate::job::{Job, Work};
use crate::worker::{finish_all, release};

pub(super) const WORKS: &[Work] = works![replace_again_and_again, watch_an_object, write_three, watch_three];

const KEYS: usize = 100;
const WRITERS: u64 = 4;
const READERS: usize = 4;
/// How often each writer replaces the object.
const ROUNDS: u64 = 150;

/// What stands under every key of the object: who replaced it, and for the how-manieth time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Stamp {
    writer: u64,
    round: u64,
}

/// What a reader saw.
#[derive(Debug, Serialize, Deserialize)]
struct Seen {
    reads: u64,
    revisions: usize,
}

/// 4 processes replace an object of 100 keys, 4 read it: never empty, mixed or going back.
pub(super) fn object_is_never_seen_mixed(arena: &Arena) -> Outcome {
    let first = stamped(Stamp { writer: 0, round: 0 })?;
    arena.open()?.replace_object("n", first)?;
    let mut readers = Vec::new();
    for _ in 0..READERS {
        readers.push(arena.worker("watch_an_object")?.start()?);
    }
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let hire = arena.worker("replace_again_and_again")?.settings("durability=process&timeout=30s");
        writers.push(hire.plan((writer, arena.commits(ROUNDS)))?.start()?);
    }
    release(&mut readers)?;
    release(&mut writers)?;
    finish_all::<()>(writers)?;
    readers.iter_mut().try_for_each(|reader| reader.say("enough"))?;
    for seen in finish_all::<Seen>(readers)?.into_iter().flatten() {
        ensure!(seen.revisions > 10, "a reader that saw so little proves nothing: {seen:?}");
    }
    Ok(())
}

fn stamped(stamp: Stamp) -> Outcome<BTreeMap<String, Json>> {
    let value = Json::encode(&stamp)?;
    Ok((0..KEYS).map(|key| (format!("key {key:03}"), value.clone())).collect())
}

fn replace_again_and_again(job: &Job) -> Outcome {
    let (writer, rounds): (u64, u64) = job.plan()?;
    let store = job.open()?;
    job.meet()?;
    for round in 1..=rounds {
        store.replace_object("n", stamped(Stamp { writer, round })?)?;
    }
    Ok(())
}

fn watch_an_object(job: &Job) -> Outcome {
    let store = job.open()?;
    job.meet()?;
    let (mut reads, mut newest) = (0, Revision::NEVER);
    let mut rounds: BTreeMap<u64, u64> = BTreeMap::new();
    let mut revisions = BTreeSet::new();
    while !job.was_told()? {
        reads += 1;
        let (revision, stamps) = look(&store, reads % 2 == 0)?;
        ensure!(revision >= newest, "the object went back from revision {newest} to {revision}");
        newest = revision;
        revisions.insert(revision);
        ensure_eq!(stamps.len(), 1, "keys of different replacements: {stamps:?}");
        for stamp in stamps {
            let last = rounds.insert(stamp.writer, stamp.round).unwrap_or(0);
            ensure!(
                last <= stamp.round,
                "writer {} went back from round {last} to {}",
                stamp.writer,
                stamp.round
            );
        }
    }
    job.say(Seen { reads, revisions: revisions.len() })
}

/// Returns the revision of what is seen in one instant, and the stamps of its keys.
fn look(store: &Blocking, as_list: bool) -> Outcome<(Revision, BTreeSet<Stamp>)> {
    let (revision, entries) = if as_list {
        let entries = store.list("n", KeyRange::all())?;
        (entries.iter().map(|(_, entry)| entry.revision).max().context("seen empty")?, entries)
    } else {
        let object = store.object("n")?;
        (object.revision, object.entries.into_iter().collect())
    };
    ensure_eq!(entries.len(), KEYS, "keys of the object");
    for (key, entry) in &entries {
        ensure_eq!(entry.revision, revision, "revision of {key}");
    }
    let stamps = entries.iter().map(|(_, entry)| entry.value.decode()).collect::<Result<_, _>>()?;
    Ok((revision, stamps))
}

const SPACES: [&str; 3] = ["a", "b", "c"];
const NAMES: [&str; 3] = ["w0", "w1", "w2"];
const KILLS: usize = 30;

/// Every batch raises one number in three namespaces and appends it to a log in each; readers look at the
/// three in turn, in one order and then in the other. What is read later is never smaller, in both orders,
/// unless a batch was seen in part. Writers are killed all the while.
pub(super) fn a_batch_over_three_namespaces_is_never_seen_in_part(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    let mut chance = arena.chance();
    let mut readers = vec![arena.worker("watch_three")?.start()?, arena.worker("watch_three")?.start()?];
    release(&mut readers)?;
    let start = |name: &str| arena.worker("write_three")?.settings("durability=process").plan(name)?.start();
    let mut writers = BTreeMap::new();
    for name in NAMES {
        writers.insert(name, start(name)?);
    }
    for _ in 0..KILLS {
        let name = chance.choice(NAMES).context("no writer")?;
        let mut writer = writers.remove(name).context("no writer")?;
        let last: u64 = writer.hear()?;
        std::thread::sleep(Duration::from_micros(chance.u64(..8000)));
        let last = writer.kill::<u64>()?.into_iter().max().unwrap_or(last);
        check_three(&store, name, last)?;
        writers.insert(name, start(name)?);
    }
    drop(writers);
    readers.iter_mut().try_for_each(|reader| reader.say("enough"))?;
    for changes in finish_all::<u64>(readers)?.into_iter().flatten() {
        ensure!(changes > 10, "a reader that saw {changes} changes proves nothing");
    }
    Ok(())
}

/// Makes sure that what a dead writer did last is in all three namespaces or in none.
fn check_three(store: &Blocking, name: &str, acknowledged: u64) -> Outcome {
    let stands = number(store, "a", name, false)?;
    ensure!(
        (acknowledged..=acknowledged + 1).contains(&stands),
        "{name} was told {acknowledged}, found {stands}"
    );
    for space in SPACES {
        ensure_eq!(number(store, space, name, false)?, stands, "{name} in {space}");
        ensure_eq!(number(store, space, name, true)?, stands, "log of {name} in {space}");
    }
    Ok(())
}

/// Returns the number under a key, or at the end of the log of the same name.
fn number(store: &Blocking, space: &str, name: &str, in_log: bool) -> Outcome<u64> {
    if in_log {
        let last = store.read_log(space, name, LogRange::tail(1))?.pop();
        return last.map_or(Ok(0), |last| Ok(last.entry.decode()?));
    }
    Ok(store.get_as(space, name)?.unwrap_or(0))
}

fn write_three(job: &Job) -> Outcome {
    let name: String = job.plan()?;
    let store = job.open()?;
    let mut n = number(&store, "a", &name, false)?;
    loop {
        n += 1;
        let batch = SPACES.iter().fold(Batch::new(), |batch, space| {
            batch.put(*space, name.as_str(), n).append(*space, name.as_str(), n)
        });
        store.commit(batch)?;
        job.say(n)?;
    }
}

fn watch_three(job: &Job) -> Outcome {
    let store = job.open()?;
    job.meet()?;
    let (mut reads, mut changes) = (0_u64, 0_u64);
    let mut newest = BTreeMap::new();
    while !job.was_told()? {
        for name in NAMES {
            reads += 1;
            let mut order = SPACES;
            if reads % 2 == 0 {
                order.reverse();
            }
            let mut before = 0;
            for (place, space) in (0..).zip(order) {
                // Keys and logs in turn: an engine may have them in different files.
                let found = number(&store, space, name, (reads / 2 + place) % 2 == 0)?;
                ensure!(
                    found >= before,
                    "{name}, read in the order {order:?}: {before}, then {found} in {space}"
                );
                before = found;
            }
            let last = newest.insert(name, before).unwrap_or(0);
            changes += u64::from(last != before);
        }
    }
    job.say(changes)
}
