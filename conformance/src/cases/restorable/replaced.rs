//! What becomes of a store that held something when a dump is restored.

use std::collections::BTreeMap;

use store_core::dump::{Compression, Existing};
use store_core::{Batch, Blocking, ErrorKind, Expect, Json, Revision};

use super::dumps::{export, holds, outline, restore};
use crate::arena::Arena;
use crate::audit;
use crate::failure::{Context, Outcome, Refused, ensure, ensure_eq};

pub(super) fn a_store_that_holds_something_is_not_restored_over_unasked(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    store.put("from the dump", "k", Json::from(1u64))?;
    let path = arena.folder().join("the.dump");
    let told = export(&store, &path, Compression::None)?;
    store.delete_namespace("from the dump")?;
    let something = [
        Batch::new().put("n", "k", 1u64),
        Batch::new().append("n", "log", 1u64),
        Batch::new().put("from the dump", "k", 1u64),
    ];
    for batch in something {
        store.commit(batch)?;
        let before = (audit::dump(&store)?, outline(&store)?.digest, store.info()?.epoch);
        let error = restore(&store, &path, Existing::Refuse).refused(ErrorKind::Conflict)?;
        ensure!(error.to_string().contains("not empty"), "it does not say why: {error}");
        ensure_eq!((audit::dump(&store)?, outline(&store)?.digest, store.info()?.epoch), before);
        store.delete_namespace("n")?;
        store.delete_namespace("from the dump")?;
    }
    store.put("n", "k", Json::from(1u64))?;
    restore(&store, &path, Existing::Replace)?;
    holds(&outline(&store)?, &told)
}

/// Revisions that were given to somebody, by namespace.
type Given = BTreeMap<&'static str, Vec<Revision>>;

/// Writes to every namespace, which has to get revisions above all that it had.
fn write(store: &Blocking, given: &mut Given, value: u64) -> Outcome {
    for name in ["dumped", "emptied", "later"] {
        let revision = store.put(name, "k", Json::from(value))?;
        let before = given.entry(name).or_default();
        let last = before.iter().max().copied().unwrap_or_default();
        ensure!(revision > last, "{name} went from revision {last} to {revision}");
        before.push(revision);
        store.append(name, "log", Json::from(value))?;
    }
    Ok(())
}

/// A revision that anybody was ever given, before the dump or after, passes no check of what was restored, and is
/// given to nothing else; logs go on where the dump ends.
pub(super) fn a_restore_gives_no_revision_again(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    let other = arena.open()?;
    let mut given = Given::new();
    for value in 0..5 {
        write(&store, &mut given, value)?;
    }
    store.delete_namespace("later")?;
    store.commit(Batch::new().delete("emptied", "k"))?;
    let path = arena.folder().join("the.dump");
    let told = export(&store, &path, Compression::None)?;
    for round in 0..3 {
        for value in 0..round * 5 {
            write(&other, &mut given, value)?;
        }
        restore(&store, &path, Existing::Replace)?;
        holds(&outline(&other)?, &told)?;
        for (name, revisions) in &mut given {
            let found = other.object(name)?;
            for revision in revisions.iter() {
                let put = || Batch::new().put(*name, "k", "a check passed that must not");
                let checks = [
                    put().check(*name, "k", Expect::Revision(*revision)),
                    put().check_object(*name, *revision),
                ];
                for batch in checks {
                    let checked = other.commit(batch);
                    checked.refused(ErrorKind::Conflict).context(format_args!("{name}, {revision}"))?;
                }
            }
            let last = revisions.iter().max().copied().unwrap_or_default();
            let seen = found.entries.values().map(|entry| entry.revision).max();
            if let Some(revision) = seen {
                ensure!(
                    revision > last && found.revision > last,
                    "{name} was restored at {revision}, its object at {}, after {last}",
                    found.revision
                );
                revisions.push(found.revision);
            }
        }
        ensure_eq!(
            other.append("dumped", "log", Json::from(0u64))?,
            6,
            "the number behind those of the dump"
        );
        ensure_eq!(other.append("emptied", "log", Json::from(0u64))?, 6);
        ensure_eq!(other.append("later", "log", Json::from(0u64))?, 1, "the dump has no such log");
        write(&store, &mut given, 100 + round)?;
    }
    Ok(())
}
