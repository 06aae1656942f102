//! Whether the suite can fail: every case is run against a store that is broken for the purpose, and has to
//! see it. A case that passes whatever the store does proves nothing.
//!
//! Each trial runs one case of the suite, in a process of its own, against SQLite with one fault; the trial
//! passes if the case fails. Without a fault the same wrapper passes the whole suite.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test, without the harness that says so")]

mod broken;

use std::collections::BTreeSet;
use std::process::{Command, ExitCode};

use broken::{Broken, FAULTS, Fault};
use libtest_mimic::{Arguments, Failed, Trial};

/// Tells the process to be the suite, against every fault.
const AS_SUITE: &str = "SUITE_CAN_FAIL";

fn main() -> ExitCode {
    if std::env::var_os(AS_SUITE).is_some() {
        return conformance::main(&broken::targets());
    }
    let seen = FAULTS.iter().flat_map(|(fault, cases)| {
        cases.iter().map(|case| {
            let trial = format!("{}::{case}", Broken(*fault).word());
            Trial::test(trial.clone(), move || is_seen(&trial))
        })
    });
    let mut trials: Vec<Trial> = seen.collect();
    trials.push(Trial::test("every_case_is_seen_to_fail", every_case_is_seen_to_fail));
    trials.push(Trial::test("without_a_fault_the_suite_passes", without_a_fault_the_suite_passes));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Runs the suite with arguments; returns whether it passed, and what it printed.
fn suite(arguments: &[&str]) -> Result<(bool, String), Failed> {
    let ran = Command::new("/proc/self/exe").args(arguments).env(AS_SUITE, "yes").output()?;
    Ok((ran.status.success(), String::from_utf8_lossy(&ran.stdout).into_owned()))
}

fn is_seen(trial: &str) -> Result<(), Failed> {
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

fn every_case_is_seen_to_fail() -> Result<(), Failed> {
    let (_, printed) = suite(&["--list"])?;
    let prefix = format!("{}::", Broken(Fault::None).word());
    let all = printed.lines().filter_map(|line| line.strip_prefix(&prefix)?.strip_suffix(": test"));
    let seen: BTreeSet<&str> = FAULTS.iter().flat_map(|(_, cases)| cases.iter().copied()).collect();
    let unseen: Vec<&str> = all.filter(|case| !seen.contains(case)).collect();
    // It knows no store, only texts: it is seen to fail on a store-core that lets one of them through.
    if unseen == ["input_proof::texts_that_are_no_value_are_refused"] {
        return Ok(());
    }
    Err(format!("no fault is there for: {unseen:#?}").into())
}

fn without_a_fault_the_suite_passes() -> Result<(), Failed> {
    // Shares are fair only among those who compete, and here other suites run meanwhile.
    let all = format!("{}::", Broken(Fault::None).word());
    let (passed, printed) = suite(&[&all, "--skip", "eight_writers_share"])?;
    if passed { Ok(()) } else { Err(printed.into()) }
}
