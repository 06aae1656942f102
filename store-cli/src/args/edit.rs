//! The options of `edit`.

pub(super) const EDIT_HELP: &str = "\
Nobody waits while you type: nothing of the store is held. If somebody else changes what you edit in the
meantime, nothing is written (exit code 4) and your text is kept in a file that is named. Only the keys
that you changed are written, at one instant. An editor that fails changes nothing (exit code 9).";

/// What to edit.
#[derive(Debug, clap::Args)]
pub(crate) struct EditArgs {
    /// The namespace
    pub(crate) ns: String,
    /// One key; its value alone is edited, and it is made if it is missing
    pub(crate) key: Option<String>,
}
