//! A peer that opens, writes and closes, and is stopped at any moment of that.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};
use store_core::{Batch, Blocking, ErrorKind, Json, LogRange, Settings};

use crate::arena::Arena;
use crate::cases::works;
use crate::failure::{Context, Outcome, ensure};
use crate::job::{Job, Work};

pub(super) const WORKS: &[Work] = works![open_write_and_close, answer_in_time];

/// The deadline of whoever may find the peer in the way.
const DEADLINE: Duration = Duration::from_millis(150);
/// Far longer than that, and less than anything that waits for the peer.
const LATE: Duration = Duration::from_secs(5);

/// Opens, writes and closes, for as long as it lives.
fn open_write_and_close(job: &Job) -> Outcome {
    job.say("begun")?;
    for n in 0_u64.. {
        let store = job.open()?;
        for part in 0..4 {
            let value = n.to_string().repeat(if part == 0 { 20_000 } else { 1 });
            store
                .commit(Batch::new().put("peer", "k", value).append("peer", "log", n).put("other", "k", n))?;
        }
        store.trim_log("peer", "log", 4 * n)?;
        store.close()?;
    }
    Ok(())
}

/// What became of a call.
#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    call: String,
    took: Duration,
    /// Why it failed: whether that is `Busy`, and the words.
    error: Option<(bool, String)>,
}

fn answer<T>(
    answers: &mut Vec<Answer>,
    call: &str,
    act: impl FnOnce() -> store_core::Result<T>,
) -> Option<T> {
    let called = Instant::now();
    let done = act();
    let took = called.elapsed();
    let (value, error) = match done {
        Ok(value) => (Some(value), None),
        Err(error) => (None, Some((error.kind() == ErrorKind::Busy, error.to_string()))),
    };
    answers.push(Answer { call: call.to_owned(), took, error });
    value
}

/// Asks a store for a bit of everything.
fn ask(answers: &mut Vec<Answer>, store: &Blocking) {
    answer(answers, "get", || store.get("n", "k"));
    answer(answers, "object", || store.object("other"));
    answer(answers, "read_log", || store.read_log("peer", "log", LogRange::tail(3)));
    answer(answers, "put", || store.put("n", "k", Json::from(1u64)));
    answer(answers, "append", || store.append("n", "log", Json::from(1u64)));
    answer(answers, "info", || store.info());
}

/// Opens, asks and closes each time that it is told to.
fn answer_in_time(job: &Job) -> Outcome {
    while job.hear::<bool>()? {
        let mut answers = Vec::new();
        if let Some(store) = answer(&mut answers, "open", || job.open()) {
            ask(&mut answers, &store);
            answer(&mut answers, "close", || store.close());
        }
        job.say(answers)?;
    }
    Ok(())
}

/// Wherever the peer is stopped, in the middle of opening, writing or closing: whoever has the store open,
/// and whoever opens it now, is answered in time, and told whom to blame if it is not with success.
pub(super) fn a_peer_stopped_at_any_moment_delays_nobody_past_the_deadline(arena: &Arena) -> Outcome {
    let mut chance = arena.chance();
    let store = arena.open_with(Settings::default().with_timeout(DEADLINE))?;
    let patient = Batch::new().put("n", "k", 0u64).put("other", "k", 0u64).append("n", "log", 0u64);
    store.commit(patient.deadline(LATE))?;
    let mut opener = arena.worker("answer_in_time")?.settings("timeout=150ms&durability=process").start()?;
    let mut peer = arena.worker("open_write_and_close")?.settings("durability=process").start()?;
    peer.hear::<String>()?;
    let known = [peer.pid(), opener.pid(), std::process::id()].map(|pid| format!("pid {pid}"));
    let (mut busy, mut done) = (0_usize, 0_usize);
    for round in arena.rounds(30, 300).go() {
        std::thread::sleep(Duration::from_micros(chance.u64(..12_000)));
        peer.signal(Signal::SIGSTOP)?;
        opener.say(true)?;
        let mut answers = Vec::new();
        ask(&mut answers, &store);
        answers.extend(opener.hear::<Vec<Answer>>().context(format_args!("round {round}"))?);
        peer.signal(Signal::SIGCONT)?;
        for Answer { call, took, error } in &answers {
            ensure!(*took < LATE, "round {round}: {call} took {took:?}: {error:?}");
            let Some((is_busy, words)) = error else {
                done += 1;
                continue;
            };
            let named = known.iter().any(|pid| words.contains(pid));
            ensure!(*is_busy && named, "round {round}: {call}, the peer is {}: {words}", peer.pid());
            busy += 1;
        }
    }
    ensure!(done > 0, "nothing was answered with success, {busy} times it was busy");
    opener.say(false)?;
    opener.finish::<()>()?;
    peer.kill::<String>()?;
    store.commit(Batch::new().put("n", "k", 2u64).deadline(LATE)).context("after the peer has gone")?;
    Ok(())
}
