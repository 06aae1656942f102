//! The options.

use std::path::PathBuf;

use clap::Parser;

/// Measures the state store beside bare engines and a JSON file written by hand.
///
/// Timing never fails the run: what was aimed at and not reached is said in the last lines.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Args {
    /// A smoke run: everything once, small and for moments; its figures mean nothing
    #[arg(long)]
    pub(crate) quick: bool,
    /// Measures dumps instead: export and import, and what backups and mirrors cost those who write; draws no plots
    #[arg(long, conflicts_with = "plots")]
    pub(crate) dumps: bool,
    /// How many entries are exported and imported, with --dumps [default: 1000000]
    #[arg(long, value_name = "N", requires = "dumps", value_parser = entries)]
    entries: Option<usize>,
    /// Only the cases whose name has all these words, such as "sqlite put power 16", "json of" or
    /// "redb export"
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) only: String,
    /// How long each process works, a round [default: 0.8, with --dumps 5]
    #[arg(long, value_name = "N", value_parser = positive)]
    seconds: Option<f64>,
    /// How many rounds the subjects take turns; the median one is shown [default: 3]
    #[arg(long, value_name = "N", value_parser = count)]
    rounds: Option<usize>,
    /// How many processes work at once, one row each [default: 1,4,16]
    #[arg(long, value_name = "N,…", value_delimiter = ',', value_parser = count)]
    processes: Vec<usize>,
    /// How many tasks of one process work at once (for a peer: threads) [default: 64]
    #[arg(long, value_name = "N", value_parser = count)]
    tasks: Option<usize>,
    /// The folder to work in, on the disk to be measured [default: where this program lies]
    #[arg(long, value_name = "DIR")]
    pub(crate) at: Option<PathBuf>,
    /// Writes every round of every subject to a file, a row each
    #[arg(long, value_name = "FILE")]
    pub(crate) csv: Option<PathBuf>,
    /// Draws the plots (SVG) into a folder
    #[arg(long, value_name = "DIR")]
    pub(crate) plots: Option<PathBuf>,
    /// What a child process is told; for this program's own use
    #[arg(long, hide = true, value_name = "JSON")]
    pub(crate) worker: Option<String>,
    /// The same of a child of --dumps
    #[arg(long, hide = true, value_name = "JSON")]
    pub(crate) errand: Option<String>,
}

impl Args {
    /// Tells whether a case of this name is to be measured: the name has all the words that were asked for.
    pub(crate) fn wants(&self, name: &str) -> bool {
        let mut words = self.only.split_whitespace();
        words.all(|word| name.split([' ', '×']).any(|part| part == word))
    }

    /// Returns how many seconds each process works, a round.
    pub(crate) fn seconds(&self) -> f64 {
        self.seconds.unwrap_or(match (self.dumps, self.quick) {
            (false, true) => 0.05,
            (false, false) => 0.8,
            // A backup has to come to its end meanwhile, better several.
            (true, true) => 0.3,
            (true, false) => 5.0,
        })
    }

    /// Returns how many entries are exported and imported.
    pub(crate) fn entries(&self) -> usize {
        self.entries.unwrap_or(if self.quick { 2000 } else { 1_000_000 })
    }

    /// Returns how many rounds the subjects take turns.
    pub(crate) fn rounds(&self) -> usize {
        self.rounds.unwrap_or(if self.quick { 1 } else { 3 })
    }

    /// Returns how many processes work at once, a row each.
    pub(crate) fn processes(&self) -> Vec<usize> {
        match (&*self.processes, self.quick) {
            ([], true) => vec![1, 2],
            ([], false) => vec![1, 4, 16],
            (given, _) => given.to_vec(),
        }
    }

    /// Returns how many tasks of one process work at once.
    pub(crate) fn tasks(&self) -> usize {
        self.tasks.unwrap_or(if self.quick { 4 } else { 64 })
    }
}

fn positive(text: &str) -> Result<f64, String> {
    let longest = 3600.0;
    match text.parse() {
        Ok(seconds) if seconds > 0.0 && seconds <= longest => Ok(seconds),
        _ => Err(format!("give a number of seconds above 0 and up to {longest}")),
    }
}

fn count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count @ 1..=1000) => Ok(count),
        _ => Err("give a whole number from 1 to 1000".into()),
    }
}

fn entries(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count @ 1000..=10_000_000) => Ok(count),
        _ => Err("give a whole number from 1000 to 10000000".into()),
    }
}
