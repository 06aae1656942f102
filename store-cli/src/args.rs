//! What the program understands: commands, options and their words of help.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};
use statestore::Seq;

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  not found: no such key, or no store at this place
  2  usage, configuration or invalid input
  3  busy: others held the store until the timeout; nothing was changed
  4  conflict: a check did not hold; nothing was changed
  5  corrupted, incompatible or moved
  6  permission denied or read-only
  7  storage full
  8  indeterminate: the write may have happened; read before trying again
  9  any other failure

The store is a URL such as sqlite:state.db or 'sqlite:/srv/app/state.db?access=group&group=agents', or a
file that holds the same as a table [store]. The first that is given counts, whole: --store URL or
--config FILE, STATESTORE_URL, STATESTORE_CONFIG (a file), statestore.toml in the current folder.
STATESTORE_LOG=info (error, warn, info, debug, trace) says more on stderr.";

const EDIT_HELP: &str = "\
Nobody waits while you type: nothing of the store is held. If somebody else changes what you edit in the
meantime, nothing is written (exit code 4) and your text is kept in a file that is named. Only the keys
that you changed are written, at one instant. An editor that fails changes nothing (exit code 9).";

#[cfg(all(feature = "conformance", target_os = "linux"))]
const CONFORMANCE_HELP: &str = "\
Each case is named backend::promise::case, gets a folder of its own, and leaves nothing. Cases with several
users need root, some need strace; one that cannot run is shown as ignored, with the reason. Exit codes: 0 if
none failed, 9 if any did, 2 if nothing could run.";

const VALUE_HELP: &str = "JSON text; @FILE reads it from a file, - from stdin";

/// State that services, agents and cron jobs of one machine share, in one store that loses nothing.
#[derive(Debug, Parser)]
#[command(name = "statestore", version, after_help = EXIT_CODES, max_term_width = 110)]
pub(crate) struct Args {
    /// Which store, and how it is reached.
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Which store, and how it is reached.
#[derive(Debug, clap::Args)]
pub(crate) struct StoreArgs {
    /// The store, such as sqlite:state.db [env: STATESTORE_URL]
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) store: Option<String>,
    /// A file that names the store in a table [store] [env: STATESTORE_CONFIG]
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "store")]
    pub(crate) config: Option<PathBuf>,
    /// How long a call waits at most, such as 5s or 500ms
    #[arg(long, global = true, value_name = "DURATION", value_parser = statestore::parse_duration)]
    pub(crate) timeout: Option<Duration>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print the value under a key
    Get {
        /// The namespace
        ns: String,
        /// The key
        key: String,
    },
    /// Put a value under a key and print the new revision
    Put {
        /// The namespace
        ns: String,
        /// The key
        key: String,
        #[arg(help = VALUE_HELP, allow_hyphen_values = true, value_parser = value)]
        value: String,
    },
    /// Delete a key
    Delete {
        /// The namespace
        ns: String,
        /// The key
        key: String,
    },
    /// Replace all keys of a namespace at one instant and print the new revision
    Replace {
        /// The namespace
        ns: String,
        /// A file that holds one JSON object; - is stdin
        #[arg(default_value = "-")]
        file: PathBuf,
    },
    /// Print all keys of a namespace, at one instant, as one JSON object
    Object {
        /// The namespace
        ns: String,
    },
    /// Print keys with value, revision and time, one JSON object a line
    List(ListArgs),
    /// Append to a log and print the number given
    Append(AppendArgs),
    /// Print the entries of a log with number and time, one JSON object a line
    Log(LogArgs),
    /// Print the logs of a namespace, one JSON object a line
    Logs {
        /// The namespace
        ns: String,
    },
    /// Print the namespaces, one JSON object a line
    Namespaces,
    /// Drop the entries of a log below a number
    Trim {
        /// The namespace
        ns: String,
        /// The log
        log: String,
        /// The first number that stays
        #[arg(long, value_name = "N")]
        before: Seq,
    },
    /// Edit the keys of a namespace, or one value, with $VISUAL or $EDITOR, and print the new revision
    #[command(after_help = EDIT_HELP)]
    Edit(EditArgs),
    /// Take over JSON files that were changed by hand (json: stores) and print them, one JSON object a line
    Adopt {
        /// The namespace; all of them if none is named
        ns: Option<String>,
    },
    /// Print what store this is and how it stands, as one JSON object
    Info,
    /// Print what makes a shell complete the program's words
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Try what this store promises, with real processes and kills, on a disk of yours
    #[cfg(all(feature = "conformance", target_os = "linux"))]
    #[command(after_help = CONFORMANCE_HELP)]
    Conformance(ConformanceArgs),
    /// Show how shared JSON files lose events, and that the store does not; needs no preparation
    Demo(DemoArgs),
    /// One process of the demo; it is told what to do on stdin.
    #[command(hide = true)]
    DemoPart,
}

impl Command {
    /// Whether it does to stores, over and over, what their library warns of: its own report tells more.
    pub(crate) fn provokes_warnings(&self) -> bool {
        match self {
            #[cfg(all(feature = "conformance", target_os = "linux"))]
            Self::Conformance(_) => true,
            _ => false,
        }
    }
}

/// What to edit.
#[derive(Debug, clap::Args)]
pub(crate) struct EditArgs {
    /// The namespace
    pub(crate) ns: String,
    /// One key; its value alone is edited, and it is made if it is missing
    pub(crate) key: Option<String>,
}

/// Which keys to print.
#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// The namespace
    pub(crate) ns: String,
    /// Only keys that begin with this
    #[arg(long, value_name = "P", allow_hyphen_values = true)]
    pub(crate) prefix: Option<String>,
    /// Start at this key, itself included
    #[arg(long, value_name = "KEY", allow_hyphen_values = true)]
    pub(crate) from: Option<String>,
    /// End before this key, itself excluded
    #[arg(long, value_name = "KEY", allow_hyphen_values = true)]
    pub(crate) to: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
}

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

/// What to try, and where.
#[cfg(all(feature = "conformance", target_os = "linux"))]
#[derive(Debug, clap::Args)]
pub(crate) struct ConformanceArgs {
    /// Work in this folder; it is made if it is missing
    #[arg(long, value_name = "DIR", required_unless_present = "list")]
    pub(crate) at: Option<PathBuf>,
    /// Only this backend; may be given several times [default: all]
    #[arg(long, value_name = "NAME")]
    pub(crate) backend: Vec<String>,
    /// Only cases whose name contains this
    #[arg(long, value_name = "TEXT")]
    pub(crate) filter: Option<String>,
    /// How much to try: quick, what can be waited for at every change, or full
    #[arg(long, value_name = "PROFILE", default_value = "quick")]
    pub(crate) profile: conformance::Profile,
    /// Bound a full run: drills go on until then, and what has not begun by then is not run
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub(crate) minutes: Option<u64>,
    /// Draw the same again [default: by chance; a failure shows it]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Leave the files of a case that fails
    #[arg(long)]
    pub(crate) keep: bool,
    /// How many cases run at once [default: as many as there are processors]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<std::num::NonZero<usize>>,
    /// Write a page that shows everything, failures drawn; it needs no network
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Write everything as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Write what build servers read, in the form of JUnit
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    /// List the cases instead
    #[arg(long)]
    pub(crate) list: bool,
}

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

/// Tells a misspelt option from a negative number; JSON has nothing else that starts with a hyphen.
fn value(text: &str) -> Result<String, String> {
    match text.strip_prefix('-').map(|rest| rest.chars().next()) {
        Some(Some(c)) if !c.is_ascii_digit() => Err("there is no such option here, and no such value".into()),
        _ => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_commands_are_well_formed() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_value_may_be_negative_but_not_a_misspelt_option() {
        for text in ["-1", "-1.5e-3", "-", "@-file", "null"] {
            assert!(Args::try_parse_from(["statestore", "put", "n", "k", text]).is_ok(), "{text}");
        }
        for text in ["--timout", "-x", "--"] {
            assert!(Args::try_parse_from(["statestore", "put", "n", "k", text]).is_err(), "{text}");
        }
    }
}
