//! The folder that the store lies in: whether those who share the store can work there, and nobody else.

use std::fs::Metadata;
use std::path::Path;

use store_core::Access;
use store_core::shared::os::{self, Handle};
use store_core::shared::place::Shape;

use super::patient::{Patient, look_at};
use super::report::Finding;
use super::rights::denied;
use super::words::{FIX, shell};

const CHECK: &str = "folder";
const SETGID: u32 = 0o2000;
const STICKY: u32 = 0o1000;
const WRITABLE_BY_ALL: u32 = 0o002;

/// Looks at the folder.
pub(super) fn look(patient: &Patient<'_>) -> Vec<Finding> {
    let folder = patient.place.folder();
    let found = match look_at(folder) {
        Ok(Some(found)) => found,
        Ok(None) => return vec![Finding::fault(CHECK, folder, "has gone")],
        Err(error) => return vec![Finding::warning(CHECK, folder, error.message())],
    };
    let findings = judge(patient, folder, &found);
    if findings.is_empty() {
        return vec![Finding::ok(CHECK, folder, os::describe_rights(&found))];
    }
    findings
}

fn judge(patient: &Patient<'_>, folder: &Path, found: &Metadata) -> Vec<Finding> {
    let mode = os::mode(found);
    let (path, rights) = (shell(folder), os::describe_rights(found));
    let mut findings = Vec::new();
    if mode & STICKY != 0 {
        let why = format!("is sticky ({rights}), so that users cannot replace each other's files in it");
        let finding = Finding::fault(CHECK, folder, why);
        findings.push(if mode & WRITABLE_BY_ALL == 0 {
            finding.with_mend(format!("chmod -t {path}"))
        } else {
            // Such a one, as /tmp is, has to stay sticky.
            finding.with_mend("move the store into a folder of its own")
        });
    } else if mode & WRITABLE_BY_ALL != 0 {
        let why = format!("everybody may remove and replace the files in it ({rights})");
        findings.push(Finding::warning(CHECK, folder, why).with_mend(format!("chmod o-w {path}")));
    }
    match patient.modes.group {
        Some(group) => findings.extend(judge_shared(patient, folder, found, group)),
        None if mode & 0o020 != 0 => {
            let why =
                format!("the store is private, but group {} may remove and replace its files ({rights})", {
                    os::group_name(os::group(found))
                });
            findings.push(Finding::warning(CHECK, folder, why).with_mend(format!("chmod g-w {path}")));
        }
        None => {}
    }
    findings
}

/// Looks at the folder of a store that a group shares.
fn judge_shared(patient: &Patient<'_>, folder: &Path, found: &Metadata, group: u32) -> Option<Finding> {
    let (mode, path) = (os::mode(found), shell(folder));
    let (rights, name) = (os::describe_rights(found), os::group_name(group));
    let wanted = wanted(patient);
    let is_theirs = os::group(found) == group;
    if !is_theirs || mode & 0o070 != 0o070 {
        let why = format!("group {name} shares the store, but may not make files in its folder ({rights})");
        let command = format!("chgrp {name} {path} && chmod g+rwxs {path}");
        return Some(Finding::fault(CHECK, folder, why).with_mend(command));
    }
    if mode & wanted != wanted {
        let why = if mode & SETGID == 0 {
            format!(
                "does not hand its group down ({rights}): what other programs make in it gets another group"
            )
        } else {
            format!("everybody may read the store, but not find its files ({rights})")
        };
        let command = if mode & SETGID == 0 { "g+s" } else { "o+rx" };
        return Some(Finding::warning(CHECK, folder, why).with_mend(format!("chmod {command} {path}")));
    }
    None
}

/// The bits that the folder of a store needs.
fn wanted(patient: &Patient<'_>) -> u32 {
    match patient.modes {
        modes if modes.group.is_none() => 0,
        modes if modes.file == store_core::shared::access::Modes::of(Access::Shared, None).file => {
            SETGID | 0o075
        }
        _ => SETGID | 0o070,
    }
}

/// Mends the folder, as far as it is certain to be the store's: rights are only added, where the configuration
/// itself says that it is shared, and another group only in a folder of the store's own.
pub(super) fn mend(patient: &Patient<'_>) -> Option<Finding> {
    let folder = patient.place.folder();
    let handle = Handle::of(folder, Path::new("")).ok()?;
    let found = handle.metadata().ok()?;
    let mode = os::mode(&found);
    let is_own = patient.engine.shape() == Shape::Folder;
    let mut now = mode;
    if mode & STICKY != 0 && mode & WRITABLE_BY_ALL == 0 {
        now &= !STICKY;
    }
    let mut group = None;
    if patient.is_shared_by_word() {
        let is_theirs = patient.modes.group.is_some_and(|group| group == os::group(&found));
        if is_own {
            group = patient.modes.group.filter(|_| !is_theirs);
        }
        if is_own || is_theirs {
            now |= wanted(patient);
        }
    }
    if now == mode && group.is_none() {
        return None;
    }
    let was = os::describe_rights(&found);
    Some(match handle.set_rights(now, None, group) {
        Ok(()) => {
            let now = handle.metadata().map(|now| os::describe_rights(&now)).unwrap_or_default();
            Finding::mended(CHECK, folder, format!("had {was}, has {now}"))
        }
        Err(error) => Finding { check: CHECK, ..denied(folder, &was, &error) }.with_mend(FIX),
    })
}
