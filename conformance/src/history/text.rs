//! A violation in words: a line for each operation, and what stands against what.

use std::fmt;

use super::History;
use super::check::Stuck;
use super::compile::{Act, Change, KEYS, LOGS, Names, Op, SPACES, Test, VALUES};
use super::op::{Call, Check, Did, Entry, Operation, Outcome, Receipt, Start, Write};
use super::revisions::Rev;
use super::search::distinct;
use super::state::{Space, State};
use super::trie::Trie;
use super::verdict::Violation;

/// How many states a reason names, how many entries of a log, and how many operations a text shows.
const NAMED: usize = 3;
const ENTRIES: usize = 6;
const LINES: usize = 60;

/// Makes a violation of the operations of a part.
pub(super) fn violation<'k>(
    history: &History,
    ops: &[Op],
    names: &Names<'_>,
    kept: impl IntoIterator<Item = &'k usize>,
    stuck: &Stuck,
) -> Violation {
    let mut ids: Vec<usize> = kept.into_iter().filter_map(|at| ops.get(*at)).map(|op| op.id).collect();
    ids.sort_by_key(|id| history.operations.get(*id).map(|operation| (operation.called, *id)));
    let offending = ids.iter().position(|id| *id == stuck.id).unwrap_or_default();
    let operations: Vec<Operation> =
        ids.iter().filter_map(|id| history.operations.get(*id)).cloned().collect();
    let mut held = Vec::new();
    if let Some(op) = ops.iter().find(|op| op.id == stuck.id) {
        let words = Words { names, trie: &stuck.trie };
        held = distinct(stuck.states.clone()).iter().map(|state| words.held(op, state)).collect();
        held.sort();
        held.dedup();
    }
    let told = operations.get(offending).map(|operation| {
        let Operation { process, call, outcome, .. } = operation;
        format!("process {process} was told: {} → {}", call_words(call), outcome_words(outcome))
    });
    let told = told.unwrap_or_default();
    let more = held.len().saturating_sub(NAMED);
    let mut must = held.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", or ");
    if more > 0 {
        must = format!("{must}, or {more} others");
    }
    let reason = if must.is_empty() {
        format!("no store answers like this: {told}")
    } else {
        format!("before it took effect the store must have held {must}; but {told}")
    };
    Violation { operations, offending, held, reason }
}

/// Prints a violation.
pub(super) fn write_violation(violation: &Violation, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let Violation { operations, offending, reason, .. } = violation;
    let begin = operations.iter().map(|operation| operation.called).min().unwrap_or_default();
    writeln!(f, "not linearizable: {reason}")?;
    let hidden = operations.len().saturating_sub(LINES);
    if hidden > 0 {
        writeln!(f, "    … {hidden} earlier operations")?;
    }
    for (at, operation) in operations.iter().enumerate() {
        if at >= hidden || at == *offending {
            let mark = if at == *offending { ">" } else { " " };
            writeln!(f, "  {mark} {}", line(operation, begin))?;
        }
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn millis(at: u64) -> f64 {
    at as f64 / 1e6
}

fn line(operation: &Operation, begin: u64) -> String {
    let Operation { process, called, returned, .. } = operation;
    let from = millis(called.saturating_sub(begin));
    let to = returned.map_or("never".to_owned(), |at| format!("{:.3} ms", millis(at.saturating_sub(begin))));
    format!("process {process}  [{from:.3} ms … {to}]  {}", words(operation))
}

/// Returns what was called, and what came of it.
pub(super) fn words(operation: &Operation) -> String {
    format!("{} → {}", call_words(&operation.call), outcome_words(&operation.outcome))
}

fn call_words(call: &Call) -> String {
    match call {
        Call::Get { namespace, key } => format!("get {namespace}/{key}"),
        Call::Object { namespace } => format!("object {namespace}"),
        Call::ReadLog { namespace, log, start, limit } => {
            let start = match start {
                Start::From(number) => format!("from {number}"),
                Start::Tail(count) => format!("last {count}"),
            };
            let limit = limit.map_or_else(String::new, |limit| format!(", at most {limit}"));
            format!("read {namespace}/{log} {start}{limit}")
        }
        Call::Logs { namespace } => format!("logs {namespace}"),
        Call::Write(write) => write_words(write),
        Call::Commit { checks, writes } => {
            let checks = checks.iter().map(|check| format!("if {}", check_words(check)));
            let all: Vec<String> = checks.chain(writes.iter().map(write_words)).collect();
            format!("commit {{ {} }}", all.join("; "))
        }
    }
}

fn write_words(write: &Write) -> String {
    match write {
        Write::Put { namespace, key, value } => format!("put {namespace}/{key} = {value}"),
        Write::Delete { namespace, key } => format!("delete {namespace}/{key}"),
        Write::ReplaceObject { namespace, object } => {
            let entries: Vec<String> = object.iter().map(|(key, value)| format!("{key} = {value}")).collect();
            format!("replace {namespace} by {{{}}}", entries.join(", "))
        }
        Write::Append { namespace, log, entry } => format!("append {namespace}/{log} {entry}"),
        Write::TrimLog { namespace, log, before } => format!("trim {namespace}/{log} before {before}"),
        Write::DeleteNamespace { namespace } => format!("delete namespace {namespace}"),
    }
}

fn check_words(check: &Check) -> String {
    match check {
        Check::Key { namespace, key, revision: None } => format!("{namespace}/{key} absent"),
        Check::Key { namespace, key, revision: Some(rev) } => format!("{namespace}/{key} at revision {rev}"),
        Check::Object { namespace, revision } => format!("{namespace} at revision {revision}"),
        Check::Log { namespace, log, last } => format!("{namespace}/{log} ends with number {last}"),
    }
}

fn entry_words(entry: &Entry) -> String {
    format!("{} at revision {}", entry.value, entry.revision)
}

fn outcome_words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Got(None) => "nothing".to_owned(),
        Outcome::Got(Some(entry)) => entry_words(entry),
        Outcome::Object { revision, entries } => {
            let entries: Vec<String> =
                entries.iter().map(|(key, entry)| format!("{key} = {}", entry_words(entry))).collect();
            format!("revision {revision} {{{}}}", entries.join(", "))
        }
        Outcome::Page(entries) => {
            let skipped = entries.len().saturating_sub(ENTRIES);
            let shown = entries.iter().skip(skipped).map(|(number, text)| format!("{number}: {text}"));
            let dots = (skipped > 0).then(|| format!("{skipped} others, …"));
            let all: Vec<String> = dots.into_iter().chain(shown).collect();
            format!("[{}]", all.join(", "))
        }
        Outcome::Logs(logs) => {
            let logs: Vec<String> =
                logs.iter().map(|(name, (first, last))| format!("{name} {first} to {last}")).collect();
            format!("{{{}}}", logs.join(", "))
        }
        Outcome::Done(receipt) => receipt_words(receipt),
        Outcome::Conflict(found) => format!("conflict: {}", check_words(found)),
        Outcome::Refused(why) => format!("refused: {why}"),
        Outcome::Unknown(why) => format!("unknown: {why}"),
    }
}

fn receipt_words(receipt: &Receipt) -> String {
    let revisions = receipt.revisions.iter().flatten();
    let several = receipt.revisions.as_ref().is_some_and(|revisions| revisions.len() > 1);
    let revisions = revisions.map(|(name, revision)| {
        if several { format!("revision {revision} of {name}") } else { format!("revision {revision}") }
    });
    let dids = receipt.outcomes.iter().filter_map(|did| match did {
        Did::Written(_) | Did::Trimmed => None,
        Did::Deleted(true) => Some("deleted".to_owned()),
        Did::Deleted(false) => Some("nothing to delete".to_owned()),
        Did::Appended(number) => Some(format!("number {number}")),
    });
    let all: Vec<String> = revisions.chain(dids).collect();
    if all.is_empty() { "done".to_owned() } else { all.join(", ") }
}

/// Says what a state holds, by its names.
#[derive(Debug)]
struct Words<'n, 'h> {
    names: &'n Names<'h>,
    trie: &'n Trie,
}

fn rev_words(rev: Rev) -> String {
    match rev {
        Rev::Known(number) => format!("revision {number}"),
        Rev::Hidden { above, .. } => format!("an unknown revision above {above}"),
    }
}

impl Words<'_, '_> {
    /// Says what a state holds of all that an operation touches.
    fn held(&self, op: &Op, state: &State) -> String {
        let mut said: Vec<String> = Vec::new();
        let mut say = |text: Option<String>| {
            said.extend(text.filter(|text| !said.contains(text)).into_iter().collect::<Vec<_>>());
        };
        let test = |test: &Test| match test {
            Test::Key { space, key, .. } => self.key(state, *space, *key),
            Test::Object { space, .. } => self.revision(state, *space),
            Test::Log { space, log, .. } => self.log(state, *space, *log),
        };
        match &op.act {
            Act::Get { space, key, .. } => say(self.key(state, *space, *key)),
            Act::Object { space, .. } => say(self.object(state, *space)),
            Act::Page { space, log, .. } => say(self.log(state, *space, *log)),
            Act::Logs { space, .. } => say(self.logs(state, *space)),
            Act::Conflict(found) => say(test(found)),
            Act::Commit { checks, changes, .. } => {
                for check in checks {
                    say(test(check));
                }
                for change in changes {
                    say(match change {
                        Change::Delete { space, key } => self.key(state, *space, *key),
                        Change::Append { space, log, .. } | Change::Trim { space, log, .. } => {
                            self.log(state, *space, *log)
                        }
                        Change::Put { space, .. } | Change::Replace { space, .. } => {
                            self.revision(state, *space)
                        }
                        Change::Drop { space } => self.object(state, *space),
                    });
                }
            }
            Act::Never => {}
        }
        said.join(" and ")
    }

    fn space<'s>(&self, state: &'s State, at: u32) -> Option<(&str, &'s Space)> {
        Some((self.names.name(SPACES, at), state.space(at)?))
    }

    fn key(&self, state: &State, space: u32, key: u32) -> Option<String> {
        let (name, held) = self.space(state, space)?;
        let key_name = self.names.name(KEYS, key);
        Some(match held.key(key) {
            None => format!("nothing at {name}/{key_name}"),
            Some((value, rev)) => {
                format!("{name}/{key_name} = {} at {}", self.names.name(VALUES, value), rev_words(rev))
            }
        })
    }

    fn revision(&self, state: &State, space: u32) -> Option<String> {
        let (name, held) = self.space(state, space)?;
        Some(format!("{name} at {}", rev_words(held.revisions.current())))
    }

    fn object(&self, state: &State, space: u32) -> Option<String> {
        let (name, held) = self.space(state, space)?;
        let entry = |(key, value, rev): &(u32, u32, Rev)| {
            let (key, value) = (self.names.name(KEYS, *key), self.names.name(VALUES, *value));
            format!("{key} = {value} at {}", rev_words(*rev))
        };
        let entries: Vec<String> = held.keys.iter().map(entry).collect();
        Some(format!("{name} at {} {{{}}}", rev_words(held.revisions.current()), entries.join(", ")))
    }

    fn log(&self, state: &State, space: u32, log: u32) -> Option<String> {
        let (name, held) = self.space(state, space)?;
        let log_name = self.names.name(LOGS, log);
        let Some(held) = held.log(log) else { return Some(format!("no log {name}/{log_name}")) };
        let last = self.trie.last(held.content);
        let from = held.first.max((last + 1).saturating_sub(ENTRIES as u64));
        let entries = self.trie.values(held.content, from);
        let entries: Vec<String> =
            entries.iter().map(|(number, v)| format!("{number}: {}", self.names.name(VALUES, *v))).collect();
        let dots = if from > held.first && !entries.is_empty() { "…, " } else { "" };
        Some(format!("{name}/{log_name} from number {} to {last} [{dots}{}]", held.first, entries.join(", ")))
    }

    fn logs(&self, state: &State, space: u32) -> Option<String> {
        let (name, held) = self.space(state, space)?;
        let log = |log: &super::state::Log| {
            let last = self.trie.last(log.content);
            format!("{} {} to {last}", self.names.name(LOGS, log.name), log.first)
        };
        let logs: Vec<String> = held.logs.iter().map(log).collect();
        Some(format!("the logs {{{}}} in {name}", logs.join(", ")))
    }
}
