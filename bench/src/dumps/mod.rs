//! Dumps, and what backups and mirrors cost those who write: a run of its own, for its figures are others.
//!
//! | case | what is measured |
//! |---|---|
//! | `export`, `import` | a whole store to a file, and from a file into a fresh store; each by a process of its own, whose peak of memory is told |
//! | `backup` | writers that put and append, alone, and while one more process takes backups over and over |
//! | `mirror` | writers that put, on a store without and with a mirror |
//!
//! Entries have about 200 bytes and are spread as in real stores: namespaces, each with an object and a log.
//!
//! | peer | export | import |
//! |---|---|---|
//! | `bare rusqlite` | `VACUUM INTO` of the store's own database, synced | inserts in one transaction, WAL, `FULL` |
//! | `bare redb` | a scan of a table of the same entries into a file of plain lines, synced | inserts in one transaction |
//! | `files` | all files of the store into one, one after the other, synced | the files out of that one, each synced |
//!
//! No peer checks what it wrote. The store does: an export counts and digests every line; an import reads the whole
//! dump before it begins, and all that it wrote before it commits.
//!
//! | file | what it is |
//! |---|---|
//! | `plan`, `contents` | what is measured; what a store is filled with |
//! | `errand` | the child process, and what it is told |
//! | `carry`, `peers`, `writers` | its work: the store's exports and imports; the peers'; writes and backups |
//! | `rounds`, `results` | the parent; what it gathers |
//! | `report`, `expect`, `csv` | the tables; what is aimed at; the file of all rounds |

mod carry;
mod contents;
mod csv;
mod errand;
mod expect;
mod peers;
mod plan;
mod report;
mod results;
mod rounds;
mod writers;

use std::io::Write;

pub(crate) use self::errand::run as run_errand;
use crate::Result;
use crate::args::Args;
use crate::place::Place;

/// Measures all that the options ask for, and tells it.
pub(crate) fn run(args: &Args) -> Result<()> {
    let place = Place::choose(args.at.as_deref())?;
    let results = rounds::measure_all(args, &place)?;
    if let Some(path) = &args.csv {
        csv::write(path, &results)?;
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", place.describe()?)?;
    writeln!(out, "{}", report::tables(&results, args))?;
    writeln!(out, "{}", expect::judge(&results))?;
    Ok(())
}
