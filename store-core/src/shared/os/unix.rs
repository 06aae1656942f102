//! Unix, Linux first: what is asked through /proc is "unknown" on the others.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, OFlags};

use super::{FileVersion, HeldLock, Identity};

/// Returns what tells the file from every other.
pub fn identity(metadata: &Metadata) -> Identity {
    Identity(metadata.dev(), metadata.ino())
}

/// Returns how many names the file has.
pub fn link_count(metadata: &Metadata) -> u64 {
    metadata.nlink()
}

/// Returns the permission bits, set-id and sticky bits included.
pub fn mode(metadata: &Metadata) -> u32 {
    metadata.permissions().mode() & 0o7777
}

/// Returns the number of the owner.
pub fn owner(metadata: &Metadata) -> u32 {
    metadata.uid()
}

/// Returns the number of the owner group.
pub fn group(metadata: &Metadata) -> u32 {
    metadata.gid()
}

/// Gives an open file or folder its owner and group, if they are named, and then its mode.
///
/// # Errors
/// Those of `fchown` and `fchmod`; what it has already is not asked for.
pub fn set_rights(file: &File, mode: u32, owner: Option<u32>, group: Option<u32>) -> io::Result<()> {
    let found = file.metadata()?;
    let owner = owner.filter(|owner| *owner != found.uid());
    let group = group.filter(|group| *group != found.gid());
    // They come first: changing them may clear mode bits.
    if owner.is_some() || group.is_some() {
        std::os::unix::fs::fchown(file, owner, group)?;
    }
    file.set_permissions(std::fs::Permissions::from_mode(mode))
}

/// Reads up to a buffer's length at an offset and returns how much there was.
///
/// # Errors
/// Those of `pread`.
pub fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

/// Writes all bytes at an offset.
///
/// # Errors
/// Those of `pwrite`.
pub fn write_all_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
}

/// Lets the system begin to write a range of a file to the disk, without waiting; no more than a hint.
///
/// What was written of a large file would otherwise go to the disk all at once when it is synced, and keep the syncs of
/// others waiting for so long.
#[cfg(target_os = "linux")]
pub fn begin_writeback(file: &File, offset: u64, length: u64) {
    // Linux begins to write what is dirty before it drops what is clean (mm/fadvise.c).
    let _ = rustix::fs::fadvise(file, offset, std::num::NonZero::new(length), rustix::fs::Advice::DontNeed);
}

/// Does nothing: there is no such hint here.
#[cfg(not(target_os = "linux"))]
pub fn begin_writeback(_file: &File, _offset: u64, _length: u64) {}

/// Opens a plain file that is there; what a link leads to, a folder or a pipe is not opened, nor waited for.
///
/// # Errors
/// `InvalidInput` for what is no plain file; those of `open`.
pub fn open_plain(path: &Path, write: bool) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).map_err(io::Error::other)?;
    let file = match OpenOptions::new().read(true).write(write).custom_flags(flags).open(path) {
        Err(e) if path.symlink_metadata().is_ok_and(|found| !found.is_file()) => {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, e));
        }
        opened => opened?,
    };
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "no plain file"))
}

/// Makes sure that this process may read a file.
///
/// # Errors
/// Those of `faccessat2`, such as `PermissionDenied`.
pub fn may_read(path: &Path) -> io::Result<()> {
    Ok(rustix::fs::accessat(CWD, path, rustix::fs::Access::READ_OK, AtFlags::EACCESS)?)
}

/// Makes sure that this process may write to a file, or make files in a folder.
///
/// # Errors
/// Those of `faccessat2`, such as `PermissionDenied`.
pub fn may_write(path: &Path) -> io::Result<()> {
    Ok(rustix::fs::accessat(CWD, path, rustix::fs::Access::WRITE_OK, AtFlags::EACCESS)?)
}

/// Tells whether a file may have changed between two looks: whatever is written to it changes this.
pub fn version(metadata: &Metadata) -> FileVersion {
    FileVersion([
        metadata.dev(),
        metadata.ino(),
        metadata.size(),
        metadata.mtime().cast_unsigned(),
        metadata.mtime_nsec().cast_unsigned(),
        metadata.ctime().cast_unsigned(),
        metadata.ctime_nsec().cast_unsigned(),
    ])
}

/// Opens a file that has no name yet, readable by its owner alone.
///
/// # Errors
/// `Unsupported` where the filesystem has no nameless files.
pub fn open_nameless(folder: &Path) -> io::Result<File> {
    let flags = i32::try_from(OFlags::TMPFILE.bits()).map_err(io::Error::other)?;
    let opened = OpenOptions::new().read(true).write(true).mode(0o600).custom_flags(flags).open(folder);
    // EISDIR is what a kernel says that takes the flag for an attempt to write to a folder.
    opened.map_err(|e| match e.kind() {
        io::ErrorKind::IsADirectory | io::ErrorKind::Unsupported => io::ErrorKind::Unsupported.into(),
        _ => e,
    })
}

/// Gives a nameless file its name; never replaces a file.
///
/// # Errors
/// `AlreadyExists` if the name is taken.
pub fn link_nameless(file: &File, path: &Path) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    let nameless = format!("/proc/self/fd/{}", file.as_raw_fd());
    Ok(rustix::fs::linkat(CWD, nameless, CWD, path, AtFlags::SYMLINK_FOLLOW)?)
}

/// Renames a folder; never replaces one.
///
/// # Errors
/// `AlreadyExists` if the name is taken.
#[cfg(target_os = "linux")]
pub fn rename_folder(from: &Path, to: &Path) -> io::Result<()> {
    Ok(rustix::fs::renameat_with(CWD, from, CWD, to, rustix::fs::RenameFlags::NOREPLACE)?)
}

/// Renames a folder; replaces one only if it is empty.
///
/// # Errors
/// `AlreadyExists` or `DirectoryNotEmpty` if the name is taken.
#[cfg(not(target_os = "linux"))]
#[expect(clippy::disallowed_methods, reason = "a folder, and there is nothing better here")]
pub fn rename_folder(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::rename(from, to)
}

/// Returns the number of a group that is given by name or number.
pub fn group_number(name: &str) -> Option<u32> {
    if let Ok(number) = name.parse() {
        return Some(number);
    }
    nix::unistd::Group::from_name(name).ok().flatten().map(|group| group.gid.as_raw())
}

/// Returns a group's name, or its number if it has none.
pub fn group_name(number: u32) -> String {
    let group = nix::unistd::Group::from_gid(nix::unistd::Gid::from_raw(number)).ok().flatten();
    group.map_or_else(|| number.to_string(), |group| group.name)
}

/// Returns a user's name, or its number if it has none.
pub fn user_name(number: u32) -> String {
    let user = nix::unistd::User::from_uid(nix::unistd::Uid::from_raw(number)).ok().flatten();
    user.map_or_else(|| number.to_string(), |user| user.name)
}

/// Returns the number of the user that this process acts as.
pub fn current_user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Tells who this process acts as: user and groups, for messages.
pub fn describe_self() -> String {
    let mut groups = vec![rustix::process::getegid().as_raw()];
    groups.extend(rustix::process::getgroups().unwrap_or_default().iter().map(|gid| gid.as_raw()));
    groups.dedup();
    let groups: Vec<_> = groups.into_iter().map(group_name).collect();
    format!("user {} in groups {}", user_name(current_user()), groups.join(", "))
}

/// Tells mode, owner and group of a file, for messages.
pub fn describe_rights(metadata: &Metadata) -> String {
    let (mode, owner, group) = (mode(metadata), owner(metadata), group(metadata));
    format!("mode {mode:04o}, owner {}, group {}", user_name(owner), group_name(group))
}

/// Returns the name of the filesystem that a path lies on, if it is one that is not of this machine.
///
/// # Errors
/// Those of `statfs`.
#[cfg(target_os = "linux")]
pub fn network_filesystem(path: &Path) -> io::Result<Option<&'static str>> {
    // Magic numbers of linux/magic.h and of the modules that keep their own.
    let name = match u32::try_from(rustix::fs::statfs(path)?.f_type & 0xffff_ffff).unwrap_or(0) {
        0x6969 => "nfs",
        0xff53_4d42 => "cifs",
        0xfe53_4d42 => "smb",
        0x517b => "smbfs",
        0x0102_1997 => "9p",
        0x5346_414f | 0x6b41_4653 => "afs",
        0x7375_7245 => "coda",
        0x00c3_6400 => "ceph",
        0x0bd0_0bd0 => "lustre",
        0x564c => "ncpfs",
        0x786f_4256 => "vboxsf",
        0x4750_4653 => "gpfs",
        _ => return Ok(None),
    };
    Ok(Some(name))
}

/// Returns nothing: what is a network filesystem cannot be told here.
///
/// # Errors
/// None.
#[cfg(not(target_os = "linux"))]
pub fn network_filesystem(_path: &Path) -> io::Result<Option<&'static str>> {
    Ok(None)
}

/// Returns what names this boot of the machine; empty where that cannot be told.
pub fn boot_id() -> String {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.trim_end().to_owned()
}

/// Returns when a process started, in clock ticks since boot: with its number, its name for all time.
pub fn process_start(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command stands in parentheses and may hold any character; fields are counted after the last one.
    let (_, fields) = stat.rsplit_once(") ")?;
    fields.split(' ').nth(19)?.parse().ok()
}

/// Returns the locks that processes hold on a file, as far as the kernel tells; waiters are left out.
///
/// The table comes in pieces, and a lock can fall between two of them while others come and go; so what is
/// not found is looked for again.
pub fn locks_on(identity: Identity) -> Vec<HeldLock> {
    const LOOKS: usize = 4;
    let look = || -> Vec<HeldLock> {
        let table = std::fs::read_to_string("/proc/locks").unwrap_or_default();
        table.lines().filter_map(|line| parse_lock(line, identity.1)).collect()
    };
    (0..LOOKS).map(|_| look()).find(|found| !found.is_empty()).unwrap_or_default()
}

/// Reads a line such as `1: POSIX  ADVISORY  WRITE 7741 fe:00:917 0 EOF`.
///
/// The inode alone is compared: on some filesystems the device that `stat` reports is another number.
fn parse_lock(line: &str, inode: u64) -> Option<HeldLock> {
    let mut words = line.split_ascii_whitespace().skip(1);
    let class = words.next().filter(|class| *class != "->")?;
    let kind = words.nth(1)?;
    let pid = words.next()?.parse().ok()?;
    let place = words.next()?;
    if place.rsplit(':').next()?.parse() != Ok(inode) {
        return None;
    }
    let first = words.next()?.parse().ok()?;
    let last = words.next()?.parse().unwrap_or(u64::MAX);
    Some(HeldLock { pid, whole_file: class == "FLOCK", exclusive: kind == "WRITE", first, last })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_lock_table() {
        let held = parse_lock("1: POSIX  ADVISORY  WRITE 77 fe:00:917 120 120", 917).unwrap();
        assert_eq!((held.pid, held.whole_file, held.exclusive, held.first), (77, false, true, 120));
        let held = parse_lock("12: FLOCK  ADVISORY  READ  8 00:1b:4 0 EOF", 4).unwrap();
        assert_eq!((held.pid, held.whole_file, held.exclusive, held.last), (8, true, false, u64::MAX));
        assert!(parse_lock("1: -> FLOCK  ADVISORY  WRITE 9 00:1b:4 0 EOF", 4).is_none(), "a waiter");
        assert!(parse_lock("1: FLOCK  ADVISORY  WRITE 9 00:1b:44 0 EOF", 4).is_none());
        assert!(parse_lock("", 4).is_none());
    }

    #[test]
    fn this_process_started_once() {
        let start = process_start(std::process::id());
        assert!(start.is_some_and(|ticks| ticks > 0));
        assert_eq!(start, process_start(std::process::id()));
    }
}
