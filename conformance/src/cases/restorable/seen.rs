//! What other processes see of a restore, and what becomes of what they write meanwhile.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use store_core::dump::{Compression, Existing};
use store_core::{Blocking, LogRange, Revision};

use super::dumps::{Contents, export, restore};
use super::generations::Generations;
use super::pairs::{Wrote, halves};
use crate::arena::Arena;
use crate::cases::works;
use crate::failure::{Context, Outcome, ensure, ensure_eq};
use crate::history::now;
use crate::job::{Job, Work};
use crate::worker::{finish_all, release};

pub(super) const WORKS: &[Work] = works![watch_generations];

const READERS: usize = 2;
const WRITERS: u64 = 2;
const GENERATIONS: u64 = 3;

/// What a reader saw.
#[derive(Debug, Serialize, Deserialize)]
struct Seen {
    reads: u64,
    generations: usize,
}

/// Whoever reads while dumps are restored sees one of them, whole, and never goes back.
pub(super) fn a_restore_is_seen_at_one_instant(arena: &Arena) -> Outcome {
    let dumps = Generations::make(arena, GENERATIONS, 200)?;
    let store = arena.open()?;
    restore(&store, &dumps.dump(0)?.0, Existing::Refuse)?;
    let mut readers = Vec::new();
    for _ in 0..READERS {
        readers.push(arena.worker("watch_generations")?.start()?);
    }
    release(&mut readers)?;
    for number in arena.rounds(5, 150).go().take(150) {
        restore(&store, &dumps.dump(number + 1)?.0, Existing::Replace)?;
        std::thread::sleep(Duration::from_millis(10));
    }
    readers.iter_mut().try_for_each(|reader| reader.say("enough"))?;
    for seen in finish_all::<Seen>(readers)?.into_iter().flatten() {
        ensure!(seen.generations > 1, "a reader that saw so little proves nothing: {seen:?}");
    }
    Ok(())
}

/// Reads an object, its log, and the object again.
fn watch_generations(job: &Job) -> Outcome {
    let store = job.open()?;
    job.meet()?;
    let (mut reads, mut newest, mut generations) = (0, Revision::NEVER, BTreeSet::new());
    while !job.was_told()? {
        reads += 1;
        let (revision, generation) = look(&store)?;
        ensure!(revision >= newest, "the object went back from revision {newest} to {revision}");
        newest = revision;
        let logged = entries(&store)?;
        ensure_eq!(store.namespaces()?.len(), 3, "namespaces that are listed");
        let (again, _) = look(&store)?;
        ensure!(
            again != revision || logged == generation,
            "object of generation {generation} and log of {logged} at revision {revision}"
        );
        generations.insert(generation);
    }
    job.say(Seen { reads, generations: generations.len() })
}

/// Returns the one generation that the values of texts are of.
fn one_generation(mut texts: impl Iterator<Item = Outcome<String>>, what: &str) -> Outcome<u64> {
    let mut found = BTreeSet::new();
    texts.try_for_each(|text| {
        let first = text?.split_whitespace().next().context("an empty value")?.parse::<u64>()?;
        found.insert(first);
        Ok::<(), crate::failure::Failure>(())
    })?;
    ensure_eq!(found.len(), 1, "generations in one {what}: {found:?}");
    found.into_iter().next().context("none")
}

/// Returns revision and generation of the object, all of whose keys are of it.
fn look(store: &Blocking) -> Outcome<(Revision, u64)> {
    let object = store.object("n")?;
    let texts = object.entries.values().map(|entry| Ok(entry.value.decode::<String>()?));
    let generation = one_generation(texts, "object")?;
    ensure_eq!(object.entries.len() as u64, 20 + generation, "keys of generation {generation}");
    Ok((object.revision, generation))
}

/// Returns the generation of the log, all of whose entries are of it.
fn entries(store: &Blocking) -> Outcome<u64> {
    let log = store.read_log("n", "log", LogRange::all())?;
    let texts = log.iter().map(|entry| Ok(entry.entry.decode::<String>()?));
    let generation = one_generation(texts, "log")?;
    ensure_eq!(log.len() as u64, 10 + generation, "entries of generation {generation}");
    Ok(generation)
}

/// What processes write while a dump is restored is either gone, all of it, or comes behind all that the dump holds;
/// what they write has revisions that grow.
pub(super) fn writes_beside_a_restore_come_before_it_or_after(arena: &Arena) -> Outcome {
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        writers.push(arena.worker("write_pairs")?.settings("durability=process").plan(writer)?.start()?);
    }
    release(&mut writers)?;
    let store = arena.open()?;
    let mut chance = arena.chance();
    let path = arena.folder().join("the.dump");
    std::thread::sleep(Duration::from_millis(30));
    export(&store, &path, Compression::None)?;
    let dumped = Contents::read(&path)?;
    let (mut begun, mut ended) = (0, 0);
    for _ in arena.rounds(4, 60).go().take(60) {
        std::thread::sleep(Duration::from_micros(chance.u64(..50_000)));
        begun = now()?;
        restore(&store, &path, Existing::Replace)?;
        ended = now()?;
        // Writers go on, and both halves stay the same.
        let after = arena.folder().join("after.dump");
        export(&store, &after, Compression::None)?;
        halves(&Contents::read(&after)?, WRITERS).context("soon after a restore")?;
    }
    std::thread::sleep(Duration::from_millis(100));
    writers.iter_mut().try_for_each(|writer| writer.say("enough"))?;
    let wrote: Vec<Vec<Wrote>> = finish_all(writers)?;
    for wrote in &wrote {
        let grows = wrote.windows(2).all(|pair| matches!(pair, [a, b] if a.revision < b.revision));
        ensure!(grows, "a writer was given revisions that do not grow: {wrote:?}");
    }
    let after = arena.folder().join("after.dump");
    export(&store, &after, Compression::None)?;
    let (_, before) = halves(&dumped, WRITERS)?;
    let (_, log) = halves(&Contents::read(&after)?, WRITERS)?;
    ensure!(log.starts_with(&before), "what was dumped does not come first: {log:?}");
    let later: BTreeSet<(u64, u64)> = log.iter().skip(before.len()).copied().collect();
    ensure_eq!(later.len() + before.len(), log.len(), "entries that are there twice");
    let mut afterwards = 0;
    for Wrote { writer, n, begun: from, ended: to, .. } in wrote.into_iter().flatten() {
        let there = later.contains(&(writer, n));
        if to < begun {
            ensure!(
                !there,
                "write {n} of writer {writer} was done before the restore, and is there after it"
            );
        }
        if from > ended {
            afterwards += 1;
            ensure!(there, "write {n} of writer {writer} began after the restore, and is gone");
        }
    }
    ensure!(afterwards > 0, "nobody wrote after the last restore");
    Ok(())
}
