//! Names of every kind: kept exactly and apart from their likes, or refused by every call.

use std::collections::{BTreeMap, BTreeSet};

use store_core::{Batch, Blocking, ErrorKind, Expect, Json, KeyRange, LogRange, Revision};

use crate::arena::Arena;
use crate::audit::dump;
use crate::failure::{Context, Outcome, Refused, ensure, ensure_eq};
use crate::values::{bare, entry, is_tidy, listing, log};

/// Names that are allowed, many of them pairs that careless code takes for one.
const ODD: &[&str] = &[
    "/",
    "//",
    ".",
    "..",
    "../..",
    "../../etc/passwd",
    "/etc/passwd",
    "a/b",
    "a//b",
    "a\\b",
    "C:\\",
    "~",
    "-",
    "--help",
    " ",
    "  ",
    " a",
    "a ",
    "a",
    "A",
    "CON",
    "nul",
    "a.json",
    "state.db",
    "state.db-wal",
    "%2e%2e%2f",
    "%00",
    "%",
    "_",
    "*",
    "?",
    "[a]",
    "'",
    "''",
    "\"",
    "\"\"",
    "`",
    "'; DROP TABLE entries; --",
    "\" OR \"\"=\"",
    "a' OR 'a'='a",
    "?1",
    ":name",
    "@name",
    "$1",
    "NULL",
    "null",
    "0",
    "00",
    "1",
    "1.0",
    "1e0",
    "true",
    "sqlite_master",
    "rowid",
    "{}",
    "[]",
    "$(id)",
    "`id`",
    "é",
    "e\u{301}",
    "É",
    "ﬁ",
    "fi",
    "ß",
    "ss",
    "SS",
    "ı",
    "i",
    "I",
    "İ",
    "σ",
    "ς",
    "Ω",
    "\u{2126}",
    "名前",
    "مرحبا",
    "\u{202e}abc",
    "\u{200b}",
    "a\u{200d}",
    "\u{feff}a",
    "🦀",
    "👨‍👩‍👧‍👦",
    "\u{e000}",
    "\u{fffd}",
    "\u{ffff}",
    "\u{10ffff}",
];

/// Names that no namespace, log or key can have.
const IMPOSSIBLE: &[&str] =
    &["", "\0", "a\0", "\0a", "a\0b", "\n", "a\nb", "\r", "\t", "\u{1b}[31m", "\u{7f}", "\u{80}", "a\u{85}"];

pub(super) fn names_are_kept_exactly_and_apart(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    // As keys and logs of one namespace, and as namespaces, each with itself as the value.
    let all = ODD.iter().fold(Batch::new(), |batch, name| {
        let value = Json::from(*name);
        batch.put("n", *name, value.clone()).append("n", *name, value.clone()).put(*name, "k", value)
    });
    store.commit(all)?;
    store.close()?;
    let store = arena.open()?;
    for name in ODD {
        let value = Json::from(*name);
        ensure_eq!(entry(&store, "n", name)?.value, value);
        ensure_eq!(entry(&store, name, "k")?.value, value);
        ensure_eq!(log(&store, "n", name)?, [(1, value.to_string())]);
        ensure_eq!(store.object(name)?.entries.len(), 1, "namespace {name:?}");
    }
    let sorted: BTreeSet<String> = ODD.iter().map(|name| (*name).to_owned()).collect();
    ensure_eq!(sorted.len(), ODD.len(), "the case is wrong");
    let in_order: Vec<&String> = sorted.iter().collect();
    let keys: Vec<String> = store.list("n", KeyRange::all())?.into_iter().map(|(key, _)| key).collect();
    ensure_eq!(keys.iter().collect::<Vec<_>>(), in_order);
    let logs: Vec<String> = store.logs("n")?.into_iter().map(|info| info.name).collect();
    ensure_eq!(logs.iter().collect::<Vec<_>>(), in_order);
    let mut spaces: Vec<String> = store.namespaces()?.into_iter().map(|info| info.name).collect();
    spaces.retain(|name| name != "n");
    ensure_eq!(spaces.iter().collect::<Vec<_>>(), in_order);
    each_goes_alone(&store)
}

/// Deletes the odd names one by one; those that are left stay as they are.
fn each_goes_alone(store: &Blocking) -> Outcome {
    let mut left: BTreeMap<String, Json> =
        ODD.iter().map(|name| ((*name).to_owned(), Json::from(*name))).collect();
    for name in ODD {
        ensure!(store.delete("n", name)? && store.delete_namespace(name)?, "{name:?} was there");
        left.remove(*name);
        ensure_eq!(bare(&store.object("n")?), left, "after {name:?} went");
    }
    let spaces: Vec<String> = store.namespaces()?.into_iter().map(|info| info.name).collect();
    ensure_eq!(spaces, ["n"]);
    ensure_eq!(store.logs("n")?.len(), ODD.len());
    Ok(())
}

pub(super) fn names_at_their_limits(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    let fitting = ["n".repeat(64), "🦀".repeat(16), "é".repeat(32), "/".repeat(64)];
    for name in &fitting {
        store.commit(Batch::new().put(name.as_str(), "k", 1u64).append("n", name.as_str(), 1u64))?;
        ensure_eq!(entry(&store, name, "k")?.value, Json::from(1u64));
    }
    for key in ["k".repeat(1024), "🦀".repeat(256), "é".repeat(512)] {
        store.put("n", &key, Json::from(1u64))?;
        ensure_eq!(entry(&store, "n", &key)?.value, Json::from(1u64));
        ensure_eq!(store.list("n", KeyRange::prefix(&key))?.len(), 1);
    }
    let before = dump(&store)?;
    for name in ["n".repeat(65), "é".repeat(33), "🦀".repeat(17), "n".repeat(1_000_000)] {
        refused_as_namespace(&store, &name)?;
        refused_as_log(&store, &name)?;
    }
    for key in ["k".repeat(1025), "é".repeat(513), "k".repeat(1_000_000)] {
        refused_as_key(&store, &key)?;
    }
    ensure_eq!(dump(&store)?, before);
    Ok(())
}

pub(super) fn names_that_cannot_be_are_refused_everywhere(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    store.commit(Batch::new().put("n", "a", 1u64).append("n", "a", 1u64))?;
    let before = dump(&store)?;
    for name in IMPOSSIBLE {
        refused_as_namespace(&store, name).context(format_args!("namespace {name:?}"))?;
        refused_as_log(&store, name).context(format_args!("log {name:?}"))?;
        refused_as_key(&store, name).context(format_args!("key {name:?}"))?;
    }
    ensure_eq!(dump(&store)?, before);
    Ok(())
}

const INVALID: ErrorKind = ErrorKind::InvalidInput;

fn refused_as_namespace(store: &Blocking, name: &str) -> Outcome {
    let value = || Json::from(9u64);
    store.get(name, "a").refused(INVALID).context("get")?;
    store.object(name).refused(INVALID).context("object")?;
    store.list(name, KeyRange::all()).refused(INVALID).context("list")?;
    store.read_log(name, "a", LogRange::all()).refused(INVALID).context("read_log")?;
    store.logs(name).refused(INVALID).context("logs")?;
    store.put(name, "a", value()).refused(INVALID).context("put")?;
    store.delete(name, "a").refused(INVALID).context("delete")?;
    store
        .replace_object(name, [("a".to_owned(), value())].into())
        .refused(INVALID)
        .context("replace_object")?;
    store.append(name, "a", value()).refused(INVALID).context("append")?;
    store.trim_log(name, "a", 9).refused(INVALID).context("trim_log")?;
    store.delete_namespace(name).refused(INVALID).context("delete_namespace")?;
    store.commit(Batch::new().check(name, "a", Expect::Absent)).refused(INVALID).context("check")?;
    store
        .commit(Batch::new().check_object(name, Revision::NEVER))
        .refused(INVALID)
        .context("check_object")?;
    store.commit(Batch::new().check_log(name, "a", 0)).refused(INVALID).context("check_log")?;
    Ok(())
}

fn refused_as_log(store: &Blocking, name: &str) -> Outcome {
    store.read_log("n", name, LogRange::all()).refused(INVALID).context("read_log")?;
    store.append("n", name, Json::from(9u64)).refused(INVALID).context("append")?;
    store.trim_log("n", name, 9).refused(INVALID).context("trim_log")?;
    store.commit(Batch::new().check_log("n", name, 0)).refused(INVALID).context("check_log")?;
    Ok(())
}

fn refused_as_key(store: &Blocking, name: &str) -> Outcome {
    let value = || Json::from(9u64);
    store.get("n", name).refused(INVALID).context("get")?;
    store.put("n", name, value()).refused(INVALID).context("put")?;
    store.delete("n", name).refused(INVALID).context("delete")?;
    store
        .replace_object("n", [(name.to_owned(), value())].into())
        .refused(INVALID)
        .context("replace_object")?;
    store.commit(Batch::new().check("n", name, Expect::Absent)).refused(INVALID).context("check")?;
    Ok(())
}

pub(super) fn names_never_lead_out_of_the_store(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    for name in ODD.iter().chain(&["../out", "../../out", "/tmp/out", "store/../../out"]) {
        let batch = Batch::new().put(*name, "../out", 1u64).append(*name, *name, 1u64).put("n", *name, 1u64);
        store.commit(batch)?;
    }
    ensure_eq!(listing(arena.folder())?, ["store"], "what lies beside the store's folder");
    is_tidy(arena.target, &arena.path()?)
}
