//! The revision of an object: it grows with every change and is never used twice.

use std::time::Duration;

use store_core::{Batch, ErrorKind, Json, LogRange, Revision, Seams, Settings};

use crate::arena::Arena;
use crate::failure::{Context, Outcome, Refused, ensure, ensure_eq};
use crate::values::{entry, numbers};

pub(super) fn every_entry_has_the_revision_that_wrote_it(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    let first = store.put("n", "a", Json::from(1u64))?;
    let second = store.put("n", "b", Json::from(1u64))?;
    ensure!(Revision::NEVER < first && first < second, "{first} then {second}");
    ensure_eq!(entry(&store, "n", "a")?.revision, first);
    ensure_eq!(store.object("n")?.revision, second);
    store.delete("n", "b")?;
    let third = store.object("n")?.revision;
    ensure!(third > second, "a deletion is a change: {second} then {third}");
    ensure_eq!(entry(&store, "n", "a")?.revision, first, "of a key that nobody touched");
    let fourth = store.replace_object("n", numbers([("a", 1)]))?;
    ensure_eq!(entry(&store, "n", "a")?.revision, fourth, "of a key that was replaced");
    Ok(())
}

pub(super) fn an_equal_put_raises_the_revision(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    let first = store.put("n", "k", Json::from("same"))?;
    let second = store.put("n", "k", Json::from("same"))?;
    ensure!(first < second, "{first} then {second}");
    ensure_eq!(entry(&store, "n", "k")?.revision, second);
    let third = store.replace_object("n", [("k".to_owned(), Json::from("same"))].into())?;
    ensure!(second < third && entry(&store, "n", "k")?.revision == third, "{second} then {third}");
    Ok(())
}

pub(super) fn an_append_keeps_the_revision(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    store.append("n", "log", Json::from(1u64))?;
    ensure_eq!(store.object("n")?.revision, Revision::NEVER, "a namespace of logs only");
    let revision = store.put("n", "k", Json::from(1u64))?;
    store.append("n", "log", Json::from(2u64))?;
    store.trim_log("n", "log", 2)?;
    let receipt = store.commit(Batch::new().append("n", "log", 3u64).append("n", "other", 1u64))?;
    ensure_eq!(receipt.revision("n"), None);
    ensure_eq!(store.object("n")?.revision, revision);
    Ok(())
}

pub(super) fn deleting_a_missing_key_keeps_the_revision(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    store.delete("n", "missing")?;
    ensure_eq!(store.object("n")?.revision, Revision::NEVER);
    let revision = store.put("n", "k", Json::from(1u64))?;
    store.delete("n", "missing")?;
    store.delete_namespace("missing")?;
    let receipt = store.commit(Batch::new().delete("n", "missing"))?;
    ensure_eq!(receipt.revision("n"), None);
    ensure_eq!(store.object("n")?.revision, revision);
    Ok(())
}

pub(super) fn revisions_grow_over_deletion_and_reopening(arena: &Arena) -> Outcome {
    let mut given = Vec::new();
    for _ in 0..3 {
        let store = arena.open()?;
        given.push(store.put("n", "k", Json::from(1u64))?);
        store.delete("n", "k")?;
        given.push(store.object("n")?.revision);
        given.push(store.replace_object("n", numbers([("a", 1)]))?);
        ensure!(store.delete_namespace("n")?, "there was a key");
        let receipt = store.commit(Batch::new().delete_namespace("n").put("n", "k", 2u64))?;
        given.push(receipt.revision("n").context("no revision")?);
        ensure!(store.delete_namespace("n")?, "there was a key");
        store.close()?;
    }
    ensure!(given.windows(2).all(|pair| pair.first() < pair.last()), "not strictly growing: {given:?}");
    Ok(())
}

/// What a power cut took away may have been seen, so its revisions are never given again: after a boot they
/// go on in a higher epoch.
pub(super) fn a_new_boot_raises_the_epoch(arena: &Arena) -> Outcome {
    let mut last = (0, Revision::NEVER);
    for boot in ["one", "two", "three"] {
        let seams = Seams { boot_id: Some(boot.to_owned()), ..Seams::default() };
        let store = arena.open_with(Settings::default().with_seams(seams))?;
        let first = store.put("n", "k", Json::from(1u64))?;
        let epoch = store.info()?.epoch;
        ensure!(epoch > last.0 && first > last.1, "epoch {epoch}, revision {first} after {last:?}");
        let gap = first.get() - last.1.get();
        ensure!(gap > 1_000_000, "{gap} revisions are between the boots, fewer than a boot may have given");
        let second = store.put("n", "k", Json::from(2u64))?;
        ensure_eq!(second.get(), first.get() + 1, "within a boot");
        // Nor is one given again of a key, or a namespace, that was deleted before the boot.
        store.delete("n", "k")?;
        let third = store.put("n", "k", Json::from(2u64))?;
        store.delete_namespace("n")?;
        ensure!(third > second, "{third} after {second} and a deletion");
        last = (epoch, store.object("n")?.revision);
        ensure!(last.1 > third, "{} after {third} and the deletion of the namespace", last.1);
        store.close()?;
    }
    Ok(())
}

/// The clock is set back between two writes: times of entries go back with it, but no revision, no number
/// and no deadline does.
pub(super) fn a_clock_set_back_takes_nothing_back(arena: &Arena) -> Outcome {
    const DAY: Duration = Duration::from_hours(24);
    let mut before = None;
    for (back, n) in [(Duration::ZERO, 1_u64), (DAY, 2), (3 * DAY, 3), (Duration::ZERO, 4)] {
        let seams = Seams { clock_back: back, ..Seams::default() };
        let settings = Settings::default().with_seams(seams).with_timeout(Duration::from_secs(2));
        let store = arena.open_with(settings)?;
        let revision = store.put("n", "k", Json::from(n))?;
        ensure_eq!(store.append("n", "log", Json::from(n))?, n, "the number of an entry");
        let found = entry(&store, "n", "k")?;
        ensure_eq!((found.value, found.revision), (Json::from(n), revision));
        if let Some((last, at)) = before.replace((revision, found.at)) {
            ensure!(revision > last, "revision {revision} after {last}, {back:?} back");
            ensure!(n == 4 || found.at < at, "the clock was not set back");
        }
        let log = store.read_log("n", "log", LogRange::all())?;
        ensure_eq!(log.iter().map(|entry| entry.seq).collect::<Vec<_>>(), (1..=n).collect::<Vec<_>>());
        if back == DAY {
            let mut holder = arena.worker("hold_gate")?.start()?;
            holder.hear::<String>()?;
            store.put("n", "k", Json::from(0u64)).refused(ErrorKind::Busy)?;
        }
        store.close()?;
    }
    Ok(())
}
