//! A way to share state between processes: the load is the same for all, what they do with it is not.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::files::Files;
use super::place::Place;
use super::stored::{Engine, Stored};
use super::tally::Tally;
use super::users::User;
use crate::exit::Failure;

/// How many routes there are; all are replaced at once.
pub(super) const ROUTES: u64 = 20;

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Kind {
    /// The old one: JSON files, read, changed and written in place.
    Files,
    /// The store, on an engine.
    Store(Engine),
}

impl Kind {
    /// Returns its name for people.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Files => "old way: JSON files",
            Self::Store(engine) => engine.about().title,
        }
    }
}

/// What a service does with its shared state.
pub(super) trait Way {
    /// Adds an event to the history.
    fn append(&mut self, event: &str, tally: &mut Tally) -> Result<(), Failure>;

    /// Notes how many events a process has sent.
    fn put_state(&mut self, process: usize, sent: usize, tally: &mut Tally) -> Result<(), Failure>;

    /// Replaces all routes by those of a generation.
    fn replace_routes(&mut self, generation: u64, tally: &mut Tally) -> Result<(), Failure>;

    /// Looks at everything once and counts what should not be.
    fn look(&mut self, tally: &mut Tally);
}

/// Opens a way for one process.
pub(super) fn open(kind: Kind, folder: &Path, user: Option<User>) -> Result<Box<dyn Way>, Failure> {
    Ok(match kind {
        Kind::Files => Box::new(Files::open(folder)),
        Kind::Store(engine) => Box::new(Stored::open(engine, folder, user)?),
    })
}

/// Does what has to be there before the first process starts. For the store that is nothing: whoever comes
/// first creates it.
pub(super) fn prepare(kind: Kind, place: &Place, users: &[Option<User>]) -> Result<(), Failure> {
    match kind {
        Kind::Files => Files::prepare(place.folder(), users.iter().flatten().next().copied()),
        Kind::Store(_) => Ok(()),
    }
}

/// Returns the routes of a generation, by name.
pub(super) fn routes(generation: u64) -> impl Iterator<Item = (String, String)> {
    (0..ROUTES).map(move |n| {
        let target = format!("http://10.0.{}.{n}:8080/", generation % 256);
        (format!("route-{n}"), format!(r#"{{"generation":{generation},"target":"{target}"}}"#))
    })
}

/// Tells whether these are all the routes of one generation: else the object was torn or mixed.
pub(super) fn is_whole<'a>(routes: impl IntoIterator<Item = &'a str>) -> bool {
    #[derive(Deserialize)]
    struct Route {
        generation: u64,
    }
    let generations: Option<Vec<u64>> =
        routes.into_iter().map(|text| serde_json::from_str(text).ok().map(|r: Route| r.generation)).collect();
    generations.is_some_and(|all| {
        all.len() as u64 == ROUTES && all.windows(2).all(|pair| pair.first() == pair.last())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_are_whole_or_mixed_or_too_few() {
        let texts = |generation| routes(generation).map(|(_, text)| text).collect::<Vec<_>>();
        let whole = |texts: &[String]| is_whole(texts.iter().map(String::as_str));
        let mut mixed = texts(7);
        assert!(whole(&mixed));
        assert!(!whole(&mixed[1..]) && !whole(&[]));
        mixed[3] = texts(8)[3].clone();
        assert!(!whole(&mixed));
        mixed[3] = "null".into();
        assert!(!whole(&mixed));
    }
}
