//! The parent: it makes what the cases need, and lets their subjects take turns.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::errand::{Carried, Errand, Task};
use super::plan::{self, Case, Subject, Work};
use super::results::{Figures, Results, Round};
use crate::Result;
use crate::args::Args;
use crate::crew::{self, Crew};
use crate::place::Place;
use crate::summary::Summary;
use crate::worker::Report;

/// Measures every case, its subjects taking turns.
pub(super) fn measure_all(args: &Args, place: &Place) -> Result<Results> {
    let cases = plan::cases(args);
    if cases.is_empty() {
        return Err(format!("no case has all the words {:?}", args.only).into());
    }
    let turns: usize = cases.iter().map(|case| case.subjects().len() * args.rounds()).sum();
    let bar = crew::bar(turns)?;
    let time = Duration::from_secs_f64(args.seconds());
    let mut results = Results::default();
    // A store takes far longer to make than to measure, so all rounds of all cases that can share it do.
    for group in cases
        .chunk_by(|a, b| a.engine == b.engine && a.size == b.size && a.work.carries() && b.work.carries())
    {
        let Some(first) = group.first() else { continue };
        bar.set_message(format!("{first}: the store is made"));
        let folder = prepare(place, *first)?;
        for &case in group {
            for number in 0..args.rounds() {
                let mut subjects = case.subjects().to_vec();
                // What comes first leaves the disk busy for what comes next.
                if number % 2 == 1 {
                    subjects.reverse();
                }
                for subject in subjects {
                    bar.set_message(format!("{case}: {}", case.name_of(subject)));
                    let figures = measure(folder.path(), case, subject, time);
                    let figures = figures.map_err(|error| format!("{case}, {subject}: {error}"))?;
                    results.add(Round { case, subject, number, figures });
                    bar.inc(1);
                }
            }
        }
    }
    bar.finish_and_clear();
    Ok(results)
}

/// Makes a store; it is removed when it is dropped.
fn prepare(place: &Place, case: Case) -> Result<TempDir> {
    let folder = place.fresh_folder()?;
    let errand = Errand { case, subject: Subject::Store, task: Task::Prepare, seed: 1 };
    let prepared = command(&errand, folder.path())?.status()?;
    if !prepared.success() {
        return Err(format!("the store of {case} could not be made: {prepared}").into());
    }
    Ok(folder)
}

/// Measures one subject once.
fn measure(folder: &Path, case: Case, subject: Subject, time: Duration) -> Result<Figures> {
    match case.work {
        Work::Export | Work::Import => carry(folder, case, subject),
        Work::Backup | Work::Mirror => write(folder, case, subject, time),
    }
}

/// Exports or imports in a folder of its own below the one that was prepared.
fn carry(folder: &Path, case: Case, subject: Subject) -> Result<Figures> {
    let round = tempfile::Builder::new().prefix("round-").tempdir_in(folder)?;
    let errand = Errand { case, subject, task: Task::Carry, seed: 1 };
    let carried: Vec<Carried> = Crew::start(vec![command(&errand, round.path())?])?.work()?;
    let carried = carried.into_iter().next().ok_or("a process has not reported")?;
    Ok(Figures::Carried(carried))
}

/// Lets writers write, and somebody take backups meanwhile.
fn write(folder: &Path, case: Case, subject: Subject, time: Duration) -> Result<Figures> {
    let seeds = (1..=case.processes as u64).map(|n| 10_000 * n);
    let mut tasks: Vec<_> = seeds.map(|seed| (Task::Write(time), seed)).collect();
    if subject == Subject::Disturbed {
        tasks.push((Task::BackUp(time), 1));
    }
    let commands = tasks.iter().map(|&(task, seed)| command(&Errand { case, subject, task, seed }, folder));
    let mut reports: Vec<Report> = Crew::start(commands.collect::<Result<_>>()?)?.work()?;
    let backups = reports.split_off(case.processes.min(reports.len()));
    let backups = if backups.is_empty() { None } else { Some(Summary::of(&backups, time)?) };
    Ok(Figures::Written { writers: Summary::of(&reports, time)?, backups })
}

fn command(errand: &Errand, folder: &Path) -> Result<Command> {
    crew::command("--errand", errand, folder)
}
