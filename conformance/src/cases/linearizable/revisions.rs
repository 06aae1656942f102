//! The revision of an object: it grows with every change and is never used twice.

use store_core::{Batch, Json, Revision, Seams, Settings};

use crate::arena::Arena;
use crate::failure::{Context, Outcome, ensure, ensure_eq};
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
        last = (epoch, second);
        store.close()?;
    }
    Ok(())
}
