//! The same load through the store.

use std::path::Path;

use serde::{Deserialize, Serialize};
use statestore::{Blocking, Json, LogRange, Result, Revision, Seq, StoreConfig};

use super::tally::Tally;
use super::users::User;
use super::way::{self, Way};
use crate::exit::Failure;

const BUS: &str = "bus";
const EVENTS: &str = "events";
const STATES: &str = "states";
const ROUTES: &str = "routes";
/// How many entries are read at once.
const PAGE: u64 = 1000;

/// An engine that the store can stand on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Engine {
    #[cfg(feature = "sqlite")]
    Sqlite,
    #[cfg(feature = "redb")]
    Redb,
    #[cfg(feature = "jsonfile")]
    JsonFiles,
}

/// How an engine is named to people, and in a URL.
#[derive(Debug)]
pub(super) struct About {
    pub(super) title: &'static str,
    scheme: &'static str,
    path: &'static str,
}

impl Engine {
    /// The engines that this build has.
    pub(super) const ALL: &[Self] = &[
        #[cfg(feature = "sqlite")]
        Self::Sqlite,
        #[cfg(feature = "redb")]
        Self::Redb,
        #[cfg(feature = "jsonfile")]
        Self::JsonFiles,
    ];

    pub(super) const fn about(self) -> About {
        let (title, scheme, path) = match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite => ("statestore: SQLite", "sqlite", "state.db"),
            #[cfg(feature = "redb")]
            Self::Redb => ("statestore: redb", "redb", "state.redb"),
            #[cfg(feature = "jsonfile")]
            Self::JsonFiles => ("statestore: JSON files", "json", "state"),
        };
        About { title, scheme, path }
    }
}

/// A store that everybody reads and writes.
#[derive(Debug)]
pub(super) struct Stored {
    store: Blocking,
    /// The last entry of the log that this reader has seen.
    seen: Seq,
    /// The newest revision of the routes that it has seen.
    newest: Revision,
}

impl Stored {
    /// Opens the store; whoever comes first creates it, with the rights that the URL asks for.
    pub(super) fn open(engine: Engine, folder: &Path, user: Option<User>) -> Result<Self, Failure> {
        let store = StoreConfig::from_url(&url(engine, folder, user))?.open_blocking()?;
        Ok(Self { store, seen: 0, newest: Revision::NEVER })
    }

    /// Opens the store that must be there by now.
    pub(super) fn open_existing(engine: Engine, folder: &Path) -> Result<Self, Failure> {
        let store = StoreConfig::from_url(&url(engine, folder, None))?.with_create(false).open_blocking()?;
        Ok(Self { store, seen: 0, newest: Revision::NEVER })
    }

    /// Returns the texts of all events in the log, with their numbers.
    pub(super) fn kept(&self) -> Result<Vec<(Seq, String)>> {
        let mut kept: Vec<(Seq, String)> = Vec::new();
        loop {
            let next = kept.last().map_or(0, |(seq, _)| seq + 1);
            let page = self.store.read_log(BUS, EVENTS, LogRange::from(next).with_limit(PAGE))?;
            if page.is_empty() {
                return Ok(kept);
            }
            kept.extend(page.into_iter().map(|entry| (entry.seq, entry.entry.as_str().to_owned())));
        }
    }

    /// Returns how many events a process has sent by its own note.
    pub(super) fn state(&self, process: usize) -> Result<Option<usize>> {
        self.store.get_as(STATES, &format!("process-{process}"))
    }

    /// Looks at routes and history; says whether all is as it should be, if it can be read at all.
    fn try_look(&mut self, tally: &mut Tally) -> Result<()> {
        let routes = self.store.object(ROUTES)?;
        let whole = way::is_whole(routes.entries.values().map(|entry| entry.value.as_str()));
        let one_write = routes.entries.values().all(|entry| entry.revision == routes.revision);
        tally.torn += u64::from(routes.revision != Revision::NEVER && !(whole && one_write));
        tally.shrunk += u64::from(routes.revision < self.newest);
        self.newest = self.newest.max(routes.revision);

        let last = self.store.read_log(BUS, EVENTS, LogRange::tail(1))?.last().map_or(0, |entry| entry.seq);
        tally.shrunk += u64::from(last < self.seen);
        let page = self.store.read_log(BUS, EVENTS, LogRange::from(self.seen + 1).with_limit(PAGE))?;
        let dense = (self.seen + 1..).zip(&page).all(|(seq, entry)| seq == entry.seq);
        tally.torn += u64::from(!dense);
        self.seen = page.last().map_or(self.seen, |entry| entry.seq);
        Ok(())
    }
}

impl Way for Stored {
    fn append(&mut self, event: &str, _tally: &mut Tally) -> Result<(), Failure> {
        self.store.append(BUS, EVENTS, event.parse()?)?;
        Ok(())
    }

    fn put_state(&mut self, process: usize, sent: usize, _tally: &mut Tally) -> Result<(), Failure> {
        self.store.put_as(STATES, &format!("process-{process}"), &sent)?;
        Ok(())
    }

    fn replace_routes(&mut self, generation: u64, _tally: &mut Tally) -> Result<(), Failure> {
        let routes = way::routes(generation).map(|(key, text)| Ok((key, text.parse::<Json>()?)));
        self.store.replace_object(ROUTES, routes.collect::<Result<_>>()?)?;
        Ok(())
    }

    fn look(&mut self, tally: &mut Tally) {
        if let Err(error) = self.try_look(tally) {
            tally.unreadable += 1;
            tally.first_error.get_or_insert_with(|| error.to_string());
        }
    }
}

/// Returns the URL: one line of configuration is all that the second user needs.
fn url(engine: Engine, folder: &Path, user: Option<User>) -> String {
    let About { scheme, path, .. } = engine.about();
    let path = folder.join(path).display().to_string();
    let path = path.replace('%', "%25").replace('?', "%3F").replace('#', "%23");
    // A slow disk is not a fault, so waits may be long; the longest is in the table.
    let access = user.map(|user| format!("&access=group&group={}", user.shared_group()));
    format!("{scheme}:{path}?timeout=30s{}", access.unwrap_or_default())
}
