//! From a store to a dump, to a store, to a dump: nothing is gained or lost.

use serde_json::json;
use store_core::dump::{Compression, DumpSource, Existing, Meter};
use store_core::{Batch, Blocking, ErrorKind, Json, Revision, Settings};

use super::dumps::{export, outline, restore, verify};
use crate::arena::Arena;
use crate::audit;
use crate::failure::{Context, Outcome, Refused, ensure, ensure_eq};

/// Texts in which digits, signs and order have to stay as they are, and what many take for nothing.
const VALUES: [&str; 12] = [
    "null",
    "false",
    "0",
    "-0",
    "\"\"",
    "[]",
    "{}",
    "1.50",
    "1e400",
    "123456789012345678901234567890.10",
    "{\"b\":1,\"a\":{\"z\":[],\"y\":null}}",
    "\"\\u0000 \u{1f600} \u{e9} e\u{301} \\\\ \\\" \\n\"",
];
const NAMES: [&str; 8] = ["a", "A", "a/b", "\u{e9}", "e\u{301}", "with space", "..", "\u{1f600}"];
const LARGE: usize = 1 << 20;

/// Writes whatever a store can hold.
fn fill(store: &Blocking) -> Outcome {
    for (at, name) in NAMES.iter().enumerate() {
        let mut batch = Batch::new();
        for (value, text) in VALUES.iter().enumerate() {
            batch = batch.put(*name, format!("{value} {name}"), text.parse::<Json>()?);
            batch = batch.append(*name, format!("log of {name}"), text.parse::<Json>()?);
        }
        store.commit(batch.put(*name, (*name).to_owned(), at as u64))?;
        store.put(name, "10", Json::from(10u64))?;
        store.put(name, "9", Json::from(9u64))?;
    }
    store.put("large", "k", Json::from("x".repeat(LARGE)))?;
    store.put("large", "k".repeat(1024).as_str(), Json::from(1u64))?;
    store.append("only a log", "log", Json::from("x".repeat(LARGE / 4)))?;
    for log in ["trimmed", "trimmed to nothing"] {
        for n in 0..20u64 {
            store.append("logs", log, json!({ "n": n }).into())?;
        }
    }
    store.trim_log("logs", "trimmed", 12)?;
    store.trim_log("logs", "trimmed to nothing", 21)?;
    store.put("had keys once", "k", Json::from(1u64))?;
    store.append("had keys once", "log", Json::from(1u64))?;
    store.delete("had keys once", "k")?;
    Ok(())
}

pub(super) fn a_dump_that_is_restored_and_dumped_again_is_the_same(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    fill(&store)?;
    let before = audit::dump(&store)?;
    for compression in [Compression::None, Compression::Zstd] {
        let path = arena.folder().join(format!("{compression:?}.dump"));
        let told = export(&store, &path, compression)?;
        ensure_eq!(verify(&path)?, told);
        let scratch = arena.open_at(&arena.place(&format!("{compression:?}"))?, Settings::default())?;
        ensure_eq!(restore(&scratch, &path, Existing::Refuse)?.digest, told.digest);
        ensure_eq!(audit::check(&scratch)?, before, "what was restored from {compression:?}");
        let again = arena.folder().join(format!("{compression:?} again.dump"));
        ensure_eq!(export(&scratch, &again, compression)?.digest, told.digest);
        ensure_eq!(scratch.append("logs", "trimmed to nothing", Json::from(1u64))?, 21);
        let problems = pollster::block_on(scratch.store().check_integrity())?;
        ensure!(problems.is_empty(), "the store that was restored is damaged: {problems:?}");
    }
    // What was dumped is as it was.
    ensure_eq!(audit::dump(&store)?, before);
    Ok(())
}

pub(super) fn a_dump_through_a_pipe_is_the_same(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    fill(&store)?;
    let expected = outline(&store)?;
    for compression in [Compression::None, Compression::Zstd] {
        let mut pipe = Vec::new();
        let meter = std::sync::Arc::new(Meter::new());
        let exporting = store_core::dump::export_to(&**store.store(), &mut pipe, compression, &meter);
        let told = pollster::block_on(exporting)?;
        ensure_eq!(told.digest, expected.digest);
        let scratch = arena.open_at(&arena.place(&format!("{compression:?}"))?, Settings::default())?;
        let half = pipe.get(..pipe.len() / 2).unwrap_or_default();
        let piped = |bytes: &[u8]| {
            let spooled = DumpSource::spool(bytes, "<stdin>")?;
            let restoring = store_core::dump::restore(&**scratch.store(), spooled, Existing::Refuse, &meter);
            pollster::block_on(restoring)
        };
        piped(half).refused(ErrorKind::Corrupted).context("a pipe that breaks")?;
        ensure!(scratch.namespaces()?.is_empty(), "half of a dump was restored");
        piped(&pipe)?;
        ensure_eq!(outline(&scratch)?.digest, expected.digest);
    }
    Ok(())
}

/// A namespace that is empty is in no dump, but its revisions were given: whoever remembers one must not be right by
/// chance in the store that was restored.
pub(super) fn what_was_emptied_before_a_dump_gets_no_old_revision(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    let mut last = Revision::NEVER;
    for n in 0..20u64 {
        last = store.put("emptied", "k", Json::from(n))?;
    }
    store.delete_namespace("emptied")?;
    store.put("n", "k", Json::from(1u64))?;
    let path = arena.folder().join("the.dump");
    export(&store, &path, Compression::None)?;
    for place in ["fresh", "the same"] {
        let scratch = match place {
            "fresh" => arena.open_at(&arena.place(place)?, Settings::default())?,
            _ => arena.open()?,
        };
        restore(&scratch, &path, Existing::Replace)?;
        ensure_eq!(scratch.object("emptied")?.entries.len(), 0);
        let given = scratch.put("emptied", "k", Json::from(0u64))?;
        ensure!(given > last, "{place}: revision {given} was given to something else, up to {last}");
    }
    Ok(())
}
