//! Read-modify-write within one process.

use store_core::{Error, ErrorKind, Settings, Update};

use crate::arena::Arena;
use crate::failure::{Context, Outcome, Refused, ensure, ensure_eq};
use crate::values::entry;

const THREADS: u64 = 8;
const COUNTS: u64 = 40;

pub(super) fn an_update_puts_deletes_or_keeps(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    let put = |n: u64| move |_: Option<u64>| Ok(Update::Put(n));
    let mut seen = Vec::new();
    let first = store.update_as("n", "k", |n: Option<u64>| {
        seen.push(n);
        Ok(Update::Put(7_u64))
    })?;
    ensure_eq!(seen, [None]);
    ensure_eq!(Some(entry(&store, "n", "k")?.revision), first);
    let second = store.update_as("n", "k", |n: Option<u64>| Ok(Update::Put(n.unwrap_or(0) + 1)))?;
    ensure!(second > first, "{first:?} then {second:?}");
    ensure_eq!(store.get_as::<u64>("n", "k")?, Some(8));

    ensure_eq!(store.update_as("n", "k", |_: Option<u64>| Ok(Update::Keep))?, None);
    ensure_eq!(store.object("n")?.revision, second.unwrap_or_default(), "keeping is no change");
    let error = store.update_as("n", "k", |_: Option<u64>| -> Result<Update<u64>, Error> {
        Err(Error::new(ErrorKind::InvalidInput, "the caller does not like it"))
    });
    let error = error.refused(ErrorKind::InvalidInput)?;
    ensure!(error.message().contains("does not like it"), "{error}");
    ensure_eq!(store.object("n")?.revision, second.unwrap_or_default(), "the caller's error changes nothing");

    let third = store.update_as("n", "k", |_: Option<u64>| Ok(Update::Delete))?;
    ensure!(third > second && store.get("n", "k")?.is_none(), "{second:?} then {third:?}");
    ensure_eq!(store.update_as("n", "k", |_: Option<u64>| Ok(Update::Delete))?, None);
    ensure_eq!(store.object("n")?.revision, third.unwrap_or_default(), "deleting nothing is no change");
    ensure!(store.update_as("n", "k", put(1))? > third, "a key comes back with a new revision");
    Ok(())
}

pub(super) fn threads_of_one_process_count_to_the_exact_sum(arena: &Arena) -> Outcome {
    let settings = || Settings::default().with_timeout(std::time::Duration::from_secs(30));
    let shared = arena.open_with(settings())?;
    std::thread::scope(|scope| {
        let count = |n: u64| {
            let shared = shared.clone();
            move || -> Outcome {
                let store = if n.is_multiple_of(2) { shared } else { arena.open_with(settings())? };
                for _ in 0..COUNTS {
                    store.update_as("n", "k", |n: Option<u64>| Ok(Update::Put(n.unwrap_or(0) + 1)))?;
                }
                Ok(())
            }
        };
        let threads: Vec<_> = (0..THREADS).map(|n| scope.spawn(count(n))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().ok().context("a thread panicked")?)
    })?;
    ensure_eq!(shared.get_as::<u64>("n", "k")?, Some(THREADS * COUNTS));
    Ok(())
}
