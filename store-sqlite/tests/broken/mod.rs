//! SQLite with a fault: what goes wrong, and which cases have to see it.

mod batches;
mod faults;
mod mirrors;
mod places;
mod seen_by;
mod store;
mod texts;
mod whole;

use std::any::Any;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use conformance::{Artefact, Damage, Role, Shape, Target, Tight};
use store_core::{Durability, Error, ErrorKind, Limits, MirrorConfig, Result, Settings, StateStore};
use store_sqlite::target::Database;

pub(crate) use faults::Fault;
pub(crate) use seen_by::FAULTS;
use store::Store;

/// A target with a fault.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Broken(pub(crate) Fault);

/// Returns a target for each fault, and one without.
pub(crate) fn targets() -> Vec<&'static dyn Target> {
    let faults = FAULTS.iter().map(|(fault, _)| *fault);
    let target = |fault| -> &'static dyn Target { Box::leak(Box::new(Broken(fault))) };
    std::iter::once(Fault::None).chain(faults).map(target).collect()
}

impl Broken {
    /// Returns the word for the fault.
    pub(crate) fn word(self) -> &'static str {
        Box::leak(format!("{:?}", self.0).into_boxed_str())
    }

    /// Whether it makes a new store in place of one that is refused.
    fn starts_anew(self, refused: ErrorKind) -> bool {
        match self.0 {
            Fault::StartsAnewWhenDamaged => refused == ErrorKind::Corrupted,
            Fault::SeesNothingWrong => {
                matches!(refused, ErrorKind::Corrupted | ErrorKind::IncompatibleFormat)
            }
            _ => false,
        }
    }

    fn settings(self, settings: Settings) -> Settings {
        match self.0 {
            Fault::CreatesAndWritesAnyway => settings.with_create(true).with_read_only(false),
            Fault::HasItsOwnLimits => settings.with_limits(Limits { value: 1 << 20, batch: 1 << 21 }),
            Fault::KnowsNoLimits => settings.with_limits(Limits { value: u64::MAX, batch: u64::MAX }),
            Fault::KnowsNoBoots => settings.with_seams(store_core::Seams::default()),
            _ => settings,
        }
    }
}

impl Target for Broken {
    fn name(&self) -> &'static str {
        self.word()
    }

    fn place(&self, folder: &Path) -> PathBuf {
        Database.place(folder)
    }

    fn shape(&self) -> Shape {
        Database.shape()
    }

    fn durability(&self) -> Durability {
        Database.durability()
    }

    fn open(&self, path: &Path, settings: Settings) -> Result<Arc<dyn StateStore>> {
        if self.0 == Fault::CreatesWithoutExclusion && !path.exists() {
            create_anew(path);
        }
        if self.0 == Fault::RefusesToRead && settings.read_only {
            return Err(Error::new(ErrorKind::Unsupported, "opening for reading only is not supported"));
        }
        let (path, known) = places::before(self.0, path);
        let inner = match Database.open(&path, self.settings(settings.clone())) {
            Err(error) if self.starts_anew(error.kind()) => {
                create_anew(&path);
                Database.open(&path, settings)
            }
            opened => opened,
        };
        let inner = inner.map_err(|error| places::refused(self.0, &path, error))?;
        match self.0 {
            Fault::TouchesTheFiles => touch(&path),
            Fault::LetsEverybodyIn => open_up(&path),
            Fault::LeavesFilesAbout => litter(&path),
            _ => places::after(self.0, &path, &known),
        }
        Ok(Arc::new(Store::new(inner, self.0)))
    }

    fn mirrored(&self, store: Arc<dyn StateStore>, config: MirrorConfig) -> Result<Arc<dyn StateStore>> {
        mirrors::mirrored(self.0, store, config)
    }

    fn artefacts(&self, path: &Path) -> Vec<Artefact> {
        Database.artefacts(path)
    }

    fn check_integrity(&self, path: &Path) -> Result<(), String> {
        if self.0 == Fault::SeesNothingWrong {
            return Ok(());
        }
        Database.check_integrity(path)
    }

    fn tight(&self) -> Option<Tight> {
        let tight = Database.tight()?;
        let grows = self.0 == Fault::LetsTheLogGrow;
        Some(if grows {
            Tight { open: |path, settings| Database.open(path, settings), ..tight }
        } else {
            tight
        })
    }

    fn hold_snapshot(&self, path: &Path) -> Result<Box<dyn Any + Send>, String> {
        if self.0 == Fault::LetsReadersStopWriters {
            let connection = rusqlite::Connection::open(path).map_err(|error| error.to_string())?;
            connection.execute_batch("BEGIN IMMEDIATE").map_err(|error| error.to_string())?;
            return Ok(Box::new(connection));
        }
        Database.hold_snapshot(path)
    }

    fn damages(&self) -> Vec<Damage> {
        Database.damages()
    }

    fn unfit_version(&self) -> Option<i32> {
        Database.unfit_version()
    }

    fn tells_why_a_call_failed(&self) -> bool {
        Database.tells_why_a_call_failed()
    }

    fn ends_with_its_last_whole_record(&self, role: Role) -> bool {
        Database.ends_with_its_last_whole_record(role)
    }

    fn verifies_what_it_reads(&self) -> bool {
        Database.verifies_what_it_reads()
    }

    fn writes_through_maps(&self) -> bool {
        self.0 != Fault::DeniesItsMaps
    }
}

/// Makes way for a new store, after looking whether there is one and before somebody else has made it.
fn create_anew(path: &Path) {
    // Processes that start together come here one after the other.
    std::thread::sleep(std::time::Duration::from_millis(u64::from(std::process::id() % 20) * 5));
    for artefact in Database.artefacts(path) {
        let _ = std::fs::remove_file(artefact.path);
    }
}

/// Changes what a reader has no business to change.
fn touch(path: &Path) {
    let times = std::fs::FileTimes::new().set_modified(std::time::SystemTime::now());
    for artefact in Database.artefacts(path).into_iter().filter(|artefact| artefact.role == Role::Companion) {
        // Closing a descriptor of a -wal drops no locks.
        let touched = std::fs::File::options().append(true).open(artefact.path);
        touched.and_then(|file| file.set_times(times)).unwrap();
    }
}

fn open_up(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    for artefact in Database.artefacts(path) {
        let _ = std::fs::set_permissions(artefact.path, std::fs::Permissions::from_mode(0o666));
    }
}

fn litter(path: &Path) {
    let _ = std::fs::File::create_new(path.with_extension("tmp"));
}
