//! The file of all rounds, for plots and comparisons: a row a measurement.

use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use crate::Result;
use crate::out;
use crate::plan::{Crowd, Part};
use crate::summary::{Results, Round};

const HEADER: &str = "part,case,engine,operation,durability,processes,tasks,size,subject,name,round,\
                      ops_per_s,p50_us,p99_us,p99.9_us,slowest_share,longest_gap_us,silent,errors,\
                      memory_before_kib,memory_after_kib,memory_peak_kib";

/// Writes a line for each round; an existing file is written over.
pub(crate) fn write(path: &Path, results: &Results) -> Result<()> {
    let mut out = BufWriter::new(out::fresh(path)?);
    writeln!(out, "{HEADER}")?;
    for round in results.rounds() {
        writeln!(out, "{}", line(round))?;
    }
    Ok(out.flush()?)
}

/// No name has a comma or a quote, so nothing needs quoting.
fn line(Round { case, subject, number, summary }: &Round) -> String {
    let (processes, tasks) = match case.crowd {
        Crowd::Processes(n) => (n, 1),
        Crowd::Tasks(n) => (1, n),
    };
    let part = match case.part {
        Part::Throughput => "throughput",
        Part::Size => "size",
    };
    let micros = |time: Duration| format!("{:.2}", time.as_secs_f64() * 1e6);
    let memory = match summary.memory {
        Some(memory) => [memory.before, memory.after, memory.peak].map(|kib| kib.to_string()),
        None => [const { String::new() }; 3],
    };
    [
        part.to_owned(),
        case.to_string(),
        case.engine.to_string(),
        case.operation.to_string(),
        case.safety_name().to_owned(),
        processes.to_string(),
        tasks.to_string(),
        case.size.to_string(),
        subject.to_string(),
        case.name_of(*subject).to_owned(),
        number.to_string(),
        format!("{:.1}", summary.rate),
        micros(summary.p50),
        micros(summary.p99),
        micros(summary.p999),
        format!("{:.4}", summary.slowest),
        micros(summary.longest_gap),
        summary.silent.to_string(),
        summary.errors.to_string(),
    ]
    .into_iter()
    .chain(memory)
    .collect::<Vec<_>>()
    .join(",")
}
