//! The cases as named trials: one for each backend and case.

use std::sync::{PoisonError, RwLock};

use libtest_mimic::{Failed, Trial};

use crate::arena::Arena;
use crate::cases::{self, Case};
use crate::target::Target;

/// Returns one trial for each target and case.
pub(crate) fn all(targets: &[&'static dyn Target]) -> Vec<Trial> {
    let seed = seed();
    let cases =
        || cases::ALL.iter().flat_map(|(promise, cases)| cases.iter().map(move |case| (promise, case)));
    let trials = targets.iter().flat_map(|target| {
        cases().map(move |(promise, case)| {
            let name = format!("{}::{promise}::{}", target.name(), case.name);
            trial(*target, name, case, seed)
        })
    });
    trials.collect()
}

fn trial(target: &'static dyn Target, name: String, case: &'static Case, seed: u64) -> Trial {
    let Some(reason) = case.needs.and_then(|why_not| why_not()) else {
        return Trial::test(name.clone(), move || run(target, &name, case, seed));
    };
    if must_not_ignore() {
        return Trial::test(name, move || {
            Err(format!("nothing may be ignored here, but this {reason}").into())
        });
    }
    Trial::test(name.clone(), move || run(target, &name, case, seed))
        .with_ignored_flag(true)
        .with_kind(reason)
}

/// Whether this is a machine on which every case has to run.
fn must_not_ignore() -> bool {
    std::env::var("CI").is_ok_and(|ci| ci == "true") && nix::unistd::geteuid().is_root()
}

/// Returns the seed of this run: the one that was set, or a random one.
fn seed() -> u64 {
    let set = std::env::var("CONFORMANCE_SEED").ok().and_then(|seed| seed.parse().ok());
    set.unwrap_or_else(|| fastrand::u64(..1_000_000))
}

/// Held shared by every case that runs, and alone by one that has to be.
static ARENAS: RwLock<()> = RwLock::new(());

fn run(target: &'static dyn Target, name: &str, case: &Case, seed: u64) -> Result<(), Failed> {
    let (_alone, _among_others);
    if case.alone {
        _alone = ARENAS.write().unwrap_or_else(PoisonError::into_inner);
    } else {
        _among_others = ARENAS.read().unwrap_or_else(PoisonError::into_inner);
    }
    let failed = |words: String| {
        Failed::from(format!("{words}\n    draw the same again with CONFORMANCE_SEED={seed}"))
    };
    let arena = Arena::new(target, seed, name).map_err(|failure| failed(failure.to_string()))?;
    let (ran, audited) = ((case.run)(&arena), arena.audit());
    let failures: Vec<String> =
        [ran, audited].into_iter().filter_map(Result::err).map(|f| f.to_string()).collect();
    if failures.is_empty() {
        return Ok(());
    }
    let mut words = failures.join("\n");
    if std::env::var_os("CONFORMANCE_KEEP").is_some() {
        words = format!("{words}\n    its files are kept in {}", arena.keep().display());
    }
    Err(failed(words))
}
