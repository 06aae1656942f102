//! The files of a pass, staged and then put in place in the order that keeps the promises: the store is
//! synced, the index says what will be, the files follow.

use std::collections::BTreeSet;
use std::path::PathBuf;

use pollster::block_on;

use super::index::{Edition, Index, Stat, Version, digest_of};
use super::item::Item;
use super::pass::Mirror;
use super::status::{MirrorAction, MirrorChange, MirrorPass};
use crate::error::{Error, ErrorKind, Result};
use crate::numbers::Timestamp;
use crate::shared::files::{self, Staged, folder_of};

/// How many files are staged at most: each is open until it is in place.
const FULL: usize = 64;

/// What tells that a file is as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// That it is the same file, of the same size and time; if not, its digest.
    Look,
    /// Its digest.
    Digest,
}

/// A staged file, with its digest on the way.
#[derive(Debug)]
pub(super) struct Draft {
    staged: Staged,
    hasher: blake3::Hasher,
}

impl Draft {
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.hasher.update(bytes);
        self.staged.write(bytes)
    }
}

/// The files of a pass.
#[derive(Debug)]
pub(super) struct Round<'a> {
    mirror: &'a Mirror,
    index: Index,
    trust: Trust,
    staged: Vec<(Item, Staged, Version)>,
    gone: Vec<Item>,
    pass: MirrorPass,
}

impl<'a> Round<'a> {
    pub(super) fn new(mirror: &'a Mirror, index: Index, trust: Trust) -> Self {
        Self { mirror, index, trust, staged: Vec::new(), gone: Vec::new(), pass: MirrorPass::default() }
    }

    fn path(&self, item: &Item) -> PathBuf {
        self.mirror.folder.join(&item.name())
    }

    /// Whether a file shows an edition, and is as it was written.
    pub(super) fn is_fresh(&self, item: &Item, edition: &Edition) -> bool {
        let Some(record) = self.index.get(item) else { return false };
        if record.now.edition != *edition {
            return false;
        }
        let path = self.path(item);
        let looks_same = path.symlink_metadata().is_ok_and(|found| Stat::of(&found) == record.now.stat);
        (looks_same && self.trust == Trust::Look)
            || digest_of(&path).is_ok_and(|digest| digest.as_ref() == Some(&record.now.digest))
    }

    /// Returns the logs of a namespace that have files.
    pub(super) fn logs_of(&self, namespace: &str) -> Vec<Item> {
        self.index.items().filter(|item| item.log.is_some() && item.namespace == namespace).collect()
    }

    /// Makes the file for an item, under a hidden name.
    pub(super) fn draft(&self, item: &Item, fill: impl FnOnce(&mut Draft) -> Result<()>) -> Result<Draft> {
        let folder = &self.mirror.folder;
        let path = self.path(item);
        if item.log.is_some() {
            files::create_folder(folder_of(&path), &folder.modes)?;
        }
        let staged = Staged::new(&path, folder.path())?;
        let mut draft = Draft { staged, hasher: blake3::Hasher::new() };
        fill(&mut draft)?;
        Ok(draft)
    }

    /// Takes the file for an item, to be put in place with the others.
    pub(super) fn stage(&mut self, item: &Item, edition: Edition, draft: Draft) -> Result<()> {
        let modes = &self.mirror.folder.modes;
        let Draft { mut staged, hasher } = draft;
        let stat = Stat::of(&staged.complete(modes.file, modes)?);
        let digest = hasher.finalize().to_hex().to_string();
        let version = Version { edition, digest, at: Timestamp::now().to_string(), stat };
        self.staged.push((item.clone(), staged, version));
        Ok(())
    }

    /// Removes the file of an item that is no more, if the mirror made one.
    pub(super) fn remove(&mut self, item: &Item) {
        if self.index.get(item).is_some() {
            self.gone.push(item.clone());
        }
    }

    /// Notes that something of a namespace could not be mirrored.
    pub(super) fn failed(&mut self, namespace: &str, error: Error) {
        self.pass
            .failed
            .push((namespace.to_owned(), error.with_namespace(namespace).with_operation("mirror")));
    }

    pub(super) fn finish_if_full(&mut self) -> Result<()> {
        if self.staged.len() + self.gone.len() < FULL { Ok(()) } else { self.put_in_place() }
    }

    pub(super) fn finish(mut self) -> Result<MirrorPass> {
        self.put_in_place()?;
        Ok(self.pass)
    }

    fn put_in_place(&mut self) -> Result<()> {
        let (staged, gone) = (std::mem::take(&mut self.staged), std::mem::take(&mut self.gone));
        if staged.is_empty() && gone.is_empty() {
            return Ok(());
        }
        match block_on(self.mirror.store.sync()) {
            // Such a store promises nothing over a loss of power, so its mirror does not either.
            Err(error) if error.kind() == ErrorKind::Unsupported => {}
            synced => synced?,
        }
        let folder = self.mirror.folder.path();
        for (item, _, version) in &staged {
            let before = self.before(item);
            self.index.note(item, version.clone(), before);
        }
        if !staged.is_empty() {
            self.index.write(folder, &self.mirror.folder.modes)?;
        }
        let mut touched = BTreeSet::new();
        for (item, staged, version) in staged {
            touched.insert(folder_of(staged.path()).to_owned());
            match staged.replace() {
                Ok(_) => self.changed(&item, MirrorAction::Written, version.edition.revision),
                Err(error) => self.failed(&item.namespace, error),
            }
        }
        let removed = !gone.is_empty();
        for item in gone {
            self.take_away(&item, &mut touched);
        }
        touched.iter().filter(|folder| folder.exists()).try_for_each(|folder| files::sync_folder(folder))?;
        if removed { self.index.write(folder, &self.mirror.folder.modes) } else { Ok(()) }
    }

    /// Returns what the file shows that is about to be replaced; none if it shows nothing that was written.
    fn before(&self, item: &Item) -> Option<Version> {
        let record = self.index.get(item);
        let path = self.path(item);
        let found = path.symlink_metadata().ok()?;
        let by_look = record.and_then(|record| record.find(|version| version.stat == Stat::of(&found)));
        if self.trust == Trust::Look && by_look.is_some() {
            return by_look.cloned();
        }
        let digest = digest_of(&path).ok().flatten();
        let known = record.and_then(|record| record.find(|version| digest.as_ref() == Some(&version.digest)));
        if known.is_none() {
            tracing::warn!(path = %path.display(), "was not written by the mirror, or changed since; it is replaced");
        }
        known.cloned()
    }

    fn take_away(&mut self, item: &Item, touched: &mut BTreeSet<PathBuf>) {
        let path = self.path(item);
        let removed = std::fs::remove_file(&path);
        if let Err(e) = removed
            && !matches!(e.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
        {
            self.failed(&item.namespace, Error::from_io("cannot remove", &path, e));
            return;
        }
        let folder = folder_of(&path);
        touched.insert(folder.to_owned());
        if item.log.is_some() {
            // One in which something is left stays.
            let _ = std::fs::remove_dir(folder);
            touched.insert(folder_of(folder).to_owned());
        }
        let revision = self.index.get(item).map_or(0, |record| record.now.edition.revision);
        self.index.forget(item);
        self.changed(item, MirrorAction::Removed, revision);
    }

    fn changed(&mut self, item: &Item, action: MirrorAction, revision: u64) {
        let Item { namespace, log } = item.clone();
        self.pass.changes.push(MirrorChange { file: self.path(item), namespace, log, action, revision });
    }
}
