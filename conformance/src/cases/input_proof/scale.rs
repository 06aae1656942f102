//! Stores with many namespaces, objects with many keys, logs with many entries.

use std::collections::BTreeMap;
use std::time::Duration;

use store_core::{Batch, Blocking, Json, KeyRange, LogRange};

use crate::arena::Arena;
use crate::failure::{Context, Outcome, ensure, ensure_eq};
use crate::values::entry;

/// How long one large batch may take on a slow disk.
const PATIENT: Duration = Duration::from_secs(50);

/// Commits writes in batches of so many.
fn in_batches(store: &Blocking, count: u64, each: u64, write: impl Fn(Batch, u64) -> Batch) -> Outcome {
    for first in (0..count).step_by(usize::try_from(each)?) {
        let batch = (first..count.min(first + each)).fold(Batch::new(), &write);
        store.commit(batch.deadline(PATIENT)).context(format_args!("from {first} on"))?;
    }
    Ok(())
}

/// Thousands of namespaces, one in ten with a log: listed by name, each once, and each readable.
pub(super) fn many_namespaces_are_listed_and_each_is_readable(arena: &Arena) -> Outcome {
    let count: u64 = arena.profile.pick(arena.commits(1_200), 10_000);
    let store = arena.open()?;
    let name = |n: u64| format!("space {n:05}");
    in_batches(&store, count, 100, |batch, n| {
        let batch = batch.put(name(n), "k", n);
        if n % 10 == 0 { batch.append(name(n), "log", n) } else { batch }
    })?;
    store.close()?;
    let store = arena.open()?;
    let listed = store.namespaces()?;
    let names: Vec<&str> = listed.iter().map(|info| info.name.as_str()).collect();
    ensure_eq!(names, (0..count).map(name).collect::<Vec<_>>());
    for (n, info) in (0..).zip(&listed) {
        let found = entry(&store, &info.name, "k")?;
        ensure_eq!((found.value, found.revision), (Json::from(n), info.revision), "{}", info.name);
        ensure_eq!(store.logs(&info.name)?.len(), usize::from(n % 10 == 0), "logs of {}", info.name);
    }
    ensure!(store.delete_namespace(&name(count / 2))?, "it was there");
    ensure_eq!(store.namespaces()?.len() as u64, count - 1);
    Ok(())
}

/// Very many keys in one namespace: pages, single reads, changes and replacements see exactly what is there.
pub(super) fn many_keys_of_one_namespace_are_kept(arena: &Arena) -> Outcome {
    let count: u64 = arena.profile.pick(10_000, 100_000);
    let (store, mut chance) = (arena.open()?, arena.chance());
    let name = |n: u64| format!("key {n:06}");
    let object = |range: std::ops::Range<u64>, add: u64| -> BTreeMap<String, Json> {
        range.map(|n| (name(n), Json::from(n + add))).collect()
    };
    store.commit(Batch::new().replace_object("n", object(0..count, 0)).deadline(PATIENT))?;
    let mut pages = Vec::new();
    while pages.len() < usize::try_from(count)? {
        let range = KeyRange::all().with_limit(999);
        let page = store.list("n", pages.last().map_or(range.clone(), |last: &String| range.after(last)))?;
        ensure!(!page.is_empty(), "the pages end after {} keys", pages.len());
        pages.extend(page.into_iter().map(|(key, _)| key));
    }
    ensure!(pages.iter().eq(object(0..count, 0).keys()), "the pages do not join");
    for _ in 0..200 {
        let n = chance.u64(..count);
        ensure_eq!(entry(&store, "n", &name(n))?.value, Json::from(n));
    }
    let changed = chance.u64(..count);
    let revision = store.put("n", &name(changed), Json::from("changed"))?;
    let found = store.object("n")?;
    ensure_eq!((found.entries.len() as u64, found.revision), (count, revision));
    let others = found.entries.values().filter(|entry| entry.revision != revision).count();
    ensure_eq!(others as u64, count - 1, "entries of the first revision");
    store.commit(Batch::new().replace_object("n", object(0..count / 2, 7)).deadline(PATIENT))?;
    let found = store.object("n")?;
    let values = found.entries.iter().map(|(key, entry)| (key.clone(), entry.value.clone()));
    ensure!(values.eq(object(0..count / 2, 7)), "the replaced object changed");
    Ok(())
}

/// A very long log, appended by batches: numbers without gap, and any page of it is what was appended.
pub(super) fn a_long_log_is_read_from_anywhere(arena: &Arena) -> Outcome {
    let count: u64 = arena.profile.pick(20_000, 1_000_000);
    let (store, mut chance) = (arena.open()?, arena.chance());
    in_batches(&store, count, 5_000, |batch, n| batch.append("n", "log", n + 1))?;
    let page = |range: LogRange| -> Outcome<Vec<(u64, u64)>> {
        let entries = store.read_log("n", "log", range)?;
        entries.into_iter().map(|found| Ok((found.seq, found.entry.decode()?))).collect()
    };
    let expected = |first: u64, last: u64| (first..=last).map(|n| (n, n)).collect::<Vec<_>>();
    ensure_eq!(page(LogRange::tail(10))?, expected(count - 9, count), "its end");
    ensure_eq!(page(LogRange::from(1).with_limit(10))?, expected(1, 10), "its beginning");
    for _ in 0..20 {
        let from = chance.u64(1..=count);
        let last = count.min(from + 99);
        ensure_eq!(page(LogRange::from(from).with_limit(100))?, expected(from, last), "from {from} on");
    }
    ensure_eq!(page(LogRange::from(count + 1))?, [], "past its end");
    let mut next = 1;
    while next <= count {
        let found = page(LogRange::from(next).with_limit(10_000))?;
        let last = count.min(next + 9_999);
        ensure!(found == expected(next, last), "the page from {next} on has gaps or other entries");
        next = last + 1;
    }
    ensure_eq!(store.append("n", "log", Json::from(count + 1))?, count + 1);
    store.trim_log("n", "log", count / 2)?;
    let info = store.logs("n")?.pop().context("the log is gone")?;
    ensure_eq!((info.first, info.last), (count / 2, count + 1));
    ensure_eq!(page(LogRange::all().with_limit(3))?, expected(count / 2, count / 2 + 2));
    Ok(())
}
