//! A file on the model of a disk: what is on the disk, what is in memory only, and what a cut may leave.

use std::collections::BTreeMap;

use fastrand::Rng;

/// What a disk writes whole or not at all.
const SECTOR: u64 = 512;

/// A change that is in memory only.
#[derive(Debug, Clone)]
enum Change {
    Wrote { at: u64, bytes: Vec<u8> },
    Sized(u64),
}

/// How much of what is in memory only a cut leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leaves {
    Nothing,
    All,
    /// The first changes, and of the last of them some sectors.
    Prefix,
    /// Of each sector any state that it had, whatever the others have; and any size.
    Subset,
}

/// A file.
#[derive(Debug, Clone, Default)]
pub(super) struct File {
    disk: Vec<u8>,
    /// What is seen, but for the changes; where it differs from the disk a sync has failed.
    clean: Vec<u8>,
    /// Changes with the number of each, in order.
    dirty: Vec<(u64, Change)>,
}

impl File {
    pub(super) fn write(&mut self, number: u64, at: u64, bytes: &[u8]) {
        self.dirty.push((number, Change::Wrote { at, bytes: bytes.to_vec() }));
    }

    pub(super) fn set_len(&mut self, number: u64, size: u64) {
        self.dirty.push((number, Change::Sized(size)));
    }

    /// A sync that covers the changes up to a number is over. If it failed they count as clean and are
    /// not on the disk, and no later sync brings them there.
    pub(super) fn synced(&mut self, upto: u64, done: bool) {
        let covered = self.dirty.partition_point(|(number, _)| *number <= upto);
        let changes: Vec<Change> = self.dirty.drain(..covered).map(|(_, change)| change).collect();
        let mut touched = Vec::new();
        for change in &changes {
            apply(&mut self.clean, change);
            touched.extend(sectors(change));
        }
        if !done {
            return;
        }
        self.disk.resize(self.clean.len(), 0);
        for sector in touched {
            copy_sector(&mut self.disk, &self.clean, sector);
        }
    }

    /// Returns what a power cut leaves.
    pub(super) fn after_a_cut(&self, leaves: Leaves, chance: &mut Rng) -> Vec<u8> {
        match leaves {
            Leaves::Nothing => self.disk.clone(),
            Leaves::All => self.prefix(self.dirty.len(), |_| true),
            Leaves::Prefix => self.prefix(chance.usize(..=self.dirty.len()), |_| chance.bool()),
            Leaves::Subset => self.subset(chance),
        }
    }

    /// Returns what is left if the first changes are, and those sectors of the last that are kept.
    fn prefix(&self, count: usize, mut keeps: impl FnMut(u64) -> bool) -> Vec<u8> {
        let (mut disk, mut seen) = (self.disk.clone(), self.clean.clone());
        for (at, (_, change)) in self.dirty.iter().take(count).enumerate() {
            apply(&mut seen, change);
            let whole = at + 1 < count;
            disk.resize(seen.len(), 0);
            for sector in sectors(change) {
                if whole || keeps(sector) {
                    copy_sector(&mut disk, &seen, sector);
                }
            }
        }
        disk
    }

    fn subset(&self, chance: &mut Rng) -> Vec<u8> {
        let mut seen = self.clean.clone();
        let mut versions: BTreeMap<u64, Vec<Vec<u8>>> = BTreeMap::new();
        let mut sizes = vec![self.disk.len()];
        for (_, change) in &self.dirty {
            apply(&mut seen, change);
            sizes.push(seen.len());
            for sector in sectors(change) {
                versions.entry(sector).or_default().push(part(&seen, sector).to_vec());
            }
        }
        let mut disk = self.disk.clone();
        for (sector, versions) in versions {
            if let Some(version) = versions.get(chance.usize(..=versions.len())) {
                let from = usize::try_from(sector * SECTOR).unwrap_or(usize::MAX);
                disk.resize(disk.len().max(from + version.len()), 0);
                put(&mut disk, from, version);
            }
        }
        let size = chance.choice(sizes).unwrap_or(0);
        disk.resize(size, 0);
        disk
    }
}

fn apply(content: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Sized(size) => content.resize(usize::try_from(*size).unwrap_or(usize::MAX), 0),
        Change::Wrote { at, bytes } => {
            let from = usize::try_from(*at).unwrap_or(usize::MAX);
            content.resize(content.len().max(from + bytes.len()), 0);
            put(content, from, bytes);
        }
    }
}

/// Returns the sectors that a change touches.
fn sectors(change: &Change) -> std::ops::Range<u64> {
    match change {
        Change::Sized(_) => 0..0,
        Change::Wrote { at, bytes } => at / SECTOR..(at + bytes.len() as u64).div_ceil(SECTOR),
    }
}

fn part(content: &[u8], sector: u64) -> &[u8] {
    let from = usize::try_from(sector * SECTOR).unwrap_or(usize::MAX).min(content.len());
    let to = from.saturating_add(512).min(content.len());
    content.get(from..to).unwrap_or_default()
}

fn copy_sector(to: &mut [u8], from: &[u8], sector: u64) {
    put(to, usize::try_from(sector * SECTOR).unwrap_or(usize::MAX), part(from, sector));
}

/// Puts bytes to a place in a content, as far as it reaches.
fn put(content: &mut [u8], from: usize, bytes: &[u8]) {
    let len = bytes.len().min(content.len().saturating_sub(from));
    if let (Some(to), Some(bytes)) = (content.get_mut(from..from.saturating_add(len)), bytes.get(..len)) {
        to.copy_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sync_brings_to_the_disk_what_was_there_when_it_began() {
        let mut file = File::default();
        file.write(1, 0, b"ab");
        file.write(2, 2, b"cd");
        file.synced(1, true);
        let cut = |file: &File, leaves| file.after_a_cut(leaves, &mut Rng::with_seed(1));
        assert_eq!(cut(&file, Leaves::Nothing), b"ab");
        assert_eq!(cut(&file, Leaves::All), b"abcd");
    }

    #[test]
    fn a_failed_sync_loses_what_it_covered_until_it_is_written_again() {
        let mut file = File::default();
        file.write(1, 0, &[1; 1024]);
        file.synced(1, false);
        file.synced(1, true);
        file.write(2, 1024, &[2; 512]);
        file.synced(2, true);
        let left = file.after_a_cut(Leaves::All, &mut Rng::with_seed(1));
        assert_eq!((left.len(), left[0], left[1023], left[1024]), (1536, 0, 0, 2));
        file.write(3, 0, &[3; 4]);
        file.synced(3, true);
        let left = file.after_a_cut(Leaves::Nothing, &mut Rng::with_seed(1));
        // The sector is written as it is seen.
        assert_eq!((left[0], left[4], left[511], left[512]), (3, 1, 1, 0));
    }

    #[test]
    fn sectors_are_torn_and_never_a_part_of_one() {
        let mut file = File::default();
        file.write(1, 0, &[1; 2048]);
        let mut chance = Rng::with_seed(7);
        let mut torn = 0;
        for _ in 0..100 {
            for leaves in [Leaves::Prefix, Leaves::Subset] {
                let left = file.after_a_cut(leaves, &mut chance);
                assert!(left.chunks(512).all(|sector| sector.iter().all(|byte| *byte == sector[0])));
                torn += usize::from(left.contains(&0) && left.contains(&1));
            }
        }
        assert!(torn > 20);
    }
}
