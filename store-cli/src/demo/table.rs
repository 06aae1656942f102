//! The table of all ways.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Cell, CellAlignment, Table};

use super::Outcome;
use super::events::Sent;
use super::way::Kind;

/// Lays all outcomes side by side.
pub(super) fn of(sent: &Sent, outcomes: &[Outcome]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_header([""].into_iter().chain(outcomes.iter().map(|outcome| outcome.kind.as_str())));
    let processes = sent.processes().len();
    let mut row = |name: &str, cell: &dyn Fn(&Outcome) -> String| {
        let cells =
            outcomes.iter().map(|outcome| Cell::new(cell(outcome)).set_alignment(CellAlignment::Right));
        table.add_row([Cell::new(name)].into_iter().chain(cells));
    };
    row("events sent", &|_| number(sent.count()));
    row("events kept", &|o| number(o.kept.events));
    row("events lost", &|o| number(sent.count() - o.kept.events));
    row("processes whose last state was lost", &|o| format!("{} of {processes}", o.kept.states_lost));
    row("files taken as empty by a writer", &|o| number(o.tally.taken_as_empty));
    row("looks of readers, 3 reads each", &|o| number(o.tally.looks));
    row("  unreadable moments", &|o| number(o.tally.unreadable));
    row("  zero-byte sightings", &|o| number(o.tally.zero_bytes));
    row("  torn or mixed objects", &|o| number(o.tally.torn));
    row("  history shorter than before", &|o| number(o.tally.shrunk));
    row("writes per second", &|o| number(per_second(o)));
    row("longest wait of a write", &|o| format!("{:.1} ms", o.tally.longest().as_secs_f64() * 1000.0));
    row("what an acknowledged write survives", &|o| survives(o).to_owned());
    table
}

fn survives(outcome: &Outcome) -> &'static str {
    match outcome.kind {
        Kind::Files => "nothing",
        Kind::Store(_) => "loss of power",
    }
}

fn per_second(outcome: &Outcome) -> u64 {
    let micros = outcome.took.as_micros().max(1);
    u64::try_from(u128::from(outcome.tally.writes) * 1_000_000 / micros).unwrap_or(u64::MAX)
}

/// Writes a number with commas between thousands.
pub(super) fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_have_commas() {
        for (n, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(number(n), text);
        }
    }
}
