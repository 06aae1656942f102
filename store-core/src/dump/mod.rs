//! Portable dumps: one stream that holds a whole store at one instant, whatever its engine; for backups, migrations
//! and people's eyes.
//!
//! ```text
//! snapshot ──► take ──► write ──► draft ──► file or pipe              export
//! file ──► read, to the end ──► read ──► load ──► transaction         restore
//! ```
//!
//! | file | what it is |
//! |---|---|
//! | `line` | one line of the format, with its checksum |
//! | `tally`, `digest` | counts and digests, as a stream goes by |
//! | `write`, `read` | the stream, written and read; reading refuses whatever is not as it was written |
//! | `outline` | what a dump, or a store, holds, without the values; and how two differ |
//! | `take`, `load` | from a snapshot, into a transaction |
//! | `source`, `export`, `restore`, `migrate` | from and to files, pipes and other stores |
//! | `seal` | how a compressed file is known to be as it was written |
//! | `meter` | how far it has come |
//!
//! The format is written down in `docs/dump-format.md`.

mod digest;
mod export;
mod line;
mod load;
mod meter;
mod migrate;
mod outline;
mod read;
mod restore;
mod seal;
mod source;
mod take;
mod tally;
#[cfg(test)]
mod tests;
mod write;

pub use export::{Compression, export, export_to, outline_of};
pub use meter::{Meter, Progress};
pub use migrate::{Old, migrate};
pub use outline::{NamespaceOutline, Outline};
pub use restore::{Existing, restore};
pub use source::DumpSource;

/// The version of the format that is written; what is read has this one.
pub const VERSION: u32 = 1;
