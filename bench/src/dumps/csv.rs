//! The file of all rounds: a row a measurement; what a case has no figure for is empty.

use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use super::results::{Figures, Results, Round};
use crate::Result;
use crate::memory::Memory;
use crate::out;

const HEADER: &str = "case,engine,work,processes,size,subject,name,round,seconds,bytes,records,mb_per_s,\
                      records_per_s,ops_per_s,p50_us,p99_us,p99.9_us,longest_gap_us,errors,backups_per_s,\
                      backup_p50_us,memory_before_kib,memory_after_kib,memory_peak_kib";

/// Writes a line for each round; an existing file is written over.
pub(super) fn write(path: &Path, results: &Results) -> Result<()> {
    let mut out = BufWriter::new(out::fresh(path)?);
    writeln!(out, "{HEADER}")?;
    for round in results.rounds() {
        writeln!(out, "{}", line(round))?;
    }
    Ok(out.flush()?)
}

/// No name has a comma or a quote, so nothing needs quoting. Memory is that of who exports, imports or takes backups.
fn line(Round { case, subject, number, figures }: &Round) -> String {
    let micros = |time: Duration| format!("{:.2}", time.as_secs_f64() * 1e6);
    let none = |columns| vec![String::new(); columns];
    let (carried, written, backups, memory) = match figures {
        Figures::Carried(carried) => {
            let figures = vec![
                format!("{:.4}", carried.time.as_secs_f64()),
                carried.bytes.to_string(),
                carried.records.to_string(),
                format!("{:.2}", carried.megabytes_a_second()),
                format!("{:.1}", carried.records_a_second()),
            ];
            (figures, none(6), none(2), carried.memory)
        }
        Figures::Written { writers, backups } => {
            let figures = vec![
                format!("{:.1}", writers.rate),
                micros(writers.p50),
                micros(writers.p99),
                micros(writers.p999),
                micros(writers.longest_gap),
                writers.errors.to_string(),
            ];
            let of_backups = match backups {
                Some(backups) => vec![format!("{:.2}", backups.rate), micros(backups.p50)],
                None => none(2),
            };
            (none(5), figures, of_backups, backups.as_ref().and_then(|backups| backups.memory))
        }
    };
    let memory = match memory {
        Some(Memory { before, after, peak }) => [before, after, peak].map(|kib| kib.to_string()),
        None => [const { String::new() }; 3],
    };
    [
        case.to_string(),
        case.engine.to_string(),
        case.work.to_string(),
        case.processes.to_string(),
        case.size.to_string(),
        subject.to_string(),
        case.name_of(*subject).to_owned(),
        number.to_string(),
    ]
    .into_iter()
    .chain(carried)
    .chain(written)
    .chain(backups)
    .chain(memory)
    .collect::<Vec<_>>()
    .join(",")
}
