//! One pass over a mirror: what is not fresh is written anew, from the newest of the store.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use pollster::block_on;

use super::config::{MirrorConfig, MirrorLogs};
use super::folder::Folder;
use super::index::{Edition, INDEX, Index, Read};
use super::item::Item;
use super::round::{Draft, Round, Trust};
use super::status::MirrorPass;
use crate::error::{Error, ErrorKind, Result};
use crate::numbers::{Revision, Seq};
use crate::store::StateStore;
use crate::types::{LogInfo, LogRange};

/// How many entries of a log are read at once.
const PAGE: u64 = 1024;
/// How often a log is read again that was trimmed under the reader.
const TRIES: usize = 10;

/// The mirror of a store, written and checked when it is told to.
///
/// [`Mirrored`](crate::Mirrored) does so by itself with every write.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use store_core::{Mirror, MirrorConfig, Result, StateStore};
///
/// async fn mirror(store: Arc<dyn StateStore>) -> Result<()> {
///     let mirror = Mirror::new(store, MirrorConfig::new("mirror")).await?;
///     let pass = mirror.write(None)?;
///     assert!(pass.failed.is_empty());
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct Mirror {
    pub(super) store: Arc<dyn StateStore>,
    pub(super) config: MirrorConfig,
    pub(super) folder: Folder,
    /// The store, as the index names it.
    name: String,
    /// Of the threads of a process only one may ask for the lock at a time.
    turn: Mutex<()>,
}

/// What a pass looks at.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    /// These namespaces; all if none are named.
    pub(super) namespaces: Option<BTreeSet<String>>,
    /// What tells that a file is as it was written.
    pub(super) trust: Trust,
}

impl Mirror {
    /// Names the mirror of a store; nothing is made or written yet.
    ///
    /// # Errors
    /// `ConfigInvalid` for a configuration that cannot be: also for a folder in which the files of the mirror
    /// and of the store could meet, a sticky one, or one on a network filesystem; those of
    /// [`info`](StateStore::info).
    pub async fn new(store: Arc<dyn StateStore>, config: MirrorConfig) -> Result<Self> {
        let named = |e: Error| e.with_operation("mirror");
        config.validate().map_err(named)?;
        let info = store.info().await.map_err(named)?;
        let folder = Folder::settle(&config.dir, &info).map_err(named)?;
        let name = format!("{}:{}", info.engine, info.path.display());
        Ok(Self { store, config, folder, name, turn: Mutex::new(()) })
    }

    /// Returns the absolute path of the folder.
    pub fn dir(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the configuration.
    pub fn config(&self) -> &MirrorConfig {
        &self.config
    }

    /// Writes every file that is not fresh, of the namespaces named or of all, and removes those of namespaces
    /// that hold nothing any more.
    ///
    /// - Every file's digest is compared; what was changed by hand is written anew, with a warning.
    /// - Files that the mirror did not make are left alone, unless they have the name of one that it makes.
    /// - A namespace that cannot be read or written does not keep the others from it.
    ///
    /// Blocks the thread, at most for the store's timeout for the lock and for each call of the store.
    ///
    /// # Errors
    /// `Busy` if another process held the lock until the timeout; `IncompatibleFormat` for a mirror of a newer
    /// program; `ConfigInvalid` for one of another store that is still there; `PermissionDenied`, `StorageFull`,
    /// `Io`; those of the store's calls.
    pub fn write(&self, namespaces: Option<&[String]>) -> Result<MirrorPass> {
        let namespaces = namespaces.map(|named| named.iter().cloned().collect());
        self.pass(&Scope { namespaces, trust: Trust::Digest })
    }

    pub(super) fn pass(&self, scope: &Scope) -> Result<MirrorPass> {
        self.pass_in_turn(scope).map_err(|e| e.with_operation("mirror"))
    }

    fn pass_in_turn(&self, scope: &Scope) -> Result<MirrorPass> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let _held = self.folder.enter(self.store.timeout())?;
        let index = self.index()?;
        // What is read from here on is the newest that anybody can show.
        let known = self.known(scope)?;
        let mut namespaces: BTreeSet<&str> = known.keys().map(String::as_str).collect();
        let shown: Vec<String> = index.items().map(|item| item.namespace).collect();
        match &scope.namespaces {
            Some(named) => namespaces.extend(named.iter().map(String::as_str)),
            None => namespaces.extend(shown.iter().map(String::as_str)),
        }
        namespaces.retain(|namespace| self.config.wants(namespace));
        let mut round = Round::new(self, index, scope.trust);
        for namespace in namespaces {
            let staged = self.stage(namespace, known.get(namespace).copied(), &mut round);
            if let Err(error) = staged {
                round.failed(namespace, error);
            }
            round.finish_if_full()?;
        }
        round.finish()
    }

    /// Returns the namespaces that there are; of a pass over few of them they are not asked for.
    fn known(&self, scope: &Scope) -> Result<BTreeMap<String, Revision>> {
        if scope.namespaces.is_some() && scope.trust == Trust::Look {
            return Ok(BTreeMap::new());
        }
        let found = block_on(self.store.namespaces())?.into_iter().map(|found| (found.name, found.revision));
        let wanted = |name: &String| scope.namespaces.as_ref().is_none_or(|named| named.contains(name));
        Ok(found.filter(|(name, _)| wanted(name)).collect())
    }

    /// Reads the index; one that cannot be read is begun anew.
    fn index(&self) -> Result<Index> {
        let path = self.folder.join(INDEX);
        let mut index = match Index::read(self.folder.path())? {
            Read::Index(index) => index,
            Read::Nothing => return Ok(Index::new(&self.name)),
            Read::Spoilt(why) => {
                tracing::warn!(path = %path.display(), why, "the index of the mirror cannot be read; it is begun anew");
                return Ok(Index::new(&self.name));
            }
        };
        if index.store != self.name {
            let other = index.store.split_once(':').map_or("", |(_, path)| path);
            if Path::new(other).exists() {
                let why = format!(
                    "this folder is the mirror of another store, {}; name another folder, or remove the index to hand \
                     it over to {}",
                    index.store, self.name
                );
                return Err(Error::new(ErrorKind::ConfigInvalid, why).with_path(path));
            }
            // The store was moved, and its mirror goes on.
            index.store.clone_from(&self.name);
        }
        Ok(index)
    }

    /// Stages what is not fresh of one namespace.
    fn stage(&self, namespace: &str, known: Option<Revision>, round: &mut Round<'_>) -> Result<()> {
        let item = Item::object(namespace);
        let wants_logs = self.config.logs != MirrorLogs::None;
        let unchanged = known.is_some_and(|revision| round.is_fresh(&item, &edition_of(revision)));
        let mut logs = None;
        if !unchanged {
            let object = block_on(self.store.object(namespace))?;
            let emptied = object.entries.is_empty();
            if emptied || wants_logs {
                logs = Some(block_on(self.store.logs(namespace))?);
            }
            let keeps_logs = logs.as_ref().is_some_and(|logs| !logs.is_empty());
            if !emptied || (object.revision != Revision::NEVER && keeps_logs) {
                let edition = edition_of(object.revision);
                if !round.is_fresh(&item, &edition) {
                    let draft = round.draft(&item, |file| file.write(object.pretty().as_bytes()))?;
                    round.stage(&item, edition, draft)?;
                }
            } else {
                round.remove(&item);
            }
        }
        if !wants_logs {
            return Ok(());
        }
        let logs = match logs {
            Some(logs) => logs,
            None => block_on(self.store.logs(namespace))?,
        };
        for item in round.logs_of(namespace) {
            if !logs.iter().any(|log| item.log.as_ref() == Some(&log.name)) {
                round.remove(&item);
            }
        }
        logs.iter().try_for_each(|log| self.stage_log(namespace, log, round))
    }

    fn stage_log(&self, namespace: &str, log: &LogInfo, round: &mut Round<'_>) -> Result<()> {
        let mut log = log.clone();
        for _ in 0..TRIES {
            let edition = self.edition_of_log(namespace, &log)?;
            let item = Item::log(namespace, &log.name);
            if round.is_fresh(&item, &edition) {
                return Ok(());
            }
            let (first, mut whole) = (edition.first.unwrap_or(log.first), false);
            let draft = round.draft(&item, |file| {
                whole = self.copy_log(namespace, &log, first, file)?;
                Ok(())
            })?;
            if whole {
                return round.stage(&item, edition, draft);
            }
            let logs = block_on(self.store.logs(namespace))?;
            let Some(found) = logs.into_iter().find(|found| found.name == log.name) else {
                round.remove(&item);
                return Ok(());
            };
            log = found;
        }
        let why = "the log was trimmed again and again while it was read; its mirror is tried again later";
        Err(Error::new(ErrorKind::Busy, why).with_key(namespace, &log.name))
    }

    /// Copies the entries of a log page by page; false if some were trimmed meanwhile, so that what was
    /// copied was never there at one instant.
    fn copy_log(&self, namespace: &str, log: &LogInfo, first: Seq, file: &mut Draft) -> Result<bool> {
        let mut next = first;
        while next <= log.last {
            let range = LogRange::from(next).with_limit(PAGE.min(log.last - next + 1));
            let page = block_on(self.store.read_log(namespace, &log.name, range))?;
            if page.first().is_none_or(|entry| entry.seq != next) {
                return Ok(false);
            }
            let mut lines = String::new();
            for entry in &page {
                lines.push_str(entry.entry.as_str());
                lines.push('\n');
            }
            next += page.len() as u64;
            file.write(lines.as_bytes())?;
        }
        Ok(true)
    }

    /// Tells what a log's file shows once it is fresh.
    pub(super) fn edition_of_log(&self, namespace: &str, log: &LogInfo) -> Result<Edition> {
        let first: Seq = match self.config.logs {
            MirrorLogs::Last(count) => log.first.max((log.last + 1).saturating_sub(count)),
            _ => log.first,
        };
        let tail = block_on(self.store.read_log(namespace, &log.name, LogRange::tail(1)))?;
        let tail = tail.first().filter(|entry| entry.seq == log.last).map(|entry| {
            let text = format!("{} {}", entry.at.as_millis(), entry.entry.as_str());
            blake3::hash(text.as_bytes()).to_hex().to_string()
        });
        Ok(Edition { revision: log.last, first: Some(first), tail })
    }
}

/// Tells what an object's file shows once it is fresh.
pub(super) fn edition_of(revision: Revision) -> Edition {
    Edition { revision: revision.get(), first: None, tail: None }
}
