//! The rights that a configuration promises, to be compared with those that are found.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::failure::{Context, Outcome, ensure};
use crate::members::GROUP;
use crate::target::{Role, Shape, Target};

/// The mode of a file or folder, and its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Found {
    pub(crate) mode: u32,
    pub(crate) group: u32,
    pub(crate) is_folder: bool,
}

impl Found {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self { mode: metadata.mode() & 0o7777, group: metadata.gid(), is_folder: metadata.is_dir() }
    }

    /// Whether neither group nor others have any right.
    pub(crate) fn is_its_makers_alone(self) -> bool {
        self.mode.trailing_zeros() >= 6
    }
}

/// What every artefact of a store is to have; without a group any will do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rights {
    file: u32,
    folder: u32,
    gate: u32,
    group: Option<u32>,
}

impl Rights {
    pub(crate) const PRIVATE: Self = Self { file: 0o600, folder: 0o700, gate: 0o600, group: None };
    pub(crate) const OF_GROUP: Self = Self { file: 0o660, folder: 0o2770, gate: 0o660, group: Some(GROUP) };
    pub(crate) const SHARED: Self = Self { file: 0o664, folder: 0o2775, gate: 0o660, group: Some(GROUP) };

    /// Returns the mode that an artefact of a role has to have.
    fn mode(&self, role: Role, is_folder: bool) -> u32 {
        match role {
            _ if is_folder => self.folder,
            Role::Gate => self.gate,
            _ => self.file,
        }
    }

    /// Whether an artefact of a role has them.
    pub(crate) fn fit(&self, role: Role, found: Found) -> bool {
        let group_fits = self.group.is_none_or(|group| group == found.group);
        found.mode == self.mode(role, found.is_folder) && group_fits
    }

    /// Makes sure that every artefact of a store has them, and its own folder too, and that none is missing
    /// that has to be there.
    #[track_caller]
    pub(crate) fn check(&self, target: &dyn Target, path: &Path, when: &str) -> Outcome {
        if target.shape() == Shape::Folder {
            self.check_folder(path, when)?;
        }
        for artefact in target.artefacts(path) {
            let metadata = artefact.path.symlink_metadata();
            if metadata.is_err() && matches!(artefact.role, Role::Part | Role::Passing) {
                continue;
            }
            let metadata = metadata.context(format_args!("{when}: {}", artefact.path.display()))?;
            self.check_below(artefact.role, &artefact.path, &metadata, when)?;
        }
        Ok(())
    }

    /// Makes sure that a folder that was made for a store has them.
    #[track_caller]
    pub(crate) fn check_folder(&self, path: &Path, when: &str) -> Outcome {
        let found = Found::of(&path.symlink_metadata().context(path.display())?);
        let fits = found.is_folder && self.fit(Role::Data, found);
        ensure!(
            fits,
            "{when}: the folder {} has mode {:04o} and group {}",
            path.display(),
            found.mode,
            found.group
        );
        Ok(())
    }

    #[track_caller]
    fn check_below(&self, role: Role, path: &Path, metadata: &Metadata, when: &str) -> Outcome {
        let found = Found::of(metadata);
        ensure!(
            self.fit(role, found),
            "{when}: {} has mode {:04o} and group {}, promised are {:04o} and {:?}",
            path.display(),
            found.mode,
            found.group,
            self.mode(role, found.is_folder),
            self.group
        );
        if found.is_folder {
            for entry in std::fs::read_dir(path)? {
                let entry = entry?;
                self.check_below(role, &entry.path(), &entry.metadata()?, when)?;
            }
        }
        Ok(())
    }
}
