//! Values, batches, objects and logs that are large, and those that are too large.

use std::collections::BTreeMap;

use store_core::{Batch, ErrorKind, Json, KeyRange, Limits, LogRange, Settings};

use crate::arena::Arena;
use crate::audit::dump;
use crate::failure::{Context, Outcome, Refused, ensure, ensure_eq};
use crate::values::entry;

/// Returns a JSON string of so many bytes, its quotes included.
fn text(bytes: usize) -> Json {
    Json::from("x".repeat(bytes.saturating_sub(2)))
}

pub(super) fn ten_megabytes_are_kept(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    let mut chance = arena.chance();
    let words: String = std::iter::repeat_with(|| chance.alphanumeric()).take(10_000_000).collect();
    let value = Json::encode(&serde_json::json!({ "é 🦀": words, "last": 1 }))?;
    store.put("n", "k", value.clone())?;
    store.append("n", "log", value.clone())?;
    store.close()?;
    let store = arena.open()?;
    ensure!(entry(&store, "n", "k")?.value == value, "the value came back otherwise");
    let object = store.object("n")?;
    ensure!(object.entries.values().all(|entry| entry.value == value), "the object came back otherwise");
    let log = store.read_log("n", "log", LogRange::all())?;
    ensure!(log.iter().map(|entry| &entry.entry).eq([&value]), "the log came back otherwise");
    store.put("n", "k", Json::from(1u64))?;
    ensure_eq!(entry(&store, "n", "k")?.value, Json::from(1u64));
    Ok(())
}

pub(super) fn thousands_of_keys_and_entries_are_kept(arena: &Arena) -> Outcome {
    const COUNT: u64 = 5000;
    let store = arena.open()?;
    let object: BTreeMap<String, Json> = (0..COUNT).map(|n| (format!("key {n:06}"), Json::from(n))).collect();
    store.replace_object("n", object.clone())?;
    let all = (1..=COUNT).fold(Batch::new(), |batch, n| batch.append("n", "log", n));
    let numbers: Vec<u64> = store.commit(all)?.appended().collect();
    ensure_eq!(numbers, (1..=COUNT).collect::<Vec<_>>());
    let found = store.object("n")?;
    ensure!(found.entries.iter().map(|(key, entry)| (key, &entry.value)).eq(&object), "the object changed");
    ensure!(found.entries.values().all(|entry| entry.revision == found.revision), "more than one revision");
    let page = store.list("n", KeyRange::all().after("key 004000").with_limit(3))?;
    let keys: Vec<String> = page.into_iter().map(|(key, _)| key).collect();
    ensure_eq!(keys, ["key 004001", "key 004002", "key 004003"]);
    let log = store.read_log("n", "log", LogRange::from(COUNT - 1))?;
    ensure_eq!(log.into_iter().map(|entry| entry.seq).collect::<Vec<_>>(), [COUNT - 1, COUNT]);
    for n in 0..200 {
        store.put("many", &format!("name {n}"), Json::from(1u64))?;
        store.append(&format!("space {n}"), "log", Json::from(1u64))?;
    }
    ensure_eq!(store.namespaces()?.len(), 202);
    Ok(())
}

const MIB: usize = 1 << 20;

pub(super) fn a_value_over_its_limit_is_too_large(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    let (fits, over) = (text(16 * MIB), text(16 * MIB + 1));
    store.put("n", "k", fits.clone())?;
    ensure_eq!(entry(&store, "n", "k")?.value.size(), 16 * MIB);
    let before = store.object("n")?.revision;
    let too_large = ErrorKind::TooLarge;
    let error = store.put("n", "k", over.clone()).refused(too_large)?;
    ensure!(error.to_string().contains("16777217"), "the message does not tell the size: {error}");
    ensure!(!error.is_retryable(), "it is as large next time: {error}");
    store.append("n", "log", over.clone()).refused(too_large)?;
    store.replace_object("n", [("k".to_owned(), over.clone())].into()).refused(too_large)?;
    store.commit(Batch::new().put("n", "other", 1u64).put("n", "k", over)).refused(too_large)?;
    ensure_eq!((store.object("n")?.revision, store.logs("n")?.len()), (before, 0));
    ensure!(entry(&store, "n", "k")?.value == fits, "the value came back otherwise");
    Ok(())
}

pub(super) fn a_batch_over_its_limit_is_too_large(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    let part = text(13 * MIB);
    let batch = |parts: u64| {
        let parts = (0..parts).map(|n| (format!("part {n}"), part.clone()));
        parts.fold(Batch::new(), |batch, (name, part)| batch.put("n", name.as_str(), part))
    };
    store.commit(batch(5)).refused(ErrorKind::TooLarge)?;
    let object = (0..5).map(|n| (format!("part {n}"), part.clone())).collect();
    store.replace_object("n", object).refused(ErrorKind::TooLarge)?;
    ensure!(store.namespaces()?.is_empty(), "something of it was written");
    let patient = batch(4).deadline(std::time::Duration::from_secs(50));
    store.commit(patient).context("52 MiB fit")?;
    let found = store.list("n", KeyRange::all())?;
    ensure!(found.len() == 4 && found.iter().all(|(_, entry)| entry.value == part), "it came back otherwise");
    Ok(())
}

pub(super) fn limits_can_be_chosen(arena: &Arena) -> Outcome {
    let store = arena.open_with(Settings::default().with_limits(Limits { value: 100, batch: 250 }))?;
    store.put("n", "k", text(100))?;
    store.put("n", "k", text(101)).refused(ErrorKind::TooLarge)?;
    // Values and names count: 2 of 100 bytes, and names of 1.
    let two = Batch::new().put("n", "a", text(100)).put("n", "b", text(100));
    store.commit(two.clone())?;
    let before = dump(&store)?;
    store.commit(two.clone().put("n", "c", text(100))).refused(ErrorKind::TooLarge)?;
    store.commit(two.delete("n", "k".repeat(50))).refused(ErrorKind::TooLarge)?;
    ensure_eq!(dump(&store)?, before);
    // The next handle chooses for itself.
    arena.open()?.put("n", "k", text(1000))?;
    ensure_eq!(entry(&store, "n", "k")?.value.size(), 1000);
    Ok(())
}
