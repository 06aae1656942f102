//! The system calls that touch files, as x86-64 numbers them, and where each of them names its files.

use nix::libc;
use serde::{Deserialize, Serialize};

/// What kind of call it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Class {
    /// Opens or makes a file.
    Open,
    /// Reads bytes, or lists a folder.
    Read,
    /// Writes bytes.
    Write,
    /// Brings what was written to the disk.
    Sync,
    /// Changes names: makes, links, renames or removes.
    Name,
    /// Changes the size of a file.
    Size,
    /// Maps a file into memory.
    Map,
    /// Takes a lock, or asks who has it.
    Lock,
    /// Lets go of a lock, which no kernel refuses on a local disk.
    Unlock,
    /// Looks at a file without its content.
    Look,
    /// Changes owner or mode.
    Mode,
}

/// Where a call names a file: numbers of its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Where {
    /// A path.
    Path(usize),
    /// The descriptor of a folder, and a path in it.
    At(usize, usize),
    /// A descriptor.
    Fd(usize),
}

/// A system call that touches files.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    pub(super) number: i64,
    pub(super) name: &'static str,
    pub(super) class: Class,
    pub(super) files: &'static [Where],
}

/// Returns the call of a number, if it is one that touches files.
pub(super) fn find(number: u64) -> Option<&'static Call> {
    CALLS.iter().find(|call| u64::try_from(call.number).ok() == Some(number))
}

#[cfg(not(target_arch = "x86_64"))]
const CALLS: &[Call] = &[];

#[cfg(target_arch = "x86_64")]
macro_rules! calls {
    ($($class:ident [$($name:ident at $($files:expr),+;)+])+) => {
        &[$($(Call {
            number: libc::$name,
            // Behind the prefix `SYS_`.
            name: stringify!($name).split_at(4).1,
            class: Class::$class,
            files: &[$($files),+],
        }),+),+]
    };
}

#[cfg(target_arch = "x86_64")]
const CALLS: &[Call] = {
    use Where::{At, Fd, Path};
    calls! {
        Read [
            SYS_read at Fd(0); SYS_pread64 at Fd(0); SYS_readv at Fd(0); SYS_preadv at Fd(0);
            SYS_preadv2 at Fd(0); SYS_getdents64 at Fd(0);
        ]
        Write [
            SYS_write at Fd(0); SYS_pwrite64 at Fd(0); SYS_writev at Fd(0); SYS_pwritev at Fd(0);
            SYS_pwritev2 at Fd(0); SYS_copy_file_range at Fd(2), Fd(0);
        ]
        Sync [
            SYS_fsync at Fd(0); SYS_fdatasync at Fd(0); SYS_sync_file_range at Fd(0); SYS_syncfs at Fd(0);
        ]
        Open [
            SYS_open at Path(0); SYS_openat at At(0, 1); SYS_openat2 at At(0, 1); SYS_creat at Path(0);
        ]
        Name [
            SYS_rename at Path(0), Path(1); SYS_renameat at At(0, 1), At(2, 3);
            SYS_renameat2 at At(0, 1), At(2, 3); SYS_link at Path(1), Path(0);
            SYS_linkat at At(2, 3), At(0, 1); SYS_symlink at Path(1); SYS_symlinkat at At(1, 2);
            SYS_unlink at Path(0); SYS_unlinkat at At(0, 1); SYS_mkdir at Path(0);
            SYS_mkdirat at At(0, 1); SYS_rmdir at Path(0);
        ]
        Size [
            SYS_truncate at Path(0); SYS_ftruncate at Fd(0); SYS_fallocate at Fd(0);
        ]
        Map [
            SYS_mmap at Fd(4);
        ]
        Lock [
            SYS_flock at Fd(0); SYS_fcntl at Fd(0);
        ]
        Look [
            SYS_stat at Path(0); SYS_lstat at Path(0); SYS_fstat at Fd(0); SYS_newfstatat at At(0, 1);
            SYS_statx at At(0, 1); SYS_statfs at Path(0); SYS_fstatfs at Fd(0); SYS_access at Path(0);
            SYS_faccessat at At(0, 1); SYS_faccessat2 at At(0, 1); SYS_readlink at Path(0);
            SYS_readlinkat at At(0, 1);
        ]
        Mode [
            SYS_chmod at Path(0); SYS_fchmod at Fd(0); SYS_fchmodat at At(0, 1);
            SYS_chown at Path(0); SYS_lchown at Path(0); SYS_fchown at Fd(0); SYS_fchownat at At(0, 1);
        ]
    }
};

impl Call {
    /// Returns what kind of call it is with these arguments; none if it touches no file with them.
    pub(super) fn class(&self, arguments: &[u64; 6], memory: impl Fn(u64) -> u64) -> Option<Class> {
        let [_, second, third, fourth, ..] = *arguments;
        match self.name {
            "fcntl" if !LOCKS.iter().any(|lock| u64::try_from(*lock) == Ok(second)) => None,
            // The kind of the lock is the first of what the third argument points to.
            "fcntl" if memory(third) & 0xffff == u64::from(libc::F_UNLCK.cast_unsigned()) => {
                Some(Class::Unlock)
            }
            "flock" if second == u64::from(libc::LOCK_UN.cast_unsigned()) => Some(Class::Unlock),
            "mmap" if fourth & u64::from(libc::MAP_ANONYMOUS.cast_unsigned()) != 0 => None,
            _ => Some(self.class),
        }
    }
}

/// The commands of `fcntl` that have to do with locks.
const LOCKS: [i32; 6] =
    [libc::F_GETLK, libc::F_SETLK, libc::F_SETLKW, libc::F_OFD_GETLK, libc::F_OFD_SETLK, libc::F_OFD_SETLKW];
