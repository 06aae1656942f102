//! The table: a part of throughput, and one of what size costs.

mod sizes;
mod throughput;
mod words;

use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};

use crate::args::Args;
use crate::plan::Part;
use crate::summary::Results;

pub(crate) use self::words::{grouped, mebibytes, words};

const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// Lays all that was measured out, with how to read it.
pub(crate) fn tables(results: &Results, args: &Args) -> String {
    let mut text = String::new();
    if args.quick {
        text.push_str("A smoke run: the figures mean nothing.\n");
    }
    if !results.cases(Part::Throughput).is_empty() {
        text.push_str(&throughput::table(results, args));
        text.push('\n');
    }
    if !results.cases(Part::Size).is_empty() {
        text.push_str(&sizes::table(results));
        text.push('\n');
    }
    text
}

/// Returns a table whose columns from the third on are numbers.
pub(crate) fn laid_out<const N: usize>(header: [&str; N], rows: Vec<[String; N]>) -> Table {
    let mut table = Table::new();
    table.load_style(STYLE).set_header(header);
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
