//! Finding, making and opening a store: one open store a place and process, however many handles.

use std::any::Any;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::core::{Core, Opening};
use crate::backend::{Backend, Engine, Presence};
use crate::config::Settings;
use crate::error::{Error, ErrorKind, Result};
use crate::shared::access::{Modes, explain_denial};
use crate::shared::files;
use crate::shared::gate::Gate;
use crate::shared::os;
use crate::shared::place::Place;

/// How long an engine that is busy is left alone before it is opened again.
const REST: Duration = Duration::from_millis(5);

/// How many folders above a new store are looked through for leftovers of its making.
const SWEPT: usize = 4;

/// An open store, whatever its engine.
trait OpenStore: Any + Send + Sync {
    fn is_closing(&self) -> bool;
}

impl<B: Backend> OpenStore for Core<B> {
    fn is_closing(&self) -> bool {
        Self::is_closing(self)
    }
}

type Slot = Arc<Mutex<Option<Weak<dyn OpenStore>>>>;

/// The open stores of this process. Each place has a mutex of its own, so that two openers of one place
/// share what the first one opens, and those of other places do not wait.
static OPEN: LazyLock<Mutex<HashMap<PathBuf, Slot>>> = LazyLock::new(Mutex::default);

fn slot_of(place: &Place) -> Slot {
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    // Places that nobody has open any more are forgotten on the way.
    open.retain(|_, slot| {
        let unused = Arc::strong_count(slot) == 1;
        let gone = || slot.try_lock().is_ok_and(|weak| weak.as_ref().is_none_or(|w| w.strong_count() == 0));
        !(unused && gone())
    });
    Arc::clone(open.entry(place.path().to_owned()).or_default())
}

/// Opens the store at a path for one more handle; blocks, so that it runs on a thread of its own.
pub(super) fn open<E: Engine>(
    engine: &E,
    path: &Path,
    settings: &Settings,
    deadline: Instant,
) -> Result<Arc<Core<E::Backend>>> {
    let place = Place::resolve(path, engine.shape())?;
    let slot = slot_of(&place);
    let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
    while let Some(open) = slot.as_ref().and_then(Weak::upgrade) {
        let closing = open.is_closing();
        let any: Arc<dyn Any + Send + Sync> = open;
        let Ok(core) = any.downcast::<Core<E::Backend>>() else {
            // Another engine must not even look at the files: closing a descriptor of them would drop SQLite's
            // locks of this process.
            if closing && Instant::now() < deadline {
                std::thread::sleep(REST);
                continue;
            }
            let why = "is open in this process as a store of another engine; use that one, or close it first";
            return Err(Error::new(ErrorKind::ConfigInvalid, why).with_path(place.path()));
        };
        // What the engine keeps of its locks in memory came along with the fork, the locks did not: opened
        // here it would work without them.
        core.check_process()?;
        if core.is_in_place()? && core.join() {
            return match core.check_moved(deadline) {
                Ok(()) => Ok(core),
                Err(error) => {
                    core.leave();
                    Err(error)
                }
            };
        }
        break;
    }
    let core = Arc::new(open_anew(engine, place, settings, deadline)?);
    let open: Arc<dyn OpenStore> = core.clone();
    *slot = Some(Arc::downgrade(&open));
    Ok(core)
}

fn open_anew<E: Engine>(
    engine: &E,
    place: Place,
    settings: &Settings,
    deadline: Instant,
) -> Result<Core<E::Backend>> {
    let may_create = settings.create && !settings.read_only;
    place.check_filesystem(settings)?;
    let found = place.folder().try_exists();
    if !found.map_err(|e| explain_denial("cannot look at", place.folder(), e))? {
        if !may_create {
            return Err(missing(&place, settings));
        }
        files::create_folder(place.folder(), &Modes::settle(settings, place.folder())?)?;
    }
    place.check_folder()?;
    let created = match engine.probe(&place, settings)? {
        Presence::Missing if !may_create => return Err(missing(&place, settings)),
        Presence::Incomplete if settings.read_only => {
            let why =
                "companion files are missing, and read_only=true makes none; open it once without read_only";
            return Err(Error::new(ErrorKind::ReadOnly, why).with_path(place.path()));
        }
        Presence::Missing | Presence::Incomplete => make(engine, &place, settings, deadline)?,
        Presence::Ready => false,
    };
    let backend = loop {
        match engine.open(&place, settings) {
            Err(error) if error.kind() == ErrorKind::Busy && Instant::now() < deadline => {
                std::thread::sleep(REST);
            }
            other => break other?,
        }
    };
    let data = place.data();
    let found = data.metadata().map_err(|e| explain_denial("cannot look at", data, e))?;
    let gate = Arc::new(Gate::new(place.gate(), Modes::of_file(&found)));
    let boot = settings.seams.boot_id.clone().unwrap_or_else(os::boot_id);
    let identity = os::identity(&found);
    let clock_back = settings.seams.clock_back;
    Ok(Core::new(backend, Opening { place, identity, created, boot, clock_back }, gate))
}

/// Makes the store, or what is missing of it, in the gate: of many who try, one does. True if it made the
/// store.
fn make<E: Engine>(engine: &E, place: &Place, settings: &Settings, deadline: Instant) -> Result<bool> {
    let modes = match place.data().metadata() {
        Ok(found) => Modes::of_file(&found),
        Err(_) => Modes::settle(settings, place.folder())?,
    };
    let gate = Gate::new(place.gate(), modes);
    let _held = gate.acquire("open")?;
    if Instant::now() > deadline {
        return Err(Error::new(ErrorKind::Busy, "the gate came too late").with_path(gate.path()));
    }
    let found = engine.probe(place, settings)?;
    if found == Presence::Missing {
        place.folder().ancestors().skip(1).take(SWEPT).for_each(files::sweep);
    }
    if found != Presence::Ready {
        engine.create(place, &modes)?;
    }
    Ok(found == Presence::Missing)
}

fn missing(place: &Place, settings: &Settings) -> Error {
    let why = match (settings.create, settings.read_only) {
        (false, _) => "there is no store here; check the path, or allow to create one (create=true)",
        (true, _) => "there is no store here, and read_only=true creates none; check the path",
    };
    Error::new(ErrorKind::NotFound, why).with_path(place.path())
}
