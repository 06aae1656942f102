//! Disks whose power is cut: what a disk holds at an instant is a clone of the file in which it lies.
//!
//! A clone has all that was written to the device by then, in order, and nothing that was only in the page
//! cache of the filesystem on it. It does not reorder the writes of a device, nor tear them.

use std::fs::File;
use std::path::{Path, PathBuf};

use rustix::fs::{ioctl_ficlone, statvfs};

use super::disks::{Disk, Filesystem, Mounted};
use crate::failure::{Context, Outcome, ensure};

/// The size of the filesystem that clones; a sparse file.
const GROUND: u64 = 3 << 30;
/// The size of a disk on it: it and one clone that shares nothing with it leave room.
const DISK: u64 = 400 << 20;
/// The room that there has to be for what of it is ever written. A loop device whose file cannot grow loses
/// writes although its syncs succeed.
const ROOM: u64 = 2 << 30;

/// A filesystem that clones files at an instant.
#[derive(Debug)]
pub(crate) struct Ground {
    disk: Disk,
}

impl Ground {
    /// Makes one in a folder.
    pub(crate) fn make(folder: &Path) -> Outcome<Self> {
        let found = statvfs(folder)?;
        ensure!(
            found.f_bavail * found.f_frsize > ROOM,
            "a power cut needs 2 GiB of room in {}",
            folder.display()
        );
        Ok(Self { disk: Disk::make(Filesystem::Btrfs, GROUND, folder, "ground", &[])? })
    }

    /// Makes a disk on it.
    pub(crate) fn disk(&self, filesystem: Filesystem, name: &str) -> Outcome<Disk> {
        Disk::make(filesystem, DISK, self.disk.at(), name, &[])
    }

    /// Unmounts it, and removes its image.
    #[track_caller]
    pub(crate) fn discard(self) -> Outcome {
        self.disk.discard()
    }
}

/// What a disk held when its power was cut; removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Cut {
    copy: PathBuf,
}

impl Cut {
    /// Cuts the power of a disk that goes on all the same.
    pub(crate) fn of(disk: &Disk) -> Outcome<Self> {
        let copy = disk.image().with_extension("cut");
        let to = File::create_new(&copy)?;
        let cut = Self { copy };
        ioctl_ficlone(to, File::open(disk.image())?).context("cannot clone the disk")?;
        Ok(cut)
    }

    /// Mounts it, as after a boot.
    pub(crate) fn mount(&self, disk: &Disk) -> Outcome<Mounted> {
        disk.mount_copy(&self.copy, &self.copy.with_extension("after"))
    }
}

impl Drop for Cut {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.copy);
    }
}
