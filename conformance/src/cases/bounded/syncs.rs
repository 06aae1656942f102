//! Syncs that are slow, or fail.

use store_core::{Blocking, Durability, Json};

use crate::arena::{Arena, Hire};
use crate::cases::works;
use crate::failure::{Context, Outcome, ensure, ensure_eq};
use crate::job::{Job, Work};
use crate::values::entry;

pub(super) const WORKS: &[Work] = works![write_one_by_one];

/// Says why a case that slows, fails or lists system calls cannot run here; none if it can.
pub(in crate::cases) fn why_no_strace() -> Option<String> {
    let found = std::process::Command::new("strace").arg("--version").output();
    found.is_err().then(|| "needs strace".to_owned())
}

/// What became of a write: its number, the kind of its error, and whether the store is then in doubt.
type Answer = (u64, Option<String>, bool);

/// Puts the numbers from 1 to the one in the plan; an opening that fails is the answer to number 0.
fn write_one_by_one(job: &Job) -> Outcome {
    let count: u64 = job.plan()?;
    let store = match job.open() {
        Ok(store) => store,
        Err(error) => return job.say((0, Some(format!("{:?}", error.kind())), false)),
    };
    for n in 1..=count {
        let answer = store.put("n", "k", Json::from(n)).map_err(|error| format!("{:?}", error.kind()));
        // While a slow commit of this very process goes on, an engine may have no moment to read in.
        let in_doubt = store.info().is_ok_and(|info| info.in_doubt);
        job.say((n, answer.err(), in_doubt))?;
    }
    Ok(())
}

/// Runs a worker under a tracer that does something to system calls.
fn with_fault(hire: Hire, fault: &str) -> Outcome<Vec<Answer>> {
    let fault = format!("inject={fault}");
    hire.under(&["strace", "-f", "-qq", "-o", "/dev/null", "-e", &fault]).start()?.finish()
}

/// The sync takes longer than the deadline: the write is there, but may be lost with power; or, where the
/// sync is a part of the commit, it is there or not.
pub(super) fn a_deadline_that_passes_after_the_commit_is_indeterminate(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    store.put("n", "k", Json::from(0u64))?;
    let hire = arena.worker("write_one_by_one")?.settings("timeout=300ms").plan(1)?;
    let answers = with_fault(hire, "fdatasync,fsync:delay_enter=2000000")?;
    let found: u64 = entry(&store, "n", "k")?.value.decode()?;
    let answered = |kind: &str| answers == [(1, Some(kind.to_owned()), false)];
    let fits = match arena.target.durability() {
        Durability::Process => answered("Indeterminate") && found == 1,
        // What the engine does before the commit may be slow too.
        Durability::Power => answered("Indeterminate") && found <= 1 || answered("Busy") && found == 0,
    };
    ensure!(fits, "the answers are {answers:?}, and found is {found}");
    Ok(())
}

/// A sync fails: its write is `Indeterminate`, and what is in doubt is mended before the next is
/// acknowledged.
pub(super) fn a_failed_sync_is_indeterminate_and_mended(arena: &Arena) -> Outcome {
    if arena.target.durability() == Durability::Power {
        return a_failed_sync_amid_commits(arena);
    }
    let store = arena.open()?;
    for error in ERRORS {
        store.put("n", "k", Json::from(0u64))?;
        let hire = arena.worker("write_one_by_one")?.plan(4)?;
        let answers = with_fault(hire, &format!("fdatasync:error={error}:when=2"))?;
        is_told_and_mended(&store, &answers).context(error)?;
    }
    Ok(())
}

fn is_told_and_mended(store: &Blocking, answers: &[Answer]) -> Outcome {
    let expected = vec![
        (1, None, false),
        (2, Some("Indeterminate".to_owned()), true),
        (3, None, false),
        (4, None, false),
    ];
    ensure_eq!(answers, expected);
    ensure_eq!(entry(store, "n", "k")?.value, Json::from(4u64));
    Ok(())
}

/// What a sync can say that fails: for want of room, too, it may have lost something.
const ERRORS: [&str; 2] = ["EIO", "ENOSPC"];
/// How many syncs of a few writes are failed, one after the other.
const SYNCS: usize = 12;
const WRITES: u64 = 4;

/// Where syncs are a part of the commit each of them fails in turn: the write is told of, whichever of its
/// syncs it was, and the store goes on with what was acknowledged.
fn a_failed_sync_amid_commits(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    store.put("n", "k", Json::from(0u64))?;
    for error in ERRORS {
        let mut failures = 0;
        for nth in 1..=SYNCS {
            failures += fail_one_sync(arena, &store, &format!("fdatasync,fsync:error={error}:when={nth}"))?;
        }
        ensure!(failures >= 3, "only {failures} of {SYNCS} syncs that failed by {error} were told of");
    }
    Ok(())
}

/// Returns how many writes were told of a sync that failed.
fn fail_one_sync(arena: &Arena, store: &Blocking, fault: &str) -> Outcome<usize> {
    let before: u64 = entry(store, "n", "k")?.value.decode()?;
    let answers = with_fault(arena.worker("write_one_by_one")?.plan(WRITES)?, fault)?;
    let what = format!("{fault}, the answers are {answers:?}");
    let (mut possible, mut failed) = (vec![before], 0);
    for (n, error, in_doubt) in &answers {
        match error.as_deref() {
            None => possible = vec![*n],
            Some("Indeterminate") => possible.push(*n),
            Some(_) => {}
        }
        failed += usize::from(error.is_some());
        let noted = error.as_deref() != Some("Indeterminate") || *in_doubt;
        ensure!(noted, "{what}: nobody is told to write anew what may be lost");
    }
    ensure!(failed <= 1, "{what}: one failure is one failure");
    let found: u64 = entry(store, "n", "k")?.value.decode().context(&what)?;
    ensure!(possible.contains(&found), "{what}: {found} is found");
    store.put("n", "k", Json::from(0u64)).context(&what)?;
    Ok(failed)
}
