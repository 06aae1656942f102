//! Readers whose only writer is killed.

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use store_core::{Batch, Blocking, ErrorKind, LogRange};

use crate::arena::{Arena, Hire};
use crate::cases::works;
use crate::failure::{Context, Outcome, ensure, ensure_eq};
use crate::job::{Job, Work};
use crate::members::{FIRST, GROUP, OPEN, shared_place};
use crate::users::{User, why_not_root};

pub(super) const WORKS: &[Work] = works![write_alone, read_on, open_to_read];

/// Writes and acknowledges until it is killed; each write is in three places.
fn write_alone(job: &Job) -> Outcome {
    let store = job.open()?;
    let first = store.get_as::<u64>("n", "k")?.unwrap_or(0) + 1;
    for n in first.. {
        let value = n.to_string().repeat(if n % 5 == 0 { 5_000 } else { 1 });
        let batch = Batch::new().put("n", "k", n).append("n", "log", n).put("other", "k", n);
        store.commit(batch.put("other", "large", value))?;
        job.say(n)?;
    }
    Ok(())
}

/// What a reader finds: the number under both keys and at the end of the log.
#[derive(Debug, Serialize, Deserialize)]
struct Found {
    key: u64,
    other: u64,
    last: u64,
}

fn look(store: &Blocking) -> Outcome<Found> {
    let key = store.get_as("n", "k")?.unwrap_or(0);
    let object = store.object("other")?;
    let other = object.entries.get("k").map_or(Ok(0), |entry| entry.value.decode())?;
    let last = store.read_log("n", "log", LogRange::tail(1))?.pop();
    let last = last.map_or(Ok(0), |last| last.entry.decode())?;
    Ok(Found { key, other, last })
}

/// The same, or none where the dead writer left what has to be mended first, which a reader who may not write
/// is told.
fn look_or_wait(store: &Blocking, may_write: bool) -> Outcome<Option<Found>> {
    match store.object("other") {
        Err(error) if error.kind() == ErrorKind::PermissionDenied && !may_write => Ok(None),
        _ => look(store).map(Some),
    }
}

/// Looks each time that it is told to; the plan says whether it may write.
fn read_on(job: &Job) -> Outcome {
    let may_write = job.plan()?;
    let store = job.open()?;
    look(&store)?;
    job.say("open")?;
    while job.hear::<bool>()? {
        for _ in 0..3 {
            job.say(look_or_wait(&store, may_write)?)?;
        }
    }
    Ok(store.close()?)
}

/// Opens for reading only; where what the dead writer left has to be mended first, that is said.
fn open_to_read(job: &Job) -> Outcome {
    let may_write = job.plan()?;
    match job.open() {
        Ok(store) => job.say(look_or_wait(&store, may_write)?),
        Err(error) if error.kind() == ErrorKind::ReadOnly => job.say(None::<Found>),
        Err(error) if error.kind() == ErrorKind::PermissionDenied && !may_write => job.say(None::<Found>),
        Err(error) => Err(error.into()),
    }
}

/// With how many settings of the reader each case tries it.
const SETTINGS: usize = 2;

/// The writer is killed at any moment, and nobody else writes: what was acknowledged is seen by those who
/// read on, all of it the same, and by those who open then.
fn reads_on_alone(arena: &Arena, path: &Path, may_write: bool, read: impl Fn(Hire) -> Hire) -> Outcome {
    let mut chance = arena.chance();
    let (mut rounds, mut told_to_wait) = (0_u64, 0_u64);
    for round in arena.rounds(12, 100).of_loops(SETTINGS).go() {
        let what = format!("round {round}");
        let hire =
            arena.worker_on(path, "write_alone")?.settings("durability=process&access=shared&group=65532");
        let mut writer = if why_not_root().is_none() { hire.user(FIRST) } else { hire }.start()?;
        let first = writer.hear::<u64>().context(&what)?;
        let mut reader = read(arena.worker_on(path, "read_on")?).plan(may_write)?.start()?;
        reader.hear::<String>().context(&what)?;
        std::thread::sleep(Duration::from_micros(chance.u64(..20_000)));
        let told = writer.kill::<u64>()?.last().copied().unwrap_or(first);
        reader.say(true)?;
        let mut stands = None;
        for _ in 0..3 {
            let Some(Found { key, other, last }) = reader.hear().context(&what)? else { continue };
            let all = (key, other) == (last, last) && (told..=told + 1).contains(&key);
            ensure!(all, "{what}: {told} was acknowledged, found are {key}, {other} and {last}");
            ensure_eq!(*stands.get_or_insert(key), key, "{what}: nobody writes any more");
        }
        let late = arena.worker_on(path, "open_to_read")?.plan(may_write)?;
        let late = late.settings("read_only=true&create=false");
        let late: Option<Found> = read(late).start()?.hear().context(&what)?;
        if let (Some(late), Some(_)) = (late, stands) {
            ensure_eq!(Some(late.key), stands, "{what}: who opens only then");
        }
        rounds += 1;
        told_to_wait += u64::from(stands.is_none());
        reader.say(false)?;
        reader.finish::<()>().context(&what)?;
    }
    // The instants in which a kill leaves something to mend are few.
    ensure!(told_to_wait * 2 < rounds, "in {told_to_wait} of {rounds} rounds nothing could be read");
    Ok(())
}

pub(super) fn a_reader_goes_on_when_the_only_writer_is_killed(arena: &Arena) -> Outcome {
    for settings in ["", "read_only=true"] {
        let path = arena.place(&format!("read with {settings}"))?;
        std::fs::set_permissions(
            path.parent().context("no folder")?,
            std::os::unix::fs::PermissionsExt::from_mode(0o777),
        )?;
        let read = |hire: Hire| if settings.is_empty() { hire } else { hire.settings(settings) };
        reads_on_alone(arena, &path, true, read).context(format_args!("settings {settings:?}"))?;
    }
    Ok(())
}

/// Who may not write can mend nothing, and reads on all the same.
pub(super) fn a_reader_who_may_not_write_goes_on_too(arena: &Arena) -> Outcome {
    for settings in ["create=false", "read_only=true"] {
        let path = shared_place(arena, settings, OPEN)?;
        let read = |hire: Hire| hire.settings(settings).user(User::OUTSIDER);
        reads_on_alone(arena, &path, false, read).context(format_args!("{settings:?}, group {GROUP}"))?;
    }
    Ok(())
}
