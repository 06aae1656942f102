//! The suite that every backend of the state store must pass: real processes, kills, stops, odd input.
//!
//! Each case is a named trial, `backend::promise::case`, one for each backend, and names the promise of the
//! store that it proves. A backend's test is a few lines, in a test target with `harness = false`: an
//! implementation of [`Target`] and a call of [`main`].
//!
//! - **Workers are processes** of the same program, started through `/proc/self/exe`, so that locks, kills
//!   and users are real.
//! - **After every case** each store it used is read whole through the contract, and the engine checks its
//!   own files.
//! - **Nothing is timed** where an order, a count or a ratio will do; every wait is bounded, by a minute.
//! - **Chance** comes from a seed that a failure shows; `CONFORMANCE_SEED` sets it.
//! - **How much** is tried follows from `CONFORMANCE_PROFILE`, `quick` (the default) or `full`.
//! - **How long** the slowest cases took is said on stderr if `CONFORMANCE_TIMES` is set.
//! - **Nothing is left behind**, unless `CONFORMANCE_KEEP` is set: then the files of a failed case stay.
//! - **What cannot run here** is shown as ignored with the reason; as root under `CI=true` it fails instead.
//! - **Disks** that lose power, fill up or take no write are files, mounted in a namespace of mounts that is gone
//!   with its process; they need root, and room for 2 GiB in the folder of the case.
//! - **Where**: every case gets a folder in `TMPDIR`, so that setting it tries a disk or a filesystem.
//! - **System calls** are failed one by one, killed at, and recorded for power cuts on a model of a disk, by a
//!   tracer of its own.
//! - **By a program** the suite runs as by a test: see [`Run`].
//! - **What only one engine can try** its target brings: see [`OwnCase`].
//! - **An engine of one's own** can begin as a copy of `examples/single_file`, or of `examples/in_memory`.
//! - **That it can fail** is tried by `tests/mutants.rs`: stores broken in one way at a time, and which case sees it.
//!
//! ```text
//! cargo test -p store-sqlite --test conformance                    # all
//! cargo test -p store-sqlite --test conformance -- atomic::        # one promise
//! TMPDIR=/mnt/disk CONFORMANCE_SEED=7 cargo test -p store-sqlite --test conformance
//! ```
//!
//! It needs Linux.

mod ability;
mod arena;
mod audit;
mod cases;
mod clock;
mod counts;
mod disk;
mod drill;
mod exhibit;
mod failure;
mod forked;
pub mod history;
mod job;
mod kernel_locks;
mod members;
mod model;
mod own;
mod plan;
mod prints;
mod progress;
mod report;
mod rights;
mod rounds;
mod run;
mod runner;
mod target;
mod tracer;
mod trials;
mod users;
mod values;
mod watcher;
mod wire;
mod worker;

use std::io::Write;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use libtest_mimic::Arguments;

pub use ability::Ability;
pub use counts::Count;
pub use exhibit::{Exhibit, Span};
pub use own::{OwnCase, OwnWork, Process, tell};
pub use report::{About, CaseReport, EngineReport, Machine, Report, Verdict};
pub use run::{Profile, Run, profile, seed};
pub use target::{Artefact, Damage, Role, Shape, Target, Tight, open_embedded};

/// How many cases are named as the slowest.
const SLOWEST: usize = 20;

/// What became of the cases that have run.
static DONE: Mutex<Vec<CaseReport>> = Mutex::new(Vec::new());

fn keep(report: CaseReport) {
    DONE.lock().unwrap_or_else(PoisonError::into_inner).push(report);
}

/// Tries every case on every target, as told by the arguments of the process, which are those of `cargo
/// test`; returns what `main` returns.
///
/// It has to be called first thing in `main`, with the same targets each time: the workers of the suite are
/// processes of the same program, and this is where they learn that they are.
///
/// # Examples
/// See [`Target`].
pub fn main(targets: &[&'static dyn Target]) -> ExitCode {
    if let Some(code) = run_worker_if_ordered(targets) {
        return code;
    }
    let setup = run::environment();
    let trials = trials::of(plan::all(targets), setup, keep);
    let ran = libtest_mimic::run(&Arguments::from_args(), trials);
    if std::env::var_os("CONFORMANCE_TIMES").is_some() {
        let mut done = DONE.lock().unwrap_or_else(PoisonError::into_inner);
        done.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
        for case in done.iter().take(SLOWEST) {
            let _ = writeln!(std::io::stderr(), "{:8.3} s  {}", case.seconds, case.name());
        }
    }
    ran.exit_code()
}

/// Works, and returns what `main` has to return, if this process is a worker of the suite; a look at the
/// environment if it is not.
///
/// A program that makes a [`Run`] calls it first thing in `main`, before it reads its arguments or starts a
/// thread, with all targets that it has.
pub fn run_worker_if_ordered(targets: &[&'static dyn Target]) -> Option<ExitCode> {
    tracer::run_if_ordered().or_else(|| job::run_if_ordered(targets))
}
