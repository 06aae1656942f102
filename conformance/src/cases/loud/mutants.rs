//! Stores of which some file was changed at random: bits flipped, blocks lost, doubled or made zero, the file
//! cut or made longer.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use fastrand::Rng;

use super::copies::{Opener, Original, Told};
use super::spoilt::{files_of, is_allowed, remove};
use crate::arena::{Arena, Hire};
use crate::cases::works;
use crate::counts::Count;
use crate::failure::{Context, Failure, Outcome, ensure};
use crate::job::{Job, Work};

pub(super) const WORKS: &[Work] = works![check_itself];

const BLOCK: usize = 4096;
/// How much at the head and at the tail of a file is changed more often than the rest.
const LIVELY: usize = 8 * BLOCK;

/// One change of a file's bytes.
#[derive(Debug, Clone, Copy)]
enum Mutation {
    Flip { at: usize, bit: u8 },
    Zero { at: usize, count: usize },
    Double { at: usize },
    Drop { at: usize },
    Cut { at: usize },
    Extend { count: usize },
}

impl Mutation {
    /// Draws one for a file of a size: at its head, at its tail or anywhere.
    fn draw(size: usize, chance: &mut Rng) -> Self {
        let near = size.clamp(1, LIVELY);
        let at = match chance.u8(..3) {
            0 => chance.usize(..near),
            1 => size.saturating_sub(1 + chance.usize(..near)),
            _ => chance.usize(..size.max(1)),
        };
        let block = at / BLOCK * BLOCK;
        match chance.u8(..8) {
            0..3 => Self::Flip { at, bit: chance.u8(..8) },
            3 => Self::Zero { at: block, count: BLOCK },
            4 => Self::Double { at: block },
            5 => Self::Drop { at: block },
            6 => Self::Cut { at },
            _ => Self::Extend { count: chance.usize(1..2 * BLOCK) },
        }
    }

    fn apply(self, bytes: &mut Vec<u8>, chance: &mut Rng) {
        let end = |at: usize, count: usize| (at + count).min(bytes.len());
        match self {
            Self::Flip { at, bit } => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << bit;
                }
            }
            Self::Zero { at, count } => {
                let to = end(at, count);
                bytes.get_mut(at..to).unwrap_or_default().fill(0);
            }
            Self::Double { at } => {
                let block = bytes.get(at..end(at, BLOCK)).unwrap_or_default().to_vec();
                bytes.splice(at..at, block);
            }
            Self::Drop { at } => drop(bytes.drain(at..end(at, BLOCK))),
            Self::Cut { at } => bytes.truncate(at),
            Self::Extend { count } => bytes.extend(std::iter::repeat_with(|| chance.u8(..)).take(count)),
        }
    }
}

/// Changes a file; returns how, or none if there is nothing in it.
fn mutate(path: &Path, chance: &mut Rng) -> Outcome<Option<Mutation>> {
    let mut bytes = Vec::new();
    File::open(path)?.read_to_end(&mut bytes)?;
    if bytes.is_empty() {
        return Ok(None);
    }
    let mutation = Mutation::draw(bytes.len(), chance);
    mutation.apply(&mut bytes, chance);
    File::options().write(true).truncate(true).open(path)?.write_all(&bytes)?;
    Ok(Some(mutation))
}

/// Whatever was changed in whatever file: nobody crashes or hangs, no store is taken for an empty one, and
/// either all is as it was or it is told of. An engine that does not verify what it reads may miss a change;
/// what neither it nor its own check tells of is counted, and is the lesser part by far.
pub(super) fn a_random_change_of_a_file_is_told_of_or_changes_nothing(arena: &Arena) -> Outcome {
    let original = Original::make(arena)?;
    let mut chance = arena.chance();
    let mut opener = Opener::start(arena)?;
    let (mut tried, mut unnoticed) = (0, 0);
    // Where what lies in several files can be put together, more of it lies where nothing else has it too.
    let mut harmless = arena.target.damages();
    harmless.retain(|damage| damage.refused.is_none());
    for round in arena.rounds(60, 1_000).go() {
        let path = original.copy(arena, &format!("mutant {round}"))?;
        if let Some(damage) = harmless.get(chance.usize(..=harmless.len())) {
            (damage.inflict)(&path).map_err(Failure::new)?;
        }
        let artefacts = files_of(arena, &path);
        // The data itself is every other time what is changed.
        let nth = if chance.bool() { 0 } else { chance.usize(..artefacts.len()) };
        let artefact = artefacts.get(nth).context("a store without files")?;
        let Some(mutation) = mutate(&artefact.path, &mut chance)? else { continue };
        let what = format!("{mutation:?} in {}", artefact.path.display());
        let told = opener.open(&path, chance.bool()).context(&what)?;
        tried += 1;
        if !is_allowed(arena, &original, artefact.role, &told) {
            ensure!(!arena.target.verifies_what_it_reads(), "{what}: lost or made up in silence: {told:?}");
            ensure!(!original.is_taken_for_empty(&told), "{what}: taken for a store without anything");
            let check = Hire::new(arena.target, &path, "check_itself")?.start()?;
            let found: Vec<Option<String>> = check.finish().context(&what)?;
            unnoticed += u64::from(found.into_iter().all(|found| found.is_none()));
        }
        remove(path.parent().context("no folder")?)?;
    }
    arena.count(Count::Mutations, tried);
    arena.count(Count::Unnoticed, unnoticed);
    ensure!(unnoticed * 4 <= tried, "of {tried} changes {unnoticed} went unnoticed");
    Ok(())
}

/// Lets the engine check its files, and says what it finds.
fn check_itself(job: &Job) -> Outcome {
    job.say(job.target.check_integrity(&job.orders.path).err())
}

impl Original {
    /// Whether whoever opened a copy found nothing at all in it, and took that for all there is.
    fn is_taken_for_empty(&self, told: &Told) -> bool {
        matches!(told, Told::Stands(stand) | Told::Reads(stand, ..) if self.is_nothing(*stand))
    }
}
