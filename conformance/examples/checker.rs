//! Makes a large history from a seed, checks it, and says how long it took and how much memory.
//!
//! ```text
//! cargo run --release -p conformance --example checker -- 100000 7
//! ```

#![expect(clippy::print_stdout, reason = "a program")]

use std::time::Instant;

use conformance::history::simulate::Simulation;
use conformance::history::{Verdict, check};

fn main() -> Result<(), String> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |otherwise: u64| match arguments.next() {
        None => Ok(otherwise),
        Some(text) => text.parse().map_err(|_| format!("{text:?} is no number")),
    };
    let operations = usize::try_from(number(100_000)?).map_err(|error| error.to_string())?;
    let seed = number(7)?;
    let simulation = Simulation { operations, processes: 8, namespaces: 50, keys: 6, logs: 2, killed: 2 };
    let history = simulation.run(seed);
    println!("made: {} operations, peak memory {}", history.operations.len(), peak());
    let begun = Instant::now();
    let verdict = check(&history);
    println!("{verdict}\nchecked in {:.3} s, peak memory {}", begun.elapsed().as_secs_f64(), peak());
    match verdict {
        Verdict::Linearizable { .. } => Ok(()),
        _ => Err("a right history was not found so".to_owned()),
    }
}

/// Returns the most memory that this process has had, as the system says it.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or("unknown".to_owned(), |text| text.trim().to_owned())
}
