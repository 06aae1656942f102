//! The filesystem below the store: which kind it is, and how much room it has.

use store_core::shared::artefact::Kind;
use store_core::shared::os;

use super::patient::Patient;
use super::report::Finding;
use super::words::size;

const ROOM: &str = "space";
const GIB: u64 = 1 << 30;
const MIB: u64 = 1 << 20;

/// Looks at both.
pub(super) fn look(patient: &Patient<'_>) -> Vec<Finding> {
    let mut findings = vec![kind(patient)];
    findings.extend(room(patient));
    findings
}

fn kind(patient: &Patient<'_>) -> Finding {
    const CHECK: &str = "filesystem";
    let folder = patient.place.folder();
    if let Err(error) = patient.place.check_filesystem(patient.settings()) {
        return Finding::fault(CHECK, folder, error.message());
    }
    match os::memory_filesystem(folder) {
        Ok(Some(name)) => {
            let why = format!("lies on {name}, in memory: the store is gone when the machine is off");
            Finding::warning(CHECK, folder, why).with_mend("move the store to a disk")
        }
        Ok(None) => Finding::ok(CHECK, folder, "is on this machine"),
        Err(error) => Finding::warning(CHECK, folder, format!("cannot be told: {error}")),
    }
}

fn room(patient: &Patient<'_>) -> Vec<Finding> {
    let folder = patient.place.folder();
    let room = match os::room(folder) {
        Ok(room) => room,
        Err(error) => return vec![Finding::warning(ROOM, folder, format!("cannot be told: {error}"))],
    };
    let sizes = patient.artefacts.iter().filter(|artefact| artefact.kind != Kind::Folder);
    let sizes = sizes.filter_map(|artefact| artefact.path.symlink_metadata().ok());
    let store = sizes.map(|found| found.len()).sum();
    let free = format!("{} of {} are free, the store has {}", size(room.free), size(room.size), size(store));
    let mut findings = vec![match level(room.free, low_bytes(room.size, store), scarce_bytes(room.size)) {
        Level::Enough => Finding::ok(ROOM, folder, free),
        Level::Low => Finding::warning(ROOM, folder, free).with_mend("make room"),
        Level::Scarce => Finding::fault(ROOM, folder, free).with_mend("make room"),
    }];
    // Some filesystems make room for files as they need it.
    if room.files > 0 {
        let (few, none) = ((room.files / 20).min(10_000), (room.files / 100).min(1000));
        let free = format!("{} more files can be made", room.free_files);
        match level(room.free_files, few, none) {
            Level::Enough => {}
            Level::Low => findings.push(Finding::warning(ROOM, folder, free).with_mend("remove files")),
            Level::Scarce => findings.push(Finding::fault(ROOM, folder, free).with_mend("remove files")),
        }
    }
    findings
}

#[derive(Debug, PartialEq, Eq)]
enum Level {
    Enough,
    Low,
    Scarce,
}

fn level(free: u64, low: u64, scarce: u64) -> Level {
    match free {
        free if free <= scarce => Level::Scarce,
        free if free < low => Level::Low,
        _ => Level::Enough,
    }
}

/// Below this somebody should look: a twentieth of the filesystem, of a large one 1 GiB; or what it takes to
/// write the store once more, as a backup beside it does.
fn low_bytes(filesystem: u64, store: u64) -> u64 {
    (filesystem / 20).min(GIB).max(store)
}

/// Up to this the next writes may fail: a hundredth of the filesystem, of a large one 64 MiB.
fn scarce_bytes(filesystem: u64) -> u64 {
    (filesystem / 100).min(64 * MIB)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_measured_by_disk_and_store() {
        let of = |free, disk, store| level(free, low_bytes(disk, store), scarce_bytes(disk));
        assert_eq!(of(2 * GIB, 1000 * GIB, MIB), Level::Enough, "a large disk");
        assert_eq!(of(GIB - 1, 1000 * GIB, MIB), Level::Low);
        assert_eq!(of(2 * GIB, 1000 * GIB, 3 * GIB), Level::Low, "a large store");
        assert_eq!(of(64 * MIB, 1000 * GIB, MIB), Level::Scarce);
        assert_eq!(of(6 * MIB, 100 * MIB, MIB), Level::Enough, "a small disk");
        assert_eq!(of(4 * MIB, 100 * MIB, MIB), Level::Low);
        assert_eq!(of(MIB, 100 * MIB, MIB), Level::Scarce);
        assert_eq!(of(0, 0, 0), Level::Scarce);
    }
}
