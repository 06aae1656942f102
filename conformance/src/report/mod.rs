//! What a run came to: every case, what was counted, on which machine; as data, a table, a page.

mod html;
mod junit;
mod machine;
mod table;
#[cfg(test)]
mod tests;
mod timeline;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use store_core::Timestamp;

pub use machine::{EngineReport, Machine};
pub(crate) use table::thousands;

use crate::counts::Count;
use crate::exhibit::Exhibit;
use crate::run::{Profile, Setup};
use crate::target::Target;

/// The version of what [`Report::write_json`] writes.
const FORMAT: u32 = 1;

/// All that a run of the suite came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The version of this form, 1.
    pub format: u32,
    /// How, when and where the suite ran.
    pub about: About,
    /// What was counted in all cases of a backend, by backend.
    pub counts: BTreeMap<String, BTreeMap<Count, u64>>,
    /// Every case of every backend that was chosen.
    pub cases: Vec<CaseReport>,
}

/// How, when and where a run took place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// The version of the suite.
    pub suite: String,
    /// When it began, in RFC 3339.
    pub started: String,
    /// How many seconds it took.
    pub seconds: f64,
    /// How much was tried.
    pub profile: Profile,
    /// The seconds that bounded it; none if nothing did.
    pub bound: Option<f64>,
    /// The number that all chance followed from.
    pub seed: u64,
    /// The machine, and the filesystem of the folder.
    pub machine: Machine,
    /// The backends, by name.
    pub engines: Vec<EngineReport>,
}

/// What one case on one backend came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseReport {
    /// The name of the backend.
    pub backend: String,
    /// The chapter of the promise that it proves.
    pub promise: String,
    /// What it proves.
    pub case: String,
    /// What it came to.
    pub verdict: Verdict,
    /// How many seconds it took.
    pub seconds: f64,
    /// What it counted.
    pub counts: BTreeMap<Count, u64>,
}

/// What a case came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Verdict {
    /// It holds.
    Passed,
    /// It does not.
    Failed {
        /// What was found, and where.
        words: String,
        /// What can be drawn of it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        exhibits: Vec<Exhibit>,
    },
    /// It could not run here.
    Ignored {
        /// What it needs.
        why: String,
    },
    /// It needs what the backend says that it lacks, and was refused.
    NotDeclared {
        /// What it was refused.
        why: String,
    },
}

impl CaseReport {
    /// Returns its name, `backend::promise::case`.
    pub fn name(&self) -> String {
        format!("{}::{}::{}", self.backend, self.promise, self.case)
    }
}

impl About {
    pub(crate) fn of(
        targets: &[&'static dyn Target],
        setup: &Setup,
        started: Timestamp,
        took: Duration,
    ) -> Self {
        let at = setup.at.clone().unwrap_or_else(std::env::temp_dir);
        Self {
            suite: env!("CARGO_PKG_VERSION").to_owned(),
            started: started.to_string(),
            seconds: took.as_secs_f64(),
            profile: setup.profile,
            bound: setup.time.map(|time| time.as_secs_f64()),
            seed: setup.seed,
            machine: Machine::of(&at),
            engines: targets.iter().map(|target| EngineReport::of(*target, &at)).collect(),
        }
    }
}

impl Report {
    pub(crate) fn new(about: About, cases: Vec<CaseReport>) -> Self {
        let mut counts: BTreeMap<String, BTreeMap<Count, u64>> = BTreeMap::new();
        for case in &cases {
            let of_backend = counts.entry(case.backend.clone()).or_default();
            for (what, number) in &case.counts {
                *of_backend.entry(*what).or_default() += number;
            }
        }
        Self { format: FORMAT, about, counts, cases }
    }

    fn how_many(&self, is: impl Fn(&Verdict) -> bool) -> usize {
        self.cases.iter().filter(|case| is(&case.verdict)).count()
    }

    /// Returns how many cases passed.
    pub fn passed(&self) -> usize {
        self.how_many(|verdict| *verdict == Verdict::Passed)
    }

    /// Returns how many cases failed.
    pub fn failed(&self) -> usize {
        self.how_many(|verdict| matches!(verdict, Verdict::Failed { .. }))
    }

    /// Returns how many cases could not run here, those for which there was no time left among them.
    pub fn ignored(&self) -> usize {
        self.how_many(|verdict| matches!(verdict, Verdict::Ignored { .. }))
    }

    /// Returns how many cases need what the backend says that it lacks.
    pub fn not_declared(&self) -> usize {
        self.how_many(|verdict| matches!(verdict, Verdict::NotDeclared { .. }))
    }

    /// Returns the cases by the time they took, the slowest first.
    pub fn slowest(&self) -> Vec<&CaseReport> {
        let mut cases: Vec<_> = self.cases.iter().collect();
        cases.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
        cases
    }

    /// Returns the table of promises and backends, and of what was counted, as text.
    pub fn table(&self) -> String {
        table::of(self)
    }

    /// Writes all of it as JSON.
    ///
    /// # Errors
    /// What the system says, with the path.
    pub fn write_json(&self, path: &Path) -> Result<(), String> {
        let text = serde_json::to_string_pretty(self).map_err(|error| error.to_string())?;
        write(path, &(text + "\n"))
    }

    /// Writes a page that shows all of it, drawings of failures included, and that needs nothing else.
    ///
    /// # Errors
    /// What the system says, with the path.
    pub fn write_html(&self, path: &Path) -> Result<(), String> {
        write(path, &html::page(self))
    }

    /// Writes what build servers read: a suite of tests for each backend, in the form of JUnit.
    ///
    /// # Errors
    /// What the system says, with the path.
    pub fn write_junit(&self, path: &Path) -> Result<(), String> {
        write(path, &junit::of(self)?)
    }

    /// Returns the backends in the order in which they ran.
    fn backends(&self) -> Vec<&str> {
        unique(self.cases.iter().map(|case| case.backend.as_str()))
    }

    /// Returns the promises in the order of their chapters.
    fn promises(&self) -> Vec<&str> {
        unique(self.cases.iter().map(|case| case.promise.as_str()))
    }

    /// Returns the command that runs a case again as it ran.
    fn command(&self, case: &CaseReport) -> String {
        command(
            &case.backend,
            &format!("{}::{}", case.promise, case.case),
            self.about.profile,
            self.about.seed,
        )
    }
}

/// Returns the command that runs the cases of a name again on a backend.
pub(crate) fn command(backend: &str, filter: &str, profile: Profile, seed: u64) -> String {
    let profile = profile.pick("", " --profile full");
    format!("statestore conformance --at DIR --backend {backend} --filter {filter}{profile} --seed {seed}")
}

fn unique<'t>(texts: impl Iterator<Item = &'t str>) -> Vec<&'t str> {
    let mut seen = BTreeSet::new();
    texts.filter(|text| seen.insert(*text)).collect()
}

/// Writes a file whole, over one that may be there.
fn write(path: &Path, text: &str) -> Result<(), String> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let written = tempfile::Builder::new().prefix(".report-").tempfile_in(folder).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.as_file().set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
        file.persist(path).map_err(|error| error.error)
    });
    written.map(drop).map_err(|error| format!("cannot write {}: {error}", path.display()))
}
