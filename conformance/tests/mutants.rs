//! Whether the suite can fail: an engine over a single file is broken in one way at a time, and a case of the
//! suite has to see it.
//!
//! Each trial is named `Mutant::promise::case` and runs that case, in a process of its own, against that
//! mutant; it passes if the case fails. So `--list` is the table of what catches what.
//!
//! With `CONFORMANCE_PROFILE=full` it is also tried, for every promise, that there is a mutant which only the
//! cases of that promise see, and that the same wrapper without a fault passes the whole suite.

#![expect(clippy::unwrap_used, reason = "a test, without the harness that says so")]

#[path = "../examples/single_file/backend.rs"]
mod backend;
#[path = "mutants/broken/mod.rs"]
mod broken;
#[path = "../examples/single_file/document.rs"]
mod document;
#[path = "../examples/single_file/engine.rs"]
mod engine;
#[path = "../examples/single_file/file.rs"]
mod file;
#[path = "../examples/single_file/state.rs"]
mod state;
#[path = "../examples/single_file/target.rs"]
mod target;

use std::collections::BTreeSet;
use std::process::{Command, ExitCode};

use broken::{Broken, CAUGHT, Mutant, ONLY};
use libtest_mimic::{Arguments, Failed, Trial};

/// Tells the process to be the suite, against every mutant.
const AS_SUITE: &str = "MUTANTS_AS_SUITE";

/// How often a case that should not see a mutant has to fail before it is believed.
const TRIES: usize = 3;

fn main() -> ExitCode {
    if std::env::var_os(AS_SUITE).is_some() {
        return conformance::main(&broken::targets());
    }
    let caught = CAUGHT.iter().flat_map(|(mutant, cases)| cases.iter().map(move |case| (*mutant, *case)));
    let caught = caught.map(|(mutant, case)| {
        let name = format!("{}::{case}", Broken(mutant).word());
        Trial::test(name.clone(), move || is_caught(&name))
    });
    let only = ONLY.iter().map(|(promise, mutant)| {
        let name = format!("{}::only::{promise}", Broken(*mutant).word());
        full(name, move || is_caught_only_by(*mutant, promise))
    });
    let sound = full("without_a_fault_the_suite_passes".to_owned(), without_a_fault_the_suite_passes);
    let complete = Trial::test("every_mutant_and_every_promise_is_named", everything_is_named);
    let trials = caught.chain(only).chain([sound, complete]).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// A trial that runs the whole suite.
fn full(name: String, run: impl FnOnce() -> Result<(), Failed> + Send + 'static) -> Trial {
    let trial = Trial::test(name, run);
    if std::env::var("CONFORMANCE_PROFILE").is_ok_and(|profile| profile == "full") {
        return trial;
    }
    trial.with_ignored_flag(true).with_kind("needs CONFORMANCE_PROFILE=full")
}

/// Runs the suite with arguments, as quickly as can be; returns whether it passed, and what it printed.
fn suite(arguments: &[&str]) -> Result<(bool, String), Failed> {
    let mut suite = Command::new("/proc/self/exe");
    let ran = suite.args(arguments).env(AS_SUITE, "yes").env("CONFORMANCE_PROFILE", "quick").output()?;
    Ok((ran.status.success(), String::from_utf8_lossy(&ran.stdout).into_owned()))
}

fn is_caught(trial: &str) -> Result<(), Failed> {
    let (passed, printed) = suite(&["--exact", trial])?;
    if passed || !printed.contains("1 failed") {
        return Err(format!("the case does not see the fault\n{printed}").into());
    }
    // A case that fails for want of time may have seen nothing.
    if printed.contains("said nothing") {
        return Err(format!("the case hangs where it should fail\n{printed}").into());
    }
    Ok(())
}

/// Returns the cases, as `promise::case`, that failed against a mutant.
fn failures(mutant: Mutant, printed: &str) -> Vec<&str> {
    let prefix = format!("test {}::", Broken(mutant).word());
    let lines = printed.lines().filter(|line| line.ends_with("FAILED"));
    lines.filter_map(|line| line.strip_prefix(&prefix)?.split_whitespace().next()).collect()
}

fn is_caught_only_by(mutant: Mutant, promise: &str) -> Result<(), Failed> {
    // Shares are fair only among those who compete, and here other suites run meanwhile.
    let all = format!("{}::", Broken(mutant).word());
    let (_, printed) = suite(&[&all, "--skip", "eight_writers_share"])?;
    let (within, elsewhere): (Vec<_>, Vec<_>) =
        failures(mutant, &printed).into_iter().partition(|case| case.starts_with(&format!("{promise}::")));
    // Among so many a case may fail for want of time; one that sees the mutant sees it again, and alone.
    let fails_again = |case: &&str| {
        let fails = || suite(&["--exact", &format!("{all}{case}")]).is_ok_and(|(passed, _)| !passed);
        (0..TRIES).all(|_| fails())
    };
    let elsewhere: Vec<_> = elsewhere.into_iter().filter(fails_again).collect();
    if !within.is_empty() && elsewhere.is_empty() {
        return Ok(());
    }
    Err(format!("only cases of {promise} should fail: {within:#?}, but these did: {elsewhere:#?}\n{printed}")
        .into())
}

fn without_a_fault_the_suite_passes() -> Result<(), Failed> {
    let all = format!("{}::", Broken(Mutant::None).word());
    let (passed, printed) = suite(&[&all, "--skip", "eight_writers_share"])?;
    if passed { Ok(()) } else { Err(printed.into()) }
}

/// No case in the table is of a name that the suite does not have, and every
/// promise has its mutant.
fn everything_is_named() -> Result<(), Failed> {
    let (_, printed) = suite(&["--list"])?;
    let prefix = format!("{}::", Broken(Mutant::None).word());
    let cases = printed.lines().filter_map(|line| line.strip_prefix(&prefix)?.strip_suffix(": test"));
    let cases: BTreeSet<&str> = cases.collect();
    let unknown: Vec<_> =
        CAUGHT.iter().flat_map(|(_, seen)| *seen).filter(|case| !cases.contains(**case)).collect();
    let promises: BTreeSet<&str> = cases.iter().filter_map(|case| Some(case.split_once("::")?.0)).collect();
    let without: Vec<_> =
        promises.iter().filter(|promise| !ONLY.iter().any(|(known, _)| known == *promise)).collect();
    if unknown.is_empty() && without.is_empty() {
        return Ok(());
    }
    Err(format!("cases that do not exist: {unknown:?}; promises without: {without:?}").into())
}
