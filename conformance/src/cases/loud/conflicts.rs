//! A failed check says what it expected and what it found.

use store_core::{Batch, Blocking, Conflict, Error, ErrorKind, Expect, Json, Revision};

use crate::arena::Arena;
use crate::failure::{Outcome, Refused, ensure, ensure_eq};

/// Commits a batch whose check fails, and returns what the error carries.
#[track_caller]
fn conflict(store: &Blocking, checks: Batch) -> Outcome<Conflict> {
    let error: Error = store.commit(checks.put("n", "written", 1u64)).refused(ErrorKind::Conflict)?;
    ensure!(!error.is_retryable(), "the same check fails again: {error}");
    let Some(conflict) = error.conflict() else { return Err(error.into()) };
    let words = error.to_string();
    ensure!(words.contains(&conflict.to_string()), "the message leaves out what was found: {words}");
    ensure_eq!(store.get("n", "written")?, None);
    Ok(conflict.clone())
}

pub(super) fn a_conflict_of_a_key_says_what_was_found(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    let old = store.put("n", "k", Json::from(1u64))?;
    let new = store.put("n", "k", Json::from(2u64))?;
    store.put("n", "other", Json::from(2u64))?;
    let expectations = [
        ("k", Expect::Absent, Some(new)),
        ("k", Expect::Revision(old), Some(new)),
        ("k", Expect::Revision(Revision::new(new.get() + 7)), Some(new)),
        ("missing", Expect::Revision(new), None),
        ("missing", Expect::Revision(Revision::NEVER), None),
    ];
    for (wanted, expect, there) in expectations {
        match conflict(&store, Batch::new().check("n", wanted, expect))? {
            Conflict::Key { namespace, key, expected, found } => {
                let told = (namespace.as_str(), key.as_str(), expected, found);
                ensure_eq!(told, ("n", wanted, expect, there));
            }
            other => ensure!(false, "another conflict: {other:?}"),
        }
    }
    Ok(())
}

pub(super) fn a_conflict_of_an_object_says_what_was_found(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    let old = store.put("n", "k", Json::from(1u64))?;
    store.delete("n", "k")?;
    let new = store.object("n")?.revision;
    let expectations = [
        ("n", Revision::NEVER, new),
        ("n", old, new),
        ("n", Revision::new(new.get() + 1), new),
        ("missing", new, Revision::NEVER),
    ];
    for (wanted, expect, there) in expectations {
        match conflict(&store, Batch::new().check_object(wanted, expect))? {
            Conflict::Object { namespace, expected, found } => {
                ensure_eq!((namespace.as_str(), expected, found), (wanted, expect, there));
            }
            other => ensure!(false, "another conflict: {other:?}"),
        }
    }
    Ok(())
}

pub(super) fn a_conflict_of_a_log_says_what_was_found(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    for n in 0..4_u64 {
        store.append("n", "log", Json::from(n))?;
        store.append("n", "emptied", Json::from(n))?;
    }
    store.trim_log("n", "log", 3)?;
    store.trim_log("n", "emptied", 99)?;
    let expectations = [
        ("log", 0, 4),
        ("log", 3, 4),
        ("log", 5, 4),
        ("missing", 1, 0),
        ("emptied", 0, 4),
        ("emptied", 5, 4),
    ];
    for (wanted, expect, there) in expectations {
        match conflict(&store, Batch::new().check_log("n", wanted, expect))? {
            Conflict::Log { namespace, log, expected, found } => {
                let told = (namespace.as_str(), log.as_str(), expected, found);
                ensure_eq!(told, ("n", wanted, expect, there));
            }
            other => ensure!(false, "another conflict: {other:?}"),
        }
    }
    Ok(())
}
