//! What lies on disk of a store: each file and folder, what it is, and so which rights it has to have.

use std::path::PathBuf;

use super::access::Modes;

/// What an artefact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A file of data, or a companion of one.
    File,
    /// Memory that processes share, in the guise of a file: it changes without a write to the store.
    Shared,
    /// A file that is there only in the middle of a write, or of one that was killed.
    Passing,
    /// A file that no store has, and that its engine would act on: another program left it.
    Foreign,
    /// The gate.
    Gate,
    /// A folder that the store makes.
    Folder,
}

/// A file or folder that belongs to a store by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artefact {
    /// Where it lies: in the store's folder, or below.
    pub path: PathBuf,
    /// What it is.
    pub kind: Kind,
    /// Whether a store that is well has it.
    pub required: bool,
    /// The size in bytes that it is kept below; none if it may grow.
    pub limit: Option<u64>,
}

impl Artefact {
    fn of(path: impl Into<PathBuf>, kind: Kind, required: bool) -> Self {
        Self { path: path.into(), kind, required, limit: None }
    }

    /// Names a file that every store has.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::of(path, Kind::File, true)
    }

    /// Names a file that every store has and that is memory.
    pub fn shared(path: impl Into<PathBuf>) -> Self {
        Self::of(path, Kind::Shared, true)
    }

    /// Names a file that is there because somebody wrote what it holds.
    pub fn part(path: impl Into<PathBuf>) -> Self {
        Self::of(path, Kind::File, false)
    }

    /// Names a file that is there only in the middle of a write.
    pub fn passing(path: impl Into<PathBuf>) -> Self {
        Self::of(path, Kind::Passing, false)
    }

    /// Names a file that no store has.
    pub fn foreign(path: impl Into<PathBuf>) -> Self {
        Self::of(path, Kind::Foreign, false)
    }

    /// Names the gate.
    pub fn gate(path: impl Into<PathBuf>) -> Self {
        Self::of(path, Kind::Gate, true)
    }

    /// Names a folder that is there because somebody wrote what it holds.
    pub fn folder(path: impl Into<PathBuf>) -> Self {
        Self::of(path, Kind::Folder, false)
    }

    /// Bounds its size, in bytes.
    pub fn with_limit(mut self, bytes: u64) -> Self {
        self.limit = Some(bytes);
        self
    }

    /// Returns the mode that it has to have.
    pub fn mode(&self, modes: &Modes) -> u32 {
        match self.kind {
            Kind::File | Kind::Shared | Kind::Passing | Kind::Foreign => modes.file,
            Kind::Gate => modes.gate,
            Kind::Folder => modes.folder,
        }
    }
}
