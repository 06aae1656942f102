//! `statestore demo`: the incident that the store exists for, replayed with real processes, first in the old
//! way with shared JSON files, then through the store.

mod crew;
mod events;
mod files;
mod part;
mod place;
mod signals;
mod stored;
mod table;
mod tally;
mod users;
mod verify;
mod way;

use std::time::{Duration, Instant};

use crate::args::DemoArgs;
use crate::exit::{Code, Failure};
use crate::output;
use crew::{Crew, Stage};
use events::Sent;
use part::{Part, Role};
use place::Place;
use tally::Tally;
use users::User;
use verify::Kept;
use way::Kind;

pub(crate) use part::run as part;

/// What one way of sharing state did under the load.
struct Outcome {
    tally: Tally,
    kept: Kept,
    took: Duration,
}

/// Replays the incident both ways and prints what became of the events.
pub(crate) fn run(args: &DemoArgs) -> Result<(), Failure> {
    let stage = Stage::new(signals::listen()?);
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    let sent = Sent::settle(args, seed)?;
    let place = Place::make(args.at.as_deref())?;
    let users = users_of(&stage, &place)?;
    introduce(args, seed, &sent, &place, &users);
    let old = replay(&stage, Kind::Files, &sent, &place, &users)?;
    let new = replay(&stage, Kind::Store, &sent, &place, &users)?;
    output::print(&table::of(&sent, &old, &new))?;
    judge(&sent, &old, &new)
}

/// Says what is going to happen, so that the same can be had again.
fn introduce(args: &DemoArgs, seed: u64, sent: &Sent, place: &Place, users: &[Option<User>]) {
    let source = match &args.events {
        Some(file) => format!("from {}", file.display()),
        None => format!("of seed {seed}"),
    };
    let who = match users {
        [Some(a), Some(b), ..] => format!("users {a} and {b}"),
        _ => "one user".to_owned(),
    };
    output::say(format_args!(
        "{} processes under {who} send {} events {source}, in {}",
        sent.processes().len(),
        table::number(sent.count()),
        place.folder().display(),
    ));
}

/// Tells under which users the processes run: two when root may become them, else one.
fn users_of(stage: &Stage, place: &Place) -> Result<Vec<Option<User>>, Failure> {
    if !users::are_ours_to_choose() {
        return Ok(vec![None]);
    }
    place.share(&User::BOTH.map(Some))?;
    let parts = User::BOTH.map(|user| Part::probe(place, user)).to_vec();
    match Crew::start(stage, parts)?.refusal()? {
        None => Ok(User::BOTH.map(Some).to_vec()),
        Some(why) => {
            output::say(format_args!("{why}; so all processes run under one user"));
            Ok(vec![None])
        }
    }
}

/// Puts the whole load through one way of sharing state, and looks at what was kept.
fn replay(
    stage: &Stage,
    kind: Kind,
    sent: &Sent,
    place: &Place,
    users: &[Option<User>],
) -> Result<Outcome, Failure> {
    way::prepare(kind, place, users)?;
    let mut parts = Vec::new();
    for ((number, events), user) in sent.processes().iter().enumerate().zip(users.iter().cycle()) {
        parts.push(Part::new(kind, Role::Write, place, *user, number, events.clone()));
    }
    for (number, user) in users.iter().cycle().take(2).enumerate() {
        parts.push(Part::new(kind, Role::Read, place, *user, number, Vec::new()));
    }
    let mut crew = Crew::start(stage, parts)?;
    crew.wait_until_ready()?;
    let started = Instant::now();
    crew.go()?;
    crew.wait_for_writers(kind.as_str(), sent.count())?;
    let took = started.elapsed();
    let tally = crew.finish()?;
    let kept = verify::check(kind, place, sent)?;
    Ok(Outcome { tally, kept, took })
}

/// Tells in words who lost what; fails if the store did.
fn judge(sent: &Sent, old: &Outcome, new: &Outcome) -> Result<(), Failure> {
    let all = table::number(sent.count());
    let lost = |outcome: &Outcome| sent.count() - outcome.kept.events;
    match lost(old) {
        0 => output::say("the old way lost nothing this time; ask for more --processes"),
        n => output::say(format_args!("the old way lost {} of {all} events", table::number(n))),
    }
    let problems: Vec<_> = new.kept.problems.iter().cloned().chain(new.tally.problems()).collect();
    if problems.is_empty() && lost(new) == 0 {
        output::say(format_args!("the store kept all {all}: each once, whole and in order"));
        return Ok(());
    }
    let why = format!("the store failed: {} events lost; {}", lost(new), problems.join("; "));
    Err(Failure::told(Code::Other, why))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(events: u64, problems: &[&str], tally: Tally) -> Outcome {
        let problems = problems.iter().map(|&problem| problem.to_owned()).collect();
        Outcome { tally, kept: Kept { events, states_lost: 0, problems }, took: Duration::from_secs(1) }
    }

    #[test]
    fn the_demo_fails_if_the_store_lost_or_tore_anything() {
        let args = DemoArgs { processes: 1, events_per_process: Some(3), seed: None, events: None, at: None };
        let sent = Sent::settle(&args, 1).unwrap();
        let old = outcome(1, &["lost"], Tally { torn: 7, ..Tally::default() });
        let fails = |new: &Outcome| {
            let judged = judge(&sent, &old, new);
            assert!(matches!(&judged, Ok(()) | Err(Failure::Told(Code::Other, _))), "{judged:?}");
            judged.is_err()
        };
        assert!(!fails(&outcome(3, &[], Tally::default())));
        assert!(fails(&outcome(2, &[], Tally::default())));
        assert!(fails(&outcome(3, &["twice"], Tally::default())));
        for tally in [
            Tally { unreadable: 1, ..Tally::default() },
            Tally { zero_bytes: 1, ..Tally::default() },
            Tally { torn: 1, ..Tally::default() },
            Tally { shrunk: 1, ..Tally::default() },
        ] {
            assert!(fails(&outcome(3, &[], tally)));
        }
    }
}
