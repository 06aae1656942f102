//! The options of `list`.

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
