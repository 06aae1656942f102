//! Dumps that are taken while others write: each is compared with all that was written.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use store_core::dump::{Compression, Existing};
use store_core::{Json, Settings};

use super::dumps::{Contents, export, outline, restore, verify};
use super::pairs::{Wrote, halves};
use crate::arena::Arena;
use crate::failure::{Context, Outcome, ensure, ensure_eq};
use crate::history::now;
use crate::worker::{finish_all, release};

const WRITERS: u64 = 3;
const MIDDLE: usize = 300;

/// So many dumps at most, however much time there is: each is larger than the one before.
const MOST: usize = 60;

/// When a dump was taken, and the last number of each writer in it.
struct Taken {
    begun: u64,
    ended: u64,
    last: BTreeMap<u64, u64>,
}

/// Whatever else goes on, a dump has all that was acknowledged before it began, nothing that began after it ended,
/// every batch whole and every log in order; and it can be restored.
pub(super) fn a_dump_under_load_is_one_instant(arena: &Arena) -> Outcome {
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        writers.push(arena.worker("write_pairs")?.settings("durability=process").plan(writer)?.start()?);
    }
    release(&mut writers)?;
    let store = arena.open()?;
    // Between the halves there is something to do.
    let middle = (0..MIDDLE).map(|n| (format!("key {n}"), Json::from("x".repeat(200)))).collect();
    store.replace_object("middle", middle)?;
    let mut chance = arena.chance();
    let mut all = Vec::new();
    for round in arena.rounds(12, 300).go().take(MOST) {
        std::thread::sleep(Duration::from_micros(chance.u64(..30_000)));
        let path = arena.folder().join(format!("{round}.dump"));
        let begun = now()?;
        let told = export(&store, &path, Compression::None).context("a dump under load")?;
        let ended = now()?;
        ensure_eq!(verify(&path).context("a dump of just now")?, told);
        if round % 8 == 0 {
            let scratch = arena.open_at(&arena.place(&format!("scratch {round}"))?, Settings::default())?;
            restore(&scratch, &path, Existing::Refuse)?;
            ensure_eq!(
                outline(&scratch)?.digest,
                told.digest,
                "what was restored, to the last revision and time"
            );
        }
        all.push(Taken { begun, ended, last: counted(&path)? });
        std::fs::remove_file(path)?;
    }
    writers.iter_mut().try_for_each(|writer| writer.say("enough"))?;
    let wrote: Vec<Wrote> = finish_all(writers)?.into_iter().flatten().collect();
    ensure!(wrote.len() as u64 > WRITERS * 5, "so few writes prove nothing: {}", wrote.len());
    all.iter().try_for_each(|taken| taken.check(&wrote))
}

/// Reads a dump; both halves have to be the same, and the log to have all that was counted, in order.
fn counted(path: &Path) -> Outcome<BTreeMap<u64, u64>> {
    let (last, log) = halves(&Contents::read(path)?, WRITERS)?;
    for (writer, last) in &last {
        let logged = log.iter().filter(|entry| entry.0 == *writer).map(|entry| entry.1);
        ensure!(logged.eq(1..=*last), "the entries of writer {writer} are not those up to {last}");
    }
    Ok(last)
}

impl Taken {
    fn check(&self, wrote: &[Wrote]) -> Outcome {
        for Wrote { writer, n, begun, ended, .. } in wrote {
            let last = self.last.get(writer).copied().unwrap_or(0);
            let older = *ended < self.begun && *n > last;
            ensure!(!older, "write {n} of writer {writer} was done before the dump began, and is not in it");
            let newer = *begun > self.ended && *n <= last;
            ensure!(!newer, "write {n} of writer {writer} began after the dump had ended, and is in it");
        }
        Ok(())
    }
}
