//! The options of `conformance`.

use std::path::PathBuf;

pub(super) const CONFORMANCE_HELP: &str = "\
Each case is named backend::promise::case, gets a folder of its own, and leaves nothing. Cases with several
users need root, some need strace; one that cannot run is shown as ignored, with the reason. Exit codes: 0 if
none failed, 9 if any did, 2 if nothing could run.";

/// What to try, and where.
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
    pub(crate) profile: ::conformance::Profile,
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
