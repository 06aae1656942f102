//! What the program understands: commands, options and their words of help.

#[cfg(all(feature = "conformance", target_os = "linux"))]
mod conformance;
mod demo;
mod doctor;
mod dumps;
mod edit;
mod import;
mod list;
mod logs;
mod mirror;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};
use statestore::Seq;

#[cfg(all(feature = "conformance", target_os = "linux"))]
pub(crate) use self::conformance::ConformanceArgs;
pub(crate) use self::demo::DemoArgs;
pub(crate) use self::doctor::DoctorArgs;
pub(crate) use self::dumps::{BackupArgs, DrillArgs, ExportArgs, MigrateArgs, RestoreArgs};
pub(crate) use self::edit::EditArgs;
pub(crate) use self::import::ImportJsonArgs;
#[cfg(feature = "sqlite")]
pub(crate) use self::import::ImportSqliteArgs;
pub(crate) use self::list::ListArgs;
pub(crate) use self::logs::{AppendArgs, LogArgs};
pub(crate) use self::mirror::MirrorArgs;

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
  10 doctor has warnings

The store is a URL such as sqlite:state.db or 'sqlite:/srv/app/state.db?access=group&group=agents', or a
file that holds the same as a table [store]. The first that is given counts, whole: --store URL or
--config FILE, STATESTORE_URL, STATESTORE_CONFIG (a file), statestore.toml in the current folder.
STATESTORE_LOG=info (error, warn, info, debug, trace) says more on stderr.";

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
    #[command(after_help = edit::EDIT_HELP)]
    Edit(EditArgs),
    /// Take over JSON files that were changed by hand (json: stores) and print them, one JSON object a line
    Adopt {
        /// The namespace; all of them if none is named
        ns: Option<String>,
    },
    /// Write a dump of the whole store, at one instant
    Export(ExportArgs),
    /// Fill the store from a dump, of whatever engine, and print what it holds
    #[command(after_help = dumps::RESTORE_HELP)]
    Import(RestoreArgs),
    /// Write a dump that is read again, and remove old ones
    #[command(after_help = dumps::BACKUP_HELP)]
    Backup(BackupArgs),
    /// Fill the store from a backup and print what it holds
    #[command(after_help = dumps::RESTORE_HELP)]
    Restore(RestoreArgs),
    /// Read a dump to its end and print what it holds
    Verify {
        /// The dump; - is stdin
        file: PathBuf,
    },
    /// Prove a backup by restoring it to scratch
    #[command(after_help = dumps::DRILL_HELP)]
    Drill(DrillArgs),
    /// Move the store to another engine or place
    #[command(after_help = dumps::MIGRATE_HELP)]
    Migrate(MigrateArgs),
    /// Import a JSON file, JSON lines or a folder of JSON files in one commit, and print what it became
    #[command(after_help = import::JSON_HELP)]
    ImportJson(ImportJsonArgs),
    /// Import a table of JSON values from an SQLite database in one commit, and print what it became
    #[cfg(feature = "sqlite")]
    #[command(after_help = import::SQLITE_HELP)]
    ImportSqlite(ImportSqliteArgs),
    /// Write the mirror, a folder of JSON files for people's eyes, or tell how it stands
    #[command(after_help = mirror::MIRROR_HELP)]
    Mirror(MirrorArgs),
    /// Print what store this is and how it stands, as one JSON object
    Info,
    /// Look whether the store is well: rights, folder, filesystem, gate, leftovers, contents; and mend it
    #[command(after_help = doctor::DOCTOR_HELP)]
    Doctor(DoctorArgs),
    /// Print what makes a shell complete the program's words
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Try what this store promises, with real processes and kills, on a disk of yours
    #[cfg(all(feature = "conformance", target_os = "linux"))]
    #[command(after_help = self::conformance::CONFORMANCE_HELP)]
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
