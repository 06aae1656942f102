//! The rounds: databases are made, the subjects of a case take turns on them.

use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

use crate::Result;
use crate::args::Args;
use crate::crew::{self, Crew};
use crate::place::Place;
use crate::plan::{self, Case, Crowd, Part, Subject};
use crate::summary::{Results, Round, Summary};
use crate::worker::{Order, Report};

/// Measures every case, its subjects taking turns.
pub(crate) fn measure_all(args: &Args, place: &Place) -> Result<Results> {
    let cases = plan::cases(args);
    if cases.is_empty() {
        return Err(format!("no case has all the words {:?}", args.only).into());
    }
    let turns: usize = cases.iter().map(|case| case.subjects().len() * args.rounds()).sum();
    let bar = crew::bar(turns)?;
    let time = Duration::from_secs_f64(args.seconds());
    let mut results = Results::default();
    for case in cases {
        let subjects = case.subjects();
        // A large database takes far longer to make than to measure, so all rounds share it.
        let shared = match case.part {
            Part::Throughput => Vec::new(),
            Part::Size => {
                subjects.iter().map(|&subject| prepare(place, subject, case)).collect::<Result<_>>()?
            }
        };
        for number in 0..args.rounds() {
            for (n, &subject) in subjects.iter().enumerate() {
                let name = case.name_of(subject);
                bar.set_message(format!("{case}: {name}"));
                let measured = match shared.get(n) {
                    Some(folder) => measure(folder.path(), subject, case, time),
                    None => prepare(place, subject, case)
                        .and_then(|folder| measure(folder.path(), subject, case, time)),
                };
                let reports = measured.map_err(|error| format!("{case}, {subject}: {error}"))?;
                let summary = Summary::of(&reports, time)?;
                results.add(Round { case, subject, number, summary });
                bar.inc(1);
            }
        }
    }
    bar.finish_and_clear();
    Ok(results)
}

/// Makes a database; it is removed when it is dropped.
fn prepare(place: &Place, subject: Subject, case: Case) -> Result<TempDir> {
    let folder = place.fresh_folder()?;
    let order = Order { subject, case, time: None, seed: 1 };
    let prepared = crew::command("--worker", &order, folder.path())?.status()?;
    if !prepared.success() {
        return Err(format!("the database of {case}, {subject}, could not be made: {prepared}").into());
    }
    Ok(folder)
}

/// Measures one subject once.
fn measure(folder: &Path, subject: Subject, case: Case, time: Duration) -> Result<Vec<Report>> {
    let processes = match case.crowd {
        Crowd::Processes(n) => n,
        Crowd::Tasks(_) => 1,
    };
    // Far apart: the tasks of one process count on from its seed.
    let orders =
        (1..=processes as u64).map(|n| Order { subject, case, time: Some(time), seed: 1 + 10_000 * n });
    let commands = orders.map(|order| crew::command("--worker", &order, folder));
    Crew::start(commands.collect::<Result<_>>()?)?.work()
}
