//! Options of `doctor`.

/// The words below the help of `doctor`.
pub(crate) const DOCTOR_HELP: &str = "\
Without --fix nothing is changed, nothing is made, and no writer is kept waiting: it may run from cron.
Every line has one of the states ok, mended, warning and fault, and names the command that mends it.

Exit codes:
  0   all is well, or was mended
  1   there is no store at this place
  5   a fault: the store, or somebody who shares it, does not work, or what it keeps is in danger
  10  a warning, and no fault: somebody should look at it
  2, 6, 9 as for every command, if it could not look at all";

/// What to do about what is found.
#[derive(Debug, clap::Args)]
pub(crate) struct DoctorArgs {
    /// Mend rights, leftovers, missing companions and what a failed sync left in doubt, as owner or root
    #[arg(long)]
    pub(crate) fix: bool,
    /// Take over JSON files that were changed by hand, too
    #[arg(long, requires = "fix")]
    pub(crate) adopt: bool,
    /// Print one JSON object a line instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}
