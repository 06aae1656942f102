//! Who holds redb's own locks: byte ranges that belong to an open file, which the kernel lists without a
//! process; each process that has the file open tells which of its descriptors holds what.

use std::fs::read_to_string;
use std::path::Path;
use std::time::Duration;

use store_core::shared::os::{self, Identity};

const HEADER: u64 = 0;
const WRITER: u64 = 1 << 62;

/// For how long whoever is named has held a lock at least: a peer that runs holds the header's for less.
const LONG: Duration = Duration::from_millis(1);

/// Names who writes, or stands between others and the header; empty if nobody is known.
pub(crate) fn who_holds(database: &Path) -> String {
    let Ok(found) = database.metadata() else { return String::new() };
    let identity = os::identity(&found);
    let locks = read_to_string("/proc/locks").unwrap_or_default();
    let inode = format!(":{}", identity.1);
    let mut held = locks.lines().filter(|line| line.split_whitespace().any(|word| word.ends_with(&inode)));
    if !held.any(|line| parse_lock(line).is_some_and(|(first, last)| does(first, last).is_some())) {
        return String::new();
    }
    // Of this process one thread may write while others read.
    let holder = others().chain([std::process::id()]).find_map(|pid| {
        what_it_holds(pid, identity)?;
        std::thread::sleep(LONG);
        Some((pid, what_it_holds(pid, identity)?))
    });
    holder.map_or_else(String::new, |(pid, does)| {
        format!("the engine's own lock is held by {}, which {does}", os::describe_process(pid))
    })
}

/// Whether a lock in the way is held by a process that is stopped, as far as can be seen.
pub(crate) fn is_held_by_who_is_stopped(identity: Identity) -> bool {
    others().any(|pid| is_stopped(pid) && what_it_holds(pid, identity).is_some())
}

fn others() -> impl Iterator<Item = u32> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let processes = processes.filter_map(|found| found.file_name().to_str()?.parse::<u32>().ok());
    processes.filter(|pid| *pid != std::process::id())
}

fn is_stopped(pid: u32) -> bool {
    let stat = read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The state follows the command, which may hold any character.
    stat.rsplit_once(") ").is_some_and(|(_, state)| state.starts_with(['T', 't']))
}

fn what_it_holds(pid: u32, identity: Identity) -> Option<&'static str> {
    let process = Path::new("/proc").join(pid.to_string());
    let descriptors = std::fs::read_dir(process.join("fd")).ok()?.flatten();
    let ours = descriptors
        .filter(|found| std::fs::metadata(found.path()).is_ok_and(|found| os::identity(&found) == identity));
    ours.filter_map(|found| read_to_string(process.join("fdinfo").join(found.file_name())).ok())
        .find_map(|info| info.lines().filter_map(parse_lock).find_map(|(first, last)| does(first, last)))
}

fn does(first: u64, last: u64) -> Option<&'static str> {
    let held = first..=last;
    match (held.contains(&WRITER), held.contains(&HEADER)) {
        (true, _) => Some("writes"),
        (false, true) => Some("reads or writes the header"),
        (false, false) => None,
    }
}

/// Reads a line such as `1: OFDLCK  ADVISORY  WRITE -1 fe:00:917 0 319`; that of a descriptor begins with
/// `lock:`.
fn parse_lock(line: &str) -> Option<(u64, u64)> {
    let line = line.strip_prefix("lock:").unwrap_or(line);
    let (_, lock) = line.split_once("OFDLCK")?;
    let mut words = lock.split_whitespace().skip(4);
    let first = words.next()?.parse().ok()?;
    let last = match words.next()? {
        "EOF" => u64::MAX,
        last => last.parse().ok()?,
    };
    Some((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_of_a_descriptor_are_read() {
        let line = "lock:\t1: OFDLCK  ADVISORY  WRITE -1 fe:00:917 4611686018427387904 4611686018427387904";
        let (first, last) = parse_lock(line).unwrap();
        assert_eq!(does(first, last), Some("writes"));
        assert_eq!(parse_lock("lock:\t1: OFDLCK ADVISORY READ -1 fe:00:917 0 EOF"), Some((0, u64::MAX)));
        assert_eq!(parse_lock("pos:\t0"), None);
    }
}
