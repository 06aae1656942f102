//! One try: a script, a fault at one of its calls, and what is found afterwards.

use std::path::{Path, PathBuf};

use nix::errno::Errno;
use store_core::{Batch, Blocking, Outcome as Did, Revision, Settings};

use super::film::highest;
use super::rules;
use super::state::State;
use super::steps::{Answer, Going, Script, Step, before, candidates, copy};
use crate::arena::Arena;
use crate::audit;
use crate::failure::{Context, Failure, Outcome, ensure, ensure_eq};
use crate::tracer::{Act, Plan, Point, Report};
use crate::values::is_tidy;

/// The stores that scripts begin with, and where tries are made.
#[derive(Debug)]
pub(super) struct Bench<'a> {
    arena: &'a Arena,
    /// The folder of a closed store that is copied for each try.
    prepared: PathBuf,
    start: State,
    tries: std::cell::Cell<u64>,
}

/// What a script came to under the tracer.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) script: Script,
    pub(super) path: PathBuf,
    pub(super) folder: PathBuf,
    pub(super) answers: Vec<Answer>,
    pub(super) report: Report,
}

impl<'a> Bench<'a> {
    pub(super) fn new(arena: &'a Arena) -> Outcome<Self> {
        let path = arena.place("prepared")?;
        let store = Blocking::new(arena.target.open(&path, Settings::default())?);
        let mut start = State::default();
        for batch in before() {
            start = start.after(&batch);
            store.commit(batch)?;
        }
        ensure_eq!(State::of(&audit::check(&store)?), start);
        store.close()?;
        drop(store);
        let prepared = arena.folder().join("prepared");
        Ok(Self { arena, prepared, start, tries: std::cell::Cell::new(0) })
    }

    /// Runs a script in a fresh copy of the store, under a plan for a tracer of its folder.
    pub(super) fn run(&self, script: Script, plan: impl FnOnce(Plan) -> Plan) -> Outcome<Run> {
        let number = self.tries.replace(self.tries.get() + 1);
        let name = format!("try {number}");
        let path = self.arena.place(&name)?;
        let folder = self.arena.folder().join(&name);
        if script != Script::Create {
            copy(&self.prepared, &folder)?;
        }
        let report = self.arena.folder().join(format!("report {number}"));
        let plan = plan(Plan::count(&folder, report.clone()));
        let worker = self
            .arena
            .worker_on(&path, "go_through_steps")?
            .plan(Going::from(script))?
            .traced(plan)
            .start()?;
        let answers = worker.last_words()?;
        let report = Report::read(&report)?;
        Ok(Run { script, path, folder, answers, report })
    }

    /// Makes sure that a store is as the answers of a run say, and works; then removes it.
    pub(super) fn check(&self, run: &Run, act: Act) -> Outcome {
        self.holds(run, act)
            .map_err(|failure| Failure::new(format_args!("{}: {failure}", told(run, act))))?;
        std::fs::remove_dir_all(&run.folder)?;
        Ok(())
    }

    fn holds(&self, run: &Run, act: Act) -> Outcome {
        let steps = run.script.steps();
        if let Act::Fail(errno) = act {
            rules::check(&steps, run, errno, self.arena.target.tells_why_a_call_failed())?;
        }
        let start = if run.script == Script::Create { State::default() } else { self.start.clone() };
        let candidates = candidates(vec![start], &steps, &run.answers);
        let opened = self.arena.target.open(&run.path, Settings::default());
        let store = Blocking::new(opened.context("it does not open")?);
        let dump = audit::check(&store)?;
        let found = State::of(&dump);
        if !candidates.contains(&found) {
            let differs: Vec<String> = candidates.iter().map(|state| found.differs(state)).collect();
            return Err(Failure::new(format_args!("found otherwise: {}", differs.join("\n    or "))));
        }
        works_again(&store, &run.answers).context("afterwards")?;
        store.close()?;
        drop(store);
        // What could not be removed may lie about.
        if !run.report.hit.iter().any(Point::removes) {
            is_tidy(self.arena.target, &run.path)?;
        }
        self.integrity(&run.path)
    }

    fn integrity(&self, path: &Path) -> Outcome {
        let checked = self.arena.target.check_integrity(path);
        checked.map_err(|found| Failure::new(format_args!("the engine finds it damaged: {found}")))
    }
}

/// Makes sure that the store takes writes, under revisions that nobody was given before.
fn works_again(store: &Blocking, answers: &[Answer]) -> Outcome {
    let highest = highest(answers, "a");
    let before = store.object("a")?.revision;
    let last = store.logs("a")?.iter().find(|log| log.name == "log").map_or(0, |log| log.last);
    let receipt = store.commit(Batch::new().put("a", "again", 1u64).append("a", "log", 1u64))?;
    let after = receipt.revision("a").context("a put without a revision")?;
    ensure!(after > before, "revision {after} was given after {before}");
    ensure!(after > Revision::new(highest), "revision {after} was given after {highest}");
    ensure_eq!(receipt.outcomes().last(), Some(&Did::Appended(last + 1)), "the next number of the log");
    ensure_eq!(store.get_as::<u64>("a", "again")?, Some(1));
    Ok(())
}

/// Says what was tried, so that it can be tried again.
fn told(run: &Run, act: Act) -> String {
    let point = |point: &Point| format!("call {} ({} of {:?})", point.n, point.call, point.file);
    let hit = run.report.hit.first().map_or_else(|| "no call".to_owned(), point);
    let what = match act {
        Act::Nothing => "nothing at".to_owned(),
        Act::Kill => "SIGKILL at".to_owned(),
        Act::Fail(errno) => format!("{:?} at", Errno::from_raw(errno)),
    };
    let step = run.report.hit.first().map_or(0, |point| point.said);
    let answers: Vec<String> = run.answers.iter().map(short).collect();
    format!("{:?}, {what} {hit} in step {step}, answers [{}]", run.script, answers.join(", "))
}

fn short(answer: &Answer) -> String {
    match answer {
        Answer::Done(_) => "done".to_owned(),
        Answer::Failed { kind, words, .. } => format!("{kind} ({words})"),
    }
}

/// Whether a step is a commit.
pub(super) fn is_commit(step: Option<&Step>) -> bool {
    matches!(step, Some(Step::Commit(_)))
}
