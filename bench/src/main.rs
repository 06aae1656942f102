//! The state store side by side with the bare engines and the file written by hand, in one run.
//!
//! ```text
//! cargo run --release -p bench -- --csv docs/bench/results.csv --plots docs/bench
//! cargo run --release -p bench -- --only "sqlite put 16" --seconds 5
//! cargo run --release -p bench -- --dumps --csv docs/bench/dumps.csv
//! cargo run -p bench -- --quick
//! ```
//!
//! Every figure comes from processes of this program, started together, each repeating one operation for a
//! moment on a fresh database: of 1,000 keys for `get` and `put`, of an object of 100 keys for `object` and
//! `replace_object`, of an empty log for `append`. The subjects of a case take turns, round after round,
//! because machines have moods; a row shows the round with the median throughput, and a ratio is the median
//! of those within the rounds.
//!
//! | subject | what it does |
//! |---|---|
//! | `store` | the state store on the engine of the case, as everybody opens it |
//! | `bare rusqlite` | WAL mode, busy timeout 5 s, `BEGIN IMMEDIATE`, cached statements, tables and page cache as the store's; `synchronous=NORMAL` is the peer of durability `process`, `FULL` of `power`. A `put` is one upsert of value, the key's own revision and time **and nothing else**: no revision a namespace is kept, nothing is checked, nobody is named. An `append` reads the last number and inserts the next |
//! | `bare with revision` | the same, and a `put` also raises a revision in a row of the namespace, as the store's does |
//! | `bare redb` | redb shared by processes (`MultiWriter`), page cache as the store's; a `put` reads the key's own revision and inserts the next; nobody's wait has a limit |
//! | `redb exclusive` | the same in a process that has the file for itself, which is redb's own default: one sync a commit |
//! | `JSON by hand` | one file of all keys: lock, read whole, change, temporary file, sync, rename, sync of the folder; a read reads the file whole; an `append` is a line written and synced under the lock, without a number |
//! | `by hand (folder not synced)` | the same without the last sync, as most programs do |
//!
//! Values are JSON texts of about 200 bytes, made and validated beforehand for all subjects alike.
//!
//! | file | what it is |
//! |---|---|
//! | `args`, `plan` | the options; what is measured, on whom, by how many |
//! | `load` | keys and values |
//! | `side` | the subjects: one file each |
//! | `meter`, `memory`, `summary` | what one participant measures; what a process has in memory; what all of them together come to |
//! | `worker`, `crew`, `rounds` | the child process; the parent that starts, releases and reaps them; who takes turns |
//! | `place` | the disk that it runs on |
//! | `report`, `expect` | the table; what is aimed at |
//! | `dumps` | the other run: dumps, and what backups and mirrors cost those who write; its own plan to its own file |
//! | `csv`, `plots`, `out` | the file of all rounds, the plots, and how files are made |

mod args;
mod crew;
mod csv;
mod dumps;
mod expect;
mod load;
mod memory;
mod meter;
mod out;
mod place;
mod plan;
mod plots;
mod report;
mod rounds;
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
    let ended = match (&args.worker, &args.errand) {
        (Some(order), _) => worker::run(order),
        (None, Some(errand)) => dumps::run_errand(errand),
        (None, None) if args.dumps => dumps::run(&args),
        (None, None) => run(&args),
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
    let results = rounds::measure_all(args, &place)?;
    if let Some(path) = &args.csv {
        csv::write(path, &results)?;
    }
    if let Some(folder) = &args.plots {
        plots::draw(folder, &results)?;
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", place.describe()?)?;
    writeln!(out, "{}", report::tables(&results, args))?;
    writeln!(out, "{}", expect::judge(&results))?;
    Ok(())
}
