//! Dumps that are not as they were written: each is refused, and the store is not touched.

use std::path::{Path, PathBuf};

use store_core::dump::{Compression, Existing, Outline};
use store_core::{Batch, Blocking, Error, ErrorKind, Json, Result, Settings};

use super::dumps::{export, holds, outline, restore, verify};
use crate::arena::Arena;
use crate::counts::Count;
use crate::failure::{Context, Outcome, Refused, ensure, ensure_eq};

const ENTRIES: u64 = 25;
const EVERY: usize = 100;
const FLIPS: usize = 1000;
/// With one in so many a restore is tried as well.
const BOTH_WAYS: usize = 5;

/// A dump to damage, and a store into which nothing of it may come.
pub(super) struct Trial {
    store: Blocking,
    before: Outline,
    pub(super) path: PathBuf,
    pub(super) bytes: Vec<u8>,
    told: Outline,
}

impl Trial {
    pub(super) fn make(arena: &Arena, compression: Compression) -> Outcome<Self> {
        let source =
            arena.open_at(&arena.place(&format!("source of {compression:?}"))?, Settings::default())?;
        let mut batch = Batch::new();
        for n in 0..ENTRIES {
            let text = format!("{n} ").repeat(20);
            batch = batch.put("a", format!("key {n}"), n).put("b", format!("key {n}"), text.clone());
            batch = batch.append("b", "log", text);
        }
        source.commit(batch.append("only a log", "log", 1u64))?;
        let path = arena.folder().join(format!("{compression:?}.dump"));
        let told = export(&source, &path, compression)?;
        let bytes = std::fs::read(&path)?;
        let store = arena.open_at(&arena.place(&format!("for {compression:?}"))?, Settings::default())?;
        store.put("held", "k", Json::from(1u64))?;
        let before = outline(&store)?;
        Ok(Self { store, before, path, bytes, told })
    }

    /// Makes sure that bytes are refused as a dump; returns why.
    #[track_caller]
    pub(super) fn refuses(&self, bytes: &[u8], kind: ErrorKind) -> Outcome<Error> {
        let damaged = place(&self.path, bytes)?;
        let restored = restore(&self.store, &damaged, Existing::Replace);
        says_where(restored, kind).context("restoring it")?;
        says_where(verify(&damaged), kind).context("verifying it")
    }

    /// Makes sure that nothing was touched, and that the dump is restored as it was written.
    pub(super) fn end(&self) -> Outcome {
        ensure_eq!(outline(&self.store)?.digest, self.before.digest, "the store that is not to be touched");
        ensure_eq!(self.store.info()?.epoch, self.before.epoch);
        restore(&self.store, &self.path, Existing::Replace)?;
        holds(&outline(&self.store)?, &self.told)?;
        ensure_eq!(self.store.object("b")?.entries.len() as u64, ENTRIES);
        ensure_eq!(self.store.logs("b")?.first().map(|log| (log.first, log.last)), Some((1, ENTRIES)));
        Ok(())
    }
}

/// Expects a dump to be refused, in words that say where it is wrong.
#[track_caller]
fn says_where(result: Result<Outline>, kind: ErrorKind) -> Outcome<Error> {
    let error = result.refused(kind)?;
    let words = error.to_string();
    let says = words.contains("record ") && words.contains("byte ") && words.contains("damaged.dump");
    ensure!(says, "it does not say where: {words}");
    Ok(error)
}

/// Puts bytes into a file beside a dump.
#[expect(clippy::disallowed_methods, reason = "nobody else looks at it")]
fn place(path: &Path, bytes: &[u8]) -> Outcome<PathBuf> {
    let damaged = path.with_file_name("damaged.dump");
    // Some filesystems sync what is written over a file that was cut to nothing.
    let _ = std::fs::remove_file(&damaged);
    std::fs::write(&damaged, bytes)?;
    Ok(damaged)
}

const BOTH: [Compression; 2] = [Compression::None, Compression::Zstd];

pub(super) fn a_dump_that_was_cut_short_is_refused_and_nothing_is_touched(arena: &Arena) -> Outcome {
    for compression in BOTH {
        let trial = Trial::make(arena, compression)?;
        let length = trial.bytes.len();
        let cuts = (0..length).step_by(EVERY).chain([1, length.saturating_sub(1)]);
        for cut in cuts {
            let part = trial.bytes.get(..cut).unwrap_or_default();
            let refused = trial.refuses(part, ErrorKind::Corrupted);
            refused.context(format_args!("{compression:?}, cut after {cut} of {length} bytes"))?;
            arena.count(Count::Mutations, 1);
        }
        trial.end()?;
    }
    Ok(())
}

/// One bit at a time, also one of a compressed stream that changes nothing of what comes out.
pub(super) fn a_dump_that_was_changed_is_refused_and_nothing_is_touched(arena: &Arena) -> Outcome {
    let mut chance = arena.chance();
    for compression in BOTH {
        let trial = Trial::make(arena, compression)?;
        for flip in 0..FLIPS {
            let (at, bit) = (chance.usize(..trial.bytes.len()), chance.u8(..8));
            let mut bytes = trial.bytes.clone();
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << bit;
            }
            arena.count(Count::Mutations, 1);
            let what = || format!("{compression:?}, bit {bit} of byte {at} changed");
            if flip % BOTH_WAYS == 0 {
                trial.refuses(&bytes, ErrorKind::Corrupted).context(what())?;
            } else {
                // What is restored is verified in the same way.
                let verified = verify(&place(&trial.path, &bytes)?);
                says_where(verified, ErrorKind::Corrupted).context(what())?;
            }
        }
        trial.end()?;
    }
    Ok(())
}
