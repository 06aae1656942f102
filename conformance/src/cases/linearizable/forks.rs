//! A forked child that opens the store anew is a process like any other.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use store_core::{Batch, Json, LogRange};

use crate::arena::Arena;
use crate::audit;
use crate::cases::works;
use crate::failure::{Context, Failure, Outcome, ensure, ensure_eq};
use crate::forked::{forked, refuses_forks, until_there};
use crate::job::{Job, Work};
use crate::kernel_locks::{Lock, held_for_long};

pub(super) const WORKS: &[Work] =
    works![open_and_tell_locks, fork_and_tell_locks, fork_and_be_killed, come_and_go];

/// Opens the store, uses it, and returns the locks that this process then holds.
fn locks_of_an_opener(job: &Job) -> Outcome<Option<BTreeSet<Lock>>> {
    let store = match job.open() {
        Err(error) if refuses_forks(&error) => return Ok(None),
        opened => opened?,
    };
    store.append("n", "log", Json::from(1u64))?;
    store.object("n")?;
    let locks = held_for_long(std::process::id(), job.target, &job.orders.path)?;
    store.close()?;
    Ok(Some(locks))
}

fn open_and_tell_locks(job: &Job) -> Outcome {
    job.say(locks_of_an_opener(job)?)
}

fn fork_and_tell_locks(job: &Job) -> Outcome {
    let store = job.open()?;
    store.append("n", "log", Json::from(1u64))?;
    let locks: Option<BTreeSet<Lock>> = forked(|| locks_of_an_opener(job))?.finish()?;
    store.append("n", "log", Json::from(1u64))?;
    job.say(locks)
}

/// What an open store locks so that others see that it is open, it locks for a forked child too, if it lets
/// one open it at all: the locks of its parent are not its own.
pub(super) fn a_forked_child_that_opens_anew_holds_locks_of_its_own(arena: &Arena) -> Outcome {
    let ordinary: Option<BTreeSet<Lock>> = arena.worker("open_and_tell_locks")?.start()?.hear()?;
    let of_child: Option<BTreeSet<Lock>> = arena.worker("fork_and_tell_locks")?.start()?.hear()?;
    ensure!(ordinary.is_some(), "a process that never forked was refused as a forked one");
    ensure!(
        of_child.is_none() || of_child == ordinary,
        "a forked child holds {of_child:?}, any other process {ordinary:?}"
    );
    Ok(())
}

/// How many other processes open the store while the child writes.
const STRANGERS: u64 = 150;

/// Where child and suite leave each other signs.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Signs {
    open: PathBuf,
    enough: PathBuf,
    written: PathBuf,
}

/// Tells a number by a file that is complete once it can be seen.
fn tell(path: &Path, number: u64) -> Outcome {
    let new = path.with_extension("new");
    File::create_new(&new)?.write_all(number.to_string().as_bytes())?;
    Ok(std::fs::hard_link(new, path)?)
}

/// Opens the store and forks a child that opens it anew and writes; the parent does nothing more.
fn fork_and_be_killed(job: &Job) -> Outcome {
    let signs: Signs = job.plan()?;
    let store = job.open()?;
    store.append("n", "log", Json::from(0u64))?;
    let child = forked(|| {
        let opened = job.open();
        File::create_new(&signs.open)?;
        let store = match opened {
            Err(error) if refuses_forks(&error) => return tell(&signs.written, 0),
            opened => opened?,
        };
        let mut n = 0_u64;
        while !signs.enough.exists() {
            n += 1;
            let (key, entry) = (format!("key {}", n % 100), Json::from(n.to_string().repeat(300)));
            store.commit(Batch::new().append("n", "child", n).put("n", &*key, entry))?;
        }
        tell(&signs.written, n)
    })?;
    job.say(child.pid())?;
    child.finish::<()>()
}

/// Opens the store, reads all of it, and writes.
fn come_and_go(job: &Job) -> Outcome {
    let number: u64 = job.plan()?;
    let store = job.open()?;
    audit::check(&store)?;
    ensure_eq!(store.append("n", "strangers", Json::from(number))?, number);
    Ok(store.close()?)
}

/// The parent is killed and its child goes on writing, while other processes open the store, read and write:
/// for them it is as open as if the child had been started otherwise, and all that is written stays.
pub(super) fn what_a_forked_child_writes_stays_when_its_parent_is_gone(arena: &Arena) -> Outcome {
    let there = |name| arena.folder().join(name);
    let signs = Signs { open: there("open"), enough: there("enough"), written: there("written") };
    let hire = arena.worker("fork_and_be_killed")?.settings("durability=process&timeout=30s");
    let mut parent = hire.plan(&signs)?.start()?;
    let child: u32 = parent.hear()?;
    until_there(&signs.open, true)?;
    parent.kill::<u32>()?;
    let strangers = (1..=STRANGERS).try_for_each(|number| {
        let hire = arena.worker("come_and_go")?.settings("durability=process&timeout=30s").plan(number)?;
        let came = hire.start()?.finish::<()>().map(drop);
        came.context(format_args!("process {number} of those that came and went"))
    });
    File::create_new(&signs.enough)?;
    // A child that was killed tells nothing.
    let life = Path::new("/proc").join(child.to_string());
    let mut written = until_there(&life, false).context("the child goes on and on");
    if !signs.written.exists() {
        written = Err(Failure::new("the child died while other processes opened the store"));
    }
    strangers?;
    written?;
    let written: u64 = std::fs::read_to_string(&signs.written)?.parse()?;
    let log = arena.open()?.read_log("n", "child", LogRange::all())?;
    ensure_eq!(log.len() as u64, written, "entries that were acknowledged to the child");
    Ok(())
}
