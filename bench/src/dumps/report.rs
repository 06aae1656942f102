//! The tables: what exports and imports cost, and what backups cost those who write.

use std::fmt::Write as _;

use super::plan::{Case, Subject, Work};
use super::results::{Figures, Results};
use crate::args::Args;
use crate::report::{grouped, laid_out, mebibytes, words};

const CARRIED: [&str; 7] = ["case", "subject", "MB/s", "entries/s", "time", "peak", "× bare"];
const WRITTEN: [&str; 12] = [
    "case",
    "writers",
    "ops/s",
    "p50",
    "p99",
    "p99.9",
    "longest gap",
    "errors",
    "a backup",
    "peak",
    "ops/s ×",
    "p99 ×",
];

/// Lays all that was measured out, with how to read it.
pub(super) fn tables(results: &Results, args: &Args) -> String {
    let mut text = String::new();
    if args.quick {
        text.push_str("A smoke run: the figures mean nothing.\n");
    }
    let rounds = format!("The median of {} rounds, in which the subjects took turns", args.rounds());
    let carried = rows(results, Work::carries, carried);
    if !carried.is_empty() {
        let table = laid_out(CARRIED, carried);
        let _ = write!(
            text,
            "{table}\n\
             {rounds}; from opening to closing, in a process of its own.\n\
             MB/s: millions of bytes of the dump without compression; of a peer: of the file that it writes or reads, \
             or of its database.\n\
             peak: the most memory that the process had in any round. × bare: entries/s as a multiple of the peer's.\n\n"
        );
    }
    let written = rows(results, |work| !work.carries(), written);
    if !written.is_empty() {
        let table = laid_out(WRITTEN, written);
        let _ = write!(
            text,
            "{table}\n\
             {rounds}; {} s a round, durability power.\n\
             errors: writes that did not end within 5 s. a backup: the median time of one, taken and read again. peak: \
             the most memory that its process had. ops/s ×, p99 ×: as multiples of those of the row alone.\n\n",
            args.seconds()
        );
    }
    text
}

fn rows<const N: usize>(
    results: &Results,
    of: fn(Work) -> bool,
    row: fn(&Results, Case, Subject) -> Option<[String; N]>,
) -> Vec<[String; N]> {
    let mut rows = Vec::new();
    for case in results.cases(of) {
        let mut name = case.to_string();
        for &subject in case.subjects() {
            if let Some(mut row) = row(results, case, subject) {
                if let [first, second, ..] = row.as_mut_slice() {
                    *first = std::mem::take(&mut name);
                    case.name_of(subject).clone_into(second);
                }
                rows.push(row);
            }
        }
    }
    rows
}

fn carried(results: &Results, case: Case, subject: Subject) -> Option<[String; 7]> {
    let Figures::Carried(carried) = results.median(case, subject)? else { return None };
    let ratio = results.ratio(case, subject, Figures::rate);
    Some([
        String::new(),
        String::new(),
        format!("{:.1}", carried.megabytes_a_second()),
        grouped(carried.records_a_second()),
        words(carried.time),
        results.peak(case, subject).map_or_else(String::new, mebibytes),
        ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}")),
    ])
}

fn written(results: &Results, case: Case, subject: Subject) -> Option<[String; 12]> {
    let Figures::Written { writers, backups } = results.median(case, subject)? else { return None };
    let ratio =
        |figure| results.ratio(case, subject, figure).map_or_else(String::new, |ratio| format!("{ratio:.2}"));
    Some([
        String::new(),
        String::new(),
        grouped(writers.rate),
        words(writers.p50),
        words(writers.p99),
        words(writers.p999),
        words(writers.longest_gap),
        writers.errors.to_string(),
        backups.as_ref().map_or_else(String::new, |backups| words(backups.p50)),
        results.peak(case, subject).map_or_else(String::new, mebibytes),
        ratio(Figures::rate),
        ratio(Figures::p99),
    ])
}
