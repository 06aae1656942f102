//! Mirrors that cannot be written for a while: nobody's write fails or waits, and they catch up.

use std::fs::{File, Permissions, set_permissions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};
use store_core::{Batch, ErrorKind, Json};

use super::{LONG, dir_of, open_mirrored, status, until};
use crate::arena::{Arena, Hire};
use crate::cases::works;
use crate::drill::{Mounted, apart};
use crate::failure::{Context, Outcome, ensure, ensure_eq};
use crate::job::{Job, Work};
use crate::members::{FIRST, PLAIN, shared_place};
use crate::target::Target;
use crate::worker::Worker;

pub(super) const WORKS: &[Work] = works![go_on_without_the_mirror, hold_the_mirror, obstruct_apart];

const WRITES: u64 = 20;
/// What each write makes of the file: more than is left on a full disk.
const FILLER: usize = 64 << 10;
/// How long the writers gather their changes; one waits for its mirror.
const DEBOUNCES: [u64; 2] = [0, 20];

/// What keeps a mirror from being written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Obstacle {
    /// Its disk is full.
    Full,
    /// Its disk is mounted to read only.
    ReadOnly,
    /// A file is in its place.
    InTheWay,
    /// Its folder is another user's.
    Denied,
    /// A stopped process has its lock.
    Held,
}

/// An obstacle that stands.
enum Raised {
    Ballast,
    Covered(Mounted),
    File,
    Owned,
    Holder(Worker),
}

impl Obstacle {
    /// Returns the kinds of error that may be told of it.
    fn kinds(self) -> &'static [ErrorKind] {
        match self {
            Self::Full => &[ErrorKind::StorageFull],
            Self::ReadOnly => &[ErrorKind::ReadOnly],
            Self::InTheWay => &[ErrorKind::ConfigInvalid, ErrorKind::Io],
            Self::Denied => &[ErrorKind::PermissionDenied],
            Self::Held => &[ErrorKind::Busy],
        }
    }

    /// Makes the disk that is to be filled.
    fn prepare(self, dir: &Path) -> Outcome<Option<Mounted>> {
        let options = ["-t", "tmpfs", "-o", "size=1m,mode=0755", "tmpfs"];
        (self == Self::Full).then(|| Mounted::new(&options, dir)).transpose()
    }

    fn raise(self, target: &dyn Target, path: &Path, dir: &Path) -> Outcome<Raised> {
        Ok(match self {
            Self::Full => {
                let mut ballast = File::create_new(dir.join("ballast"))?;
                let block = [b'x'; 4096];
                while ballast.write_all(&block).is_ok() {}
                Raised::Ballast
            }
            Self::ReadOnly => {
                let options = ["-t", "tmpfs", "-o", "ro,mode=0755", "tmpfs"];
                Raised::Covered(Mounted::new(&options, dir)?)
            }
            Self::InTheWay => {
                std::fs::remove_dir_all(dir)?;
                File::create_new(dir)?;
                Raised::File
            }
            Self::Denied => {
                chown(dir, Some(0), Some(0))?;
                set_permissions(dir, Permissions::from_mode(0o755))?;
                Raised::Owned
            }
            Self::Held => {
                let mut holder = Hire::new(target, path, "hold_the_mirror")?.start()?;
                holder.hear::<String>()?;
                holder.signal(Signal::SIGSTOP)?;
                Raised::Holder(holder)
            }
        })
    }
}

impl Raised {
    fn lift(self, dir: &Path) -> Outcome {
        match self {
            Self::Ballast => Ok(std::fs::remove_file(dir.join("ballast"))?),
            Self::Covered(mounted) => mounted.unmount(),
            Self::File => Ok(std::fs::remove_file(dir)?),
            Self::Owned => Ok(chown(dir, Some(FIRST.uid), Some(FIRST.gid))?),
            Self::Holder(holder) => holder.kill::<String>().map(drop),
        }
    }
}

/// Holds the lock of the mirror until it is killed.
fn hold_the_mirror(job: &Job) -> Outcome {
    let lock = File::options().read(true).write(true).open(dir_of(&job.orders.path)?.join(".mirror.gate"))?;
    lock.lock()?;
    job.say("held")?;
    job.hear::<String>().map(drop)
}

/// What a writer tells whose mirror could not be written.
#[derive(Debug, Serialize, Deserialize)]
struct Told {
    /// How many attempts had failed when the last write was acknowledged.
    at_once: u64,
    kind: String,
    message: String,
    pending: Vec<String>,
}

/// Writes once with its mirror, then without, and goes on until the mirror shows all; the plan is how long it
/// gathers changes.
fn go_on_without_the_mirror(job: &Job) -> Outcome {
    let debounce: u64 = job.plan()?;
    let name = format!("by{debounce}");
    let file = dir_of(&job.orders.path)?.join(format!("{name}.json"));
    let shows = |n: u64| {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        text.contains(&format!("\"n\": {n}\n"))
    };
    let store = open_mirrored(job, Duration::from_millis(debounce))?;
    store.put(&name, "n", Json::from(0_u64))?;
    until("the first write is mirrored", || Ok(shows(0) && status(&store)?.pending.is_empty()))?;
    job.say("mirrored")?;
    job.hear::<String>()?;
    let begun = Instant::now();
    for n in 1..=WRITES {
        let filler = Json::from("x".repeat(FILLER));
        store
            .commit(Batch::new().put(&name, "filler", filler).put(&name, "n", n))
            .context("a write failed with its mirror")?;
        ensure_eq!(store.get_as::<u64>(&name, "n")?, Some(n), "what was acknowledged");
        ensure!(begun.elapsed() < LONG, "{n} of {WRITES} writes waited for their mirror");
    }
    let at_once = status(&store)?.failures;
    until("the failure is told", || Ok(status(&store)?.last_error.is_some()))?;
    let told = status(&store)?;
    let failure = told.last_error.context("no failure is told")?;
    ensure!(told.failures > 0, "a failure is told and not counted");
    let kind = failure.kind.as_str().to_owned();
    job.say(Told { at_once, kind, message: failure.message, pending: told.pending })?;
    job.hear::<String>()?;
    until("the mirror has caught up", || Ok(shows(WRITES) && status(&store)?.pending.is_empty()))?;
    Ok(store.close()?)
}

/// Lets two writers go on without their mirror, and the mirror catch up.
fn obstruct(target: &dyn Target, path: &Path, obstacle: Obstacle) -> Outcome {
    let dir = dir_of(path)?;
    let disk = obstacle.prepare(&dir)?;
    let mut crew = Vec::new();
    for debounce in DEBOUNCES {
        // Who waits for a mirror whose lock is held does so until the timeout, once.
        let timeout = if obstacle == Obstacle::Held { "timeout=3s" } else { "timeout=20s" };
        let hire = Hire::new(target, path, "go_on_without_the_mirror")?.plan(debounce)?.settings(timeout);
        let hire = if obstacle == Obstacle::Denied { hire.user(FIRST) } else { hire };
        crew.push(hire.start()?);
    }
    for writer in &mut crew {
        writer.hear::<String>()?;
    }
    let raised = obstacle.raise(target, path, &dir)?;
    for writer in &mut crew {
        writer.say("obstructed")?;
    }
    for writer in &mut crew {
        let told: Told = writer.hear().context(format_args!("{obstacle:?}"))?;
        let kinds: Vec<_> = obstacle.kinds().iter().map(|kind| kind.as_str()).collect();
        ensure!(kinds.contains(&told.kind.as_str()), "{obstacle:?} is {kinds:?}: {told:?}");
        ensure!(told.message.contains("mirror"), "{obstacle:?}: it is not said what failed: {told:?}");
        ensure_eq!(told.pending.len(), 1, "what is still to be written: {told:?}");
        ensure!(told.at_once < WRITES / 2, "{obstacle:?}: writes wait for a mirror that fails: {told:?}");
    }
    raised.lift(&dir)?;
    for writer in &mut crew {
        writer.say("nothing is in the way")?;
    }
    for writer in crew {
        writer.finish::<()>().context(format_args!("{obstacle:?} no more"))?;
    }
    disk.map_or(Ok(()), Mounted::unmount)
}

fn obstruct_apart(job: &Job) -> Outcome {
    obstruct(job.target, &job.orders.path, job.plan()?)
}

fn goes_on_apart(arena: &Arena, obstacle: Obstacle) -> Outcome {
    apart(arena, "disk", "obstruct_apart")?.plan(obstacle)?.start()?.finish::<()>().map(drop)
}

pub(super) fn a_full_mirror_fails_no_write_and_catches_up(arena: &Arena) -> Outcome {
    goes_on_apart(arena, Obstacle::Full)
}

pub(super) fn a_mirror_that_turns_read_only_fails_no_write_and_catches_up(arena: &Arena) -> Outcome {
    goes_on_apart(arena, Obstacle::ReadOnly)
}

pub(super) fn a_mirror_that_is_taken_away_fails_no_write_and_catches_up(arena: &Arena) -> Outcome {
    obstruct(arena.target, &arena.path()?, Obstacle::InTheWay)
}

pub(super) fn a_mirror_that_may_not_be_written_fails_no_write_and_catches_up(arena: &Arena) -> Outcome {
    obstruct(arena.target, &shared_place(arena, "shared", PLAIN)?, Obstacle::Denied)
}

/// The lock of the mirror is held by a process that is stopped: who waits for its mirror waits for one timeout,
/// and nobody else at all.
pub(super) fn a_stopped_process_in_the_mirror_delays_no_write_for_long(arena: &Arena) -> Outcome {
    obstruct(arena.target, &arena.path()?, Obstacle::Held)
}
