//! `conformance`: the suite of real processes, against the engines of this build, in a folder of one's own.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use conformance::{CaseReport, Profile, Report, Run, Target, Verdict};

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
    let run = prepare(args)?;
    let names = run.names();
    if names.is_empty() {
        return Err(Failure::told(Code::Usage, "no case has a name like that"));
    }
    if args.list {
        return list(&names);
    }
    let outlets = Outlets::of(args)?;
    let report = run.go().map_err(|why| Failure::told(Code::Usage, why))?;
    for case in report.slowest().into_iter().take(SLOWEST) {
        output::say(format_args!("{:.1} s for {}", case.seconds, case.name()));
    }
    outlets.write(&report)?;
    output::print(&format_args!("{}\n{}", report.table(), summary(&report)))?;
    match (report.failed(), report.ignored()) {
        (0, ignored) if ignored == report.cases.len() => {
            Err(Failure::told(Code::Usage, "none of these cases can run here"))
        }
        (0, _) if report.cases.iter().any(is_out_of_time) => Err(Failure::told(
            Code::Other,
            "the time was over before all cases had run; give it more --minutes",
        )),
        (0, _) => Ok(()),
        (failed, _) => Err(Failure::told(Code::Other, format!("{failed} cases failed"))),
    }
}

fn prepare(args: &ConformanceArgs) -> Result<Run, Failure> {
    let mut run = Run::new(chosen(&args.backend)?).with_files_kept(args.keep).with_profile(args.profile);
    if let Some(minutes) = args.minutes {
        if args.profile != Profile::Full {
            let why =
                "--minutes bounds a full run; add --profile full, or leave it out: a quick run takes a few";
            return Err(Failure::told(Code::Usage, why));
        }
        run = run.with_time(Duration::from_secs(60 * minutes));
    }
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
    Ok(run)
}

fn list(names: &[String]) -> Result<(), Failure> {
    let mut out = output::Output::new();
    for name in names {
        out.line(format_args!("{name}"))?;
    }
    out.flush()
}

fn is_out_of_time(case: &CaseReport) -> bool {
    matches!(&case.verdict, Verdict::Ignored { why } if why.contains("the time was over"))
}

fn summary(report: &Report) -> String {
    let not_declared = match report.not_declared() {
        0 => String::new(),
        n => format!(", {n} not declared"),
    };
    format!(
        "{} passed, {} failed, {} ignored{not_declared} in {:.0} s; seed {}",
        report.passed(),
        report.failed(),
        report.ignored(),
        report.about.seconds,
        report.about.seed
    )
}

/// The files that a report goes to.
#[derive(Debug)]
struct Outlets<'a>(Vec<(&'a Path, Write)>);

type Write = fn(&Report, &Path) -> Result<(), String>;

impl<'a> Outlets<'a> {
    /// Makes sure, before a run of many minutes, that each can be written when it is over.
    fn of(args: &'a ConformanceArgs) -> Result<Self, Failure> {
        let outlets: [(Option<&Path>, Write); 3] = [
            (args.report.as_deref(), Report::write_html),
            (args.json.as_deref(), Report::write_json),
            (args.junit.as_deref(), Report::write_junit),
        ];
        let outlets: Vec<_> = outlets.into_iter().filter_map(|(path, write)| Some((path?, write))).collect();
        for (path, _) in &outlets {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            let folder = folder.unwrap_or(Path::new("."));
            let can = tempfile::tempfile_in(folder).map_err(|error| error.to_string());
            let can = if path.is_dir() { Err("it is a folder".to_owned()) } else { can.map(drop) };
            can.map_err(|why| Failure::told(Code::Usage, format!("cannot write {}: {why}", path.display())))?;
        }
        Ok(Self(outlets))
    }

    fn write(&self, report: &Report) -> Result<(), Failure> {
        let written = self.0.iter().try_for_each(|(path, write)| write(report, path));
        written.map_err(|why| Failure::told(Code::Other, why))
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
