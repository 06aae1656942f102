//! What one process pays, in time and memory, for how much is stored.

use super::{grouped, laid_out, mebibytes, words};
use crate::plan::{Case, Operation, Part, Subject};
use crate::summary::{Results, Summary};

const HEADER: [&str; 7] = ["cost", "subject", "size", "p50", "p99", "memory", "peak"];

/// Lays it out, each subject's sizes under each other.
pub(super) fn table(results: &Results) -> String {
    let cases = results.cases(Part::Size);
    let mut rows = Vec::new();
    for group in cases.chunk_by(|a, b| a.operation == b.operation && a.engine == b.engine) {
        let subjects = group.first().map(|case| case.subjects()).unwrap_or_default();
        for subject in subjects {
            let sizes = group.iter().filter_map(|&case| Some((case, results.median(case, subject)?)));
            rows.extend(sizes.enumerate().map(|(n, (case, summary))| row(n == 0, case, subject, summary)));
        }
    }
    let before = results.rounds().iter().filter_map(|round| round.summary.memory);
    let before = before.map(|memory| memory.before).max().map_or_else(|| "an unknown size".into(), mebibytes);
    format!(
        "{}\n\
         One process, alone, fresh after the store was made; sizes in keys, or in entries of the log.\n\
         memory: of the process when its work is done; peak: the most that it had. It has {before} before it opens \
         anything.\n",
        laid_out(HEADER, rows)
    )
}

fn row(first: bool, case: Case, subject: Subject, summary: &Summary) -> [String; 7] {
    let [cost, name] =
        if first { [cost(case), case.name_of(subject).to_owned()] } else { [String::new(), String::new()] };
    let memory = |of: fn(crate::memory::Memory) -> u64| {
        summary.memory.map_or_else(String::new, |memory| mebibytes(of(memory)))
    };
    let size = grouped(f64::from(u32::try_from(case.size).unwrap_or(u32::MAX)));
    let unit = if case.operation.on_log() { "entries" } else { "keys" };
    [
        cost,
        name,
        format!("{size} {unit}"),
        words(summary.p50),
        words(summary.p99),
        memory(|memory| memory.after),
        memory(|memory| memory.peak),
    ]
}

fn cost(case: Case) -> String {
    match case.operation {
        Operation::Tail => "last 10 entries".into(),
        operation => operation.to_string(),
    }
}
