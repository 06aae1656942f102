//! A process that is stopped in the middle of a dump.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use store_core::backend::Snapshot;
use store_core::{ErrorKind, Json, Settings};

use crate::arena::Arena;
use crate::cases::works;
use crate::failure::{Context, Outcome, Refused, ensure, ensure_eq};
use crate::job::{Job, Work, tell_value};
use crate::values::entry;

pub(super) const WORKS: &[Work] = works![stop_amid_a_dump];

const WAIT: Duration = Duration::from_millis(400);
const LONG: Duration = Duration::from_secs(20);

/// Nobody waits for a dumper; or, where dumps hold the gate, whoever writes is told who takes it, and reads go on.
pub(super) fn a_dumper_that_is_stopped_holds_up_nobody_or_is_named(arena: &Arena) -> Outcome {
    arena.open()?.put("n", "k", Json::from(0u64))?;
    let mut dumper = arena.worker("stop_amid_a_dump")?.start()?;
    ensure_eq!(dumper.hear::<u64>()?, 0, "what the dump saw first");
    dumper.signal(Signal::SIGSTOP)?;
    let holds_up = arena.target.dumps_hold_up_writers();
    let timeout = if holds_up { WAIT } else { LONG };
    let store = arena.open_with(Settings::default().with_timeout(timeout))?;
    let called = Instant::now();
    if holds_up {
        let error = store.put("n", "k", Json::from(1u64)).refused(ErrorKind::Busy)?;
        let named = error.to_string().contains(&format!("pid {}", dumper.pid()));
        ensure!(named && error.is_retryable(), "the dumper is process {}: {error}", dumper.pid());
        ensure_eq!(entry(&store, "n", "k")?.value, Json::from(0u64));
    } else {
        for n in 1..=20u64 {
            store.put("n", "k", Json::from(n)).context("while somebody dumps")?;
            ensure_eq!(entry(&store, "n", "k")?.value, Json::from(n));
        }
    }
    ensure!(called.elapsed() < LONG, "it waited {:?}", called.elapsed());
    dumper.signal(Signal::SIGCONT)?;
    dumper.say("go on")?;
    ensure_eq!(dumper.finish::<u64>()?, [0], "what the dump saw at its end");
    arena.open()?.put("n", "k", Json::from(100u64))?;
    Ok(())
}

/// Tells what the dump sees when it begins and when it ends; in between it waits.
fn stop_amid_a_dump(job: &Job) -> Outcome {
    let store = job.open()?;
    let (told, hears) = std::sync::mpsc::channel::<()>();
    let hears = std::sync::Mutex::new(hears);
    let work = move |snapshot: &dyn Snapshot| {
        let see = || {
            let found = snapshot.get("n", "k")?;
            let seen = found.map(|entry| entry.value.decode::<u64>()).transpose()?;
            tell_value(seen).map_err(|failure| store_core::Error::new(ErrorKind::Io, failure.to_string()))
        };
        see()?;
        if let Ok(hears) = hears.lock() {
            let _ = hears.recv();
        }
        see()
    };
    std::thread::scope(|scope| {
        let dumping = scope.spawn(|| pollster::block_on(store.store().snapshot(Box::new(work))));
        job.hear::<String>()?;
        drop(told);
        dumping.join().ok().context("a thread panicked")??;
        Ok(())
    })
}
