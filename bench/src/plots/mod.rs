//! The plots for the documentation: throughput by processes, latency by size.
//!
//! Both scales of each are logarithmic, but for the processes, which are places of their own.

mod chart;
mod scale;
mod size;
mod throughput;

use std::io::Write;
use std::path::Path;

use self::chart::Chart;
use crate::Result;
use crate::out;
use crate::plan::{Case, Operation, Part};
use crate::summary::Results;

/// Draws a plot of each operation into a folder; those that are there are written over.
pub(crate) fn draw(folder: &Path, results: &Results) -> Result<()> {
    for operation in operations(results, Part::Throughput) {
        save(folder, &format!("throughput-{operation}.svg"), &throughput::chart(results, operation))?;
    }
    for operation in operations(results, Part::Size) {
        save(folder, &format!("size-{operation}.svg"), &size::chart(results, operation))?;
    }
    Ok(())
}

/// Returns the operations of a part, each once.
fn operations(results: &Results, part: Part) -> Vec<Operation> {
    let mut operations = Vec::new();
    for Case { operation, .. } in results.cases(part) {
        if !operations.contains(&operation) {
            operations.push(operation);
        }
    }
    operations
}

fn save(folder: &Path, name: &str, chart: &Chart) -> Result<()> {
    Ok(out::fresh(&folder.join(name))?.write_all(chart.svg()?.as_bytes())?)
}
