//! What there is of a filesystem: how much room, and whether it outlives the machine's power.

use std::io;
use std::path::Path;

/// The room of a filesystem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Its size in bytes.
    pub size: u64,
    /// How many bytes a user who is not root can still write.
    pub free: u64,
    /// How many files it can hold; 0 where that has no limit.
    pub files: u64,
    /// How many files can still be made.
    pub free_files: u64,
}

/// Returns the room of the filesystem that a path lies on.
///
/// # Errors
/// Those of `statvfs`.
#[cfg(unix)]
pub fn room(path: &Path) -> io::Result<Room> {
    let found = rustix::fs::statvfs(path)?;
    Ok(Room {
        size: found.f_blocks.saturating_mul(found.f_frsize),
        free: found.f_bavail.saturating_mul(found.f_frsize),
        files: found.f_files,
        free_files: found.f_favail,
    })
}

/// Refuses: room is not asked for here.
///
/// # Errors
/// `Unsupported`.
#[cfg(not(unix))]
pub fn room(_path: &Path) -> io::Result<Room> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Returns the name of the filesystem that a path lies on, if it is one in memory.
///
/// # Errors
/// Those of `statfs`.
#[cfg(target_os = "linux")]
pub fn memory_filesystem(path: &Path) -> io::Result<Option<&'static str>> {
    // Magic numbers of linux/magic.h.
    Ok(match u32::try_from(rustix::fs::statfs(path)?.f_type & 0xffff_ffff).unwrap_or(0) {
        0x0102_1994 => Some("tmpfs"),
        0x8584_58f6 => Some("ramfs"),
        _ => None,
    })
}

/// Returns nothing: what lies in memory cannot be told here.
///
/// # Errors
/// None.
#[cfg(not(target_os = "linux"))]
pub fn memory_filesystem(_path: &Path) -> io::Result<Option<&'static str>> {
    Ok(None)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_and_memory_is_told() {
        let room = room(Path::new("/")).unwrap();
        assert!(room.size >= room.free && room.size > 0);
        if let Ok(Some(kind)) = memory_filesystem(Path::new("/dev/shm")) {
            assert_eq!(kind, "tmpfs");
        }
    }
}
