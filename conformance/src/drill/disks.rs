//! Disks in files: a filesystem that is made, mounted, and unmounted again whatever happens.
//!
//! All of it is for a process in a namespace of mounts of its own, so that even a kill leaves no mount, and
//! no loop device, for they go with the last mount.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::failure::{Context, Outcome, ensure};

/// Filesystems that a drill makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Filesystem {
    Btrfs,
    Ext4,
    Xfs,
}

impl Filesystem {
    /// Makes one in a file.
    fn make(self, image: &Path, features: &[&str]) -> Outcome {
        let (program, quiet): (_, &[&str]) = match self {
            Self::Btrfs => ("mkfs.btrfs", &["-q"]),
            Self::Ext4 => ("mkfs.ext4", &["-q", "-F"]),
            Self::Xfs => ("mkfs.xfs", &["-q"]),
        };
        run(Command::new(program).args(quiet).args(features).arg(image))
    }

    /// Returns how a copy is mounted while the original is.
    fn options_of_a_copy(self) -> &'static str {
        match self {
            // It refuses the identity of a filesystem that is mounted.
            Self::Xfs => "loop,nouuid",
            Self::Btrfs | Self::Ext4 => "loop",
        }
    }
}

/// Runs a program of the system, which has to succeed.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> Outcome {
    let ran = command.stdin(Stdio::null()).output().context(format_args!("{command:?}"))?;
    let said = || String::from_utf8_lossy(&ran.stderr).trim().to_owned();
    ensure!(ran.status.success(), "{command:?}: {}: {}", ran.status, said());
    Ok(())
}

/// Something that is mounted; unmounted when this is dropped.
#[derive(Debug)]
pub(crate) struct Mounted {
    at: PathBuf,
    there: bool,
}

impl Mounted {
    /// Mounts, by the arguments of `mount`, at a folder that is made if it is missing.
    #[track_caller]
    pub(crate) fn new(arguments: &[&str], at: &Path) -> Outcome<Self> {
        if !at.is_dir() {
            std::fs::create_dir(at)?;
        }
        run(Command::new("mount").args(arguments).arg(at))?;
        Ok(Self { at: at.to_owned(), there: true })
    }

    /// Mounts an image.
    #[track_caller]
    fn image(image: &Path, options: &str, at: &Path) -> Outcome<Self> {
        Self::new(&["-o", options, &image.to_string_lossy()], at)
    }

    /// Returns where it is mounted.
    pub(crate) fn at(&self) -> &Path {
        &self.at
    }

    /// Unmounts; whoever still comes to its end there is waited for.
    #[track_caller]
    pub(crate) fn unmount(mut self) -> Outcome {
        self.there = false;
        let mut tries = 0;
        loop {
            match run(Command::new("umount").arg(&self.at)) {
                Ok(()) => return Ok(()),
                Err(failure) if tries == 50 => {
                    let _ = run(Command::new("umount").arg("-l").arg(&self.at));
                    return Err(failure);
                }
                Err(_) => std::thread::sleep(Duration::from_millis(20)),
            }
            tries += 1;
        }
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        if self.there {
            let _ = run(Command::new("umount").arg("-l").arg(&self.at));
        }
    }
}

/// A filesystem in a file of its own, mounted.
#[derive(Debug)]
pub(crate) struct Disk {
    pub(crate) filesystem: Filesystem,
    image: PathBuf,
    mounted: Mounted,
}

impl Disk {
    /// Makes one of a size in a sparse file in a folder, with options for making it.
    pub(crate) fn make(
        filesystem: Filesystem,
        size: u64,
        folder: &Path,
        name: &str,
        features: &[&str],
    ) -> Outcome<Self> {
        let image = folder.join(format!("{name}.image"));
        File::create_new(&image)?.set_len(size)?;
        filesystem.make(&image, features)?;
        let mounted = Mounted::image(&image, "loop", &folder.join(name))?;
        Ok(Self { filesystem, image, mounted })
    }

    /// Returns the folder at which it is mounted.
    pub(crate) fn at(&self) -> &Path {
        self.mounted.at()
    }

    /// Returns the file that it lies in.
    pub(crate) fn image(&self) -> &Path {
        &self.image
    }

    /// Mounts a copy of its image beside it.
    pub(crate) fn mount_copy(&self, copy: &Path, at: &Path) -> Outcome<Mounted> {
        Mounted::image(copy, self.filesystem.options_of_a_copy(), at)
    }

    /// Unmounts it, and removes its image.
    #[track_caller]
    pub(crate) fn discard(self) -> Outcome {
        self.mounted.unmount()?;
        Ok(std::fs::remove_file(&self.image)?)
    }
}
