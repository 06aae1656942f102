//! The options.

use std::path::PathBuf;

use clap::Parser;

/// Measures the state store beside bare engines and prints one table.
///
/// Timing never fails the run: what was expected and not reached is said in the last lines.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Args {
    /// How long each process works, a round
    #[arg(long, value_name = "N", default_value_t = 2.0, value_parser = positive)]
    pub(crate) seconds: f64,
    /// How many processes work at once, one row each
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "1,16", value_parser = count)]
    pub(crate) processes: Vec<usize>,
    /// How many tasks of one process put at once (for a bare engine: threads)
    #[arg(long, value_name = "N", default_value = "64", value_parser = count)]
    pub(crate) tasks: usize,
    /// How many rounds the subjects take turns; the median one is shown
    #[arg(long, value_name = "N", default_value = "3", value_parser = count)]
    pub(crate) rounds: usize,
    /// The folder to work in, on the disk to be measured [default: where this program lies]
    #[arg(long, value_name = "DIR")]
    pub(crate) at: Option<PathBuf>,
    /// Only the cases whose name has all these words, such as "put power 16"
    #[arg(long, value_name = "WORDS", default_value = "")]
    pub(crate) filter: String,
    /// Writes every round of every subject to a file
    #[arg(long, value_name = "FILE")]
    pub(crate) csv: Option<PathBuf>,
    /// What a child process is told; for this program's own use
    #[arg(long, hide = true, value_name = "JSON")]
    pub(crate) worker: Option<String>,
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
