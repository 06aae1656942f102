//! Where one case takes place: a folder of its own, the stores in it, the workers, and chance.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use store_core::{Blocking, Durability, ErrorKind, Settings};
use tempfile::TempDir;

use crate::ability::Ability;
use crate::audit;
use crate::counts::{Count, Ledger};
use crate::failure::{Context, Failure, Outcome};
use crate::members::UMASKS;
use crate::rounds::Rounds;
use crate::run::{Profile, Setup};
use crate::target::{Role, Target};
use crate::tracer::Plan;
use crate::users::User;
use crate::wire::Orders;
use crate::worker::Worker;

/// The surroundings of one case, fresh for each and gone afterwards.
#[derive(Debug)]
pub(crate) struct Arena {
    pub(crate) target: &'static dyn Target,
    folder: TempDir,
    /// The stores that the case used, for the checks after it.
    stores: Mutex<BTreeSet<PathBuf>>,
    /// How much is tried of what could go on for ever.
    pub(crate) profile: Profile,
    seed: u64,
    draws: AtomicU64,
    /// How long a drill goes on; none if a number of rounds says it.
    time: Option<Duration>,
    ledger: Ledger,
}

impl Arena {
    /// Makes the surroundings of a case; its chance follows from the seed of the run and its name. A drill
    /// may be given a time to go on for.
    pub(crate) fn new(
        target: &'static dyn Target,
        setup: &Setup,
        name: &str,
        ledger: Ledger,
        time: Option<Duration>,
    ) -> Outcome<Self> {
        let at = setup.at.clone().unwrap_or_else(std::env::temp_dir);
        let folder = tempfile::Builder::new().prefix("conformance-").tempdir_in(at)?;
        // Other users have to get in.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))?;
        let mut hasher = DefaultHasher::new();
        (setup.seed, name).hash(&mut hasher);
        Ok(Self {
            target,
            folder,
            stores: Mutex::default(),
            profile: setup.profile,
            seed: hasher.finish(),
            draws: AtomicU64::new(0),
            time,
            ledger,
        })
    }

    /// Leaves the folder for somebody to look at, instead of removing it.
    pub(crate) fn keep(self) -> PathBuf {
        self.folder.keep()
    }

    /// Returns the folder of the case.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the path of the store, in a folder of its own.
    pub(crate) fn path(&self) -> Outcome<PathBuf> {
        self.place("store")
    }

    /// Returns the path of a further store, in a folder of its own.
    pub(crate) fn place(&self, folder: &str) -> Outcome<PathBuf> {
        let folder = self.folder().join(folder);
        if !folder.is_dir() {
            std::fs::create_dir(&folder)?;
            std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755))?;
        }
        let path = self.target.place(&folder);
        self.stores.lock().unwrap_or_else(PoisonError::into_inner).insert(path.clone());
        Ok(path)
    }

    /// Leaves a store out of the checks after the case: it was moved, and nobody can look into it.
    pub(crate) fn forget(&self, path: &Path) {
        self.stores.lock().unwrap_or_else(PoisonError::into_inner).remove(path);
    }

    /// Opens the store with the settings that nobody chose.
    pub(crate) fn open(&self) -> Outcome<Blocking> {
        self.open_with(Settings::default())
    }

    /// Opens the store.
    #[track_caller]
    pub(crate) fn open_with(&self, settings: Settings) -> Outcome<Blocking> {
        self.open_at(&self.path()?, settings)
    }

    /// Opens a further store.
    #[track_caller]
    pub(crate) fn open_at(&self, path: &Path, settings: Settings) -> Outcome<Blocking> {
        let settings = patient(self.target, settings);
        let store = self.target.open(path, settings).context("cannot open the store")?;
        Ok(Blocking::new(store))
    }

    /// Prepares a worker on the store.
    pub(crate) fn worker(&self, work: &'static str) -> Outcome<Hire> {
        self.worker_on(&self.path()?, work)
    }

    /// Prepares a worker on a store.
    pub(crate) fn worker_on(&self, path: &Path, work: &'static str) -> Outcome<Hire> {
        Ok(Hire { ledger: self.ledger.clone(), ..Hire::new(self.target, path, work)? })
    }

    /// Counts something that the case did.
    pub(crate) fn count(&self, what: Count, more: u64) {
        self.ledger.count(what, more);
    }

    /// Returns how many rounds a drill goes: a number for the profile, or, in a full run of so many minutes,
    /// its share of them, but no fewer rounds than in a quick run.
    pub(crate) fn rounds(&self, quick: u64, full: u64) -> Rounds {
        match (self.profile, self.time) {
            (Profile::Full, Some(time)) => Rounds::within(time, quick),
            (profile, _) => Rounds::exactly(profile.pick(quick, full)),
        }
    }

    /// Returns how often a case does what commits: a quarter of its number, in a quick run, on an engine that
    /// syncs with every commit.
    pub(crate) fn commits(&self, many: u64) -> u64 {
        if self.is_slow() { many.div_ceil(4) } else { many }
    }

    /// Returns the umasks that a case tries: the strictest and the laxest alone where time is short.
    pub(crate) fn umasks(&self) -> &'static [u32] {
        if self.is_slow() { &[0o077, 0o000] } else { &UMASKS }
    }

    /// Whether what a process wrote may be gone when it has ended.
    fn forgets(&self) -> bool {
        self.target.lacks().contains(&Ability::Persistence)
    }

    fn is_slow(&self) -> bool {
        self.profile == Profile::Quick && self.target.durability() == Durability::Power
    }

    /// Returns a source of chance, another one with each call.
    pub(crate) fn chance(&self) -> fastrand::Rng {
        fastrand::Rng::with_seed(self.seed.wrapping_add(self.draws.fetch_add(1, Ordering::Relaxed)))
    }

    /// Checks every store that the case used, by the contract and by the engine's own means.
    pub(crate) fn audit(&self) -> Outcome {
        for path in self.stores.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let data = self.target.artefacts(path).into_iter().filter(|artefact| artefact.role == Role::Data);
            if !data.into_iter().any(|artefact| artefact.path.exists()) {
                continue;
            }
            let settings = patient(self.target, Settings::default().with_create(false));
            let store = match self.target.open(path, settings) {
                Err(error) if error.kind() == ErrorKind::Unsupported && self.forgets() => continue,
                opened => Blocking::new(opened.context("the store does not open after the case")?),
            };
            audit::check(&store).context("after the case")?;
            store.close()?;
            drop(store);
            self.target
                .check_integrity(path)
                .map_err(|found| Failure::new(format_args!("the engine finds its store damaged: {found}")))?;
        }
        Ok(())
    }
}

/// The timeout of a case that chooses none: a disk that others keep busy holds a sync up for seconds.
const TIMEOUT: Duration = Duration::from_secs(30);
const PATIENT: &str = "timeout=30s";

/// Chooses what a case did not choose: a long timeout, and what the backend can do.
pub(crate) fn patient(target: &dyn Target, mut settings: Settings) -> Settings {
    if settings.timeout == Settings::DEFAULT_TIMEOUT {
        settings = settings.with_timeout(TIMEOUT);
    }
    if is_process_only(target) { settings.with_durability(Durability::Process) } else { settings }
}

fn is_process_only(target: &dyn Target) -> bool {
    target.lacks().contains(&Ability::Power)
}

/// A worker that is not started yet.
#[derive(Debug)]
pub(crate) struct Hire {
    orders: Orders,
    under: Vec<String>,
    traced: Option<Plan>,
    ledger: Ledger,
}

impl Hire {
    /// Prepares a worker on a store.
    pub(crate) fn new(target: &dyn Target, path: &Path, work: &'static str) -> Outcome<Self> {
        crate::cases::work(work).context(format_args!("there is no work {work}"))?;
        if target.lacks().contains(&Ability::Processes) {
            return Err(Failure::unsupported("it takes several processes"));
        }
        let settings = if is_process_only(target) { "timeout=30s&durability=process" } else { PATIENT };
        let orders = Orders {
            target: target.name().to_owned(),
            work: work.to_owned(),
            path: path.to_owned(),
            settings: settings.to_owned(),
            plan: Value::Null,
            user: None,
            umask: None,
        };
        Ok(Self { orders, under: Vec::new(), traced: None, ledger: Ledger::default() })
    }

    /// Says what it is to do.
    pub(crate) fn plan(mut self, plan: impl Serialize) -> Outcome<Self> {
        self.orders.plan = serde_json::to_value(plan)?;
        Ok(self)
    }

    /// Chooses the settings of its store, as the query of a URL.
    pub(crate) fn settings(mut self, query: &str) -> Self {
        let chosen = query.contains("timeout=");
        self.orders.settings = if chosen { query.to_owned() } else { format!("{PATIENT}&{query}") };
        self
    }

    /// Chooses the user that it becomes.
    pub(crate) fn user(mut self, user: User) -> Self {
        self.orders.user = Some(user);
        self
    }

    /// Chooses its umask.
    pub(crate) fn umask(mut self, mask: u32) -> Self {
        self.orders.umask = Some(mask);
        self
    }

    /// Runs it under another program, such as a tracer, that is given its path.
    pub(crate) fn under(mut self, program: &[&str]) -> Self {
        self.under = program.iter().map(|&word| word.to_owned()).collect();
        self
    }

    /// Runs it under the tracer, which ends as it ends; killing the tracer kills it.
    pub(crate) fn traced(mut self, plan: Plan) -> Self {
        self.traced = Some(plan);
        self
    }

    /// Starts the process.
    pub(crate) fn start(self) -> Outcome<Worker> {
        Worker::start(&self.orders, &self.under, self.traced.as_ref(), self.ledger)
    }
}
