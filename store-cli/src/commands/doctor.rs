//! `doctor`: whether a store is well, and what was mended.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{ContentArrangement, Table};
use serde::Serialize;
use statestore::Json;
use statestore::doctor::{Finding, Report, State};

use super::place;
use crate::args::{DoctorArgs, StoreArgs};
use crate::exit::{Code, Failure};
use crate::output::{self, Output};

/// A finding as a line of JSON.
#[derive(Serialize)]
struct Line<'a> {
    check: &'a str,
    state: &'a str,
    subject: std::borrow::Cow<'a, str>,
    why: &'a str,
    mend: Option<&'a str>,
}

/// Looks, or mends, and prints what was found; the exit code is that of the worst.
pub(super) fn run(args: &StoreArgs, doctor: &DoctorArgs) -> Result<(), Failure> {
    let config = place::config(args)?;
    let report = if doctor.fix { config.mend(doctor.adopt)? } else { config.doctor()? };
    if doctor.json {
        print_lines(&report)?;
    } else {
        output::print(&table(&report))?;
    }
    match report.worst() {
        State::Ok | State::Mended => Ok(()),
        State::Warning => Err(Failure::told(Code::Warned, summary(&report))),
        State::Fault => Err(Failure::told(Code::Damaged, summary(&report))),
    }
}

fn print_lines(report: &Report) -> Result<(), Failure> {
    let mut out = Output::new();
    for finding in report.findings() {
        let line = Json::encode(&Line {
            check: finding.check,
            state: finding.state.as_str(),
            subject: finding.subject.to_string_lossy(),
            why: &finding.why,
            mend: finding.mend.as_deref(),
        })?;
        out.line(format_args!("{line}"))?;
    }
    out.flush()
}

fn table(report: &Report) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["state", "check", "subject", "why", "to mend it"]);
    for Finding { check, state, subject, why, mend, .. } in report.findings() {
        table.add_row([
            state.as_str(),
            check,
            &subject.to_string_lossy(),
            why,
            mend.as_deref().unwrap_or_default(),
        ]);
    }
    table
}

fn summary(report: &Report) -> String {
    let many = |count: usize, word: &str| match count {
        1 => format!("1 {word}"),
        count => format!("{count} {word}s"),
    };
    let (faults, warnings) = (report.count(State::Fault), report.count(State::Warning));
    match (faults, warnings) {
        (0, warnings) => many(warnings, "warning"),
        (faults, 0) => many(faults, "fault"),
        (faults, warnings) => format!("{} and {}", many(faults, "fault"), many(warnings, "warning")),
    }
}
