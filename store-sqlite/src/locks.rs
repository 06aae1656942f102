//! Who holds SQLite's own locks: they are byte ranges of the `-shm` file, which the kernel lists.
//!
//! Nothing is opened: closing a descriptor of that file would drop this process's locks.

use std::path::Path;

use store_core::shared::os::{self, HeldLock};

const WRITE: u64 = 120;
const CHECKPOINT: u64 = 121;
const RECOVER: u64 = 122;
/// Mark 0 is held by readers that need nothing of the log.
const FIRST_SNAPSHOT: u64 = 124;
const LAST_SNAPSHOT: u64 = 127;
const CONNECTED: u64 = 128;

fn held(shm: &Path) -> Vec<HeldLock> {
    shm.metadata().map_or_else(|_| Vec::new(), |shm| os::locks_on(os::identity(&shm)))
}

/// Names who writes, checkpoints or recovers; empty if nobody is known.
pub(crate) fn who_writes(shm: &Path) -> String {
    let covers = |lock: &&HeldLock, byte| {
        lock.pid != std::process::id() && lock.exclusive && lock.first <= byte && byte <= lock.last
    };
    let locks = held(shm);
    let found =
        [(WRITE, "writes"), (CHECKPOINT, "checkpoints"), (RECOVER, "recovers"), (CONNECTED, "connects")];
    let found = found
        .into_iter()
        .find_map(|(byte, does)| locks.iter().find(|lock| covers(lock, byte)).map(|lock| (lock.pid, does)));
    found.map_or_else(String::new, |(pid, does)| {
        format!(
            "the engine's own lock is held by {}, which {does} without the gate",
            os::describe_process(pid)
        )
    })
}

/// Names who reads an old snapshot; empty if nobody is known.
pub(crate) fn who_reads(shm: &Path) -> String {
    let locks = held(shm);
    let reads =
        |lock: &&HeldLock| !lock.exclusive && lock.first <= LAST_SNAPSHOT && FIRST_SNAPSHOT <= lock.last;
    match locks.iter().find(reads) {
        Some(lock) if lock.pid == std::process::id() => "this process reads an old snapshot".to_owned(),
        Some(lock) => format!("{} reads an old snapshot", os::describe_process(lock.pid)),
        None => String::new(),
    }
}
