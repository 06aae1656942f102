//! How the files of a mirror stand against its store.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use pollster::block_on;

use super::config::MirrorLogs;
use super::index::{Edition, INDEX, Index, Read, Record, digest_of};
use super::item::Item;
use super::pass::{Mirror, edition_of};
use super::status::{MirrorCheck, MirrorState, distance};
use crate::error::{Error, ErrorKind, Result};
use crate::numbers::Revision;

/// How often a file is looked at again whose record changed meanwhile.
const LOOKS: usize = 100;
const REST: Duration = Duration::from_millis(5);

impl Mirror {
    /// Tells how each file stands, of the namespaces named or of all: sorted by namespace, the object before its logs.
    ///
    /// Takes no lock, makes and changes nothing: it works while a writer of the mirror is stopped, and for
    /// those who may only read. Each file is compared by its digest.
    ///
    /// Blocks the thread.
    ///
    /// # Errors
    /// `Busy` if files changed under every look; `IncompatibleFormat` for a mirror of a newer program;
    /// `PermissionDenied`, `Io`; those of the store's calls.
    pub fn check(&self, namespaces: Option<&[String]>) -> Result<Vec<MirrorCheck>> {
        let named = |name: &str| namespaces.is_none_or(|named| named.iter().any(|named| named == name));
        let wanted = |name: &str| self.config.wants(name) && named(name);
        self.look(&wanted).map_err(|e| e.with_operation("mirror"))
    }

    fn look(&self, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<MirrorCheck>> {
        let mut settled = BTreeMap::new();
        let mut told = false;
        for _ in 0..LOOKS {
            let before = self.index_as_it_is(&mut told)?;
            let current = self.current(wanted)?;
            let mut items: BTreeSet<Item> = current.keys().cloned().collect();
            items.extend(before.items().filter(|item| self.shows(item, wanted)));
            items.extend(self.items_there(wanted)?);
            items.retain(|item| !settled.contains_key(item));
            let mut found = Vec::new();
            for item in items {
                let check = self.verdict(&item, before.get(&item), current.get(&item))?;
                found.extend(check.map(|check| (item, check)));
            }
            // What a writer was at meanwhile has another record now.
            let after = self.index_as_it_is(&mut told)?;
            let mut unsettled = false;
            for (item, check) in found {
                if before.get(&item) == after.get(&item) {
                    settled.insert(item, check);
                } else {
                    unsettled = true;
                }
            }
            if !unsettled {
                return Ok(settled.into_values().collect());
            }
            std::thread::sleep(REST);
        }
        let why = "files of the mirror changed under every look; try again when less is written";
        Err(Error::new(ErrorKind::Busy, why).with_path(self.dir()))
    }

    fn index_as_it_is(&self, told: &mut bool) -> Result<Index> {
        match Index::read(self.dir())? {
            Read::Index(index) => Ok(index),
            Read::Nothing => Ok(Index::new("")),
            Read::Spoilt(why) => {
                if !std::mem::replace(told, true) {
                    let path = self.folder.join(INDEX);
                    tracing::warn!(path = %path.display(), why, "the index of the mirror cannot be read; the next writer begins it anew");
                }
                Ok(Index::new(""))
            }
        }
    }

    /// Returns what the files have to show.
    fn current(&self, wanted: &dyn Fn(&str) -> bool) -> Result<BTreeMap<Item, Edition>> {
        let mut current = BTreeMap::new();
        for namespace in block_on(self.store.namespaces())? {
            let name = namespace.name;
            if !wanted(&name) {
                continue;
            }
            if namespace.revision != Revision::NEVER {
                current.insert(Item::object(&name), edition_of(namespace.revision));
            }
            if self.config.logs != MirrorLogs::None {
                for log in block_on(self.store.logs(&name))? {
                    current.insert(Item::log(&name, &log.name), self.edition_of_log(&name, &log)?);
                }
            }
        }
        Ok(current)
    }

    fn shows(&self, item: &Item, wanted: &dyn Fn(&str) -> bool) -> bool {
        wanted(&item.namespace) && (item.log.is_none() || self.config.logs != MirrorLogs::None)
    }

    /// Returns the files that are there under names as a mirror gives them.
    fn items_there(&self, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<Item>> {
        let mut found = Vec::new();
        for name in names_in(self.dir())? {
            found.extend(Item::parse(&name));
            let folder = self.dir().join(&name);
            if !name.starts_with('.') && folder.is_dir() {
                found.extend(
                    names_in(&folder)?.iter().filter_map(|log| Item::parse(&format!("{name}/{log}"))),
                );
            }
        }
        found.retain(|item| self.shows(item, wanted));
        Ok(found)
    }

    /// Judges one file; none if there is none and need be none.
    fn verdict(
        &self,
        item: &Item,
        record: Option<&Record>,
        current: Option<&Edition>,
    ) -> Result<Option<MirrorCheck>> {
        let file = self.folder.join(&item.name());
        let digest = digest_of(&file)?;
        let shown = digest.as_ref().and_then(|digest| record?.find(|version| version.digest == *digest));
        let edition = shown.map(|version| &version.edition);
        let state = match (&digest, edition, current) {
            (None, _, None) => return Ok(None),
            (None, _, Some(_)) if record.is_some() => MirrorState::Missing,
            (Some(_), _, None) => MirrorState::Superfluous,
            (Some(_), None, Some(_)) => MirrorState::Drifted,
            (Some(_), Some(shown), Some(current)) if shown == current => MirrorState::Fresh,
            // Or not written yet, which is no loss.
            (_, _, Some(_)) => MirrorState::Stale,
        };
        let revision = edition.map_or(0, |edition| edition.revision);
        let behind = current.and_then(|current| match item.log {
            None => distance(Revision::new(revision), Revision::new(current.revision)),
            Some(_) => current.revision.checked_sub(revision),
        });
        let behind = behind.filter(|_| !matches!(state, MirrorState::Superfluous | MirrorState::Drifted));
        let Item { namespace, log } = item.clone();
        Ok(Some(MirrorCheck { file, namespace, log, state, revision, behind }))
    }
}

/// Lists the names in a folder; none if it is not there.
fn names_in(folder: &std::path::Path) -> Result<Vec<String>> {
    use std::io::ErrorKind::{NotADirectory, NotFound};

    let list = || -> std::io::Result<Vec<String>> {
        let names =
            std::fs::read_dir(folder)?.map(|found| found.map(|found| found.file_name().into_string().ok()));
        names.filter_map(std::io::Result::transpose).collect()
    };
    match list() {
        Err(e) if matches!(e.kind(), NotFound | NotADirectory) => Ok(Vec::new()),
        names => names.map_err(|e| crate::shared::access::explain_denial("cannot list", folder, e)),
    }
}
