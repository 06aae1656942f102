//! How much is done, by how many at once.

use super::{grouped, laid_out, mebibytes, words};
use crate::args::Args;
use crate::plan::{Case, Part, Subject};
use crate::summary::{Results, Summary};

const HEADER: [&str; 12] = [
    "case",
    "subject",
    "ops/s",
    "p50",
    "p99",
    "p99.9",
    "slowest",
    "longest gap",
    "silent",
    "errors",
    "memory",
    "× bare",
];

/// Lays the median rounds out.
pub(super) fn table(results: &Results, args: &Args) -> String {
    let mut rows = Vec::new();
    for case in results.cases(Part::Throughput) {
        for (n, subject) in case.subjects().into_iter().enumerate() {
            if let Some(summary) = results.median(case, subject) {
                let name = if n == 0 { case.to_string() } else { String::new() };
                rows.push(row(name, results, case, subject, summary));
            }
        }
    }
    format!(
        "{}\n\
         {} s a round, the median of {} rounds, in which the subjects took turns; ×16: by 16 processes.\n\
         Participants are processes, or the tasks (of a peer: threads) of one.\n\
         slowest: what the slowest participant did, of the average. longest gap: that a participant went without a \
         success.\n\
         silent: participants without a single success. errors: operations that did not end within 5 s.\n\
         memory: of the process that has most when its work is done. × bare: ops/s as a multiple of those of the \
         peer that is bare, or written by hand.\n",
        laid_out(HEADER, rows),
        args.seconds(),
        args.rounds()
    )
}

fn row(name: String, results: &Results, case: Case, subject: Subject, summary: &Summary) -> [String; 12] {
    let ratio = results.ratio(case, subject, Subject::Bare).filter(|_| subject != Subject::Bare);
    [
        name,
        case.name_of(subject).to_owned(),
        grouped(summary.rate),
        words(summary.p50),
        words(summary.p99),
        words(summary.p999),
        format!("{:.0} %", summary.slowest * 100.0),
        words(summary.longest_gap),
        summary.silent.to_string(),
        summary.errors.to_string(),
        summary.memory.map_or_else(String::new, |memory| mebibytes(memory.after)),
        ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}")),
    ]
}
