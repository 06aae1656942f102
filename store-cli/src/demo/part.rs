//! One process of the demo: told by a line on stdin what to do, it answers by lines on stdout.
//!
//! The first line of stdin is its [`Part`]; the second is the word to go; the end of stdin is the word to
//! stop, also when the main process was killed.

use std::io::{self, BufRead};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::place::Place;
use super::tally::Tally;
use super::users::User;
use super::way::{self, Kind, Way};
use crate::exit::{self, Code, Failure};
use crate::output;
use crate::signals;

/// After how many events a process replaces the routes.
const EVENTS_PER_ROUTES: usize = 5;
/// How long a reader rests between two looks, so that writers get the processors too.
const REST: Duration = Duration::from_micros(300);

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Role {
    /// Tells whether it can be the user and reach the place.
    Probe,
    /// Sends its events.
    Write,
    /// Looks, until told to stop.
    Read,
}

/// Everything that a process has to know.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) kind: Kind,
    pub(super) role: Role,
    pub(super) number: usize,
    pub(super) user: Option<User>,
    folder: PathBuf,
    events: Vec<String>,
}

/// What a process says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Said {
    /// It waits for the word to go.
    Ready,
    /// It cannot be the user that it should be.
    Refused(String),
    /// It has sent so many events so far.
    Sent(u64),
    /// It has done its part.
    Done(Tally),
    /// It could not, and why.
    Failed(Code, String),
}

impl Part {
    /// Describes a writer or a reader.
    pub(super) fn new(
        kind: Kind,
        role: Role,
        place: &Place,
        user: Option<User>,
        number: usize,
        events: Vec<String>,
    ) -> Self {
        Self { kind, role, number, user, folder: place.folder().to_owned(), events }
    }

    /// Describes a process that finds out whether a user can take part.
    pub(super) fn probe(place: &Place, user: User) -> Self {
        Self::new(Kind::Files, Role::Probe, place, Some(user), 0, Vec::new())
    }
}

/// Is one process of the demo.
pub(crate) fn run() -> Result<(), Failure> {
    signals::let_through();
    let part = heard().and_then(|line| serde_json::from_str::<Part>(&line).ok()).ok_or_else(|| {
        Failure::told(Code::Usage, "this command is one process of the demo; run `statestore demo`")
    })?;
    match perform(&part) {
        Ok(()) | Err(Failure::OutputClosed) => Ok(()),
        Err(failure) => {
            let (code, words) = exit::words_of(failure);
            say(&Said::Failed(code, words))
        }
    }
}

fn perform(part: &Part) -> Result<(), Failure> {
    if let Err(failure) = part.user.map_or(Ok(()), User::take_over) {
        return say(&Said::Refused(exit::words_of(failure).1));
    }
    if part.role == Role::Probe {
        reach(part)?;
        return say(&Said::Ready);
    }
    let mut way = way::open(part.kind, &part.folder, part.user)?;
    say(&Said::Ready)?;
    if heard().is_none() {
        return Ok(());
    }
    let stop = watch_stdin();
    let tally = match part.role {
        Role::Read => look(way.as_mut(), &stop),
        Role::Probe | Role::Write => send(way.as_mut(), part, &stop)?,
    };
    say(&Said::Done(tally))
}

/// Fails if the user cannot get at the folder.
fn reach(part: &Part) -> Result<(), Failure> {
    let reached = std::fs::read_dir(&part.folder).map(drop);
    reached.map_err(|e| {
        let (user, folder) =
            (part.user.map_or(String::new(), |user| user.to_string()), part.folder.display());
        let why =
            format!("user {user} cannot reach {folder}: {e}; give a folder that all may pass with --at DIR");
        Failure::told(Code::Denied, why)
    })
}

/// Sends all events of a process, each as a service would: event, own state, and now and then the routes.
fn send(way: &mut dyn Way, part: &Part, stop: &AtomicBool) -> Result<Tally, Failure> {
    const PACE: Duration = Duration::from_millis(200);
    let mut tally = Tally::default();
    let mut said = Instant::now();
    for (sent, event) in (1..).zip(&part.events) {
        if stop.load(Ordering::Relaxed) {
            return Err(Failure::OutputClosed);
        }
        tally.timed(|tally| way.append(event, tally))?;
        tally.timed(|tally| way.put_state(part.number, sent, tally))?;
        if sent % EVENTS_PER_ROUTES == 0 {
            // Unlike any other of this process or another.
            let generation = (part.number as u64 + 1) << 32 | sent as u64;
            tally.timed(|tally| way.replace_routes(generation, tally))?;
        }
        if said.elapsed() > PACE {
            say(&Said::Sent(sent as u64))?;
            said = Instant::now();
        }
    }
    Ok(tally)
}

/// Looks again and again until told to stop.
fn look(way: &mut dyn Way, stop: &AtomicBool) -> Tally {
    let mut tally = Tally::default();
    while !stop.load(Ordering::Relaxed) {
        way.look(&mut tally);
        tally.looks += 1;
        std::thread::sleep(REST);
    }
    tally
}

/// Watches for the end of stdin on a thread of its own.
fn watch_stdin() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let ended = Arc::clone(&stop);
    std::thread::spawn(move || {
        while heard().is_some() {}
        ended.store(true, Ordering::Relaxed);
    });
    stop
}

fn heard() -> Option<String> {
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line).ok()?;
    (read > 0).then_some(line)
}

fn say(said: &Said) -> Result<(), Failure> {
    let line = serde_json::to_string(said).map_err(|e| Failure::told(Code::Other, e.to_string()))?;
    output::print(&line)
}
