//! A look into a followed process: its registers, its memory, and what its descriptors stand for.

use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Component, Path, PathBuf};

use nix::unistd::Pid;

use super::calls::Where;
use crate::failure::{Context, Outcome};

/// The longest path that the kernel takes.
const LONGEST: usize = 4096;

/// A followed process.
#[derive(Debug)]
pub(super) struct Process {
    pid: Pid,
    memory: File,
}

/// The number, the arguments and the result of a call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Registers {
    pub(super) number: u64,
    pub(super) arguments: [u64; 6],
    pub(super) result: i64,
}

#[cfg(target_arch = "x86_64")]
mod machine {
    use super::{Pid, Registers};
    use nix::sys::ptrace::{getregs, setregs};

    /// Returns the registers of a thread that is stopped at a call.
    pub(in super::super) fn registers(thread: Pid) -> nix::Result<Registers> {
        let found = getregs(thread)?;
        Ok(Registers {
            number: found.orig_rax,
            arguments: [found.rdi, found.rsi, found.rdx, found.r10, found.r8, found.r9],
            result: found.rax.cast_signed(),
        })
    }

    /// Lets a call that is about to begin not be made.
    pub(in super::super) fn skip(thread: Pid) -> nix::Result<()> {
        let mut registers = getregs(thread)?;
        registers.orig_rax = u64::MAX;
        setregs(thread, registers)
    }

    /// Gives a call that is over another result.
    pub(in super::super) fn fail(thread: Pid, errno: i32) -> nix::Result<()> {
        let mut registers = getregs(thread)?;
        registers.rax = i64::from(-errno).cast_unsigned();
        setregs(thread, registers)
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod machine {
    use super::{Pid, Registers};

    pub(in super::super) fn registers(_: Pid) -> nix::Result<Registers> {
        Err(nix::errno::Errno::ENOSYS)
    }

    pub(in super::super) fn skip(_: Pid) -> nix::Result<()> {
        Err(nix::errno::Errno::ENOSYS)
    }

    pub(in super::super) fn fail(_: Pid, _: i32) -> nix::Result<()> {
        Err(nix::errno::Errno::ENOSYS)
    }
}

pub(super) use machine::{fail, registers, skip};

impl Process {
    /// Looks into a process of ours.
    pub(super) fn new(pid: Pid) -> Outcome<Self> {
        let memory = File::open(format!("/proc/{pid}/mem")).context("cannot read the worker's memory")?;
        Ok(Self { pid, memory })
    }

    /// Returns the number of the process.
    pub(super) fn pid(&self) -> Pid {
        self.pid
    }

    /// Returns bytes of its memory, fewer if there are no more.
    pub(super) fn bytes(&self, at: u64, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        let mut have = 0;
        while let Some(rest) = bytes.get_mut(have..)
            && !rest.is_empty()
        {
            match self.memory.read_at(rest, at + have as u64) {
                Ok(0) | Err(_) => break,
                Ok(more) => have += more,
            }
        }
        bytes.truncate(have);
        bytes
    }

    /// Returns a number of its memory.
    pub(super) fn word(&self, at: u64) -> u64 {
        let bytes = self.bytes(at, 8);
        bytes.try_into().map_or(0, u64::from_le_bytes)
    }

    fn text(&self, at: u64) -> Option<PathBuf> {
        // A page at a time: what lies behind the end of the path may not be there.
        let mut text = Vec::new();
        let mut at = at;
        while text.len() < LONGEST {
            let len = 256 - usize::try_from(at % 256).unwrap_or(0);
            let more = self.bytes(at, len);
            let end = more.iter().position(|byte| *byte == 0);
            text.extend(more.iter().take(end.unwrap_or(more.len())));
            if end.is_some() {
                return Some(PathBuf::from(String::from_utf8_lossy(&text).into_owned()));
            }
            if more.len() < len {
                return None;
            }
            at += more.len() as u64;
        }
        None
    }

    /// Returns where the kernel shows a descriptor of the process.
    pub(super) fn descriptor(&self, number: u64) -> PathBuf {
        // Descriptors are numbers of 32 bits.
        let number = (number & 0xffff_ffff) as u32;
        PathBuf::from(format!("/proc/{}/fd/{number}", self.pid))
    }

    /// Returns the path behind a descriptor.
    fn behind(&self, number: u64) -> Option<PathBuf> {
        if (number & 0xffff_ffff) as u32 == nix::libc::AT_FDCWD.cast_unsigned() {
            return std::fs::read_link(format!("/proc/{}/cwd", self.pid)).ok();
        }
        std::fs::read_link(self.descriptor(number)).ok()
    }

    /// Returns the number of the inode behind a descriptor.
    pub(super) fn inode(&self, descriptor: u64) -> Outcome<u64> {
        Ok(std::fs::metadata(self.descriptor(descriptor)).context("a descriptor of the worker")?.ino())
    }

    /// Returns how long the file behind a descriptor is.
    pub(super) fn len(&self, descriptor: u64) -> u64 {
        std::fs::metadata(self.descriptor(descriptor)).map_or(0, |found| found.len())
    }

    /// Returns where in its file a descriptor stands.
    pub(super) fn position(&self, descriptor: u64) -> u64 {
        let number = (descriptor & 0xffff_ffff) as u32;
        let info = std::fs::read_to_string(format!("/proc/{}/fdinfo/{number}", self.pid));
        let info = info.unwrap_or_default();
        let found = info.lines().find_map(|line| line.strip_prefix("pos:"));
        found.and_then(|pos| pos.trim().parse().ok()).unwrap_or(0)
    }

    /// Returns the path that a call names, without links of its last part being followed.
    pub(super) fn path(&self, place: Where, arguments: &[u64; 6]) -> Option<PathBuf> {
        let argument = |at: usize| arguments.get(at).copied();
        let (base, path) = match place {
            Where::Fd(at) => return self.behind(argument(at)?),
            Where::Path(at) => (None, self.text(argument(at)?)?),
            Where::At(folder, at) => (argument(folder), self.text(argument(at)?)?),
        };
        if let Some(number) = self.own_descriptor(&path) {
            return self.behind(number);
        }
        if path.is_absolute() {
            return Some(lexical(&path));
        }
        let base = match base {
            Some(folder) => self.behind(folder)?,
            None => std::fs::read_link(format!("/proc/{}/cwd", self.pid)).ok()?,
        };
        Some(if path.as_os_str().is_empty() { base } else { lexical(&base.join(path)) })
    }

    /// Returns the number of the process's own descriptor that a path leads through.
    fn own_descriptor(&self, path: &Path) -> Option<u64> {
        let own = format!("/proc/{}/fd", self.pid);
        let number =
            ["/proc/self/fd", "/dev/fd", own.as_str()].iter().find_map(|p| path.strip_prefix(p).ok());
        number?.to_str()?.parse().ok()
    }
}

/// Returns a path without `.` and `..`.
fn lexical(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}
