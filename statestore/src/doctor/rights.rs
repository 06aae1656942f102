//! Mode, owner and group of every artefact, and whether each is what it has to be at all.

use std::fs::Metadata;
use std::path::Path;

use store_core::shared::artefact::{Artefact, Kind};
use store_core::shared::os::{self, Handle};

use super::patient::{Patient, look_at};
use super::report::Finding;
use super::words::{FIX, shell};

const CHECK: &str = "rights";

/// What an artefact is found to be.
enum Found {
    /// It is not there.
    Missing,
    /// It is no artefact of ours, whatever its name: nothing of it is changed.
    Odd(Finding),
    /// It can have its rights mended.
    Plain(Metadata),
}

/// Looks at all; those that are as they have to be share one line.
pub(super) fn look(patient: &Patient<'_>) -> Vec<Finding> {
    let found: Vec<Finding> =
        patient.artefacts.iter().filter_map(|artefact| look_at_one(patient, artefact)).collect();
    if found.is_empty() {
        let modes = &patient.modes;
        let group = modes.group.map(|group| format!(", group {}", os::group_name(group)));
        let why = format!(
            "mode {:04o} on everything, {:04o} on the gate{}",
            modes.file,
            modes.gate,
            group.unwrap_or_default()
        );
        return vec![Finding::ok(CHECK, patient.place.path(), why)];
    }
    found
}

fn look_at_one(patient: &Patient<'_>, artefact: &Artefact) -> Option<Finding> {
    let found = match look_at(&artefact.path) {
        Ok(found) => found,
        Err(error) => {
            let why = error.message().to_owned();
            return Some(Finding::warning(CHECK, &artefact.path, why));
        }
    };
    match found.map_or(Found::Missing, |found| judge(artefact, found)) {
        Found::Missing if artefact.required => Some(missing(artefact)),
        Found::Missing => None,
        Found::Odd(finding) => Some(finding),
        Found::Plain(found) => {
            let wrong = wrong(patient, artefact, &found)?;
            Some(Finding::fault(CHECK, &artefact.path, wrong).with_mend(command(patient, artefact)))
        }
    }
}

fn missing(artefact: &Artefact) -> Finding {
    let why = match artefact.kind {
        Kind::Gate => "is missing; the next write makes it anew",
        _ => "is missing",
    };
    Finding::warning(CHECK, &artefact.path, why).with_mend(FIX)
}

fn judge(artefact: &Artefact, found: Metadata) -> Found {
    let path = &artefact.path;
    let is_folder = artefact.kind == Kind::Folder;
    let names = os::link_count(&found);
    if found.is_symlink() {
        let why =
            "is a symbolic link, which is followed by nobody who knows the store; put the right one back";
        return Found::Odd(Finding::fault("links", path, why));
    }
    if found.is_dir() != is_folder || (!is_folder && !found.is_file()) {
        let what = if is_folder { "folder" } else { "plain file" };
        return Found::Odd(Finding::fault("links", path, format!("is no {what}; put the right one back")));
    }
    if !is_folder && names > 1 {
        let why = format!(
            "has {names} names (hard links), so that others reach it past the store's folder; remove all others"
        );
        let folder = path.parent().unwrap_or(path);
        let find = format!("find {} -xdev -samefile {}", shell(folder), shell(path));
        return Found::Odd(Finding::fault("links", path, why).with_mend(find));
    }
    Found::Plain(found)
}

/// Says what is wrong with the rights of an artefact; none if nothing is.
fn wrong(patient: &Patient<'_>, artefact: &Artefact, found: &Metadata) -> Option<String> {
    let wanted = artefact.mode(&patient.modes);
    let mut wrong = Vec::new();
    let mode = os::mode(found);
    if mode != wanted {
        wrong.push(format!("mode {wanted:04o}"));
    }
    if let Some(owner) = patient.modes.owner.filter(|owner| *owner != os::owner(found)) {
        wrong.push(format!("owner {}", os::user_name(owner)));
    }
    if let Some(group) = patient.modes.group.filter(|group| *group != os::group(found)) {
        wrong.push(format!("group {}", os::group_name(group)));
    }
    if wrong.is_empty() {
        return None;
    }
    let reason = match artefact.kind {
        Kind::Gate if mode & 0o007 != 0 => {
            "; whoever can open the gate can hold it, and keep every writer out"
        }
        _ if mode & !wanted & 0o077 != 0 => "; others get at what is not theirs",
        _ => "; who shares the store may be shut out",
    };
    Some(format!("has {}, but should have {}{reason}", os::describe_rights(found), wrong.join(", ")))
}

/// The commands that mend an artefact by hand.
fn command(patient: &Patient<'_>, artefact: &Artefact) -> String {
    let path = shell(&artefact.path);
    let owner = patient.modes.owner.map(|owner| format!("chown {} {path} && ", os::user_name(owner)));
    let group = patient.modes.group.map(|group| format!("chgrp {} {path} && ", os::group_name(group)));
    let mode = artefact.mode(&patient.modes);
    format!("{}{}chmod {mode:04o} {path}", owner.unwrap_or_default(), group.unwrap_or_default())
}

/// Mends what is wrong, as far as we may; says what was mended and what was denied.
pub(super) fn mend(patient: &Patient<'_>) -> Vec<Finding> {
    patient.artefacts.iter().filter_map(|artefact| mend_one(patient, artefact)).collect()
}

fn mend_one(patient: &Patient<'_>, artefact: &Artefact) -> Option<Finding> {
    let path = &artefact.path;
    let below = path.strip_prefix(patient.place.folder()).ok()?;
    // What cannot be named cannot be mended; the look that follows says why.
    let handle = Handle::of(patient.place.folder(), below).ok()?;
    let Found::Plain(found) = judge(artefact, handle.metadata().ok()?) else { return None };
    wrong(patient, artefact, &found)?;
    let given = handle.set_rights(artefact.mode(&patient.modes), patient.modes.owner, patient.modes.group);
    let was = os::describe_rights(&found);
    Some(match given {
        Ok(()) => {
            let now = handle.metadata().map(|now| os::describe_rights(&now)).unwrap_or_default();
            Finding::mended(CHECK, path, format!("had {was}, has {now}"))
        }
        Err(error) => denied(path, &was, &error).with_mend(command(patient, artefact)),
    })
}

/// Says that rights may not be given.
pub(super) fn denied(path: &Path, rights: &str, error: &std::io::Error) -> Finding {
    let why = format!(
        "has {rights}, which {} may not change ({error}); let its owner or root mend it",
        os::describe_self()
    );
    Finding::fault(CHECK, path, why)
}
