//! How much memory this process has.

use serde::{Deserialize, Serialize};

/// Memory of a process in KiB.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Memory {
    /// What it had before a subject was opened.
    pub(crate) before: u64,
    /// What it has after the work, the subject still open.
    pub(crate) after: u64,
    /// The most that it ever had.
    pub(crate) peak: u64,
}

impl Memory {
    /// Notes what there is before a subject is opened; none where the system does not tell.
    pub(crate) fn before() -> Option<Self> {
        Some(Self { before: kib("VmRSS:")?, ..Self::default() })
    }

    /// Notes what there is after the work.
    pub(crate) fn after(self) -> Option<Self> {
        Some(Self { after: kib("VmRSS:")?, peak: kib("VmHWM:")?, ..self })
    }
}

/// Reads a line of Linux's account of this process.
fn kib(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
