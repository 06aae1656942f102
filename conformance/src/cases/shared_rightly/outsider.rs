//! A user who is in no group of the store: shut out of it, or let read, but never writing or holding a lock
//! that stops others.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;

use nix::fcntl::OFlag;
use serde::{Deserialize, Serialize};
use store_core::{Blocking, Error, ErrorKind, Json, KeyRange, LogRange};

use crate::arena::Arena;
use crate::cases::loud::handles::refuses_writes;
use crate::cases::works;
use crate::failure::{Context, Failure, Outcome, Refused, ensure, ensure_eq};
use crate::job::{Job, Work};
use crate::members::{FIRST, HANDS_DOWN, OPEN, OPEN_HANDS_DOWN, SECOND, shared_place};
use crate::prints::{Prints, prints};
use crate::target::{Role, Shape, artefact};
use crate::users::User;

pub(super) const WORKS: &[Work] =
    works![write_and_stay, be_refused_in_words, try_to_hold_the_gate, read_and_be_refused, take_prints];

/// Writes as often as it is told; the plan is the number to begin with.
fn write_and_stay(job: &Job) -> Outcome {
    let store = job.open()?;
    for n in job.plan::<u64>()?.. {
        store.put("n", "k", Json::from(n))?;
        store.append("n", "log", Json::from(n))?;
        job.say(n)?;
        if !job.hear::<bool>()? {
            break;
        }
    }
    Ok(store.close()?)
}

/// Takes the prints of the store's files, for the suite that may have them open itself.
fn take_prints(job: &Job) -> Outcome {
    job.say(prints(job.target, &job.orders.path)?)
}

/// The words that help somebody who is refused: what is denied, its rights, who we are, what mends it.
fn says_enough(error: &Error) -> Outcome {
    let words = error.to_string();
    let path = error.path().context(format_args!("no path in: {words}"))?;
    let who = format!("user {}", User::OUTSIDER.uid);
    for part in [&path.display().to_string(), "mode ", "owner ", "group ", &who, "`ch"] {
        ensure!(words.contains(part), "it does not say {part:?}: {words}");
    }
    Ok(())
}

fn be_refused_in_words(job: &Job) -> Outcome {
    let error = job.open().refused(ErrorKind::PermissionDenied)?;
    says_enough(&error)
}

/// Whatever it asks of the store, the outsider is refused, in words that help.
pub(super) fn an_outsider_is_refused_in_words_that_help(arena: &Arena) -> Outcome {
    let places = [
        ("group=65532", OPEN),
        ("group=65532", HANDS_DOWN),
        ("", OPEN_HANDS_DOWN),
        ("access=private", OPEN_HANDS_DOWN),
    ];
    for (settings, mode) in places {
        let path = shared_place(arena, &format!("{settings} {mode:o}"), mode)?;
        let hire = arena.worker_on(&path, "take_a_turn")?.settings(settings).user(FIRST).plan(1)?;
        hire.start()?.finish::<()>()?;
        let before = prints(arena.target, &path)?;
        for settings in ["", "create=false", "read_only=true", "access=shared&group=64013"] {
            let outsider = arena.worker_on(&path, "be_refused_in_words")?.settings(settings);
            let refused = outsider.user(User::OUTSIDER).start()?.finish::<()>();
            refused.context(format_args!("asking with {settings:?}, mode {mode:o}"))?;
        }
        ensure_eq!(prints(arena.target, &path)?, before, "what lies in a folder of mode {mode:o}");
    }
    Ok(())
}

/// Tries to get at the gate in every way in which a file can be opened.
fn try_to_hold_the_gate(job: &Job) -> Outcome {
    let gate = artefact(job.target, &job.orders.path, Role::Gate)?;
    let seen = gate.symlink_metadata();
    if job.target.shape() == Shape::Folder && seen.is_err() {
        // The folder of the store does not even let it see that there is a gate.
        ensure!(OpenOptions::new().read(true).open(&gate).is_err(), "the outsider opened an unseen gate");
        return Ok(());
    }
    seen.context("the outsider should see that there is a gate")?;
    for (read, write) in [(true, false), (false, true), (true, true)] {
        let opened = OpenOptions::new().read(read).write(write).open(&gate);
        ensure!(opened.is_err(), "the outsider opened the gate, read {read}, write {write}");
    }
    // A descriptor that needs no right is good for no lock.
    let only_path = OpenOptions::new().read(true).custom_flags(OFlag::O_PATH.bits()).open(&gate)?;
    ensure!(only_path.try_lock().is_err(), "a mere path locked the gate");
    ensure!(only_path.try_lock_shared().is_err(), "a mere path locked the gate for reading");
    let through = File::open(format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&only_path)));
    ensure!(through.is_err(), "the outsider opened the gate through a mere path");
    Ok(())
}

pub(super) fn an_outsider_cannot_hold_the_gate(arena: &Arena) -> Outcome {
    for settings in ["group=65532", "access=shared&group=65532", "access=private"] {
        let path = shared_place(arena, settings, OPEN)?;
        let hire = arena.worker_on(&path, "write_and_stay")?.settings(settings).user(FIRST);
        let mut writer = hire.plan(1)?.start()?;
        for alive in [true, false] {
            if alive {
                writer.hear::<u64>()?;
            } else {
                writer.say(false)?;
            }
            let outsider = arena.worker_on(&path, "try_to_hold_the_gate")?.user(User::OUTSIDER);
            outsider.start()?.finish::<()>().context(format_args!("settings {settings:?}"))?;
        }
        writer.finish::<()>()?;
    }
    Ok(())
}

/// What an outsider of a shared store has to find.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Expected {
    written: u64,
    read_only: bool,
}

fn reads(store: &Blocking, written: u64) -> Outcome {
    ensure_eq!(store.get_as::<u64>("n", "k")?, Some(written), "what get finds");
    ensure_eq!(store.object("n")?.entries.len(), 1);
    ensure_eq!(store.list("n", KeyRange::all())?.len(), 1);
    let log = store.read_log("n", "log", LogRange::all())?;
    ensure_eq!(log.len() as u64, written, "entries of the log");
    ensure_eq!(store.logs("n")?.pop().context("there is no log")?.last, written);
    ensure_eq!(store.namespaces()?.len(), 1);
    store.info()?;
    Ok(())
}

/// Reads all there is, and is refused every write.
fn read_and_be_refused(job: &Job) -> Outcome {
    let expected: Expected = job.plan()?;
    let store = job.open().context("an outsider may read a shared store")?;
    let kind = if expected.read_only { ErrorKind::ReadOnly } else { ErrorKind::PermissionDenied };
    reads(&store, expected.written)?;
    refuses_writes(&store, kind)?;
    if !expected.read_only {
        says_enough(&store.put("n", "k", Json::from(0u64)).refused(kind)?)?;
    }
    reads(&store, expected.written)?;
    job.say("read")?;
    // Somebody writes now, and it is seen at once.
    let written = job.hear()?;
    reads(&store, written)?;
    Ok(store.close()?)
}

/// Takes prints until two in a row are the same.
fn settled(take: impl Fn() -> Outcome<Prints>) -> Outcome<Prints> {
    let mut last = take()?;
    for _ in 0..100 {
        let next = take()?;
        if next == last {
            return Ok(last);
        }
        last = next;
    }
    Err(Failure::new("the files never come to rest"))
}

/// In a shared store everybody reads, while others write and after they have gone, and only the group
/// writes.
pub(super) fn an_outsider_reads_a_shared_store_and_changes_nothing(arena: &Arena) -> Outcome {
    let path = shared_place(arena, "shared", OPEN)?;
    let take = || -> Outcome<Prints> { arena.worker_on(&path, "take_prints")?.start()?.hear() };
    let write = |user, number: u64| {
        let hire = arena.worker_on(&path, "write_and_stay")?.settings("access=shared&group=65532");
        let mut writer = hire.user(user).plan(number)?.start()?;
        writer.hear::<u64>()?;
        Ok::<_, Failure>(writer)
    };
    let mut written = 1;
    let mut writer = Some(write(FIRST, written)?);
    for (alive, read_only) in [(true, false), (true, true), (false, false), (false, true)] {
        let what = format!("writer alive: {alive}, read_only: {read_only}");
        if let Some(mut writer) = writer.take_if(|_| !alive) {
            writer.say(false)?;
            writer.finish::<()>()?;
        }
        // The writer lets the gate go after it has answered.
        let before = settled(take)?;
        let hire = arena.worker_on(&path, "read_and_be_refused")?.user(User::OUTSIDER);
        let hire = hire.plan(Expected { written, read_only })?;
        let mut outsider = hire.settings(if read_only { "read_only=true" } else { "" }).start()?;
        outsider.hear::<String>().context(&what)?;
        ensure_eq!(take()?, before, "{what}: the files");
        written += 1;
        if let Some(writer) = &mut writer {
            writer.say(true)?;
            writer.hear::<u64>()?;
        } else {
            let mut writer = write(SECOND, written)?;
            writer.say(false)?;
            writer.finish::<()>()?;
        }
        outsider.say(written)?;
        outsider.finish::<()>().context(what)?;
    }
    Ok(())
}
