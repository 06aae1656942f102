//! A forked child has copies of its parent's handles; they are the parent's, and refuse.

use store_core::{Blocking, Error, ErrorKind, Json, KeyRange, LogRange};

use super::handles::refuses_writes;
use crate::arena::Arena;
use crate::audit::dump;
use crate::cases::works;
use crate::failure::{Context, Outcome, Refused, ensure, ensure_eq};
use crate::forked::forked;
use crate::job::{Job, Work};
use crate::kernel_locks::held_for_long;
use crate::values::entry;

pub(super) const WORKS: &[Work] = works![fork_and_try];

/// Tries every call on a handle of the parent.
fn is_refused(store: &Blocking, parent: u32) -> Outcome {
    let closed = ErrorKind::Closed;
    refuses_writes(store, closed)?;
    let errors: [(&str, Error); 9] = [
        ("get", store.get("n", "k").refused(closed)?),
        ("object", store.object("n").refused(closed)?),
        ("list", store.list("n", KeyRange::all()).refused(closed)?),
        ("read_log", store.read_log("n", "log", LogRange::all()).refused(closed)?),
        ("logs", store.logs("n").refused(closed)?),
        ("namespaces", store.namespaces().refused(closed)?),
        ("sync", store.sync().refused(closed)?),
        ("info", store.info().refused(closed)?),
        ("close", store.close().refused(closed)?),
    ];
    for (call, error) in errors {
        let words = error.to_string();
        let reason = words.contains("fork") && words.contains(&parent.to_string());
        ensure!(reason && words.contains("open"), "{call} does not say why, and what to do: {words}");
    }
    Ok(())
}

fn works_on(store: &Blocking, n: u64) -> Outcome {
    store.put("n", "k", Json::from(n))?;
    ensure_eq!(entry(store, "n", "k")?.value, Json::from(n));
    store.append("n", "log", Json::from(n))?;
    ensure_eq!(store.read_log("n", "log", LogRange::all())?.len() as u64, n);
    store.sync()?;
    store.info()?;
    Ok(())
}

fn fork_and_try(job: &Job) -> Outcome {
    let mut store = Some(job.open()?);
    let parent = std::process::id();
    for n in 1..=3 {
        let handle = || store.as_ref().context("the handle is gone");
        works_on(handle()?, n)?;
        let (locks, held) = (held_for_long(parent, job.target, &job.orders.path)?, dump(handle()?)?);
        let child = forked(|| {
            is_refused(store.as_ref().context("the handle is gone")?, parent)?;
            // Nor does it harm the parent to let it go.
            drop(store.take());
            Ok(())
        })?;
        child.finish::<()>()?;
        ensure_eq!(held_for_long(parent, job.target, &job.orders.path)?, locks, "the parent's locks");
        let after = dump(store.as_ref().context("the handle is gone")?)?;
        ensure_eq!(after, held, "what the store holds after the child");
    }
    works_on(store.as_ref().context("the handle is gone")?, 4)
}

/// Whatever the child calls is refused with the reason, and the parent goes on as if there had been none.
pub(super) fn a_forked_child_is_refused_and_the_parent_goes_on(arena: &Arena) -> Outcome {
    for settings in ["", "durability=process"] {
        let path = arena.place(&format!("with {settings}"))?;
        arena.worker_on(&path, "fork_and_try")?.settings(settings).start()?.finish::<()>()?;
    }
    Ok(())
}
