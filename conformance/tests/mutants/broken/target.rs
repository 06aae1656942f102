//! A target with a fault, and what is wrong around its opening.

use std::any::Any;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use conformance::{Artefact, Damage, Role, Shape, Target, Tight, open_embedded};
use store_core::backend::{Engine, Presence};
use store_core::shared::access::Modes;
use store_core::shared::place::Place;
use store_core::{Durability, MirrorConfig, Result, Settings, StateStore};

use super::beside;
use super::engine::BrokenEngine;
use super::handle;
use super::table::{CAUGHT, Mutant};
use super::ungated;
use crate::engine::SingleFileEngine;
use crate::target::SingleFile;

/// A target with a fault.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Broken(pub(crate) Mutant);

/// Returns a target for each mutant, and one without a fault.
pub(crate) fn targets() -> Vec<&'static dyn Target> {
    let caught = CAUGHT.iter().map(|(mutant, _)| *mutant);
    let target = |mutant| -> &'static dyn Target { Box::leak(Box::new(Broken(mutant))) };
    std::iter::once(Mutant::None).chain(caught).map(target).collect()
}

impl Broken {
    /// Returns the word for the fault.
    pub(crate) fn word(self) -> &'static str {
        Box::leak(format!("{:?}", self.0).into_boxed_str())
    }
}

impl Target for Broken {
    fn name(&self) -> &'static str {
        self.word()
    }

    fn place(&self, folder: &Path) -> PathBuf {
        SingleFile.place(folder)
    }

    fn shape(&self) -> Shape {
        SingleFile.shape()
    }

    fn durability(&self) -> Durability {
        super::backend::durability(self.0)
    }

    fn open(&self, path: &Path, settings: Settings) -> Result<Arc<dyn StateStore>> {
        let gate = path.join(".gate");
        let made_the_gate = !gate.exists();
        let inner = match self.0 {
            Mutant::ReadModifyWriteWithoutLock | Mutant::FixedTemporaryName | Mutant::LockFileRecreated => {
                ungated::open(self.0, path, settings)?
            }
            Mutant::InitialisationOutsideTheGate => {
                initialise(path, &settings);
                open_embedded(BrokenEngine::new(self.0), path, settings)?
            }
            _ => open_embedded(BrokenEngine::new(self.0), path, settings)?,
        };
        match self.0 {
            Mutant::GateReadableByOthers if made_the_gate => set_mode(&gate, 0o664),
            Mutant::GateForgotten if made_the_gate => {
                let own = |id: &str| {
                    std::fs::read_to_string("/proc/self/status").ok().and_then(|status| {
                        status
                            .lines()
                            .find_map(|line| line.strip_prefix(id)?.split_whitespace().nth(1)?.parse().ok())
                    })
                };
                let _ = std::os::unix::fs::chown(&gate, None, own("Gid:"));
                set_mode(&gate, 0o600);
            }
            _ => {}
        }
        Ok(handle::wrap(self.0, inner))
    }

    fn mirrored(&self, store: Arc<dyn StateStore>, config: MirrorConfig) -> Result<Arc<dyn StateStore>> {
        SingleFile.mirrored(handle::shown(self.0, store), config)
    }

    fn artefacts(&self, path: &Path) -> Vec<Artefact> {
        let mut artefacts = SingleFile.artefacts(path);
        let beside = beside::files(path).into_iter().filter(|path| path.exists());
        artefacts.extend(beside.map(|path| Artefact::new(Role::Part, path)));
        artefacts
    }

    fn check_integrity(&self, path: &Path) -> Result<(), String> {
        SingleFile.check_integrity(path)
    }

    fn tight(&self) -> Option<Tight> {
        SingleFile.tight()
    }

    fn hold_snapshot(&self, path: &Path) -> Result<Box<dyn Any + Send>, String> {
        SingleFile.hold_snapshot(path)
    }

    fn damages(&self) -> Vec<Damage> {
        SingleFile.damages()
    }

    fn unfit_version(&self) -> Option<i32> {
        SingleFile.unfit_version()
    }
}

fn set_mode(path: &Path, mode: u32) {
    let _ = std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode));
}

/// Makes a store after looking whether there is one, without excluding others who do the same.
fn initialise(path: &Path, settings: &Settings) {
    let _ = std::fs::create_dir(path);
    let Ok(place) = Place::resolve(path, Shape::Folder) else { return };
    if !matches!(SingleFileEngine.probe(&place, settings), Ok(Presence::Missing)) {
        return;
    }
    // Processes that start together come here one after the other.
    std::thread::sleep(Duration::from_millis(u64::from(std::process::id() % 20) * 5));
    if let Ok(modes) = Modes::settle(settings, path) {
        let _ = SingleFileEngine.create(&place, &modes);
    }
}
