//! The names of what is measured: those of the table, the options and the CSV file.

use std::fmt;

use super::{Case, Crowd, Engine, Operation, Part, Safety, Subject};

impl Case {
    /// Returns what an acknowledged write survives; empty where nothing is written.
    pub(crate) fn safety_name(self) -> &'static str {
        match (self.operation.reads(), self.safety) {
            (true, _) => "",
            (false, Safety::Process) => "process",
            (false, Safety::Power) => "power",
        }
    }

    /// Returns how a subject is called in this case.
    pub(crate) fn name_of(self, subject: Subject) -> &'static str {
        match (subject, self.engine) {
            (Subject::Store, Engine::Sqlite) => "store on SQLite",
            (Subject::Store, Engine::Redb) => "store on redb",
            (Subject::Store, Engine::Json) => "store on JSON",
            (Subject::Bare, Engine::Sqlite) => "bare rusqlite",
            (Subject::Bare, Engine::Redb) => "bare redb",
            (Subject::Bare, Engine::Json) => "JSON by hand",
            (Subject::BareRevision, _) => "bare with revision",
            (Subject::Exclusive, _) => "redb exclusive",
            (Subject::Unsynced, _) => "by hand (folder not synced)",
        }
    }
}

/// As `--only` understands it: `sqlite put power ×16`, `json put of 1000`.
impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.engine, self.operation)?;
        if self.engine == Engine::Sqlite && !self.operation.reads() {
            write!(f, " {}", self.safety_name())?;
        }
        match (self.part, self.crowd) {
            (Part::Throughput, Crowd::Processes(n)) => write!(f, " ×{n}"),
            (Part::Throughput, Crowd::Tasks(n)) => write!(f, " {n} tasks"),
            (Part::Size, _) => write!(f, " of {}", self.size),
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Get => "get",
            Self::Put => "put",
            Self::Append => "append",
            Self::Replace => "replace_object",
            Self::Object => "object",
            Self::Tail => "tail",
        })
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "sqlite",
            Self::Redb => "redb",
            Self::Json => "json",
        })
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Store => "store",
            Self::Bare => "bare",
            Self::BareRevision => "bare+revision",
            Self::Exclusive => "exclusive",
            Self::Unsynced => "unsynced",
        })
    }
}
