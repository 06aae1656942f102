//! A run of the suite: on which targets, where, how much of it, and with which chance.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Mutex, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use libtest_mimic::Arguments;

use crate::target::Target;
use crate::trials;

/// How much a case tries that could go on for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
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
}

/// The setup of the run that this process makes; workers have none and need none.
static SETUP: RwLock<Option<Setup>> = RwLock::new(None);

/// How long the cases took that have run.
static TIMES: Mutex<Vec<(Duration, String)>> = Mutex::new(Vec::new());

/// Notes how long a case took.
pub(crate) fn note_time(case: &str, time: Duration) {
    TIMES.lock().unwrap_or_else(PoisonError::into_inner).push((time, case.to_owned()));
}

/// Returns the setup of the run, or that of the environment before there is one.
pub(crate) fn setup() -> Setup {
    let set = SETUP.read().unwrap_or_else(PoisonError::into_inner);
    set.clone().unwrap_or_else(|| environment().clone())
}

/// What the environment says; a seed that it does not name is drawn once.
fn environment() -> &'static Setup {
    static SAID: OnceLock<Setup> = OnceLock::new();
    let said = |name| std::env::var(name).ok();
    SAID.get_or_init(|| Setup {
        at: None,
        profile: said("CONFORMANCE_PROFILE").and_then(|text| text.parse().ok()).unwrap_or_default(),
        seed: said("CONFORMANCE_SEED")
            .and_then(|text| text.parse().ok())
            .unwrap_or_else(|| fastrand::u64(..1_000_000)),
        keep: std::env::var_os("CONFORMANCE_KEEP").is_some(),
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

/// How many cases came to what.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// Cases that passed.
    pub passed: u64,
    /// Cases that failed.
    pub failed: u64,
    /// Cases that could not run here.
    pub ignored: u64,
    /// How long each case took that ran, the slowest first.
    pub times: Vec<(Duration, String)>,
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
/// let tally = run.with_folder("/mnt/disk").go()?;
/// assert_eq!(tally.failed, 0);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a run has to go"]
pub struct Run {
    targets: Vec<&'static dyn Target>,
    setup: Setup,
    arguments: Arguments,
}

impl Run {
    /// Prepares a run of all cases on targets, as the environment has it.
    pub fn new(targets: Vec<&'static dyn Target>) -> Self {
        Self { targets, setup: environment().clone(), arguments: Arguments::default() }
    }

    /// Takes the arguments that `cargo test` gives.
    pub(crate) fn with_arguments(mut self, arguments: Arguments) -> Self {
        self.arguments = arguments;
        self
    }

    /// Gives every case a folder in this one, which is made if it is missing, instead of `TMPDIR`.
    pub fn with_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.setup.at = Some(folder.into());
        self
    }

    /// Runs only cases whose name, `backend::promise::case`, contains a text.
    pub fn with_filter(mut self, text: impl Into<String>) -> Self {
        self.arguments.filter = Some(text.into());
        self
    }

    /// Chooses how much is tried; otherwise `CONFORMANCE_PROFILE` does, and quick it is.
    pub fn with_profile(mut self, profile: Profile) -> Self {
        self.setup.profile = profile;
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
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.arguments.test_threads = Some(threads);
        self
    }

    /// Lists the cases instead of running them.
    pub fn with_list(mut self, list: bool) -> Self {
        self.arguments.list = list;
        self
    }

    /// Runs, and prints what became of each case.
    ///
    /// # Errors
    /// Why nothing can run in the folder that was chosen.
    pub fn go(mut self) -> Result<Tally, String> {
        if let Some(folder) = self.setup.at.take()
            && !self.arguments.list
        {
            self.setup.at = Some(usable(&folder)?);
        }
        *SETUP.write().unwrap_or_else(PoisonError::into_inner) = Some(self.setup.clone());
        let ran = libtest_mimic::run(&self.arguments, trials::all(&self.targets, &self.setup));
        let mut times = std::mem::take(&mut *TIMES.lock().unwrap_or_else(PoisonError::into_inner));
        times.sort_by(|a, b| b.cmp(a));
        Ok(Tally { passed: ran.num_passed, failed: ran.num_failed, ignored: ran.num_ignored, times })
    }
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
