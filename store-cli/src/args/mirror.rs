//! Options of `mirror`.

use std::path::PathBuf;

use statestore::MirrorLogs;

/// The words below the help of `mirror`.
pub(crate) const MIRROR_HELP: &str = "\
DIR/NAMESPACE.json is the plain object, DIR/NAMESPACE/LOG.jsonl a log, one entry a line. Each file is whole at
every instant and never goes back; the folder belongs to the mirror, and what is changed in it by hand is
written over. The store's configuration says more: a table [mirror] with dir, namespaces, debounce and logs, or
the options mirror, mirror_namespaces, mirror_debounce and mirror_logs of its URL.

--once and --follow print each file that they write or remove, --check prints each file with its state; each is
one JSON object a line. --follow ends with exit code 0 on SIGINT or SIGTERM, after writing what is left.
Exit codes of --check:
  0  all files are fresh
  4  some are stale (the store holds something newer) or superfluous, and none is worse: --once mends the stale
  5  some are drifted (changed by somebody else) or missing";

/// What to do with the mirror.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("doing").required(true))]
pub(crate) struct MirrorArgs {
    /// Write every file that is not fresh
    #[arg(long, group = "doing")]
    pub(crate) once: bool,
    /// Write what any process changes, until a signal
    #[arg(long, group = "doing")]
    pub(crate) follow: bool,
    /// Tell how each file stands; change nothing
    #[arg(long, group = "doing")]
    pub(crate) check: bool,
    /// The folder of the mirror [default: the configured one]
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Only this namespace; may be given several times [default: the configured ones, or all]
    #[arg(long, value_name = "N")]
    pub(crate) namespace: Vec<String>,
    /// Which logs: none, all, or how many of the last entries [default: as configured, or none]
    #[arg(long, value_name = "WHICH", value_parser = logs)]
    pub(crate) logs: Option<MirrorLogs>,
}

fn logs(text: &str) -> Result<MirrorLogs, String> {
    text.parse().map_err(|()| "give none, all, or a number above zero".into())
}
