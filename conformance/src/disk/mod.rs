//! A model of a disk under a filesystem: a trace is replayed on it, and at any point the power is cut.
//!
//! - A sync of a file brings its bytes and size to the disk that were written before it began; one of a
//!   folder brings its names.
//! - What is not synced may be there after the cut or not: names of one folder in their order, of a file any
//!   first changes or any sectors, and any of its sizes.
//! - A failed sync loses the bytes that it covered for good: they are seen until the cut, and are not
//!   written unless the store writes them again. Names that it covered are still waiting.

mod file;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsString;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use fastrand::Rng;

use crate::failure::{Context, Outcome};
use crate::tracer::Event;
use file::{File, Leaves};

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    File(usize),
    Folder(usize),
}

type Names = BTreeMap<OsString, Node>;

/// Names that change together, and what each stands for then.
type Change = Vec<(OsString, Option<Node>)>;

/// A folder: the names on the disk, those that are seen, and the changes between, each with its number.
#[derive(Debug, Clone, Default)]
struct Folder {
    disk: Names,
    seen: Names,
    dirty: Vec<(u64, Change)>,
}

/// The disk.
#[derive(Debug)]
pub(crate) struct Disk {
    files: Vec<File>,
    /// The first is the one that everything lies in.
    folders: Vec<Folder>,
    /// Which file an inode's number stands for now.
    inodes: HashMap<u64, usize>,
    /// The syncs that go on: what each is of, and the number of the last change before it.
    syncs: HashMap<i32, (Option<Node>, u64)>,
    changes: u64,
    /// Whether syncs do what they say, as they do not in a control.
    honest: bool,
}

impl Disk {
    /// Returns an empty disk.
    pub(crate) fn new() -> Self {
        Self {
            files: Vec::new(),
            folders: vec![Folder::default()],
            inodes: HashMap::new(),
            syncs: HashMap::new(),
            changes: 0,
            honest: true,
        }
    }

    /// From now on syncs say that they are done, and do nothing.
    pub(crate) fn ignore_syncs(&mut self) {
        self.honest = false;
    }

    /// Does what an event of a trace tells.
    pub(crate) fn replay(&mut self, event: &Event, bytes: &[u8]) -> Outcome {
        self.changes += 1;
        let number = self.changes;
        match event {
            Event::Made { inode, name } => {
                self.files.push(File::default());
                let file = self.files.len() - 1;
                self.inodes.insert(*inode, file);
                name.as_ref().map_or(Ok(()), |name| self.name(name, Some(Node::File(file))))
            }
            Event::Wrote { inode, at, .. } => {
                self.file(*inode)?.write(number, *at, bytes);
                Ok(())
            }
            Event::Sized { inode, size } => {
                self.file(*inode)?.set_len(number, *size);
                Ok(())
            }
            Event::Linked { inode, name } => {
                let file = *self.inodes.get(inode).context("a link to a file that was never made")?;
                self.name(name, Some(Node::File(file)))
            }
            Event::Renamed { from, to } => self.rename(from, to),
            Event::Removed { name } => self.name(name, None),
            Event::MadeFolder { name } => {
                self.folders.push(Folder::default());
                self.name(name, Some(Node::Folder(self.folders.len() - 1)))
            }
            Event::SyncBegan { thread, inode, folder } => {
                let of = match folder {
                    Some(folder) => self.find(folder),
                    None => self.inodes.get(inode).map(|file| Node::File(*file)),
                };
                self.syncs.insert(*thread, (of, number));
                Ok(())
            }
            Event::SyncEnded { thread, done } => {
                if let Some((Some(of), upto)) = self.syncs.remove(thread)
                    && self.honest
                {
                    self.synced(of, upto, *done);
                }
                Ok(())
            }
            Event::Said { .. } | Event::Mapped { .. } => Ok(()),
        }
    }

    fn synced(&mut self, of: Node, upto: u64, done: bool) {
        match of {
            Node::File(file) => {
                if let Some(file) = self.files.get_mut(file) {
                    file.synced(upto, done);
                }
            }
            Node::Folder(folder) => {
                if let Some(folder) = self.folders.get_mut(folder).filter(|_| done) {
                    let covered = folder.dirty.partition_point(|(number, _)| *number <= upto);
                    for (_, change) in folder.dirty.drain(..covered) {
                        rename_all(&mut folder.disk, change);
                    }
                }
            }
        }
    }

    fn file(&mut self, inode: u64) -> Outcome<&mut File> {
        let file = *self.inodes.get(&inode).context("a change of a file that was never made")?;
        self.files.get_mut(file).context("a file that is not there")
    }

    fn find(&self, path: &Path) -> Option<Node> {
        path.iter().try_fold(Node::Folder(0), |node, name| match node {
            Node::Folder(folder) => self.folders.get(folder)?.seen.get(name).copied(),
            Node::File(_) => None,
        })
    }

    /// Returns the folder that a path lies in, and its name there.
    fn split(&self, path: &Path) -> Outcome<(usize, OsString)> {
        let parent = path.parent().and_then(|parent| self.find(parent));
        let (Some(Node::Folder(folder)), Some(name)) = (parent, path.file_name()) else {
            return None.context(format_args!("no folder holds {}", path.display()));
        };
        Ok((folder, name.to_owned()))
    }

    fn name(&mut self, path: &Path, node: Option<Node>) -> Outcome {
        let (folder, name) = self.split(path)?;
        self.change(folder, vec![(name, node)]);
        Ok(())
    }

    fn rename(&mut self, from: &Path, to: &Path) -> Outcome {
        let node = self.find(from).context(format_args!("{} is renamed and not there", from.display()))?;
        let ((left, old), (right, new)) = (self.split(from)?, self.split(to)?);
        if left == right {
            self.change(left, vec![(old, None), (new, Some(node))]);
        } else {
            self.change(right, vec![(new, Some(node))]);
            self.change(left, vec![(old, None)]);
        }
        Ok(())
    }

    fn change(&mut self, folder: usize, change: Change) {
        if let Some(folder) = self.folders.get_mut(folder) {
            rename_all(&mut folder.seen, change.clone());
            folder.dirty.push((self.changes, change));
        }
    }

    /// Writes into an empty folder what a power cut at this point may leave; of the files that are memory
    /// of processes, zeros or nothing.
    pub(crate) fn cut(&self, to: &Path, shared: &[PathBuf], chance: &mut Rng) -> Outcome {
        let all =
            [Leaves::Nothing, Leaves::All, Leaves::Prefix, Leaves::Prefix, Leaves::Subset, Leaves::Subset];
        let leaves = chance.choice(all).unwrap_or(Leaves::Prefix);
        let mut drawn =
            Drawn { disk: self, shared, leaves, chance, first: HashMap::new(), seen: HashSet::new() };
        drawn.folder(0, Path::new(""), to)
    }
}

fn rename_all(names: &mut Names, change: Change) {
    for (name, node) in change {
        match node {
            Some(node) => names.insert(name, node),
            None => names.remove(&name),
        };
    }
}

/// A state after a cut, on its way into a folder.
struct Drawn<'a> {
    disk: &'a Disk,
    shared: &'a [PathBuf],
    leaves: Leaves,
    chance: &'a mut Rng,
    /// The path of each file that is there already: a further name is a link.
    first: HashMap<usize, PathBuf>,
    /// The folders that are there already; one that was renamed across folders could be met twice.
    seen: HashSet<usize>,
}

impl Drawn<'_> {
    fn folder(&mut self, folder: usize, name: &Path, to: &Path) -> Outcome {
        let Some(folder) = self.disk.folders.get(folder).filter(|_| self.seen.insert(folder)) else {
            return Ok(());
        };
        let mut names = folder.disk.clone();
        let count = match self.leaves {
            Leaves::Nothing => 0,
            Leaves::All => folder.dirty.len(),
            _ => self.chance.usize(..=folder.dirty.len()),
        };
        for (_, change) in folder.dirty.iter().take(count) {
            rename_all(&mut names, change.clone());
        }
        for (entry, node) in names {
            let (name, to) = (name.join(&entry), to.join(&entry));
            match node {
                Node::File(file) => self.file(file, &name, &to)?,
                Node::Folder(inner) => {
                    use std::os::unix::fs::DirBuilderExt;
                    std::fs::DirBuilder::new().mode(0o700).create(&to)?;
                    self.folder(inner, &name, &to)?;
                }
            }
        }
        Ok(())
    }

    fn file(&mut self, file: usize, name: &Path, to: &Path) -> Outcome {
        if let Some(first) = self.first.get(&file) {
            return Ok(std::fs::hard_link(first, to)?);
        }
        let content = self.disk.files.get(file).context("a file that is not there")?;
        let mut bytes = content.after_a_cut(self.leaves, self.chance);
        if self.shared.iter().any(|shared| shared == name) {
            if self.chance.bool() {
                return Ok(());
            }
            bytes.fill(0);
        }
        let mut written = std::fs::File::options().write(true).create_new(true).mode(0o600).open(to)?;
        written.write_all(&bytes)?;
        self.first.insert(file, to.to_owned());
        Ok(())
    }
}
