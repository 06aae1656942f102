//! Handles that refuse: those that are closed, and those for reading only.

use store_core::{Batch, Blocking, ErrorKind, Json, KeyRange, LogRange, Settings, Update};

use crate::arena::Arena;
use crate::audit::dump;
use crate::failure::{Context, Outcome, Refused, ensure, ensure_eq};
use crate::values::numbers;

/// Tries every call that writes, and expects one kind of error of each.
pub(in crate::cases) fn refuses_writes(store: &Blocking, kind: ErrorKind) -> Outcome {
    let value = || Json::from(1u64);
    store.put("n", "k", value()).refused(kind).context("put")?;
    store.put("new", "k", value()).refused(kind).context("put of a new namespace")?;
    store.delete("n", "k").refused(kind).context("delete")?;
    store.delete("n", "missing").refused(kind).context("delete of a missing key")?;
    store.replace_object("n", numbers([("a", 1)])).refused(kind).context("replace_object")?;
    store.append("n", "log", value()).refused(kind).context("append")?;
    store.trim_log("n", "log", 9).refused(kind).context("trim_log")?;
    store.delete_namespace("n").refused(kind).context("delete_namespace")?;
    store.commit(Batch::new().put("n", "k", 1u64)).refused(kind).context("commit")?;
    let updated = store.update_as("n", "k", |_: Option<u64>| Ok(Update::Put(1_u64)));
    updated.refused(kind).context("update_as")?;
    Ok(())
}

fn fill(store: &Blocking) -> Outcome {
    store.commit(Batch::new().put("n", "k", 7u64).append("n", "log", 1u64).append("n", "log", 2u64))?;
    Ok(())
}

pub(super) fn a_read_only_handle_refuses_every_write(arena: &Arena) -> Outcome {
    let writer = arena.open()?;
    fill(&writer)?;
    let before = dump(&writer)?;
    let reader = arena.open_with(Settings::default().with_read_only(true))?;
    for alone in [false, true] {
        if alone {
            writer.close()?;
        }
        refuses_writes(&reader, ErrorKind::ReadOnly)?;
        ensure_eq!(dump(&reader)?, before);
        ensure_eq!(reader.get_as::<u64>("n", "k")?, Some(7));
        ensure_eq!(reader.info()?.path, arena.path()?.canonicalize()?);
    }
    Ok(())
}

pub(super) fn a_closed_handle_refuses_every_call(arena: &Arena) -> Outcome {
    let other = arena.open()?;
    let store = arena.open()?;
    fill(&store)?;
    let before = dump(&other)?;
    store.close()?;
    let closed = ErrorKind::Closed;
    refuses_writes(&store, closed)?;
    store.commit(Batch::new()).refused(closed).context("commit of nothing")?;
    store.get("n", "k").refused(closed).context("get")?;
    store.object("n").refused(closed).context("object")?;
    store.list("n", KeyRange::all()).refused(closed).context("list")?;
    store.read_log("n", "log", LogRange::all()).refused(closed).context("read_log")?;
    store.logs("n").refused(closed).context("logs")?;
    store.namespaces().refused(closed).context("namespaces")?;
    store.sync().refused(closed).context("sync")?;
    store.info().refused(closed).context("info")?;
    store.close().context("closing again does nothing")?;
    ensure_eq!(dump(&other)?, before);
    fill(&other).context("the other handle goes on")?;
    other.close()?;
    refuses_writes(&store, closed)?;
    ensure!(dump(&arena.open()?)? != before, "the other handle wrote");
    Ok(())
}
