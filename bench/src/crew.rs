//! The parent: it starts the processes of a round, releases them together, and reaps them.

use std::io::{BufRead, BufReader, PipeWriter, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tempfile::TempDir;

use crate::Result;
use crate::args::Args;
use crate::place::Place;
use crate::plan::{self, Case, Crowd, Part, Subject};
use crate::summary::{Results, Round, Summary};
use crate::worker::{Order, READY, Report};

/// Measures every case, its subjects taking turns.
pub(crate) fn measure_all(args: &Args, place: &Place) -> Result<Results> {
    let cases = plan::cases(args);
    if cases.is_empty() {
        return Err(format!("no case has all the words {:?}", args.only).into());
    }
    let turns: usize = cases.iter().map(|case| case.subjects().len() * args.rounds()).sum();
    let style = ProgressStyle::with_template("{elapsed_precise} {pos}/{len} {msg}")?;
    let bar = ProgressBar::new(turns as u64).with_style(style);
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
    let prepared = command(&Order { subject, case, time: None, seed: 1 }, folder.path())?.status()?;
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
    let mut crew = Crew::start(processes, Order { subject, case, time: Some(time), seed: 1 }, folder)?;
    crew.release()?;
    crew.reports()
}

fn command(order: &Order, folder: &Path) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--worker").arg(serde_json::to_string(order)?).current_dir(folder);
    Ok(command)
}

/// The processes of a round; those that still run are killed when it is dropped.
#[derive(Debug)]
struct Crew {
    members: Vec<Member>,
    word: PipeWriter,
}

#[derive(Debug)]
struct Member {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Crew {
    fn start(processes: usize, order: Order, folder: &Path) -> Result<Self> {
        let (input, word) = std::io::pipe()?;
        let mut crew = Self { members: Vec::with_capacity(processes), word };
        for n in 0..processes {
            // Far apart: the tasks of one process count on from its seed.
            let order = Order { seed: order.seed + 10_000 * (n as u64 + 1), ..order };
            let mut command = command(&order, folder)?;
            let mut child = command.stdin(input.try_clone()?).stdout(Stdio::piped()).spawn()?;
            if let Some(output) = child.stdout.take() {
                crew.members.push(Member { child, output: BufReader::new(output) });
            }
        }
        Ok(crew)
    }

    /// Waits until all are ready, then lets them go with one write to the pipe that they share.
    fn release(&mut self) -> Result<()> {
        for member in &mut self.members {
            let said = member.line()?;
            if said.trim_end() != READY {
                return Err(format!("a process did not get ready, it said {said:?}").into());
            }
        }
        let word = vec![b'!'; self.members.len()];
        Ok(self.word.write_all(&word)?)
    }

    fn reports(&mut self) -> Result<Vec<Report>> {
        let mut reports = Vec::new();
        for member in &mut self.members {
            let line = member.line()?;
            if line.is_empty() {
                return Err(format!("a process ended without a report: {}", member.child.wait()?).into());
            }
            reports.push(serde_json::from_str(&line)?);
        }
        for member in &mut self.members {
            let ended = member.child.wait()?;
            if !ended.success() {
                return Err(format!("a process failed after its report: {ended}").into());
            }
        }
        Ok(reports)
    }
}

impl Member {
    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(line)
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        for Member { child, .. } in &mut self.members {
            // Neither does anything to a child that was waited for.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
