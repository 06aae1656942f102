//! The table of promises and backends, with what was counted below.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Cell, CellAlignment, Table};

use super::{Report, Verdict};
use crate::counts::Count;

/// What the cases of one promise on one backend came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tally {
    pub(super) passed: usize,
    pub(super) failed: usize,
    pub(super) ignored: usize,
    pub(super) not_declared: usize,
}

impl Tally {
    /// Counts the cases of a promise on a backend.
    pub(super) fn of(report: &Report, promise: &str, backend: &str) -> Self {
        let mut tally = Self::default();
        for case in report.cases.iter().filter(|case| case.promise == promise && case.backend == backend) {
            match case.verdict {
                Verdict::Passed => tally.passed += 1,
                Verdict::Failed { .. } => tally.failed += 1,
                Verdict::Ignored { .. } => tally.ignored += 1,
                Verdict::NotDeclared { .. } => tally.not_declared += 1,
            }
        }
        tally
    }

    /// Says it in a few words, such as `17 passed, 1 failed`.
    pub(super) fn words(self) -> String {
        let parts = [
            (self.passed, "passed"),
            (self.failed, "FAILED"),
            (self.ignored, "ignored"),
            (self.not_declared, "not declared"),
        ];
        let parts: Vec<String> =
            parts.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
        if parts.is_empty() { "–".to_owned() } else { parts.join(", ") }
    }
}

/// Lays out a report.
pub(super) fn of(report: &Report) -> String {
    let backends = report.backends();
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_header(std::iter::once("promise").chain(backends.iter().copied()));
    for promise in report.promises() {
        let cells = backends.iter().map(|backend| Tally::of(report, promise, backend).words());
        table.add_row(std::iter::once(promise.to_owned()).chain(cells));
    }
    let counted = |what: &Count| report.counts.values().any(|counts| counts.contains_key(what));
    for what in Count::ALL.into_iter().filter(counted) {
        let number =
            |backend: &&str| report.counts.get(*backend).and_then(|counts| counts.get(&what)).copied();
        let cells = backends.iter().map(|backend| {
            Cell::new(thousands(number(backend).unwrap_or(0))).set_alignment(CellAlignment::Right)
        });
        table.add_row(std::iter::once(Cell::new(what.as_str())).chain(cells));
    }
    table.to_string()
}

/// Writes a number with commas between thousands.
pub(crate) fn thousands(number: u64) -> String {
    indicatif::HumanCount(number).to_string()
}
