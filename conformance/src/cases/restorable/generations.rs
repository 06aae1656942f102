//! Dumps that differ in every record, so that what is not one of them, whole, shows.

use std::path::PathBuf;

use store_core::dump::{Compression, Outline};
use store_core::{Batch, Blocking, Json, Settings};

use super::dumps::{export, outline};
use crate::arena::Arena;
use crate::failure::{Context, Outcome, ensure, ensure_eq};

const SPACES: [&str; 3] = ["a", "n", "z"];
const KEYS: u64 = 20;
const ENTRIES: u64 = 10;

/// Dumps of one generation after the other.
#[derive(Debug)]
pub(super) struct Generations(Vec<(PathBuf, Outline)>);

/// Makes a store hold a generation, and nothing else.
pub(super) fn fill(store: &Blocking, generation: u64, size: usize) -> Outcome {
    let value = || Json::from(format!("{generation} ").repeat(size / 2));
    for space in SPACES {
        let mut batch = Batch::new().delete_namespace(space);
        for key in 0..KEYS + generation {
            batch = batch.put(space, format!("key {key}"), value());
        }
        for _ in 0..ENTRIES + generation {
            batch = batch.append(space, "log", value());
        }
        store.commit(batch)?;
    }
    Ok(())
}

impl Generations {
    /// Takes dumps of so many generations, of values of a size.
    pub(super) fn make(arena: &Arena, generations: u64, size: usize) -> Outcome<Self> {
        let source = arena.open_at(&arena.place("source")?, Settings::default())?;
        let mut dumps = Vec::new();
        for generation in 0..generations {
            fill(&source, generation, size)?;
            let path = arena.folder().join(format!("generation {generation}.dump"));
            let told = export(&source, &path, Compression::None)?;
            let spaces = SPACES.len() as u64;
            let expected = ((KEYS + generation) * spaces, (ENTRIES + generation) * spaces);
            ensure_eq!((told.keys(), told.entries()), expected, "keys and entries of a dump");
            dumps.push((path, told));
        }
        source.close()?;
        Ok(Self(dumps))
    }

    /// Returns the files.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        self.0.iter().map(|(path, _)| path.clone()).collect()
    }

    /// Returns the dump of a number, which starts again behind the last.
    pub(super) fn dump(&self, number: u64) -> Outcome<&(PathBuf, Outline)> {
        self.0.get(usize::try_from(number)? % self.0.len()).context("there are no generations")
    }

    /// Makes sure that a store holds one of the generations of some numbers, whole; returns which.
    pub(super) fn which(&self, store: &Blocking, numbers: impl Iterator<Item = u64> + Clone) -> Outcome<u64> {
        let found = outline(store)?;
        let numbers = numbers.take(self.0.len());
        for number in numbers.clone() {
            if self.dump(number)?.1.differences(&found).is_empty() {
                return Ok(number);
            }
        }
        let mut words = Vec::new();
        for number in numbers {
            words.push(format!(
                "not generation {number}: {}",
                self.dump(number)?.1.differences(&found).join("; ")
            ));
        }
        ensure!(false, "the store holds nothing that was restored whole: {}", words.join("\n"));
        Ok(0)
    }
}
