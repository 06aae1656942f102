//! The file of all rounds, for plots and comparisons.

use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::path::Path;

use crate::Result;
use crate::plan::{Crowd, Operation, Safety};
use crate::summary::{Results, Round};

const HEADER: &str = "case,operation,safety,processes,tasks,subject,round,ops_per_s,p50_us,p99.9_us,\
                      slowest_share,longest_gap_us,silent,errors";

/// Writes a line for each round; an existing file is written over.
pub(crate) fn write(path: &Path, results: &Results) -> Result<()> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).open(path);
    let file = file.map_err(|e| format!("cannot write {}: {e}", path.display()))?;
    let mut out = BufWriter::new(file);
    writeln!(out, "{HEADER}")?;
    for round in results.rounds() {
        writeln!(out, "{}", line(round))?;
    }
    Ok(out.flush()?)
}

fn line(Round { case, subject, number, summary }: &Round) -> String {
    let operation = match case.operation {
        Operation::Get => "get",
        Operation::Put => "put",
        Operation::Append => "append",
    };
    let safety = match (case.operation, case.safety) {
        (Operation::Get, _) => "",
        (_, Safety::Process) => "process",
        (_, Safety::Power) => "power",
    };
    let (processes, tasks) = match case.crowd {
        Crowd::Processes(n) => (n, 1),
        Crowd::Tasks(n) => (1, n),
    };
    let micros = |time: std::time::Duration| time.as_secs_f64() * 1e6;
    format!(
        "{case},{operation},{safety},{processes},{tasks},{subject},{number},{:.1},{:.2},{:.2},{:.4},{:.1},{},{}",
        summary.rate,
        micros(summary.p50),
        micros(summary.p999),
        summary.slowest,
        micros(summary.longest_gap),
        summary.silent,
        summary.errors,
    )
}
