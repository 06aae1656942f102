//! The cases as named trials: one for each backend and case.

use std::sync::{PoisonError, RwLock};
use std::time::Instant;

use libtest_mimic::{Failed, Trial};

use crate::arena::Arena;
use crate::cases::{self, Case};
use crate::failure::Outcome;
use crate::own::OwnCase;
use crate::run::{Setup, note_time};
use crate::target::Target;

/// Returns one trial for each target and case.
pub(crate) fn all(targets: &[&'static dyn Target], setup: &Setup) -> Vec<Trial> {
    let cases =
        || cases::ALL.iter().flat_map(|(promise, cases)| cases.iter().map(move |case| (promise, case)));
    let trials = targets.iter().copied().flat_map(|target| {
        let common = cases().map(move |(promise, case)| {
            let name = format!("{}::{promise}::{}", target.name(), case.name);
            trial(target, name, case, setup)
        });
        let own = target.own_cases().into_iter().map(move |case| {
            let name = format!("{}::{}::{}", target.name(), case.promise, case.name);
            let setup = setup.clone();
            Trial::test(name.clone(), move || run_own(target, &name, case, &setup))
        });
        common.chain(own)
    });
    trials.collect()
}

fn trial(target: &'static dyn Target, name: String, case: &'static Case, setup: &Setup) -> Trial {
    let setup = setup.clone();
    let Some(reason) = case.needs.and_then(|why_not| why_not()) else {
        return Trial::test(name.clone(), move || run(target, &name, case, &setup));
    };
    if must_not_ignore() {
        return Trial::test(name, move || {
            Err(format!("nothing may be ignored here, but this {reason}").into())
        });
    }
    Trial::test(name.clone(), move || run(target, &name, case, &setup))
        .with_ignored_flag(true)
        .with_kind(reason)
}

/// Whether this is a machine on which every case has to run.
fn must_not_ignore() -> bool {
    std::env::var("CI").is_ok_and(|ci| ci == "true") && nix::unistd::geteuid().is_root()
}

/// Held shared by every case that runs, and alone by one that has to be.
static ARENAS: RwLock<()> = RwLock::new(());

fn run(target: &'static dyn Target, name: &str, case: &Case, setup: &Setup) -> Result<(), Failed> {
    let (_alone, _among_others);
    if case.alone {
        _alone = ARENAS.write().unwrap_or_else(PoisonError::into_inner);
    } else {
        _among_others = ARENAS.read().unwrap_or_else(PoisonError::into_inner);
    }
    within(target, name, setup, |arena| [(case.run)(arena), arena.audit()].map(said).into())
}

fn run_own(target: &'static dyn Target, name: &str, case: OwnCase, setup: &Setup) -> Result<(), Failed> {
    let _among_others = ARENAS.read().unwrap_or_else(PoisonError::into_inner);
    within(target, name, setup, |arena| vec![(case.run)(arena.folder())])
}

fn said(outcome: Outcome) -> Result<(), String> {
    outcome.map_err(|failure| failure.to_string())
}

/// Does something in fresh surroundings, and says all that failed of it.
fn within(
    target: &'static dyn Target,
    name: &str,
    setup: &Setup,
    act: impl FnOnce(&Arena) -> Vec<Result<(), String>>,
) -> Result<(), Failed> {
    let failed = |words: String| {
        Failed::from(format!("{words}\n    draw the same again with CONFORMANCE_SEED={}", setup.seed))
    };
    let begun = Instant::now();
    let arena = Arena::new(target, setup, name).map_err(|failure| failed(failure.to_string()))?;
    let failures: Vec<String> = act(&arena).into_iter().filter_map(Result::err).collect();
    note_time(name, begun.elapsed());
    if failures.is_empty() {
        return Ok(());
    }
    let mut words = failures.join("\n");
    if setup.keep {
        words = format!("{words}\n    its files are kept in {}", arena.keep().display());
    }
    Err(failed(words))
}
