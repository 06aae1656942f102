//! Changing files: one by itself, several through the journal. Everything here is done in the gate.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use store_core::shared::access::explain_denial;
use store_core::shared::files;
use store_core::shared::names;
use store_core::shared::os;
use store_core::{Error, Result};

use crate::append::append;
use crate::changes::Changes;
use crate::error::FileError;
use crate::folder::Folder;
use crate::journal::{self, Change};
use crate::layout::Item;
use crate::listing::{is_folder, names_in};
use crate::objects::read_file;

/// Why a change failed, and whether others can see it all the same.
#[derive(Debug)]
pub(crate) enum Failed {
    /// Nothing of it can be seen, now or later.
    Unseen(Error),
    /// It can be seen, but may be lost with power.
    Seen(Error),
}

impl Failed {
    fn into_error(self) -> Error {
        match self {
            Self::Unseen(error) | Self::Seen(error) => error,
        }
    }
}

/// The files that were replaced, still open.
type Replaced = BTreeMap<Item, File>;

impl Folder {
    /// Makes changes, all or none, and survives the loss of power with them.
    pub(crate) fn commit(&self, changes: &[Change]) -> Result<Replaced, Failed> {
        if changes.is_empty() {
            return Ok(Replaced::new());
        }
        let number = self.begin().map_err(Failed::Unseen)?;
        let made = match changes {
            [one] => self.make_alone(one),
            several => self.make_through_journal(several, number),
        };
        // A change whose journal is left has not ended: whoever writes next ends it.
        if !matches!(self.journal_version(), Ok(None)) {
            return made;
        }
        self.end(number, changes);
        made
    }

    /// Says that a change has ended. The number bears no data; one that stays odd makes the next writer look
    /// for leftovers.
    fn end(&self, number: u64, changes: &[Change]) {
        let left_a_folder = changes.iter().any(|change| match change {
            Change::Remove { item: Item::Log(namespace, _) } => {
                self.layout.logs(namespace).read_dir().is_ok_and(|mut found| found.next().is_none())
            }
            _ => false,
        });
        let _ = self.changes.write(number + if left_a_folder { 2 } else { 3 });
    }

    /// Refuses whoever may not write.
    pub(crate) fn check_writable(&self) -> Result<()> {
        for path in [self.layout.folder(), &self.layout.changes()] {
            match os::may_write(path) {
                // It is made anew.
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                allowed => allowed.map_err(|e| explain_denial("may not write", path, e))?,
            }
        }
        Ok(())
    }

    /// Says that a change begins, and cleans up after a writer that was killed.
    fn begin(&self) -> Result<u64> {
        let begun = match self.changes.begin() {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                let fresh = Changes::fresh();
                files::create_file(&self.layout.changes(), fresh.as_bytes(), self.modes.file, &self.modes)?;
                self.changes.begin()
            }
            begun => begun,
        };
        let path = self.layout.changes();
        let (number, ended) = begun.map_err(|e| FileError::from(e).at(&path))?;
        if !ended {
            self.sweep();
            self.sweep_folders();
        }
        Ok(number)
    }

    /// Removes what killed processes left: in the gate nobody else is making a file.
    pub(crate) fn sweep(&self) {
        files::sweep_files(self.layout.folder());
        files::sweep(self.layout.folder());
    }

    /// Removes what a rebuild that was killed had made: call it where no journal is left, which could need it, and
    /// before anything new is made.
    pub(crate) fn sweep_next(&self) {
        // What is not ours to remove stays, and is written over.
        let _ = std::fs::remove_dir_all(self.layout.next());
    }

    /// Removes folders of logs that hold none.
    fn sweep_folders(&self) {
        let names = names_in(self.layout.folder()).unwrap_or_default();
        for namespace in names.iter().filter_map(|name| names::decode(name)) {
            // One that is not empty, or not ours to remove, stays.
            let _ = std::fs::remove_dir(self.layout.logs(&namespace));
        }
    }

    fn make_through_journal(&self, changes: &[Change], number: u64) -> Result<Replaced, Failed> {
        let path = self.layout.journal();
        let bytes = journal::encode(changes).map_err(Failed::Unseen)?;
        let folder = self.layout.folder();
        files::replace_file(&path, folder, &bytes, self.modes.file, &self.modes).map_err(Failed::Unseen)?;
        // From here on it has happened.
        files::sync_folder(folder).map_err(Failed::Seen)?;
        match self.play(changes, number) {
            Ok(replaced) => self.forget_journal().map(|()| replaced).map_err(Failed::Seen),
            // The journal stays, and is played again by the next writer, who says what is wrong before anything
            // else.
            Err(_) => Ok(Replaced::new()),
        }
    }

    /// Brings the changes of a journal into the files; then it may go.
    fn play(&self, changes: &[Change], number: u64) -> Result<Replaced> {
        let mut replaced = Replaced::new();
        let mut folders = BTreeSet::new();
        for change in changes {
            let made = self.make(change).map_err(Failed::into_error)?;
            replaced.extend(made.map(|file| (change.item().clone(), file)));
            folders.insert(self.folder_of(change)?);
        }
        folders.iter().try_for_each(|folder| files::sync_folder(folder))?;
        // A reader that looked before the journal came, and looks after it went, must see that it was there.
        let path = self.layout.changes();
        self.changes.write(number + 2).map_err(|e| Error::from_io("cannot write", &path, e))?;
        Ok(replaced)
    }

    /// Removes a journal that was played. An error leaves it in doubt whether a loss of power brings it back,
    /// over what is written later: it counts as a failed sync.
    fn forget_journal(&self) -> Result<()> {
        let path = self.layout.journal();
        std::fs::remove_file(&path).map_err(|e| explain_denial("cannot remove", &path, e))?;
        files::sync_folder(self.layout.folder())
    }

    /// Ends the change of a writer that was killed, or failed to sync: before anything else is written.
    ///
    /// That the journal can be seen does not mean that it survives a loss of power, and what is played of one that
    /// does not would be there by half. So it is written anew, and synced with its name, before it is played.
    pub(crate) fn recover(&self) -> Result<()> {
        let Some(journal) = self.journal()? else { return Ok(()) };
        let number = self.begin()?;
        let (bytes, folder) = (journal::encode(&journal.changes)?, self.layout.folder());
        files::replace_file(&self.layout.journal(), folder, &bytes, self.modes.file, &self.modes)?;
        files::sync_folder(folder)?;
        self.play(&journal.changes, number)?;
        self.forget_journal()?;
        self.end(number, &journal.changes);
        Ok(())
    }

    fn make_alone(&self, change: &Change) -> Result<Replaced, Failed> {
        let file = self.make(change)?;
        if !matches!(change, Change::Append { .. }) {
            let folder = self.folder_of(change);
            folder.and_then(|folder| files::sync_folder(&folder)).map_err(Failed::Seen)?;
        }
        Ok(file.map(|file| (change.item().clone(), file)).into_iter().collect())
    }

    /// Returns the folder whose names a change changes; that of a namespace's logs goes with the last of them.
    fn folder_of(&self, change: &Change) -> Result<PathBuf> {
        let Item::Log(namespace, _) = change.item() else { return Ok(self.layout.folder().to_owned()) };
        let logs = self.layout.logs(namespace);
        let is_there = is_folder(&logs).map_err(|e| explain_denial("cannot look at", &logs, e))?;
        Ok(if is_there { logs } else { self.layout.folder().to_owned() })
    }

    /// Makes one change, synced but for the names in its folder; making it again does no harm.
    fn make(&self, change: &Change) -> Result<Option<File>, Failed> {
        let path = self.layout.path(change.item());
        match change {
            Change::Replace { item, bytes } => self.replace(item, &path, bytes).map(Some),
            Change::Append { at, bytes, .. } => append(&path, *at, bytes).map(|()| None),
            Change::Place { item } => self.place(item, &path).map(|()| None),
            Change::Remove { item } => self.remove(item, &path).map(|()| None),
        }
    }

    fn replace(&self, item: &Item, path: &Path, bytes: &[u8]) -> Result<File, Failed> {
        self.clear_the_way(item, path)?;
        let replaced = files::replace_file(path, self.layout.folder(), bytes, self.modes.file, &self.modes);
        replaced.map_err(Failed::Unseen)
    }

    /// Moves a file into its place that lies complete beside it, unless that was done before.
    fn place(&self, item: &Item, path: &Path) -> Result<(), Failed> {
        self.clear_the_way(item, path)?;
        match files::place_file(&self.layout.next_path(item), path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound && path.is_file() => Ok(()),
            placed => {
                placed.map_err(|e| Failed::Unseen(explain_denial("cannot put into its place", path, e)))
            }
        }
    }

    /// Says where a store has moved, for ever: whoever reads or writes from now on is told.
    pub(crate) fn bury(&self, to: &str) -> Result<(), Failed> {
        let bytes = journal::encode_moved(to);
        let (journal, folder) = (self.layout.journal(), self.layout.folder());
        files::replace_file(&journal, folder, &bytes, self.modes.file, &self.modes)
            .map_err(Failed::Unseen)?;
        files::sync_folder(folder).map_err(Failed::Seen)
    }

    /// Makes sure that a file can get its name.
    fn clear_the_way(&self, item: &Item, path: &Path) -> Result<(), Failed> {
        if let Item::Log(namespace, _) = item {
            let logs = self.layout.logs(namespace);
            files::create_folder(&logs, &self.modes).map_err(Failed::Unseen)?;
            let is_ours = is_folder(&logs).map_err(|e| explain_denial("cannot look at", &logs, e));
            if !is_ours.map_err(Failed::Unseen)? {
                return Err(Failed::Unseen(FileError::NoFolder.at(&logs)));
            }
        }
        if path.symlink_metadata().is_ok_and(|found| !found.is_file()) {
            return Err(Failed::Unseen(FileError::NoFile.at(path)));
        }
        Ok(())
    }

    fn remove(&self, item: &Item, path: &Path) -> Result<(), Failed> {
        match std::fs::remove_file(path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                return Err(Failed::Unseen(explain_denial("cannot remove", path, e)));
            }
            _ => {}
        }
        if let Item::Log(namespace, _) = item {
            // It goes with its last log, or when the next writer looks for leftovers.
            let _ = std::fs::remove_dir(self.layout.logs(namespace));
        }
        Ok(())
    }

    /// Syncs what others may see before whoever wrote it has synced it: the ends of logs, and all names.
    pub(crate) fn sync(&self) -> Result<()> {
        for namespace in self.list(None)?.logs.into_keys() {
            let folder = self.layout.logs(&namespace);
            for log in self.logs_of(&namespace, None)? {
                let path = self.layout.path(&Item::Log(namespace.clone(), log));
                let synced = os::open_plain(&path, false).and_then(|file| file.sync_data());
                match synced {
                    // It was deleted meanwhile, which the sync of its folder covers.
                    Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                    synced => synced.map_err(|e| Error::from_sync("cannot sync", &path, e))?,
                }
            }
            match File::open(&folder) {
                // It went with its last log, which the sync of the folder above covers.
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                opened => opened
                    .and_then(|folder| folder.sync_all())
                    .map_err(|e| Error::from_sync("cannot sync the folder", &folder, e))?,
            }
        }
        files::sync_folder(self.layout.folder())
    }

    /// Writes every file anew, after a sync that failed: the kernel takes for written what may be lost.
    pub(crate) fn rewrite(&self) -> Result<()> {
        self.recover()?;
        let listing = self.list(None)?;
        // A journal that went without a sync must not come back: one that changes nothing takes its name, and
        // goes with all that is synced below.
        let (journal, nothing) = (self.layout.journal(), journal::encode(&[])?);
        files::replace_file(&journal, self.layout.folder(), &nothing, self.modes.file, &self.modes)?;
        files::sync_folder(self.layout.folder())?;
        std::fs::remove_file(&journal).map_err(|e| explain_denial("cannot remove", &journal, e))?;
        let mut folders: Vec<PathBuf> = vec![self.layout.folder().to_owned()];
        folders.extend(listing.logs.keys().map(|namespace| self.layout.logs(namespace)));
        for item in listing.items().into_iter().chain([Item::Epoch]) {
            let path = self.layout.path(&item);
            let (_, bytes) = read_file(&path).map_err(|e| e.at(&path))?;
            files::replace_file(&path, self.layout.folder(), &bytes, self.modes.file, &self.modes)?;
        }
        folders.iter().try_for_each(|folder| files::sync_folder(folder))
    }
}

#[cfg(test)]
mod tests {
    use store_core::Access;
    use store_core::shared::access::Modes;

    use super::*;

    #[test]
    fn a_folder_of_logs_that_holds_none_goes_with_the_next_change() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::new(dir.path(), Modes::of(Access::Private, None), 0);
        let change = [Change::Replace { item: Item::Log("n".into(), "l".into()), bytes: b"x".to_vec() }];
        let removed = [Change::Remove { item: Item::Log("m".into(), "l".into()) }];
        let left = folder.layout.logs("m");
        for ended in [false, true] {
            std::fs::create_dir(&left).unwrap();
            let number = folder.begin().unwrap();
            if ended {
                // What removing it was tried for, in vain.
                std::fs::create_dir_all(&left).unwrap();
                folder.end(number, &removed);
            }
            folder.commit(&change).unwrap();
            assert!(!left.exists() && folder.layout.logs("n").exists(), "ended: {ended}");
            assert!(folder.changes.begin().unwrap().1);
            folder.end(folder.number().unwrap().unwrap(), &[]);
        }
    }
}
