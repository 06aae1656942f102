//! Artefacts that are cut short, overwritten, or no files at all.

use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixListener;
use std::path::Path;

use fastrand::Rng;
use nix::sys::stat::Mode;

use super::copies::{Opener, Original, Told, outside};
use crate::arena::Arena;
use crate::counts::Count;
use crate::failure::{Context, Outcome, ensure, ensure_eq};
use crate::prints::{prints, prints_but_gate, prints_of};
use crate::target::{Artefact, Role, Shape};

/// One way to spoil a file.
#[derive(Debug, Clone, Copy)]
enum Spoil {
    CutTo(u64),
    /// Noise from an offset on.
    Noise(u64, usize),
    /// Zeros from an offset on.
    Zeros(u64, usize),
}

impl Spoil {
    /// Returns several ways to spoil a file of a size; most damage is done near its ends.
    fn several(size: u64, times: usize, chance: &mut Rng) -> Vec<Self> {
        let mut all = vec![Self::CutTo(0), Self::CutTo(size.saturating_sub(1)), Self::Noise(0, 8)];
        for time in 0..times {
            let range = if time % 2 == 0 { size } else { size.min(32_768) };
            let at = chance.u64(..range.max(1));
            let from_end = size.saturating_sub(at);
            all.push(Self::CutTo(at));
            all.push(Self::Noise(at, 64));
            all.push(Self::Zeros(if time % 2 == 0 { from_end } else { at }, 512));
        }
        all
    }

    /// Spoils a file; noise is of bytes that are no text.
    fn inflict(self, path: &Path, chance: &mut Rng) -> Outcome {
        let file = std::fs::File::options().write(true).open(path)?;
        let room = |at: u64| file.metadata().map(|found| found.len().saturating_sub(at));
        match self {
            Self::CutTo(size) => file.set_len(size)?,
            Self::Noise(at, count) => {
                let count = count.min(usize::try_from(room(at)?)?);
                let noise: Vec<u8> = std::iter::repeat_with(|| chance.u8(0x80..)).take(count).collect();
                file.write_all_at(&noise, at)?;
            }
            Self::Zeros(at, count) => {
                file.write_all_at(&vec![0; count.min(usize::try_from(room(at)?)?)], at)?;
            }
        }
        Ok(())
    }
}

/// Says whether what is found is allowed after an artefact of a role was spoilt.
pub(super) fn is_allowed(arena: &Arena, original: &Original, role: Role, told: &Told) -> bool {
    match told {
        Told::Of(..) => true,
        Told::Stands(stand) | Told::Reads(stand, ..) => {
            let ended = arena.target.ends_with_its_last_whole_record(role);
            original.is_whole(*stand) || ended && original.was_once(*stand)
        }
    }
}

/// Each artefact is cut short, or bytes in it are overwritten. Whoever opens the store then finds all that
/// was acknowledged, or is told; nothing is made up, nothing is lost in silence, and reading changes nothing.
pub(super) fn a_spoilt_artefact_is_told_of_or_loses_nothing(arena: &Arena) -> Outcome {
    let original = Original::make(arena)?;
    let mut chance = arena.chance();
    let mut opener = Opener::start(arena)?;
    let mut times_told = 0;
    for (number, artefact) in (0..).zip(files_of(arena, &original.path)) {
        let size = artefact.path.metadata()?.len();
        let ways = Spoil::several(size, arena.profile.pick(3, 40), &mut chance);
        for (way, spoil) in (0..).zip(ways) {
            let path = original.copy(arena, &format!("{number} {way}"))?;
            let what = format!("{} of {size} bytes, {spoil:?}", artefact.path.display());
            spoil.inflict(&original.counterpart(&path, &artefact.path)?, &mut chance)?;
            arena.count(Count::Mutations, 1);
            let before = prints(arena.target, &path)?;
            let read = opener.open(&path, true).context(&what)?;
            ensure_eq!(prints(arena.target, &path)?, before, "{what}, after reading: {read:?}");
            let written = opener.open(&path, false).context(&what)?;
            for told in [&read, &written] {
                let allowed = is_allowed(arena, &original, artefact.role, told);
                ensure!(allowed, "{what}: lost or made up in silence: {told:?}");
                times_told += usize::from(!matches!(told, Told::Stands(_)));
            }
            remove(path.parent().context("no folder")?)?;
        }
    }
    ensure!(times_told > 0, "whatever was spoilt, nobody was ever told");
    Ok(())
}

/// Returns the artefacts of a store that are files.
pub(super) fn files_of(arena: &Arena, path: &Path) -> Vec<Artefact> {
    let artefacts = arena.target.artefacts(path).into_iter();
    artefacts.filter(|artefact| artefact.path.is_file()).collect()
}

type Put = fn(&Path, &Path) -> Outcome;

/// What can lie where a file should, made at the first path; the second is a file elsewhere.
const THINGS: [(&str, Put); 5] = [
    ("a link", |path, outside| Ok(std::os::unix::fs::symlink(outside, path)?)),
    ("a link that leads nowhere", |path, outside| {
        Ok(std::os::unix::fs::symlink(outside.with_extension("missing"), path)?)
    }),
    ("a folder", |path, _| Ok(std::fs::create_dir(path)?)),
    ("a pipe", |path, _| Ok(nix::unistd::mkfifo(path, Mode::S_IRWXU)?)),
    ("a socket", |path, _| Ok(UnixListener::bind(path).map(drop)?)),
];

/// Where a file or a folder of the store should be lies something else: it is refused, or done without, with
/// nothing lost; no link leads anybody out of the store, and nobody waits at a pipe.
pub(super) fn what_is_no_file_in_place_of_an_artefact_is_refused(arena: &Arena) -> Outcome {
    let original = Original::make(arena)?;
    let mut opener = Opener::start(arena)?;
    let there = arena.target.artefacts(&original.path).into_iter();
    for (number, artefact) in (0..).zip(there.filter(|artefact| artefact.path.exists())) {
        for (name, put) in THINGS {
            // By way of a link to its data file a store is the one that the link leads to.
            let leads =
                arena.target.shape() == Shape::File && artefact.role == Role::Data && name == "a link";
            if leads || artefact.path.is_dir() && name == "a folder" {
                continue;
            }
            let path = original.copy(arena, &format!("{number} {name}"))?;
            let at = original.counterpart(&path, &artefact.path)?;
            let outside = outside(arena, &format!("outside {number} {name}"), &at)?;
            remove(&at)?;
            in_short(&at, &outside, put)?;
            is_refused_or_done_without(arena, &original, &path, &outside, &mut opener)
                .context(format_args!("{name} in place of {}", at.display()))?;
            remove(path.parent().context("no folder")?)?;
        }
    }
    Ok(())
}

/// Opens a store in which something is no file, for reading and for writing.
fn is_refused_or_done_without(
    arena: &Arena,
    original: &Original,
    path: &Path,
    outside: &Path,
    opener: &mut Opener,
) -> Outcome {
    let beside = outside.parent().context("no folder")?;
    let (before, elsewhere) = (prints_but_gate(arena.target, path)?, prints_of(beside)?);
    for read_only in [true, false] {
        let told = opener.open(path, read_only)?;
        if read_only {
            ensure_eq!(prints_but_gate(arena.target, path)?, before, "after reading: {told:?}");
        }
        let whole = match &told {
            Told::Of(..) => true,
            Told::Stands(stand) | Told::Reads(stand, ..) => original.is_whole(*stand),
        };
        ensure!(whole, "lost or made up in silence: {told:?}");
        ensure_eq!(prints_of(beside)?, elsewhere, "what lies elsewhere, after: {told:?}");
    }
    Ok(())
}

pub(super) fn remove(path: &Path) -> Outcome {
    let removed = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
    removed.context(path.display())
}

/// Puts something at a path, by way of its folder: the address of a socket has to be short.
fn in_short(at: &Path, outside: &Path, put: Put) -> Outcome {
    let folder = std::fs::File::open(at.parent().context("no folder")?)?;
    let fd = std::os::fd::AsRawFd::as_raw_fd(&folder);
    let short = Path::new("/proc/self/fd").join(fd.to_string()).join(at.file_name().context("no name")?);
    put(&short, outside)
}
