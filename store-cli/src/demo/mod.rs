//! `statestore demo`: the incident that the store exists for, replayed with real processes, first in the old
//! way with shared JSON files, then through the store on each engine.

mod crew;
mod events;
mod files;
mod part;
mod place;
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
use crate::signals;
use crew::{Crew, Stage};
use events::Sent;
use part::{Part, Role};
use place::Place;
use stored::Engine;
use tally::Tally;
use users::User;
use verify::Kept;
use way::Kind;

pub(crate) use part::run as part;

/// What one way of sharing state did under the load.
struct Outcome {
    kind: Kind,
    tally: Tally,
    kept: Kept,
    took: Duration,
}

/// Replays the incident in all ways and prints what became of the events.
pub(crate) fn run(args: &DemoArgs) -> Result<(), Failure> {
    let stage = Stage::new(signals::listen()?);
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    let sent = Sent::settle(args, seed)?;
    let place = Place::make(args.at.as_deref())?;
    let users = users_of(&stage, &place)?;
    introduce(args, seed, &sent, &place, &users);
    let ways = [Kind::Files].into_iter().chain(Engine::ALL.iter().copied().map(Kind::Store));
    let outcomes =
        ways.map(|kind| replay(&stage, kind, &sent, &place, &users)).collect::<Result<Vec<_>, _>>()?;
    output::print(&table::of(&sent, &outcomes))?;
    judge(&sent, &outcomes)
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
    Ok(Outcome { kind, tally, kept, took })
}

/// Tells in words who lost what; fails if the store did, on any engine.
fn judge(sent: &Sent, outcomes: &[Outcome]) -> Result<(), Failure> {
    let all = table::number(sent.count());
    let mut failures = Vec::new();
    for outcome in outcomes {
        let lost = sent.count() - outcome.kept.events;
        let title = outcome.kind.as_str().trim_start_matches("statestore: ");
        if outcome.kind == Kind::Files {
            match lost {
                0 => output::say("the old way lost nothing this time; ask for more --processes"),
                n => output::say(format_args!("the old way lost {} of {all} events", table::number(n))),
            }
            continue;
        }
        let problems: Vec<_> =
            outcome.kept.problems.iter().cloned().chain(outcome.tally.problems()).collect();
        if problems.is_empty() && lost == 0 {
            output::say(format_args!("{title}: the store kept all {all}: each once, whole and in order"));
        } else {
            failures.push(format!("{title}: {lost} events lost; {}", problems.join("; ")));
        }
    }
    if failures.is_empty() {
        return Ok(());
    }
    Err(Failure::told(Code::Other, format!("the store failed: {}", failures.join("; "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(kind: Kind, events: u64, problems: &[&str], tally: Tally) -> Outcome {
        let problems = problems.iter().map(|&problem| problem.to_owned()).collect();
        let kept = Kept { events, states_lost: 0, problems };
        Outcome { kind, tally, kept, took: Duration::from_secs(1) }
    }

    #[test]
    fn the_demo_fails_if_the_store_lost_or_tore_anything() {
        let args = DemoArgs { processes: 1, events_per_process: Some(3), seed: None, events: None, at: None };
        let sent = Sent::settle(&args, 1).unwrap();
        let outcomes = |events, problems: &[&str], tally| {
            let old = outcome(Kind::Files, 1, &["lost"], Tally { torn: 7, ..Tally::default() });
            let engines = Engine::ALL.iter().enumerate().map(|(at, engine)| match at {
                0 => outcome(Kind::Store(*engine), events, problems, Tally::clone(&tally)),
                _ => outcome(Kind::Store(*engine), 3, &[], Tally::default()),
            });
            [old].into_iter().chain(engines).collect::<Vec<_>>()
        };
        let fails = |outcomes: &[Outcome]| {
            let judged = judge(&sent, outcomes);
            assert!(matches!(&judged, Ok(()) | Err(Failure::Told(Code::Other, _))), "{judged:?}");
            judged.is_err()
        };
        assert!(!fails(&outcomes(3, &[], Tally::default())));
        assert!(fails(&outcomes(2, &[], Tally::default())));
        assert!(fails(&outcomes(3, &["twice"], Tally::default())));
        for tally in [
            Tally { unreadable: 1, ..Tally::default() },
            Tally { zero_bytes: 1, ..Tally::default() },
            Tally { torn: 1, ..Tally::default() },
            Tally { shrunk: 1, ..Tally::default() },
        ] {
            assert!(fails(&outcomes(3, &[], tally)));
        }
    }
}
