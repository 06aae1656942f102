//! `drill`: a table of what the backup holds and of what was restored from it, or one JSON object.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Cell, Table};
use serde::Serialize;
use statestore::Drill;
use statestore::dump::{NamespaceOutline, Outline};

use super::report::{Held, json};
use super::{place, with_bar};
use crate::args::{DrillArgs, StoreArgs};
use crate::exit::{Code, Failure};
use crate::output;

/// How many digits of a digest are shown to people.
const DIGITS: usize = 12;

#[derive(Serialize)]
struct Report<'a> {
    passed: bool,
    damage: &'a [String],
    differences: &'a [String],
    backup: Held,
    restored: Held,
}

/// Proves a backup and prints what was seen.
pub(in crate::commands) fn drill(args: &StoreArgs, drill: &DrillArgs) -> Result<(), Failure> {
    let config = place::config(args)?;
    let scratch = drill.scratch.clone().unwrap_or_else(std::env::temp_dir);
    let seen = with_bar(async |meter| config.drill(drill.backup.as_deref(), &scratch, meter).await)?;
    if drill.json {
        let report = Report {
            passed: seen.passed(),
            damage: &seen.damage,
            differences: &seen.differences,
            backup: (&seen.backup).into(),
            restored: (&seen.restored).into(),
        };
        output::print(&json(&report))?;
    } else {
        output::print(&table(&seen))?;
    }
    if seen.passed() {
        return Ok(());
    }
    let found: Vec<&str> = seen.damage.iter().chain(&seen.differences).map(String::as_str).collect();
    Err(Failure::told(Code::Damaged, format!("the backup was not proven: {}", found.join("; "))))
}

fn table(seen: &Drill) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_header(["namespace", "revision", "keys", "logs", "entries", "digest", "restored"]);
    let restored = |name: &str| seen.restored.namespaces.iter().find(|found| found.name == name);
    for namespace in &seen.backup.namespaces {
        table.add_row(row(namespace, restored(&namespace.name)));
    }
    table.add_row(total(&seen.backup, seen));
    table
}

fn short(digest: &str) -> &str {
    digest.get(..DIGITS).unwrap_or(digest)
}

fn row(of: &NamespaceOutline, restored: Option<&NamespaceOutline>) -> Vec<Cell> {
    let verdict = match restored {
        None => "missing",
        Some(restored) if restored == of => "the same",
        Some(_) => "differs",
    };
    vec![
        Cell::new(&of.name),
        Cell::new(of.revision),
        Cell::new(of.keys),
        Cell::new(of.logs.len()),
        Cell::new(of.entries),
        Cell::new(short(&of.digest)),
        Cell::new(verdict),
    ]
}

fn total(of: &Outline, seen: &Drill) -> Vec<Cell> {
    vec![
        Cell::new(format!("{} in all", of.namespaces.len())),
        Cell::new(format!("epoch {}", of.epoch)),
        Cell::new(of.keys()),
        Cell::new(of.logs()),
        Cell::new(of.entries()),
        Cell::new(short(&of.digest)),
        Cell::new(if seen.passed() { "proven" } else { "not proven" }),
    ]
}
