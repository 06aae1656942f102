//! What is measured, on whom, by how many.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::args::Args;
use crate::plan::Engine;

const ENGINES: [Engine; 3] = [Engine::Sqlite, Engine::Redb, Engine::Json];
/// How many entries a store with a mirror has: half of them are keys, of ten objects.
const MIRRORED: usize = 2000;
/// How many write while backups are taken.
const WRITERS: usize = 4;

/// What a case is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Work {
    /// A whole store to a file.
    Export,
    /// A file to a fresh store.
    Import,
    /// Writers, while backups are taken.
    Backup,
    /// Writers, on a store with a mirror.
    Mirror,
}

/// Whom, or beside what, it is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Subject {
    /// The store's dump.
    Store,
    /// The same, compressed.
    Zstd,
    /// What the bare engine, or files without a store, have for it.
    Bare,
    /// Writers that nobody disturbs.
    Alone,
    /// Writers beside somebody who takes backups.
    Disturbed,
    /// Writers whose store has a mirror.
    Mirrored,
}

/// One group of rows: the same work for all subjects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Case {
    pub(crate) work: Work,
    pub(crate) engine: Engine,
    /// How many do it at once.
    pub(crate) processes: usize,
    /// How many entries the store has.
    pub(crate) size: usize,
}

/// Returns the cases that the options ask for; those of an engine that need the same store stand together.
pub(crate) fn cases(args: &Args) -> Vec<Case> {
    let mut cases = Vec::new();
    for engine in ENGINES {
        let carry = |work| Case { work, engine, processes: 1, size: args.entries() };
        cases.extend([Work::Export, Work::Import].map(carry));
    }
    let size = if args.quick { 2000 } else { 200_000 };
    for engine in ENGINES {
        cases.push(Case { work: Work::Backup, engine, processes: WRITERS, size });
    }
    for engine in ENGINES {
        let mirrored = |processes| Case { work: Work::Mirror, engine, processes, size: MIRRORED };
        cases.extend([1, WRITERS].map(mirrored));
    }
    cases.retain(|case| args.wants(&case.to_string()));
    cases
}

impl Work {
    /// Tells whether entries are carried from or to a file, by one process at a time.
    pub(crate) fn carries(self) -> bool {
        matches!(self, Self::Export | Self::Import)
    }
}

impl Case {
    /// Returns the subjects in the order in which they take turns; the last is what the others are compared with.
    pub(crate) fn subjects(self) -> &'static [Subject] {
        match self.work {
            Work::Export | Work::Import => &[Subject::Store, Subject::Zstd, Subject::Bare],
            Work::Backup => &[Subject::Disturbed, Subject::Alone],
            Work::Mirror => &[Subject::Mirrored, Subject::Alone],
        }
    }

    /// Returns how a subject is called in this case.
    pub(crate) fn name_of(self, subject: Subject) -> &'static str {
        match (subject, self.engine) {
            (Subject::Store, _) => "store",
            (Subject::Zstd, _) => "store with zstd",
            (Subject::Bare, Engine::Sqlite) => "bare rusqlite",
            (Subject::Bare, Engine::Redb) => "bare redb",
            (Subject::Bare, Engine::Json) => "files",
            (Subject::Alone, _) => "alone",
            (Subject::Disturbed, _) => "while backups run",
            (Subject::Mirrored, _) => "with a mirror",
        }
    }
}

/// As `--only` understands it: `sqlite export`, `redb backup ×4`.
impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.engine, self.work)?;
        match self.work {
            Work::Export | Work::Import => write!(f, " of {}", self.size),
            Work::Backup | Work::Mirror => write!(f, " ×{}", self.processes),
        }
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Export => "export",
            Self::Import => "import",
            Self::Backup => "backup",
            Self::Mirror => "mirror",
        })
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Store => "store",
            Self::Zstd => "zstd",
            Self::Bare => "bare",
            Self::Alone => "alone",
            Self::Disturbed => "disturbed",
            Self::Mirrored => "mirrored",
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn named(options: &[&str]) -> Vec<String> {
        let args = Args::parse_from([&["bench", "--dumps"], options].concat());
        cases(&args).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn only_takes_whole_words_in_any_order() {
        assert_eq!(named(&["--only", "export redb", "--entries", "5000"]), ["redb export of 5000"]);
        assert_eq!(named(&["--only", "4 backup json"]), ["json backup ×4"]);
        assert!(named(&["--only", "exports"]).is_empty());
    }
}
