//! Stores that are migrated while others use them.

use std::fmt::Debug;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use store_core::dump::Old;
use store_core::{Blocking, ErrorKind, Json, KeyRange, LogRange, Result, Revision, Settings};

use super::dumps::{Contents, export, migrate, outline};
use super::pairs::{SIDES, Wrote, halves, key_of};
use crate::arena::{Arena, patient};
use crate::cases::works;
use crate::failure::{Context, Outcome, Refused, ensure, ensure_eq};
use crate::job::{Job, Work};
use crate::worker::{finish_all, release};

pub(super) const WORKS: &[Work] = works![write_until_moved, read_until_moved];

const WRITERS: u64 = 4;

/// What a writer came to.
#[derive(Debug, Serialize, Deserialize)]
struct Ended {
    writer: u64,
    /// The last write that was acknowledged, and its revision.
    last: u64,
    revision: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Plan {
    number: u64,
    to: String,
}

/// Four processes write and one reads while the store is migrated: all that was acknowledged is in the new store,
/// and from then on every call on the old one, whoever makes it, says where the store is.
pub(super) fn a_migration_loses_no_acknowledged_write_and_tells_everybody_where_to(arena: &Arena) -> Outcome {
    for round in arena.rounds(2, 30).go().take(30) {
        let (old, new) = (arena.place(&format!("old {round}"))?, arena.place(&format!("new {round}"))?);
        let to = format!("suite:{}", new.display());
        let store = arena.open_at(&old, Settings::default())?;
        store.put("cached", "k", Json::from(1u64))?;
        store.append("cached", "log", Json::from(1u64))?;
        let mut crew = Vec::new();
        for number in 0..WRITERS {
            let hire = arena.worker_on(&old, "write_until_moved")?.settings("durability=process");
            crew.push(hire.plan(Plan { number, to: to.clone() })?.start()?);
        }
        let reader = arena.worker_on(&old, "read_until_moved")?;
        crew.push(reader.plan(Plan { number: WRITERS, to: to.clone() })?.start()?);
        release(&mut crew)?;
        std::thread::sleep(Duration::from_millis(arena.chance().u64(20..120)));
        let target = arena.open_at(&new, Settings::default())?;
        let told = migrate(&store, &target, &to, Old::Bury)?;
        arena.forget(&old);
        all_say_where(&store, &to)?;
        let settings = || patient(arena.target, Settings::default());
        says_where(arena.target.open(&old, settings()), &to).context("another handle")?;
        says_where(arena.target.open(&old, settings().with_read_only(true)), &to)
            .context("one that reads")?;
        drop(store);
        says_where(arena.target.open(&old, settings()), &to).context("when nobody has it open here")?;
        let ended: Vec<Ended> = finish_all(crew)?.into_iter().flatten().collect();
        ensure_eq!(ended.len() as u64, WRITERS, "writers that said what they came to");
        let path = arena.folder().join("moved.dump");
        let found = export(&target, &path, store_core::dump::Compression::None)?;
        ensure_eq!(found.digest, told.digest, "the new store, to the last revision and time");
        let (counts, _) = halves(&Contents::read(&path)?, WRITERS)?;
        for Ended { writer, last, revision } in ended {
            ensure_eq!(counts.get(&writer), Some(&last), "the last write of writer {writer}");
            let next = target.put("left", &key_of(writer), Json::from(last))?;
            ensure!(next > Revision::new(revision), "from revision {revision} to {next} in the new store");
        }
    }
    Ok(())
}

/// Expects to be told where the store is.
#[track_caller]
fn says_where<T>(result: Result<T>, to: &str) -> Outcome {
    let error = result.map(drop).refused(ErrorKind::Moved)?;
    ensure!(error.to_string().contains(to), "it does not say where to: {error}");
    Ok(())
}

/// Makes every call there is on a handle that was open before.
fn all_say_where(store: &Blocking, to: &str) -> Outcome {
    for _ in 0..2 {
        says_where(store.get("cached", "k"), to).context("get")?;
        says_where(store.get("nowhere", "k"), to).context("get of what is not there")?;
        says_where(store.object("cached"), to).context("object")?;
        says_where(store.list("cached", KeyRange::all()), to).context("list")?;
        says_where(store.read_log("cached", "log", LogRange::all()), to).context("read_log")?;
        says_where(store.logs("cached"), to).context("logs")?;
        says_where(store.namespaces(), to).context("namespaces")?;
        says_where(store.info(), to).context("info")?;
        says_where(outline(store), to).context("a dump")?;
        says_where(store.put("cached", "k", Json::from(2u64)), to).context("put")?;
        says_where(store.delete("cached", "k"), to).context("delete")?;
        says_where(store.append("cached", "log", json!(2).into()), to).context("append")?;
        says_where(store.trim_log("cached", "log", 2), to).context("trim_log")?;
        says_where(store.delete_namespace("cached"), to).context("delete_namespace")?;
    }
    Ok(())
}

fn write_until_moved(job: &Job) -> Outcome {
    let Plan { number: writer, to } = job.plan()?;
    let store = job.open()?;
    job.meet()?;
    let (mut last, mut revision) = (0, 0);
    loop {
        match Wrote::write(&store, writer, last + 1)? {
            Ok(wrote) => (last, revision) = (wrote.n, wrote.revision),
            Err(error) if error.kind() == ErrorKind::Moved => break,
            Err(error) => return Err(error).context(format_args!("write {}", last + 1)),
        }
    }
    all_say_where(&store, &to)?;
    says_where(job.open(), &to)?;
    job.say(Ended { writer, last, revision })
}

/// Reads what it has read before, as often as it can, until it is told where the store is.
fn read_until_moved(job: &Job) -> Outcome {
    let Plan { to, .. } = job.plan()?;
    let store = job.open()?;
    job.meet()?;
    loop {
        match store.get("cached", "k") {
            Ok(found) => ensure!(found.is_some_and(|entry| entry.value == Json::from(1u64)), "it changed"),
            Err(error) if error.kind() == ErrorKind::Moved => break,
            Err(error) => return Err(error).context("reading while the store is migrated"),
        }
    }
    all_say_where(&store, &to)
}

pub(super) fn a_store_that_is_kept_goes_on_after_a_migration(arena: &Arena) -> Outcome {
    let old = arena.open()?;
    let new = arena.open_at(&arena.place("new")?, Settings::default())?;
    for n in 0..10u64 {
        for side in SIDES {
            old.put(side, &key_of(n), Json::from(n))?;
            old.append(side, "log", Json::from(n))?;
        }
    }
    let held = outline(&old)?;
    let told = migrate(&old, &new, "elsewhere", Old::Keep)?;
    ensure_eq!((told.digest, outline(&new)?.digest), (held.digest.clone(), held.digest.clone()));
    ensure_eq!(outline(&old)?.digest, held.digest, "the old store");
    old.put("left", "later", Json::from(1u64))?;
    ensure_eq!(new.get("left", "later")?, None, "what was written to the old store afterwards is its own");
    new.put("right", "later", Json::from(1u64))?;
    ensure_eq!(old.get("right", "later")?, None);
    ensure_eq!(
        (old.append("left", "log", json!(1).into())?, new.append("left", "log", json!(1).into())?),
        (11, 11)
    );
    Ok(())
}
