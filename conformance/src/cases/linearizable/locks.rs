//! The locks that hide one process from another: no call of the contract lets go of those that another
//! thread of the process holds.

use std::collections::BTreeSet;
use std::time::Duration;

use store_core::{Batch, Blocking, Durability, ErrorKind, Json, KeyRange, LogRange, Settings, Update};

use crate::arena::Arena;
use crate::cases::works;
use crate::failure::{Context, Failure, Outcome, Refused, ensure};
use crate::job::{Job, Work};
use crate::kernel_locks::{Lock, held_by, held_for_long};
use crate::values::numbers;

pub(super) const WORKS: &[Work] = works![write_all_the_time];

/// Writes until it is told to stop.
fn write_all_the_time(job: &Job) -> Outcome {
    let store = job.open()?;
    job.say("writing")?;
    let mut n: u64 = 0;
    while !job.was_told()? {
        n += 1;
        store.commit(Batch::new().put("others", "k", n).append("others", "log", n))?;
        std::thread::sleep(Duration::from_micros(200));
    }
    Ok(store.close()?)
}

type Call = (&'static str, fn(&Arena, &Blocking) -> Outcome);

/// Every call that reads.
const READS: &[Call] = &[
    ("get", |_, store| done(store.get("n", "k"))),
    ("object", |_, store| done(store.object("n"))),
    ("list", |_, store| done(store.list("n", KeyRange::all()))),
    ("read_log", |_, store| done(store.read_log("n", "log", LogRange::all()))),
    ("logs", |_, store| done(store.logs("n"))),
    ("namespaces", |_, store| done(store.namespaces())),
    ("info", |_, store| done(store.info())),
];

/// Every call that writes.
const WRITES: &[Call] = &[
    ("commit", |_, store| done(store.commit(Batch::new().put("n", "k", 1_u64)))),
    ("commit of nothing", |_, store| done(store.commit(Batch::new()))),
    ("commit of a conflict", |_, store| {
        let batch = Batch::new().check_log("n", "log", 99).put("n", "k", 1_u64);
        store.commit(batch).refused(ErrorKind::Conflict).map(drop)
    }),
    ("put", |_, store| done(store.put("n", "k", Json::from(1_u64)))),
    ("delete", |_, store| done(store.delete("n", "k"))),
    ("replace_object", |_, store| done(store.replace_object("n", numbers([("k", 1), ("l", 2)])))),
    ("append", |_, store| done(store.append("n", "log", Json::from(1_u64)))),
    ("trim_log", |_, store| done(store.trim_log("n", "log", 2))),
    ("update_as", |_, store| done(store.update_as("n", "k", |_: Option<u64>| Ok(Update::Put(1))))),
    ("delete_namespace", |_, store| done(store.delete_namespace("n"))),
    ("sync", |_, store| done(store.sync())),
    ("enough to make the engine tidy up", |arena, store| {
        (0..arena.commits(700)).try_for_each(|n| {
            let (key, value) = (format!("key {}", n % 20), n.to_string().repeat(8000));
            done(store.put("n", &key, Json::from(value)))
        })
    }),
];

/// What is done around the calls.
const OPENINGS: &[Call] = &[
    ("open and close", |arena, _| done(arena.open()?.close())),
    ("open and drop", |arena, _| arena.open().map(drop)),
    ("open for reading only", |arena, _| {
        let store = arena.open_with(Settings::default().with_read_only(true))?;
        store.get("n", "k")?;
        done(store.close())
    }),
    ("open a second time and write", |arena, _| {
        let store = arena.open()?;
        store.put("n", "k", Json::from(1_u64))?;
        done(store.close())
    }),
    ("close", |_, store| done(store.close())),
];

#[track_caller]
fn done<T>(called: store_core::Result<T>) -> Outcome {
    called.map(drop).map_err(Failure::from)
}

/// One thread of the process holds a snapshot, another process writes, and every call is made on handles of
/// this process: what the kernel listed before as held by this process it still lists.
pub(super) fn no_call_lets_go_of_locks_that_the_process_holds(arena: &Arena) -> Outcome {
    let (path, me) = (arena.path()?, std::process::id());
    let settings = || Settings::default().with_durability(Durability::Process);
    let store = arena.open_with(settings())?;
    store.commit(Batch::new().put("n", "k", 1_u64).append("n", "log", 1_u64))?;
    let mut writer = arena.worker("write_all_the_time")?.settings("durability=process").start()?;
    writer.hear::<String>()?;
    let held = std::thread::scope(|scope| {
        scope.spawn(|| arena.target.hold_snapshot(&path)).join().map_err(|_| Failure::new("it panicked"))
    })?;
    let held = held.map_err(Failure::new)?;
    let before = held_for_long(me, arena.target, &path)?;
    for (call, act) in READS.iter().chain(WRITES).chain(READS).chain(OPENINGS) {
        act(arena, &store).context(call)?;
        let now = held_by(me, arena.target, &path)?;
        let lost: BTreeSet<&Lock> = before.difference(&now).collect();
        ensure!(lost.is_empty(), "after {call} the process does not hold {lost:?} any more, of {before:?}");
    }
    drop(held);
    writer.say("enough")?;
    writer.finish::<()>().map(drop)
}
