//! Drills: disks of their own that lose power, fill up or may not be written, in a namespace of mounts that
//! is gone with its process.

mod clones;
mod disks;
mod setting;

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

pub(crate) use clones::{Cut, Ground};
pub(crate) use disks::{Disk, Filesystem, Mounted, run};
pub(crate) use setting::Setting;

use crate::arena::{Arena, Hire};
use crate::failure::Outcome;
use crate::target::Target;
use crate::users::why_not_root;

impl Hire {
    /// Runs it in a namespace of mounts of its own: what it mounts nobody else sees, and it is gone with it.
    pub(crate) fn apart(self) -> Self {
        self.under(&["unshare", "-m", "--propagation", "private"])
    }
}

/// Prepares a worker that is apart, on a store in a folder of its own that no check looks at afterwards.
pub(crate) fn apart(arena: &Arena, folder: &str, work: &'static str) -> Outcome<Hire> {
    let folder = arena.folder().join(folder);
    std::fs::create_dir(&folder)?;
    on_ground(arena.target, &folder, work).map(Hire::apart)
}

fn on_ground(target: &dyn Target, folder: &Path, work: &'static str) -> Outcome<Hire> {
    Hire::new(target, &target.place(folder), work)
}

/// Says why a case that mounts cannot run here; none if it can.
pub(crate) fn why_no_mounts() -> Option<String> {
    static WHY: OnceLock<Option<String>> = OnceLock::new();
    WHY.get_or_init(|| {
        why_not_root().map(|_| "needs root to mount".to_owned()).or_else(|| {
            let may = runs("unshare", &["-m", "--propagation", "private", "true"]);
            (!may).then(|| "needs the right to mount (CAP_SYS_ADMIN), and unshare".to_owned())
        })
    })
    .clone()
}

/// Says why a case that cuts the power of a disk cannot run here; none if it can.
pub(crate) fn why_no_power_cuts() -> Option<String> {
    static WHY: OnceLock<Option<String>> = OnceLock::new();
    WHY.get_or_init(|| why_no_mounts().or_else(|| why_no_disks(&["btrfs", "ext4", "xfs"]))).clone()
}

/// Says why a case that needs a disk with a quota cannot run here; none if it can.
pub(crate) fn why_no_quota() -> Option<String> {
    static WHY: OnceLock<Option<String>> = OnceLock::new();
    WHY.get_or_init(|| why_no_mounts().or_else(|| why_no_disks(&["btrfs"]))).clone()
}

/// Says why a case that needs a disk with ext4 cannot run here; none if it can.
pub(crate) fn why_no_ext4() -> Option<String> {
    static WHY: OnceLock<Option<String>> = OnceLock::new();
    WHY.get_or_init(|| why_no_mounts().or_else(|| why_no_disks(&["ext4"]))).clone()
}

fn why_no_disks(filesystems: &[&str]) -> Option<String> {
    if !Path::new("/dev/loop-control").exists() {
        return Some("needs loop devices".to_owned());
    }
    filesystems.iter().find_map(|name| {
        let tool = format!("mkfs.{name}");
        if !runs(&tool, &["-V"]) {
            return Some(format!("needs {tool}"));
        }
        (!is_known(name)).then(|| format!("needs a kernel that knows {name}"))
    })
}

fn is_known(filesystem: &str) -> bool {
    let known = std::fs::read_to_string("/proc/filesystems").unwrap_or_default();
    known.split_whitespace().any(|word| word == filesystem) || runs("modprobe", &["-q", filesystem])
}

fn runs(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
