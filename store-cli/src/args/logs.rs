//! The options of `append` and `log`.

use statestore::Seq;

use super::{VALUE_HELP, value};

/// What to append.
#[derive(Debug, clap::Args)]
pub(crate) struct AppendArgs {
    /// The namespace
    pub(crate) ns: String,
    /// The log; made by its first entry
    pub(crate) log: String,
    #[arg(help = VALUE_HELP, allow_hyphen_values = true, value_parser = value)]
    #[arg(required_unless_present = "lines", conflicts_with = "lines")]
    pub(crate) value: Option<String>,
    /// Append each line of stdin, one JSON value a line, several in one commit
    #[arg(long)]
    pub(crate) lines: bool,
    /// Commit every line by itself
    #[arg(long, requires = "lines", conflicts_with = "value")]
    pub(crate) each: bool,
}

/// Which entries of a log to print.
#[derive(Debug, clap::Args)]
pub(crate) struct LogArgs {
    /// The namespace
    pub(crate) ns: String,
    /// The log
    pub(crate) log: String,
    /// Start at this number, or at the first that is kept
    #[arg(long, value_name = "N", conflicts_with = "tail")]
    pub(crate) from: Option<Seq>,
    /// Start so many entries before the end
    #[arg(long, value_name = "N")]
    pub(crate) tail: Option<u64>,
    /// At most so many
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,
}
