//! Forked children and the gate: whoever they are, nobody waits for them.

use std::path::PathBuf;
use std::time::Duration;

use store_core::{Batch, Blocking, ErrorKind, Json, Settings};

use crate::arena::Arena;
use crate::cases::works;
use crate::failure::{Context, Outcome, Refused, ensure};
use crate::forked::{forked, refuses_forks, until_there};
use crate::job::{Job, Work};
use crate::wire::PATIENCE;

pub(super) const WORKS: &[Work] = works![fork_and_wait, fork_and_write_until_killed];

/// Waits for the gate, forks, and lets the child wait for it too.
fn fork_and_wait(job: &Job) -> Outcome {
    let holder: u32 = job.plan()?;
    let busy = |of: &str| {
        let store = match job.open() {
            Err(error) if of == "child" && refuses_forks(&error) => return Ok(()),
            opened => opened?,
        };
        let error = store.put("n", of, Json::from(1u64)).refused(ErrorKind::Busy).context(of)?;
        let named = error.to_string().contains(&format!("pid {holder}"));
        ensure!(named, "{of}: the holder is {holder}: {error}");
        Ok(())
    };
    let store = job.open()?;
    busy("parent")?;
    forked(|| busy("child"))?.finish::<()>()?;
    busy("parent")?;
    Ok(store.close()?)
}

/// A child has none of its parent's threads, but deadlines all the same.
pub(super) fn deadlines_hold_in_a_forked_child(arena: &Arena) -> Outcome {
    let holder = super::held_gate(arena)?;
    let hire = arena.worker("fork_and_wait")?.settings("timeout=300ms").plan(holder.pid())?;
    hire.start()?.finish::<()>()?;
    drop(holder);
    let store = arena.open()?;
    ensure!(store.get("n", "child")?.is_none(), "what timed out in the child came after all");
    ensure!(store.get("n", "parent")?.is_none(), "what timed out in the parent came after all");
    Ok(())
}

const ROUNDS: usize = 15;

/// Forks a child that does nothing but live, and then writes; the plan is the file that keeps it alive.
fn fork_and_write_until_killed(job: &Job) -> Outcome {
    let leash: PathBuf = job.plan()?;
    let store = job.open()?;
    store.put("n", "k", Json::from(0u64))?;
    let child = forked(|| until_there(&leash, false))?;
    job.say(child.pid())?;
    for n in 1_u64.. {
        store.put("n", "k", Json::from(n))?;
    }
    child.finish::<()>()
}

/// A child that was forked without executing anything shares the descriptors of its parent, and so a lock
/// that the parent takes later. Whoever waits for it is told whose it is, and gets it when the child ends.
pub(super) fn a_gate_kept_by_a_dead_parents_child_is_told_and_comes_free(arena: &Arena) -> Outcome {
    let mut chance = arena.chance();
    let hasty = Duration::from_millis(300);
    let store = Blocking::new(arena.target.open(&arena.path()?, Settings::default().with_timeout(hasty))?);
    store.put("n", "other", Json::from(0u64))?;
    for round in 0..ROUNDS {
        let leash = arena.folder().join(format!("leash {round}"));
        std::fs::File::create_new(&leash)?;
        let hire = arena.worker("fork_and_write_until_killed")?.settings("durability=process");
        let mut parent = hire.plan(&leash)?.start()?;
        parent.hear::<u32>()?;
        std::thread::sleep(Duration::from_micros(chance.u64(..5000)));
        let number = parent.pid();
        parent.kill::<u32>()?;
        if let Err(error) = store.put("n", "other", Json::from(1u64)) {
            let told = error.to_string().contains(&format!("pid {number}"));
            ensure!(
                error.kind() == ErrorKind::Busy && told,
                "round {round}: process {number} took it: {error}"
            );
        }
        std::fs::remove_file(leash)?;
        let later = Batch::new().put("n", "other", Json::from(2u64)).deadline(PATIENCE);
        store.commit(later).context(format_args!("round {round}: the child has ended"))?;
    }
    Ok(())
}
