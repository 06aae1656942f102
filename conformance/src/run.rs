//! A run of the suite: on which targets, where, how much of it, and with which chance.

use std::num::NonZero;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use store_core::Timestamp;

use crate::clock::Clock;
use crate::counts::Counts;
use crate::plan::{self, Planned};
use crate::report::{About, Report};
use crate::runner;
use crate::target::Target;

/// How much a case tries that could go on for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// As much as can be waited for at every change.
    #[default]
    Quick,
    /// As much as is promised: ten thousand namespaces, a million entries.
    Full,
}

impl FromStr for Profile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "quick" => Ok(Self::Quick),
            "full" => Ok(Self::Full),
            _ => Err(format!("{text:?} is no profile; there are quick and full")),
        }
    }
}

impl Profile {
    /// Returns the first number for a quick run, the second for a full one.
    pub fn pick<T>(self, quick: T, full: T) -> T {
        match self {
            Self::Quick => quick,
            Self::Full => full,
        }
    }
}

/// What every case of a run goes by.
#[derive(Debug, Clone, Default)]
pub(crate) struct Setup {
    /// The folder in which every case gets one of its own; `TMPDIR` unless it is chosen.
    pub(crate) at: Option<PathBuf>,
    pub(crate) profile: Profile,
    pub(crate) seed: u64,
    /// Whether the files of a failed case stay.
    pub(crate) keep: bool,
    /// How long a full run may take.
    pub(crate) time: Option<Duration>,
    /// What all cases count together.
    pub(crate) counts: Arc<Counts>,
    pub(crate) clock: Arc<Clock>,
}

/// The setup of the run that this process makes; workers have none and need none.
static SETUP: RwLock<Option<Setup>> = RwLock::new(None);

/// Returns the setup of the run, or that of the environment before there is one.
pub(crate) fn setup() -> Setup {
    let set = SETUP.read().unwrap_or_else(PoisonError::into_inner);
    set.clone().unwrap_or_else(|| environment().clone())
}

/// What the environment says; a seed that it does not name is drawn once.
pub(crate) fn environment() -> &'static Setup {
    static SAID: OnceLock<Setup> = OnceLock::new();
    let said = |name| std::env::var(name).ok();
    SAID.get_or_init(|| Setup {
        profile: said("CONFORMANCE_PROFILE").and_then(|text| text.parse().ok()).unwrap_or_default(),
        seed: said("CONFORMANCE_SEED")
            .and_then(|text| text.parse().ok())
            .unwrap_or_else(|| fastrand::u64(..1_000_000)),
        keep: std::env::var_os("CONFORMANCE_KEEP").is_some(),
        ..Setup::default()
    })
}

/// Returns how much this run tries, for the cases of an engine's own.
pub fn profile() -> Profile {
    setup().profile
}

/// Returns the number that all chance of this run follows from, for the cases of an engine's own.
pub fn seed() -> u64 {
    setup().seed
}

/// A run of the suite by a program; [`main`](crate::main) is the one of a test.
///
/// The program has to call [`run_worker_if_ordered`](crate::run_worker_if_ordered) first thing in its `main`.
///
/// # Examples
/// ```no_run
/// use conformance::{Profile, Run, Target};
///
/// # fn example(mine: &'static dyn Target) -> Result<(), String> {
/// let run = Run::new(vec![mine]).with_filter("durable::").with_profile(Profile::Full);
/// let report = run.with_folder("/mnt/disk").go()?;
/// assert_eq!(report.failed(), 0);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a run has to go"]
pub struct Run {
    targets: Vec<&'static dyn Target>,
    setup: Setup,
    filter: Option<String>,
    threads: NonZero<usize>,
}

impl Run {
    /// Prepares a run of all cases on targets, as the environment has it.
    pub fn new(targets: Vec<&'static dyn Target>) -> Self {
        let threads = std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
        Self { targets, setup: environment().clone(), filter: None, threads }
    }

    /// Gives every case a folder in this one, which is made if it is missing, instead of `TMPDIR`.
    pub fn with_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.setup.at = Some(folder.into());
        self
    }

    /// Runs only cases whose name, `backend::promise::case`, contains a text.
    pub fn with_filter(mut self, text: impl Into<String>) -> Self {
        self.filter = Some(text.into());
        self
    }

    /// Chooses how much is tried; otherwise `CONFORMANCE_PROFILE` does, and quick it is.
    pub fn with_profile(mut self, profile: Profile) -> Self {
        self.setup.profile = profile;
        self
    }

    /// Lets a full run take so long: drills go on until then, and what has not begun by then is not run.
    pub fn with_time(mut self, time: Duration) -> Self {
        self.setup.time = Some(time);
        self
    }

    /// Chooses the number that all chance follows from; otherwise `CONFORMANCE_SEED` does, or chance.
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.setup.seed = seed;
        self
    }

    /// Leaves the files of a case that fails.
    pub fn with_files_kept(mut self, keep: bool) -> Self {
        self.setup.keep = keep;
        self
    }

    /// Runs so many cases at once, as many as there are processors unless it is chosen.
    pub fn with_threads(mut self, threads: NonZero<usize>) -> Self {
        self.threads = threads;
        self
    }

    /// Returns the names of the cases that would run.
    pub fn names(&self) -> Vec<String> {
        self.plan().iter().map(Planned::name).collect()
    }

    /// Runs, shows on stderr how far it is, prints on stdout what became of each case, and returns all of it.
    ///
    /// # Errors
    /// Why nothing can run in the folder that was chosen.
    pub fn go(mut self) -> Result<Report, String> {
        if let Some(folder) = self.setup.at.take() {
            self.setup.at = Some(usable(&folder)?);
        }
        let plan = self.plan();
        let drills = plan.iter().filter(|planned| planned.is_drill()).count();
        self.setup.clock = Arc::new(Clock::start(self.setup.time, drills, self.threads));
        begin(&self.setup);
        let (started, begun) = (Timestamp::now(), Instant::now());
        let cases = runner::run(plan, &self.setup, self.threads);
        let about = About::of(&self.targets, &self.setup, started, begun.elapsed());
        Ok(Report::new(about, cases))
    }

    fn plan(&self) -> Vec<Planned> {
        let chosen =
            |planned: &Planned| self.filter.as_ref().is_none_or(|text| planned.name().contains(text));
        plan::all(&self.targets).into_iter().filter(chosen).collect()
    }
}

/// Makes a setup the one of this process.
pub(crate) fn begin(setup: &Setup) {
    *SETUP.write().unwrap_or_else(PoisonError::into_inner) = Some(setup.clone());
}

/// Makes a folder if it is missing, and returns the path under which every user of a case reaches it.
fn usable(folder: &Path) -> Result<PathBuf, String> {
    let said = |error: std::io::Error| format!("{}: {error}", folder.display());
    std::fs::create_dir_all(folder).map_err(said)?;
    let folder = folder.canonicalize().map_err(said)?;
    let shut = folder.ancestors().find(|path| path.metadata().is_ok_and(|found| found.mode() & 0o001 == 0));
    match shut {
        Some(shut) if nix::unistd::geteuid().is_root() => Err(format!(
            "the users of some cases cannot get to {}; run `chmod o+x {}` or choose another folder",
            folder.display(),
            shut.display()
        )),
        _ => Ok(folder),
    }
}
