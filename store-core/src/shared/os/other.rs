//! Systems that are not Unix: it compiles and locks, with rights left to the system. Not tested.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;

use super::{FileVersion, HeldLock, Identity};

/// Returns a constant: files cannot be told apart here.
pub fn identity(_metadata: &Metadata) -> Identity {
    Identity(0, 0)
}

/// Opens a plain file that is there.
///
/// # Errors
/// `InvalidInput` for what is no plain file; those of the system.
pub fn open_plain(path: &Path, write: bool) -> io::Result<File> {
    if !path.symlink_metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "no plain file"));
    }
    std::fs::OpenOptions::new().read(true).write(write).open(path)
}

/// Makes sure that a file can be looked at.
///
/// # Errors
/// Those of the system.
pub fn may_read(path: &Path) -> io::Result<()> {
    path.metadata().map(drop)
}

/// Makes sure that a file, or a folder, is not marked as one that may only be read.
///
/// # Errors
/// `PermissionDenied` if it is; those of the system.
pub fn may_write(path: &Path) -> io::Result<()> {
    match path.metadata()?.permissions().readonly() {
        true => Err(io::ErrorKind::PermissionDenied.into()),
        false => Ok(()),
    }
}

/// Tells size and time of change, which is all there is here.
pub fn version(metadata: &Metadata) -> FileVersion {
    let changed = metadata.modified().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    let changed = changed.unwrap_or_default();
    FileVersion([metadata.len(), changed.as_secs(), u64::from(changed.subsec_nanos()), 0, 0, 0, 0])
}

/// Returns 1: names are not counted here.
pub fn link_count(_metadata: &Metadata) -> u64 {
    1
}

/// Returns 0: there are no mode bits here.
pub fn mode(_metadata: &Metadata) -> u32 {
    0
}

/// Returns 0: owners have no numbers here.
pub fn owner(_metadata: &Metadata) -> u32 {
    0
}

/// Returns 0: groups have no numbers here.
pub fn group(_metadata: &Metadata) -> u32 {
    0
}

/// Does nothing: there is no such hint here.
pub fn begin_writeback(_file: &File, _offset: u64, _length: u64) {}

/// Does nothing: rights are inherited from the folder here.
///
/// # Errors
/// None.
pub fn set_rights(_file: &File, _mode: u32, _owner: Option<u32>, _group: Option<u32>) -> io::Result<()> {
    Ok(())
}

/// Reads up to a buffer's length at an offset and returns how much there was.
///
/// # Errors
/// Those of the system.
pub fn read_at(mut file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    use std::io::{Read, Seek};
    file.seek(io::SeekFrom::Start(offset))?;
    file.read(buffer)
}

/// Writes all bytes at an offset.
///
/// # Errors
/// Those of the system.
pub fn write_all_at(mut file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    use std::io::{Seek, Write};
    file.seek(io::SeekFrom::Start(offset))?;
    file.write_all(bytes)
}

/// Fails: there are no nameless files here.
///
/// # Errors
/// Always `Unsupported`.
pub fn open_nameless(_folder: &Path) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Fails: there are no nameless files here.
///
/// # Errors
/// Always `Unsupported`.
pub fn link_nameless(_file: &File, _path: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Renames a folder; never replaces one.
///
/// # Errors
/// Those of the system.
#[expect(clippy::disallowed_methods, reason = "a folder, and the system does not replace one")]
pub fn rename_folder(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::rename(from, to)
}

/// Returns none: groups have no numbers here.
pub fn group_number(_name: &str) -> Option<u32> {
    None
}

/// Returns the number.
pub fn group_name(number: u32) -> String {
    number.to_string()
}

/// Returns the number.
pub fn user_name(number: u32) -> String {
    number.to_string()
}

/// Returns 0: users have no numbers here.
pub fn current_user() -> u32 {
    0
}

/// Tells nothing.
pub fn describe_self() -> String {
    "this user".into()
}

/// Tells whether the file may be written.
pub fn describe_rights(metadata: &Metadata) -> String {
    if metadata.permissions().readonly() { "read-only".into() } else { "writable".into() }
}

/// Returns nothing: what is a network filesystem cannot be told here.
///
/// # Errors
/// None.
pub fn network_filesystem(_path: &Path) -> io::Result<Option<&'static str>> {
    Ok(None)
}

/// Returns nothing: boots have no names here, so revisions are unique only without power cuts.
pub fn boot_id() -> String {
    String::new()
}

/// Returns none: start times cannot be told here.
pub fn process_start(_pid: u32) -> Option<u64> {
    None
}

/// Returns nothing: locks are not listed here.
pub fn locks_on(_identity: Identity) -> Vec<HeldLock> {
    Vec::new()
}
