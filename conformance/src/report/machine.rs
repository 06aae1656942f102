//! Where a run took place: the machine, the filesystem, and the engines with their versions.

use std::path::Path;

use nix::sys::utsname::uname;
use serde::{Deserialize, Serialize};
use store_core::{Durability, Settings};

use crate::ability::Ability;
use crate::target::Target;

/// A machine, and the filesystem of one of its folders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The system and the version of its kernel.
    pub kernel: String,
    /// The kind of processor.
    pub architecture: String,
    /// How many processors the suite could use.
    pub processors: usize,
    /// The memory in bytes; 0 if it is unknown.
    pub memory: u64,
    /// The kind of the filesystem on which the stores lay, and how it was mounted.
    pub filesystem: String,
}

/// A backend that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineReport {
    /// The name that its cases begin with.
    pub backend: String,
    /// The engine's name and version, as a store says; the reason if none could be opened.
    pub version: String,
    /// What a commit of it survives before any sync.
    pub commit_survives: String,
    /// What it says that it lacks.
    pub lacks: Vec<Ability>,
}

impl Machine {
    pub(super) fn of(folder: &Path) -> Self {
        let (kernel, architecture) = match uname() {
            Ok(name) => (
                format!("{} {}", name.sysname().to_string_lossy(), name.release().to_string_lossy()),
                name.machine().to_string_lossy().into_owned(),
            ),
            Err(error) => (format!("unknown: {error}"), std::env::consts::ARCH.to_owned()),
        };
        Self {
            kernel,
            architecture,
            processors: std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
            memory: memory().unwrap_or(0),
            filesystem: filesystem(folder).unwrap_or_else(|| "unknown".to_owned()),
        }
    }
}

/// Reads the line `MemTotal:       24650308 kB`.
fn memory() -> Option<u64> {
    let about = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = about.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

/// Returns the kind and the options of the mount that a folder lies on.
fn filesystem(folder: &Path) -> Option<String> {
    let folder = folder.canonicalize().ok()?;
    let mounts = std::fs::read_to_string("/proc/self/mounts").ok()?;
    let fields = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let holding = fields.filter_map(|fields| match fields.as_slice() {
        // A later mount covers an earlier one on the same place.
        [_, at, kind, options, ..] if folder.starts_with(at) => {
            Some((at.len(), format!("{kind} ({options})")))
        }
        _ => None,
    });
    holding.max_by_key(|(length, _)| *length).map(|(_, words)| words)
}

impl EngineReport {
    /// Opens a store in a folder of its own, to ask it.
    pub(super) fn of(target: &dyn Target, folder: &Path) -> Self {
        Self {
            backend: target.name().to_owned(),
            version: version(target, folder).unwrap_or_else(|why| format!("unknown: {why}")),
            commit_survives: match target.durability() {
                Durability::Power => "loss of power",
                Durability::Process => "kill of processes",
            }
            .to_owned(),
            lacks: target.lacks().to_vec(),
        }
    }
}

fn version(target: &dyn Target, folder: &Path) -> Result<String, String> {
    let folder = tempfile::tempdir_in(folder).map_err(|error| error.to_string())?;
    let ask = async {
        let mut settings = Settings::default();
        if target.lacks().contains(&Ability::Power) {
            settings = settings.with_durability(Durability::Process);
        }
        let store = target.open(&target.place(folder.path()), settings)?;
        let info = store.info().await?;
        store.close().await?;
        Ok(format!("{} {}", info.engine, info.engine_version))
    };
    pollster::block_on(ask).map_err(|error: store_core::Error| error.to_string())
}
