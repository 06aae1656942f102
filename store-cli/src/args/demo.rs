//! The options of `demo`.

use std::path::PathBuf;

/// How large the demo is, and where it runs.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct DemoArgs {
    /// How many processes write at once
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub(crate) processes: u32,
    /// How many events each process sends [default: 1000, or its share of --events]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) events_per_process: Option<u32>,
    /// Makes the same events again [default: random]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Send these events instead, one JSON value a line
    #[arg(long, value_name = "FILE")]
    pub(crate) events: Option<PathBuf>,
    /// Make the temporary folder in this one
    #[arg(long, value_name = "DIR")]
    pub(crate) at: Option<PathBuf>,
}
