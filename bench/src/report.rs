//! The table.

use std::time::Duration;

use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};

use crate::args::Args;
use crate::plan::{Case, Subject};
use crate::summary::{Results, Summary};

const HEADER: [&str; 10] =
    ["case", "subject", "ops/s", "p50", "p99.9", "slowest", "longest gap", "silent", "errors", "× bare"];

const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// Lays the median rounds out, with how to read them.
pub(crate) fn table(results: &Results, args: &Args) -> String {
    let mut table = Table::new();
    table.load_style(STYLE).set_header(HEADER);
    for case in results.cases() {
        for (n, &subject) in case.subjects().iter().enumerate() {
            if let Some(summary) = results.median(case, subject) {
                let name = if n == 0 { case.to_string() } else { String::new() };
                table.add_row(row(name, results, case, subject, summary));
            }
        }
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!(
        "{table}\n\
         {} s a round, the median of {} rounds, in which the subjects took turns; ×16: by 16 processes.\n\
         Participants are processes, or the tasks (bare: threads) of one.\n\
         slowest: what the slowest participant did, of the average. longest gap: that a participant went without a \
         success.\n\
         silent: participants without a single success. errors: operations that did not end within 5 s \
         (bare: SQLITE_BUSY; store: Busy or Indeterminate).\n\
         bare keeps no revision a namespace; bare+revision does, as the store.",
        args.seconds, args.rounds
    )
}

fn row(name: String, results: &Results, case: Case, subject: Subject, summary: &Summary) -> [String; 10] {
    let ratio = results.ratio(case, subject, Subject::Bare).filter(|_| subject != Subject::Bare);
    [
        name,
        subject.to_string(),
        grouped(summary.rate),
        words(summary.p50),
        words(summary.p999),
        format!("{:.0} %", summary.slowest * 100.0),
        words(summary.longest_gap),
        summary.silent.to_string(),
        summary.errors.to_string(),
        ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}")),
    ]
}

/// Writes a rate with its thousands apart.
fn grouped(rate: f64) -> String {
    let digits = format!("{rate:.0}");
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// Writes a time with two or three digits that count.
pub(crate) fn words(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    let (value, unit) = match seconds {
        s if s < 1e-3 => (s * 1e6, "µs"),
        s if s < 1.0 => (s * 1e3, "ms"),
        s => (s, "s"),
    };
    if value < 10.0 { format!("{value:.1} {unit}") } else { format!("{value:.0} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_people_read_them() {
        assert_eq!(["12", "999", "1 234", "1 234 567"], [12.3, 999.0, 1234.0, 1_234_567.0].map(grouped));
        assert_eq!(words(Duration::from_nanos(1250)), "1.2 µs");
        assert_eq!(words(Duration::from_micros(45_200)), "45 ms");
        assert_eq!(words(Duration::from_millis(1600)), "1.6 s");
    }
}
