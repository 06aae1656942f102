//! Short scripts that a worker goes through, saying after each step what it came to.

use std::path::Path;

use serde::{Deserialize, Serialize};
use store_core::{Batch, Blocking, Durability, Error, Json, Write};

use super::state::State;
use crate::cases::works;
use crate::failure::{Context, Outcome};
use crate::job::{Job, Work};
use crate::values::numbers;

pub(super) const WORKS: &[Work] = works![go_through_steps];

/// A script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) enum Script {
    /// The store is made and first written.
    Create,
    /// An object is changed in every way.
    Change,
    /// A log grows, by few and by many.
    Append,
    /// Batches go over three namespaces.
    Wide,
    /// What is there is trimmed, deleted, and made anew.
    Trim,
    /// The store is opened and closed again and again.
    Reopen,
    /// A batch is so large that an engine's shared index has to grow.
    Large,
    /// The same, by a process that is then killed with the store open.
    LargeAndDie,
    /// Batches of many records, a few MB each.
    Bulk,
}

impl Script {
    /// The scripts that are short.
    pub(super) const SHORT: [Self; 6] =
        [Self::Create, Self::Change, Self::Append, Self::Wide, Self::Trim, Self::Reopen];
}

/// How a worker goes through a script.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Going {
    pub(super) script: Script,
    /// Whether it acknowledges each commit before it begins, as nobody may.
    pub(super) hasty: bool,
}

impl From<Script> for Going {
    fn from(script: Script) -> Self {
        Self { script, hasty: false }
    }
}

/// One step.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Open,
    Commit(Batch),
    Close,
    /// Ends the process as a kill does.
    Die,
}

/// What a step came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Answer {
    /// It is done; a commit gave these revisions.
    Done(Vec<(String, u64)>),
    Failed {
        /// The kind of the error.
        kind: String,
        /// Whether it surely did not happen.
        sure: bool,
        words: String,
    },
}

impl Answer {
    fn failed(error: &Error) -> Self {
        let mut words = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            words = format!("{words}: {cause}");
            source = cause.source();
        }
        Self::Failed { kind: format!("{:?}", error.kind()), sure: error.surely_not_done(), words }
    }
}

fn many(batch: Batch, namespace: &str, log: &str, from: u64, count: u64) -> Batch {
    (from..from + count).fold(batch, |batch, n| batch.append(namespace, log, n))
}

fn wide(n: u64) -> Batch {
    Batch::new()
        .put("a", "k", n)
        .append("a", "log", n)
        .put("b", "k", n)
        .append("c", "log", n)
        .put("c", "k", n)
}

/// Values of 300 KB, of which a batch takes more than 4,100 pages.
const LARGE: (u64, usize) = (60, 300_000);

fn large() -> Batch {
    let (count, len) = LARGE;
    (0..count).fold(Batch::new(), |batch, n| batch.put("l", format!("k{n}"), Json::from("x".repeat(len))))
}

/// How many records a batch of many has, and how long each is.
pub(super) const BULK: (u64, usize) = (64, 64_000);

/// Many records that bear the number of their batch.
pub(super) fn bulk(n: u64) -> Batch {
    let record = record(n);
    (0..BULK.0).fold(Batch::new(), |batch, _| batch.append("m", "log", record.clone()))
}

/// Each record of such a batch.
pub(super) fn record(n: u64) -> Json {
    let text = format!("{n} ").repeat(BULK.1 / 2);
    Json::from(text.get(..BULK.1).unwrap_or(&text))
}

/// What is in the store before every script but the one that makes it.
pub(super) fn before() -> Vec<Batch> {
    let object = numbers([("one", 1), ("two", 2), ("three", 3)]);
    let first = Batch::new().replace_object("a", object).put("b", "k", 0u64).put("gone", "k", 0u64);
    vec![
        many(first, "a", "log", 1, 12),
        Batch::new().append("b", "log", 1u64).append("gone", "log", 1u64),
        Batch::new().trim_log("a", "log", 3),
    ]
}

impl Script {
    /// Returns its steps.
    pub(super) fn steps(self) -> Vec<Step> {
        let bare = Batch::new;
        let batches = match self {
            Self::Create => vec![bare().put("a", "k", 1u64), bare().append("a", "log", 1u64), wide(7)],
            Self::Change => vec![
                bare().put("a", "one", 11u64),
                bare().replace_object("a", numbers([("two", 22), ("four", 4)])),
                bare().delete("a", "two"),
                bare().put("fresh", "k", 1u64).append("fresh", "log", 1u64),
                bare().put("a", "four", 44u64),
            ],
            Self::Append => vec![
                bare().append("a", "log", 13u64),
                many(bare(), "a", "log", 14, 200),
                bare().append("a", "other", 1u64),
                bare().append("a", "log", 214u64),
            ],
            Self::Wide => vec![wide(1), bare().put("a", "one", 2u64), wide(3)],
            Self::Trim => vec![
                bare().trim_log("a", "log", 9),
                bare().append("a", "log", 13u64),
                bare().delete_namespace("gone"),
                bare().put("gone", "k", 2u64),
                bare().trim_log("a", "log", 99),
                bare().append("a", "log", 14u64),
            ],
            Self::Reopen => {
                let again = [bare().put("a", "k", 1u64), bare().append("a", "log", 13u64), wide(5)];
                return again
                    .into_iter()
                    .flat_map(|batch| [Step::Open, Step::Commit(batch), Step::Close])
                    .collect();
            }
            Self::LargeAndDie => {
                // A write that followed would take the place of what failed.
                let batches = [bare().put("l", "k0", 1u64), large()];
                let commits = batches.into_iter().map(Step::Commit);
                return [Step::Open].into_iter().chain(commits).chain([Step::Die]).collect();
            }
            Self::Bulk => vec![bulk(1), bulk(2), bulk(3)],
            Self::Large => vec![bare().put("l", "k0", 1u64), large(), bare().put("a", "one", 9u64)],
        };
        let commits = batches.into_iter().map(Step::Commit);
        [Step::Open].into_iter().chain(commits).chain([Step::Close]).collect()
    }
}

/// Goes through the steps of a script; a store that does not open ends it.
fn go_through_steps(job: &Job) -> Outcome {
    let Going { script, hasty } = job.plan()?;
    let mut open: Option<Blocking> = None;
    for step in script.steps() {
        if hasty && matches!(step, Step::Commit(_)) {
            job.say(Answer::Done(Vec::new()))?;
        }
        let answer = match &step {
            Step::Open => match job.open() {
                Ok(store) => {
                    open = Some(store);
                    Answer::Done(Vec::new())
                }
                Err(error) => return job.say(Answer::failed(&error)),
            },
            Step::Commit(batch) => commit(open.as_ref().context("no store is open")?, batch),
            Step::Die => {
                nix::sys::signal::raise(nix::sys::signal::Signal::SIGKILL)?;
                Answer::Done(Vec::new())
            }
            Step::Close => {
                let store = open.take().context("no store is open")?;
                store.close().map_or_else(|error| Answer::failed(&error), |()| Answer::Done(Vec::new()))
            }
        };
        if !hasty || !matches!(step, Step::Commit(_)) {
            job.say(answer)?;
        }
    }
    Ok(())
}

fn commit(store: &Blocking, batch: &Batch) -> Answer {
    match store.commit(batch.clone().durability(Durability::Power)) {
        Ok(receipt) => {
            let names = batch.writes().iter().map(Write::namespace);
            let given = names.filter_map(|name| Some((name.to_owned(), receipt.revision(name)?.get())));
            Answer::Done(given.collect())
        }
        Err(error) => Answer::failed(&error),
    }
}

/// Returns every state that a store may be in which was in one of some before a script whose steps came to
/// these answers; the step that has none may have been done or not.
pub(super) fn candidates(mut states: Vec<State>, steps: &[Step], answers: &[Answer]) -> Vec<State> {
    for (at, step) in steps.iter().enumerate() {
        let batch = match (step, answers.get(at)) {
            // Nothing follows.
            (Step::Open, Some(Answer::Failed { .. })) => break,
            (Step::Commit(batch), _) => batch,
            _ => continue,
        };
        let after: Vec<State> = states.iter().map(|state| state.after(batch)).collect();
        match answers.get(at) {
            Some(Answer::Done(_)) => states = after,
            Some(Answer::Failed { sure: true, .. }) => {}
            Some(Answer::Failed { .. }) => states.extend(after),
            None => {
                // The steps behind it were not begun.
                if at == answers.len() {
                    states.extend(after);
                }
            }
        }
        states.dedup();
    }
    states
}

/// Copies a closed store's folder with all in it, and their modes.
pub(super) fn copy(from: &Path, to: &Path) -> Outcome {
    for entry in std::fs::read_dir(from).context(from.display())? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            std::fs::create_dir(&target)?;
            std::fs::set_permissions(&target, entry.metadata()?.permissions())?;
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}
