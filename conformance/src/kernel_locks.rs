//! The locks that the kernel lists for a process.
//!
//! They are read from the process's own descriptors: `/proc/locks` lists the same, but of the whole machine
//! and in pieces, between which locks of others come and go, so that lines are missed.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use crate::failure::{Context, Outcome};
use crate::target::{Role, Target};

/// How often the locks are read to tell those that last from those that pass.
const SAMPLES: usize = 20;

/// One lock on an artefact: its role, kind (POSIX or FLOCK), whether it reads or writes, first and last byte.
pub(crate) type Lock = (Role, String, String, String, String);

/// Returns the locks that a process holds on the artefacts of a store.
pub(crate) fn held_by(pid: u32, target: &dyn Target, path: &Path) -> Outcome<BTreeSet<Lock>> {
    let mut files = Vec::new();
    for artefact in target.artefacts(path) {
        if let Ok(metadata) = artefact.path.metadata() {
            files.push((metadata.ino().to_string(), artefact.role));
        }
    }
    let descriptors = std::fs::read_dir(format!("/proc/{pid}/fdinfo")).context("cannot list descriptors")?;
    let mut locks = BTreeSet::new();
    for descriptor in descriptors {
        // One that was closed meanwhile holds nothing.
        let about = std::fs::read_to_string(descriptor?.path()).unwrap_or_default();
        locks.extend(about.lines().filter_map(|line| parse(line, &files)));
    }
    Ok(locks)
}

/// Returns the locks that a process holds all the while, without those of the moment.
pub(crate) fn held_for_long(pid: u32, target: &dyn Target, path: &Path) -> Outcome<BTreeSet<Lock>> {
    let mut lasting = held_by(pid, target, path)?;
    for _ in 0..SAMPLES {
        std::thread::sleep(Duration::from_millis(1));
        let now = held_by(pid, target, path)?;
        lasting.retain(|lock| now.contains(lock));
    }
    Ok(lasting)
}

/// Reads a line such as `lock: 1: POSIX  ADVISORY  WRITE 7741 fe:00:917 0 EOF`.
///
/// The inode alone is compared: on some filesystems the device is another number than the one `stat` tells.
fn parse(line: &str, files: &[(String, Role)]) -> Option<Lock> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let ["lock:", _, kind, _, does, _, place, first, last] = words.as_slice() else { return None };
    let inode = place.rsplit(':').next()?;
    let role = files.iter().find(|(number, _)| number == inode)?.1;
    Some((role, (*kind).to_owned(), (*does).to_owned(), (*first).to_owned(), (*last).to_owned()))
}
