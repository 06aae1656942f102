//! What processes that were killed have left: files and folders without their names yet, and what is there
//! only in the middle of a write.
//!
//! In a folder of the store's own nobody else makes files, so in the gate all of them are dead. Beside a file
//! there may be other stores, and mirrors, whose gates are not ours: there only what is old is.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use store_core::Result;
use store_core::shared::access::explain_denial;
use store_core::shared::artefact::{Artefact, Kind};
use store_core::shared::files;
use store_core::shared::gate::Holder;
use store_core::shared::os::{self, FileVersion};
use store_core::shared::passage::in_the_gate;
use store_core::shared::place::Shape;

use super::patient::Patient;
use super::report::Finding;
use super::words::{FIX, shell, time};

const CHECK: &str = "leftover";
/// A process that lives has named what it makes long before.
const OLD: Duration = Duration::from_mins(1);
/// The same where whoever makes it may be stopped, and does not pass our gate.
const OLD_BESIDE: Duration = Duration::from_hours(1);

/// Looks for leftovers, without the gate: what may be a live writer's is not told.
pub(super) fn look(patient: &Patient<'_>) -> Vec<Finding> {
    let old = old(patient);
    let mut findings: Vec<Finding> = hidden(patient.place.folder(), old)
        .map(|(path, age)| {
            let why = format!("was left by a process that was killed {} ago, or is stopped", time(age));
            Finding::warning(CHECK, path, why).with_mend(FIX)
        })
        .collect();
    findings.extend(of_kind(patient, Kind::Passing).filter_map(|artefact| unfinished(patient, artefact)));
    findings.extend(of_kind(patient, Kind::Foreign).filter_map(foreign));
    if findings.is_empty() {
        findings.push(Finding::ok(CHECK, patient.place.folder(), "nothing was left by killed processes"));
    }
    findings
}

fn old(patient: &Patient<'_>) -> Duration {
    match patient.engine.shape() {
        Shape::File => OLD_BESIDE,
        Shape::Folder => OLD,
    }
}

/// Returns what has not got its name yet and is so old, with its age.
fn hidden(folder: &Path, old: Duration) -> impl Iterator<Item = (PathBuf, Duration)> {
    let found = files::hidden(folder).filter_map(|found| Some((found.path(), age(&found.path())?)));
    found.filter(move |(_, age)| *age >= old)
}

fn age(path: &Path) -> Option<Duration> {
    let changed = path.symlink_metadata().ok()?.modified().ok()?;
    // What is of the future is new.
    Some(SystemTime::now().duration_since(changed).unwrap_or_default())
}

fn of_kind<'p>(patient: &'p Patient<'_>, kind: Kind) -> impl Iterator<Item = &'p Artefact> {
    patient.artefacts.iter().filter(move |artefact| artefact.kind == kind)
}

/// Returns a file of another program that the engine would act on as soon as it opens the store.
pub(super) fn obstacle<'p>(patient: &'p Patient<'_>) -> Option<&'p Path> {
    let mut foreign = of_kind(patient, Kind::Foreign).map(|artefact| &*artefact.path);
    foreign.find(|path| path.symlink_metadata().is_ok() && !is_empty_file(path))
}

fn foreign(artefact: &Artefact) -> Option<Finding> {
    let path = &artefact.path;
    path.symlink_metadata().ok()?;
    if is_empty_file(path) {
        let why = "was left by another program; it is empty";
        return Some(Finding::warning(CHECK, path, why).with_mend(FIX));
    }
    let why = "was left by another program, and whoever opens the store next plays it into the data; stop all users, \
               keep a copy of all files of the store, and move this one away";
    Some(Finding::fault(CHECK, path, why).with_mend(format!("mv {0} {0}.kept", shell(path))))
}

/// Tells whether what is there only in the middle of a write is there while nobody writes.
fn unfinished(patient: &Patient<'_>, artefact: &Artefact) -> Option<Finding> {
    let path = &artefact.path;
    let before = version(path)?;
    let is_free = patient.gate().holder() == Holder::Nobody;
    if version(path)? != before || !(is_free || age(path)? >= OLD) {
        return None;
    }
    let why = "is there only in the middle of a write, and nobody finished that one; the next writer looks after it";
    Some(Finding::warning(CHECK, path, why).with_mend(FIX))
}

pub(super) fn version(path: &Path) -> Option<FileVersion> {
    path.symlink_metadata().ok().map(|found| os::version(&found))
}

/// Removes, in the gate, what is certainly dead; says what was removed and what was not.
pub(super) fn mend(patient: &Patient<'_>) -> Vec<Finding> {
    let folder = patient.place.folder().to_owned();
    let old = match patient.engine.shape() {
        Shape::File => OLD_BESIDE,
        Shape::Folder => Duration::ZERO,
    };
    let foreign = of_kind(patient, Kind::Foreign).map(|artefact| artefact.path.clone());
    let empty: Vec<PathBuf> = foreign.filter(|path| is_empty_file(path)).collect();
    if empty.is_empty() && hidden(&folder, old).next().is_none() {
        return Vec::new();
    }
    let removed = in_the_gate(patient.gate(), "doctor", patient.settings().timeout, move || {
        let dead = hidden(&folder, old).map(|(path, _)| path);
        Ok(dead
            .chain(empty.into_iter().filter(|path| is_empty_file(path)))
            .map(|path| remove(&path))
            .collect())
    });
    match removed {
        Ok(findings) => findings,
        Err(error) => {
            let why = format!("nothing was removed: {}", error.message());
            vec![Finding::warning(CHECK, patient.place.folder(), why).with_mend(FIX)]
        }
    }
}

fn is_empty_file(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|found| found.is_file() && found.len() == 0)
}

fn remove(path: &Path) -> Finding {
    match try_remove(path) {
        Ok(()) => Finding::mended(CHECK, path, "nobody needs it any more; it was removed"),
        Err(error) => Finding::warning(CHECK, path, error.message()),
    }
}

/// Removes a file, a link or an empty folder.
fn try_remove(path: &Path) -> Result<()> {
    let is_folder = path.symlink_metadata().is_ok_and(|found| found.is_dir());
    let removed = if is_folder { std::fs::remove_dir(path) } else { std::fs::remove_file(path) };
    removed.map_err(|error| explain_denial("cannot remove", path, error))
}
