//! What is aimed at, and whether this run reached it.

use std::fmt::Write as _;

use super::plan::{Case, Subject, Work};
use super::results::{Figures, Results};
use crate::plan::Engine;
use crate::report::mebibytes;

/// The most memory that an export or import may take, in KiB.
const MEMORY: u64 = 64 << 10;
/// How much longer writers may wait while backups are taken.
const DISTURBED: f64 = 2.0;
/// What share of their writes a mirror may cost.
const MIRROR: f64 = 0.1;

/// Says of each aim whether it was reached, with the figure; the exit code does not depend on it.
pub(super) fn judge(results: &Results) -> String {
    let mut text = String::from("Aims:\n");
    for case in results.cases(|_| true) {
        for &subject in case.subjects() {
            if let Some((wanted, found, reached)) = verdict(results, case, subject) {
                let reached = if reached { "reached    " } else { "NOT REACHED" };
                // Writing to a text does not fail.
                let _ = writeln!(text, "  {reached}  {case}, {}: {wanted}; {found}", case.name_of(subject));
            }
        }
    }
    text
}

/// Returns what is wanted, what was found, and whether that is enough.
fn verdict(results: &Results, case: Case, subject: Subject) -> Option<(String, String, bool)> {
    match (case.work, subject, case.engine) {
        (Work::Export | Work::Import, Subject::Store | Subject::Zstd, _) => {
            let peak = results.peak(case, subject)?;
            Some((format!("memory below {}", mebibytes(MEMORY)), mebibytes(peak), peak < MEMORY))
        }
        (Work::Backup, Subject::Disturbed, Engine::Sqlite | Engine::Redb) => {
            let ratio = results.ratio(case, subject, Figures::p99)?;
            let wanted = format!("p99 within {DISTURBED} times that without backups");
            Some((wanted, format!("{ratio:.2} times"), ratio <= DISTURBED))
        }
        (Work::Mirror, Subject::Mirrored, _) => {
            let cost = 1.0 - results.ratio(case, subject, Figures::rate)?;
            let wanted = format!("a mirror costs less than {:.0} % of the writes", MIRROR * 100.0);
            Some((wanted, format!("{:.0} %", cost * 100.0), cost < MIRROR))
        }
        _ => None,
    }
}
