//! `conformance`: the suite of real processes, against the engines of this build, in a folder of one's own.

use std::process::ExitCode;

use conformance::{Run, Target};

use crate::args::ConformanceArgs;
use crate::exit::{Code, Failure};
use crate::output;

/// Which engines there are to be tried.
const TARGETS: &[&dyn Target] = &[
    #[cfg(feature = "sqlite")]
    &store_sqlite::target::Database,
    #[cfg(feature = "redb")]
    &store_redb::target::Database,
    #[cfg(feature = "jsonfile")]
    &store_jsonfile::target::Files,
];

/// How many cases are named as the slowest.
const SLOWEST: usize = 5;

/// Works and returns the exit code if this process was started as a worker of the suite.
pub(crate) fn worker() -> Option<ExitCode> {
    conformance::run_worker_if_ordered(TARGETS)
}

/// Runs the suite; what becomes of each case goes to stdout, the rest to stderr.
pub(crate) fn run(args: &ConformanceArgs) -> Result<(), Failure> {
    let mut run = Run::new(chosen(&args.backend)?).with_list(args.list).with_files_kept(args.keep);
    run = run.with_profile(args.profile);
    if let Some(filter) = &args.filter {
        run = run.with_filter(filter);
    }
    if let Some(seed) = args.seed {
        run = run.with_seed(seed);
    }
    if let Some(threads) = args.threads {
        run = run.with_threads(threads);
    }
    if let Some(folder) = &args.at {
        run = run.with_folder(folder);
    }
    let tally = run.go().map_err(|why| Failure::told(Code::Usage, why))?;
    for (time, case) in tally.times.iter().take(SLOWEST) {
        output::say(format_args!("{:.1} s for {case}", time.as_secs_f64()));
    }
    match (tally.failed, tally.passed) {
        (0, 0) if !args.list => {
            Err(Failure::told(Code::Usage, "no case has a name like that, or none can run"))
        }
        (0, _) => Ok(()),
        (failed, _) => Err(Failure::told(Code::Other, format!("{failed} cases failed"))),
    }
}

/// Returns the targets of these names, all of them if none is named.
fn chosen(names: &[String]) -> Result<Vec<&'static dyn Target>, Failure> {
    let known = || TARGETS.iter().map(|target| target.name()).collect::<Vec<_>>().join(", ");
    if let Some(unknown) = names.iter().find(|name| TARGETS.iter().all(|target| target.name() != **name)) {
        let why = format!("there is no backend {unknown:?}; this program has {}", known());
        return Err(Failure::told(Code::Usage, why));
    }
    let is_chosen =
        |target: &&&'static dyn Target| names.is_empty() || names.iter().any(|name| name == target.name());
    Ok(TARGETS.iter().filter(is_chosen).copied().collect())
}
