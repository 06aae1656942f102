//! Processes one after the other on one store, all that they change of its files, and what they said.

use std::path::{Path, PathBuf};

use store_core::{Batch, Blocking, Revision, Seams, Settings};

use super::state::State;
use super::steps::{Answer, Going, Step, candidates};
use crate::arena::Arena;
use crate::audit;
use crate::disk::Disk;
use crate::failure::{Context, Failure, Outcome, ensure};
use crate::target::{Role, of_role};
use crate::tracer::{Event, Plan, read_trace};
use crate::wire::Line;

/// What one process did.
#[derive(Debug)]
struct Part {
    steps: Vec<Step>,
    events: Vec<(Event, Vec<u8>)>,
}

/// What processes did to a store that was not there before.
#[derive(Debug)]
pub(super) struct Film {
    parts: Vec<Part>,
    /// The files that are memory of processes, relative to the folder.
    shared: Vec<PathBuf>,
}

impl Film {
    /// Lets processes go through their scripts one after the other, each under a plan of its own.
    pub(super) fn shoot(
        arena: &Arena,
        name: &str,
        goings: &[Going],
        plan: impl Fn(usize, Plan) -> Plan,
    ) -> Outcome<Self> {
        let path = arena.place(name)?;
        let folder = arena.folder().join(name);
        let mut parts = Vec::new();
        for (at, going) in goings.iter().enumerate() {
            let [trace, report] =
                ["trace", "report"].map(|what| arena.folder().join(format!("{what} of {name} {at}")));
            let plan = plan(at, Plan::count(&folder, report).record(trace.clone()));
            let worker = arena.worker_on(&path, "go_through_steps")?.plan(going)?.traced(plan).start()?;
            worker.last_words::<Answer>()?;
            let events = read_trace(&trace)?;
            parts.push(Part { steps: going.script.steps(), events });
            std::fs::remove_file(&trace)?;
        }
        let shared = of_role(arena.target, &path, Role::Shared).into_iter();
        let shared: Vec<PathBuf> =
            shared.filter_map(|path| path.strip_prefix(&folder).ok().map(PathBuf::from)).collect();
        for (event, _) in parts.iter().flat_map(|part: &Part| &part.events) {
            // What is written through memory the trace does not show.
            if let Event::Mapped { name } = event {
                ensure!(shared.contains(name), "{} is written through memory", name.display());
            }
        }
        std::fs::remove_dir_all(&folder)?;
        Ok(Self { parts, shared })
    }

    /// Returns how many events there are.
    pub(super) fn len(&self) -> usize {
        self.parts.iter().map(|part| part.events.len()).sum()
    }

    /// Returns the number of the event that ends the first sync which failed.
    pub(super) fn first_failure(&self) -> Option<usize> {
        let mut events = self.parts.iter().flat_map(|part| &part.events);
        events.position(|(event, _)| matches!(event, Event::SyncEnded { done: false, .. }))
    }

    /// Returns how many syncs a process began.
    pub(super) fn syncs(&self, part: usize) -> usize {
        let events = self.parts.get(part).map(|part| part.events.as_slice()).unwrap_or_default();
        events.iter().filter(|(event, _)| matches!(event, Event::SyncBegan { .. })).count()
    }

    /// Cuts the power once after each of some numbers of events, and makes sure of what is left; `honest`
    /// syncs do what they say.
    pub(super) fn cut(
        &self,
        arena: &Arena,
        mut points: Vec<usize>,
        honest: bool,
        chance: &mut fastrand::Rng,
    ) -> Outcome {
        points.sort_unstable();
        let mut disk = Disk::new();
        if !honest {
            disk.ignore_syncs();
        }
        let mut events = self.parts.iter().flat_map(|part| &part.events);
        let mut done = 0;
        for point in points {
            for (event, bytes) in events.by_ref().take(point - done) {
                disk.replay(event, bytes)?;
            }
            done = point;
            self.cut_here(arena, &disk, point, chance)?;
        }
        Ok(())
    }

    fn cut_here(&self, arena: &Arena, disk: &Disk, point: usize, chance: &mut fastrand::Rng) -> Outcome {
        let name = format!("cut {}", chance.u64(..));
        let path = arena.place(&name)?;
        let folder = arena.folder().join(&name);
        disk.cut(&folder, &self.shared, chance)?;
        let (states, answers) = self.at(point)?;
        let found = check(arena, &path, &states, highest(&answers, "a"));
        std::fs::remove_dir_all(&folder)?;
        found.map_err(|failure| {
            let (all, said) = (self.len(), answers.len());
            Failure::new(format_args!("power cut after event {point} of {all}, {said} answers: {failure}"))
        })
    }

    /// Returns the states that may be found after so many events, and what had been said.
    fn at(&self, at: usize) -> Outcome<(Vec<State>, Vec<Answer>)> {
        let (mut left, mut states, mut all) = (at, vec![State::default()], Vec::new());
        for part in &self.parts {
            let answers = said(part.events.iter().take(left))?;
            states = candidates(states, &part.steps, &answers);
            left = left.saturating_sub(part.events.len());
            all.extend(answers);
            if left == 0 {
                break;
            }
        }
        Ok((states, all))
    }
}

/// Makes sure that a store is in one of some states, is whole, and takes writes.
fn check(arena: &Arena, path: &Path, states: &[State], highest: u64) -> Outcome {
    let seams = Seams { boot_id: Some("after the power cut".to_owned()), ..Seams::default() };
    let opened = arena.target.open(path, Settings::default().with_seams(seams));
    let store = Blocking::new(opened.context("it does not open")?);
    let found = State::of(&audit::check(&store)?);
    if !states.contains(&found) {
        let differs: Vec<String> = states.iter().map(|state| found.differs(state)).collect();
        return Err(Failure::new(format_args!("found otherwise: {}", differs.join("\n    or "))));
    }
    // What was given before, and may have been lost, is not given again.
    let given = store.commit(Batch::new().put("a", "again", 1u64).append("a", "log", 1u64))?.revision("a");
    ensure!(given > Some(Revision::new(highest)), "revision {given:?} is given after {highest} was");
    audit::check(&store)?;
    store.close()?;
    drop(store);
    let checked = arena.target.check_integrity(path);
    checked.map_err(|found| Failure::new(format_args!("the engine finds it damaged: {found}")))
}

/// Returns the highest revision of a namespace that was given.
pub(super) fn highest(answers: &[Answer], namespace: &str) -> u64 {
    let given = answers.iter().flat_map(|answer| match answer {
        Answer::Done(given) => given.as_slice(),
        Answer::Failed { .. } => &[],
    });
    given.filter(|(name, _)| name == namespace).map(|(_, given)| *given).max().unwrap_or(0)
}

/// Returns the answers among events.
fn said<'e>(events: impl Iterator<Item = &'e (Event, Vec<u8>)>) -> Outcome<Vec<Answer>> {
    let mut answers = Vec::new();
    for (event, bytes) in events {
        if let Event::Said { .. } = event
            && let Line::Said(value) = serde_json::from_slice(bytes)?
        {
            answers.push(serde_json::from_value(value)?);
        }
    }
    Ok(answers)
}
