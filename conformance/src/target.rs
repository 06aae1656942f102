//! What a backend has to bring to be tried.

use std::any::Any;
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use store_core::backend::Engine;
pub use store_core::shared::place::Shape;
use store_core::{Durability, Embedded, ErrorKind, MirrorConfig, Mirrored, Result, Settings, StateStore};

use crate::ability::Ability;
use crate::failure::{Context, Outcome};
use crate::own::{OwnCase, OwnWork};

/// What an artefact of a store is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Role {
    /// It holds the data: without it there is no store.
    Data,
    /// It belongs to the data and holds a part of it, such as a log of the engine.
    Companion,
    /// It is memory that processes share, in the guise of a file: its bytes change without a write to the store.
    Shared,
    /// It holds what somebody wrote, and is there as long as there is something to hold, such as the file of
    /// one namespace; a folder of such files is one too.
    Part,
    /// It is there only in the middle of a write, and while one that was killed is not mended yet.
    Passing,
    /// It is the gate: the lock file that every write passes, locked as a whole with
    /// [`File::lock`](std::fs::File::lock).
    Gate,
}

/// One file that belongs to a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artefact {
    /// What it is for.
    pub role: Role,
    /// Where it lies; what is a part, or passes, need not exist.
    pub path: PathBuf,
}

impl Artefact {
    /// Names an artefact.
    pub fn new(role: Role, path: impl Into<PathBuf>) -> Self {
        Self { role, path: path.into() }
    }
}

/// A way in which the files of a store can be wrong that only its engine knows.
#[derive(Debug, Clone, Copy)]
pub struct Damage {
    /// What is wrong, in a few words.
    pub name: &'static str,
    /// Brings it about, in the files of a store at a path that nobody has open.
    pub inflict: fn(&Path) -> Result<(), String>,
    /// How opening it is refused; none for what the engine can make anew without losing anything.
    pub refused: Option<ErrorKind>,
}

/// A backend under trial.
///
/// The suite runs in the process of the test and in many that it starts of the same program, so a target is
/// a constant; all that it knows of a store is its path.
///
/// # Examples
/// ```no_run
/// use std::any::Any;
/// use std::path::{Path, PathBuf};
/// use std::process::ExitCode;
/// use std::sync::Arc;
///
/// use conformance::{Artefact, Damage, Role, Shape, Target, Tight};
/// use store_core::{Durability, ErrorKind, Result, Settings, StateStore};
///
/// #[derive(Debug)]
/// struct Mine;
///
/// impl Target for Mine {
///     fn name(&self) -> &'static str {
///         "mine"
///     }
///
///     fn place(&self, folder: &Path) -> PathBuf {
///         folder.join("state.mine")
///     }
///
///     fn shape(&self) -> Shape {
///         Shape::File
///     }
///
///     fn durability(&self) -> Durability {
///         Durability::Process
///     }
///
///     fn open(&self, path: &Path, settings: Settings) -> Result<Arc<dyn StateStore>> {
///         # let _ = (path, settings);
///         // Open your store, and create it if it is missing and the settings do not say no.
///         # Err(store_core::Error::new(store_core::ErrorKind::Unsupported, "an example"))
///     }
///
///     fn artefacts(&self, path: &Path) -> Vec<Artefact> {
///         vec![Artefact::new(Role::Data, path), Artefact::new(Role::Gate, path.with_extension("mine.gate"))]
///     }
///
///     fn check_integrity(&self, path: &Path) -> Result<(), String> {
///         # let _ = path;
///         // Let the engine check itself.
///         # Ok(())
///     }
///
///     fn tight(&self) -> Option<Tight> {
///         None
///     }
///
///     fn hold_snapshot(&self, path: &Path) -> Result<Box<dyn Any + Send>, String> {
///         # let _ = path;
///         // Begin a read with the bare engine, and end it when the guard is dropped.
///         # Err(String::new())
///     }
///
///     fn damages(&self) -> Vec<Damage> {
///         // Files of other programs, of a newer version, parts that are missing.
///         vec![]
///     }
///
///     fn unfit_version(&self) -> Option<i32> {
///         None
///     }
/// }
///
/// // In a test with `harness = false`:
/// fn main() -> ExitCode {
///     conformance::main(&[&Mine])
/// }
/// ```
pub trait Target: Debug + Send + Sync + 'static {
    /// Returns the name that the trials begin with: a short word without blanks.
    fn name(&self) -> &'static str;

    /// Returns where a store lies in a folder. One folder holds one store.
    fn place(&self, folder: &Path) -> PathBuf;

    /// Returns what lies at the path of a store: a file with all that belongs to it beside it, or a folder
    /// that the store makes and in which everything lies.
    fn shape(&self) -> Shape;

    /// Returns what a commit of the engine survives by itself, before any sync.
    fn durability(&self) -> Durability;

    /// Opens the store at a path, as a program would; may block. [`open_embedded`] does it for an engine.
    ///
    /// # Errors
    /// Those of the backend.
    fn open(&self, path: &Path, settings: Settings) -> Result<Arc<dyn StateStore>>;

    /// Gives an open store its mirror, as a program would: any store has the one of [`Mirrored`], unless it brings
    /// its own.
    ///
    /// # Errors
    /// Those of [`Mirrored::new`].
    fn mirrored(&self, store: Arc<dyn StateStore>, config: MirrorConfig) -> Result<Arc<dyn StateStore>> {
        Ok(Arc::new(pollster::block_on(Mirrored::new(store, config))?))
    }

    /// Returns every file that a store may have, its gate included, as things stand: of parts, those that are
    /// there now. The folder of a store that is one is not among them.
    fn artefacts(&self, path: &Path) -> Vec<Artefact>;

    /// Lets the engine check its own files, with its own means; no store is open there in this process.
    ///
    /// # Errors
    /// What it found, in the engine's words.
    fn check_integrity(&self, path: &Path) -> Result<(), String>;

    /// Returns how a store is opened with its ceiling as low as can be; none if nothing grows beside the data.
    fn tight(&self) -> Option<Tight>;

    /// Begins a read with the bare engine and keeps its instant until the guard is dropped.
    ///
    /// # Errors
    /// What the engine says.
    fn hold_snapshot(&self, path: &Path) -> Result<Box<dyn Any + Send>, String>;

    /// Returns the ways in which the engine's files can be wrong: a database of another program, one of a
    /// newer version, parts that are missing. What can be wrong with any file the suite does itself.
    fn damages(&self) -> Vec<Damage>;

    /// Returns the newest version of the engine, in its own scheme, that must be refused; none if there is
    /// no such version.
    fn unfit_version(&self) -> Option<i32>;

    /// Returns what the backend cannot do and refuses as `Unsupported`; the suite makes sure that it does, and
    /// that everything else works.
    fn lacks(&self) -> &'static [Ability] {
        &[]
    }

    /// Whether a read may have to wait for a writer in the middle of a commit: then it is `Busy` behind one
    /// that is stopped there, and names it.
    fn reads_wait_for_writers(&self) -> bool {
        false
    }

    /// Whether whoever reads the whole store at one instant holds the gate meanwhile, so that writers wait for a
    /// dump; those who wait too long are told who takes it.
    fn dumps_hold_up_writers(&self) -> bool {
        false
    }

    /// Whether artefacts of a role end with their last whole record: then a tail that is cut off or spoilt
    /// cannot be told from one that a loss of power left, and counts as never written. What is found is the
    /// store as it stood after one of its writes.
    fn ends_with_its_last_whole_record(&self, role: Role) -> bool {
        let _ = role;
        false
    }

    /// Whether it verifies everything that it reads, by checksums or the like. If not, a change of its files can
    /// change or hide a value without anybody being told.
    fn verifies_what_it_reads(&self) -> bool {
        true
    }

    /// Whether it writes to files through maps of memory: where a filesystem needs room to change what is there,
    /// as btrfs does, and has none, the system kills the process instead of telling it.
    fn writes_through_maps(&self) -> bool {
        false
    }

    /// Whether the engine always tells why a system call failed: then a disk that is full, or a quota that is
    /// used up, is `StorageFull`, and one that fails is `Io`. Otherwise each may be told as the other, and a read
    /// that fails as `Corrupted`.
    fn tells_why_a_call_failed(&self) -> bool {
        true
    }

    /// Returns the cases that only this engine can have; they run as `backend::promise::name`.
    fn own_cases(&self) -> Vec<OwnCase> {
        Vec::new()
    }

    /// Returns what the processes of such cases can be told to do.
    fn own_works(&self) -> &'static [OwnWork] {
        &[]
    }
}

/// Opens a store on an engine, as a target does.
///
/// # Errors
/// Those of [`Embedded::open`].
pub fn open_embedded<E: Engine>(engine: E, path: &Path, settings: Settings) -> Result<Arc<dyn StateStore>> {
    Ok(Arc::new(pollster::block_on(Embedded::open(engine, path, settings))?))
}

/// Returns the folder in which all files of a store lie, itself included.
pub(crate) fn folder_of(target: &dyn Target, path: &Path) -> Outcome<PathBuf> {
    match target.shape() {
        Shape::File => Ok(path.parent().context("the store has no folder")?.to_owned()),
        Shape::Folder => Ok(path.to_owned()),
    }
}

/// How a store is opened whose companions may grow as little as the backend allows.
#[derive(Debug, Clone, Copy)]
pub struct Tight {
    /// The most bytes that a companion may ever have.
    pub limit: u64,
    /// Opens the store so; like [`Target::open`] otherwise.
    pub open: fn(&Path, Settings) -> Result<Arc<dyn StateStore>>,
}

/// Returns the path of a store's first artefact of a role.
pub(crate) fn artefact(target: &dyn Target, path: &Path, role: Role) -> Outcome<PathBuf> {
    let found = of_role(target, path, role).into_iter().next();
    found.context(format_args!("the target names no artefact that is {role:?}"))
}

/// Returns the paths of a store's artefacts of a role; an engine may have none.
pub(crate) fn of_role(target: &dyn Target, path: &Path, role: Role) -> Vec<PathBuf> {
    let artefacts = target.artefacts(path).into_iter();
    artefacts.filter(|artefact| artefact.role == role).map(|artefact| artefact.path).collect()
}
