//! The options of `import-json` and `import-sqlite`.

use std::path::PathBuf;

use statestore::import::Existing;

pub(super) const JSON_HELP: &str = "\
An object becomes the object: each member a key. An array, or JSON lines, becomes a log; with --key-field it
becomes an object. An object alone on its line is an object too, unless --log, --key-field or a name ending in
.jsonl or .ndjson says that it is JSON lines. With --dir each file NAME.json of the folder is the key NAME; hidden
files, other suffixes, files of zero bytes, sub-folders and symbolic links are skipped and counted on stderr.

A file of zero bytes is empty: nothing is imported, and with --replace what is there is emptied. All else that is
no JSON is refused with file, line and column. Everything is one commit, or nothing is written. Where keys or
entries are already, nothing is written (exit code 4) unless --replace or --merge says so; so a second run never
has an entry twice. A log that is there is appended to by `statestore append --lines`.";

#[cfg(feature = "sqlite")]
pub(super) const SQLITE_HELP: &str = "\
The database is read in one transaction, beside its writers if it is live, and nothing of it is changed. Keys are
texts or whole numbers, values JSON texts. Every bad row is named on stderr (the first 20), and then nothing is
written. Everything is one commit. Entries bear the time of the import; the latest time in the table is printed as
\"newest\". A namespace that holds keys already is refused (exit code 4) unless --replace or --merge says so.";

/// What to do where something is already.
#[derive(Debug, Clone, Copy, clap::Args)]
#[group(multiple = false)]
pub(crate) struct ExistingArgs {
    /// Replace the keys of the namespace, or start the log anew, in the same commit
    #[arg(long)]
    replace: bool,
    /// Keep other keys of the namespace; those imported win
    #[arg(long)]
    merge: bool,
}

impl ExistingArgs {
    /// Returns it in the library's words.
    pub(crate) fn existing(self) -> Existing {
        match (self.replace, self.merge) {
            (true, _) => Existing::Replace,
            (_, true) => Existing::Merge,
            _ => Existing::Refuse,
        }
    }
}

/// Which JSON to import, and where to.
#[derive(Debug, clap::Args)]
pub(crate) struct ImportJsonArgs {
    /// The file; - is stdin
    #[arg(required_unless_present = "dir", conflicts_with = "dir")]
    pub(crate) file: Option<PathBuf>,
    /// Import a folder instead, each file NAME.json as the key NAME
    #[arg(long, value_name = "DIR", conflicts_with_all = ["log", "key_field"])]
    pub(crate) dir: Option<PathBuf>,
    /// The namespace
    #[arg(long, value_name = "N")]
    pub(crate) namespace: String,
    /// The log for an array or JSON lines [default: the file's name without suffix; items for stdin]
    #[arg(long, value_name = "L", conflicts_with = "key_field")]
    pub(crate) log: Option<String>,
    /// Make an array, or JSON lines, of objects an object: the text or number in field F is the key
    #[arg(long, value_name = "F")]
    pub(crate) key_field: Option<String>,
    #[command(flatten)]
    pub(crate) existing: ExistingArgs,
}

/// Which table to import, and where to.
#[cfg(feature = "sqlite")]
#[derive(Debug, clap::Args)]
pub(crate) struct ImportSqliteArgs {
    /// The database
    pub(crate) file: PathBuf,
    /// The table, or a view
    #[arg(long, value_name = "T")]
    pub(crate) table: String,
    /// The column of the namespaces
    #[arg(long, value_name = "COLUMN", default_value = "namespace", conflicts_with = "namespace")]
    pub(crate) namespace_column: String,
    /// The column of the keys
    #[arg(long, value_name = "COLUMN", default_value = "item_key")]
    pub(crate) key_column: String,
    /// The column of the values
    #[arg(long, value_name = "COLUMN", default_value = "value_json")]
    pub(crate) value_column: String,
    /// The column that tells when a row was written [default: updated_at, if there is one]
    #[arg(long, value_name = "COLUMN")]
    pub(crate) updated_column: Option<String>,
    /// Put all rows into this namespace
    #[arg(long, value_name = "N")]
    pub(crate) namespace: Option<String>,
    #[command(flatten)]
    pub(crate) existing: ExistingArgs,
}
