//! What a fault does around the opening of a store: to its files, their rights, and to the words of a refusal.

use std::collections::BTreeMap;
use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use conformance::{Artefact, Role, Target};
use store_core::{Error, ErrorKind};
use store_sqlite::target::Database;

use super::faults::Fault;

/// The modes of a store's files before something is done to them.
type Modes = BTreeMap<PathBuf, u32>;

fn modes(path: &Path) -> Modes {
    let artefacts = Database.artefacts(path).into_iter();
    let mode = |artefact: Artefact| {
        let metadata = artefact.path.metadata().ok()?;
        Some((artefact.path, metadata.permissions().mode()))
    };
    artefacts.filter_map(mode).collect()
}

pub(super) fn set_mode(path: &Path, mode: u32) {
    let _ = std::fs::set_permissions(path, Permissions::from_mode(mode));
}

/// Goes wrong before a store is opened; returns the path that is opened, and what lay there.
pub(super) fn before(fault: Fault, path: &Path) -> (PathBuf, Modes) {
    match fault {
        Fault::ShowsHalfAStore if !path.exists() && File::create_new(path).is_ok() => {
            std::thread::sleep(Duration::from_millis(20));
            let _ = std::fs::remove_file(path);
        }
        Fault::CleansPaths => return (clean(path), Modes::new()),
        _ => {}
    }
    (path.to_owned(), modes(path))
}

/// Goes wrong after a store was opened; `known` are the files that lay there before.
pub(super) fn after(fault: Fault, path: &Path, known: &Modes) {
    let made = || modes(path).into_iter().filter(|(path, _)| !known.contains_key(path));
    match fault {
        Fault::LetsEverybodyHoldTheGate => {
            let gates = Database.artefacts(path).into_iter().filter(|artefact| artefact.role == Role::Gate);
            gates.for_each(|gate| set_mode(&gate.path, 0o664));
        }
        Fault::RootKeepsItsFiles => made().for_each(|(file, _)| {
            let _ = std::os::unix::fs::chown(&file, Some(user()), None);
        }),
        Fault::TrustsTheUmask => made().for_each(|(file, _)| set_mode(&file, 0o666 & !umask())),
        Fault::SetsRightsLate => made().for_each(|(file, mode)| {
            set_mode(&file, 0o640);
            std::thread::sleep(Duration::from_millis(2));
            set_mode(&file, mode);
        }),
        _ => {}
    }
}

/// Goes wrong when opening was refused.
pub(super) fn refused(fault: Fault, path: &Path, error: Error) -> Error {
    if fault == Fault::LeavesTracesOfRefusals {
        let folder = path.ancestors().skip(1).find(|folder| folder.is_dir());
        drop(folder.map(|folder| File::create_new(folder.join("refused"))));
    }
    reworded(fault, error)
}

/// Says less of an error than there is to say.
pub(super) fn reworded(fault: Fault, error: Error) -> Error {
    match fault {
        Fault::SaysOnlyThatItFailed => Error::new(error.kind(), "it failed"),
        Fault::CallsEveryFailureTheSame => Error::new(ErrorKind::Io, "input or output failed somehow"),
        Fault::CallsEveryFailureDamage => Error::new(ErrorKind::Corrupted, error.message()),
        _ => error,
    }
}

/// Keeps of a path what looks harmless.
fn clean(path: &Path) -> PathBuf {
    let harmless = |c: char| if c.is_ascii_alphanumeric() || "/.-_".contains(c) { c } else { '_' };
    path.to_string_lossy().chars().map(harmless).collect::<String>().into()
}

pub(super) fn umask() -> u32 {
    u32::from_str_radix(&status("Umask:"), 8).unwrap()
}

/// The user that this process acts as.
fn user() -> u32 {
    status("Uid:").split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// What the kernel says of this process.
fn status(what: &str) -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    status.lines().find_map(|line| line.strip_prefix(what)).unwrap().trim().to_owned()
}

/// Whether an error of a kind is taken for success.
pub(crate) fn swallows(fault: Fault, kind: ErrorKind) -> bool {
    matches!(
        (fault, kind),
        (Fault::TakesBusyForDone, ErrorKind::Busy | ErrorKind::Closed)
            | (Fault::TakesDoubtForDone, ErrorKind::Indeterminate)
            | (Fault::TakesDamageForDone, ErrorKind::Corrupted)
            | (Fault::TakesFullForDone, ErrorKind::StorageFull | ErrorKind::Indeterminate)
    )
}
