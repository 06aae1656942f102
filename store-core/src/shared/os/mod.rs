//! Everything that is asked of the operating system beyond the standard library, in one place.

mod handle;
mod room;
#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub use unix::*;

#[cfg(not(unix))]
mod other;
#[cfg(not(unix))]
pub use other::*;

use std::path::Path;

pub use handle::Handle;
pub use room::{Room, memory_filesystem, room};

/// What tells one file from another, whatever its path: device and inode on Unix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Identity(pub u64, pub u64);

/// What a file was when it was looked at: it, its size and the times of its last change on Unix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileVersion(pub [u64; 7]);

/// A lock that some process holds on a file, as the kernel lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldLock {
    /// The process that took it.
    pub pid: u32,
    /// Whether it is a lock on the whole file (flock) rather than on a range of bytes.
    pub whole_file: bool,
    /// Whether it excludes everybody else.
    pub exclusive: bool,
    /// The first byte of its range.
    pub first: u64,
    /// The last byte of its range.
    pub last: u64,
}

/// Names a process for a message: its number, and its command if that can be told.
pub fn describe_process(pid: u32) -> String {
    match std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("comm")) {
        Ok(command) => format!("pid {pid} ({})", command.trim_end()),
        Err(_) => format!("pid {pid}"),
    }
}
