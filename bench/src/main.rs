//! The state store side by side with the raw engines, in one table of one run.
//!
//! ```text
//! cargo run --release -p bench -- --filter "put 16" --seconds 5
//! ```
//!
//! Every figure comes from processes of this program, started together, each repeating one operation for a
//! few seconds on a fresh database of 1,000 keys. The subjects of a case take turns, round after round,
//! because machines have moods; a row shows the round with the median throughput, and a ratio is the median
//! of those within the rounds.
//!
//! | subject | what it does |
//! |---|---|
//! | `store` | the state store, as everybody opens it |
//! | `bare` | rusqlite in WAL mode, busy timeout 5 s, `BEGIN IMMEDIATE`, cached statements, tables as the store's; `synchronous=NORMAL` is the peer of durability `process`, `FULL` of `power`. A `put` is one upsert of value, the key's own revision and time **and nothing else**: no revision a namespace is kept, nothing is checked, nobody is named. An `append` reads the last number and inserts the next |
//! | `bare+revision` | the same, and a `put` also raises a revision in a row of the namespace, as the store's does |
//!
//! Values are JSON texts of about 200 bytes, made and validated beforehand for all subjects alike.
//!
//! | file | what it is |
//! |---|---|
//! | `args`, `plan` | the options; what is measured, on whom, by how many |
//! | `load` | keys and values |
//! | `side` | the subjects: one file each |
//! | `meter`, `summary` | what one participant measures; what all of them together come to |
//! | `worker`, `crew` | the child process; the parent that starts, releases and reaps them |
//! | `place` | the disk that it runs on |
//! | `report`, `expect`, `csv` | the table, the expectations, the file of all rounds |

mod args;
mod crew;
mod csv;
mod expect;
mod load;
mod meter;
mod place;
mod plan;
mod report;
mod side;
mod summary;
mod worker;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use crate::args::Args;

/// What can go wrong: it is told, and ends the run.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> ExitCode {
    let args = Args::parse();
    let ended = match &args.worker {
        Some(order) => worker::run(order),
        None => run(&args),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<()> {
    let place = place::Place::choose(args.at.as_deref())?;
    let results = crew::measure_all(args, &place)?;
    if let Some(path) = &args.csv {
        csv::write(path, &results)?;
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", place.describe()?)?;
    writeln!(out, "{}", report::table(&results, args))?;
    writeln!(out, "{}", expect::judge(&results))?;
    Ok(())
}
