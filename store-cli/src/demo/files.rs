//! The old way, as the services of the incident did it: load a JSON file, change it, write it in place. A
//! file that cannot be parsed is silently taken for an empty one.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use statestore::Error;

use super::place;
use super::tally::Tally;
use super::users::User;
use super::way::{self, Way};
use crate::exit::Failure;

type Events = Vec<Box<RawValue>>;
type Object = BTreeMap<String, Box<RawValue>>;

/// Three files that everybody reads and writes.
#[derive(Debug)]
pub(super) struct Files {
    events: PathBuf,
    states: PathBuf,
    routes: PathBuf,
    /// The most events that this reader has seen.
    seen: usize,
}

impl Files {
    /// Names the files; nothing is opened.
    pub(super) fn open(folder: &Path) -> Self {
        let [events, states, routes] =
            ["events", "states", "routes"].map(|n| folder.join(n).with_extension("json"));
        Self { events, states, routes, seen: 0 }
    }

    /// Makes the files; with rights for both users, which the old way had to be helped to.
    pub(super) fn prepare(folder: &Path, user: Option<User>) -> Result<(), Failure> {
        let files = Self::open(folder);
        let first: Object = way::routes(0).filter_map(raw_pair).collect();
        save(&files.events, &[(); 0])?;
        save(&files.states, &Object::new())?;
        save(&files.routes, &first)?;
        for path in [&files.events, &files.states, &files.routes] {
            user.map_or(Ok(()), |user| place::hand_over(path, user.shared_group(), 0o660))?;
        }
        Ok(())
    }

    /// Returns the texts of the events in the file; none if it was left unreadable.
    pub(super) fn kept(&self) -> Vec<String> {
        let events: Events = load(&self.events).unwrap_or_default();
        events.iter().map(|event| event.get().to_owned()).collect()
    }

    /// Returns how many events a process has sent by its own note.
    pub(super) fn state(&self, process: usize) -> Option<usize> {
        let states: Object = load(&self.states)?;
        states.get(&format!("process-{process}"))?.get().parse().ok()
    }
}

impl Way for Files {
    fn append(&mut self, event: &str, tally: &mut Tally) -> Result<(), Failure> {
        let mut events: Events = load_or_empty(&self.events, tally);
        events.extend(raw(event));
        save(&self.events, &events)
    }

    fn put_state(&mut self, process: usize, sent: usize, tally: &mut Tally) -> Result<(), Failure> {
        let mut states: Object = load_or_empty(&self.states, tally);
        states.extend(raw_pair((format!("process-{process}"), sent.to_string())));
        save(&self.states, &states)
    }

    fn replace_routes(&mut self, generation: u64, _tally: &mut Tally) -> Result<(), Failure> {
        // First delete, then insert, with nothing around both.
        save(&self.routes, &Object::new())?;
        let routes: Object = way::routes(generation).filter_map(raw_pair).collect();
        save(&self.routes, &routes)
    }

    fn look(&mut self, tally: &mut Tally) {
        if let Some(events) = inspect::<Events>(&self.events, tally) {
            tally.shrunk += u64::from(events.len() < self.seen);
            self.seen = self.seen.max(events.len());
        }
        let _ = inspect::<Object>(&self.states, tally);
        if let Some(routes) = inspect::<Object>(&self.routes, tally) {
            tally.torn += u64::from(!way::is_whole(routes.values().map(|route| route.get())));
        }
    }
}

fn raw(text: &str) -> Option<Box<RawValue>> {
    RawValue::from_string(text.to_owned()).ok()
}

fn raw_pair((key, text): (String, String)) -> Option<(String, Box<RawValue>)> {
    Some((key, raw(&text)?))
}

fn load<T: DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

fn load_or_empty<T: DeserializeOwned + Default>(path: &Path, tally: &mut Tally) -> T {
    load(path).unwrap_or_else(|| {
        tally.taken_as_empty += 1;
        T::default()
    })
}

/// Writes in place, as `json.dump(state, open(path, "w"))` does: the file is empty first, then grows.
fn save<T: Serialize + ?Sized>(path: &Path, state: &T) -> Result<(), Failure> {
    let write = || {
        let mut file = BufWriter::new(OpenOptions::new().write(true).create(true).truncate(true).open(path)?);
        serde_json::to_writer(&mut file, state)?;
        file.flush()
    };
    write().map_err(|e: std::io::Error| Error::from_io("cannot write", path, e).into())
}

/// Reads a file as a reader of the old way does, and counts what is wrong with it.
fn inspect<T: DeserializeOwned>(path: &Path, tally: &mut Tally) -> Option<T> {
    match std::fs::read(path) {
        Ok(bytes) if bytes.is_empty() => tally.zero_bytes += 1,
        Ok(bytes) => {
            let state = serde_json::from_slice(&bytes).ok();
            tally.unreadable += u64::from(state.is_none());
            return state;
        }
        Err(_) => tally.unreadable += 1,
    }
    None
}
