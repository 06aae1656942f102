//! The file that lies where a store is: it says which process has the data in its memory.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use store_core::shared::access::explain_denial;
use store_core::shared::os::{describe_process, process_start};
use store_core::{Error, ErrorKind, Result};

/// A process, told from a later one of the same number by its start, and which of its stores it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Marker {
    pid: u32,
    start: u64,
    pub(crate) store: u64,
}

impl Marker {
    /// Names a store in the memory of this process.
    pub(crate) fn new(store: u64) -> Self {
        let pid = std::process::id();
        Self { pid, start: process_start(pid).unwrap_or(0), store }
    }

    /// Reads the marker at a path.
    ///
    /// # Errors
    /// `IncompatibleFormat` or `Corrupted` for a file that is none; those of the system.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|e| explain_denial("cannot read", path, e))?;
        let refuse = |kind, why: &str| Err(Error::new(kind, why).with_path(path));
        match String::from_utf8_lossy(&bytes).parse() {
            Ok(marker) => Ok(marker),
            Err(()) if bytes.is_empty() => refuse(ErrorKind::Corrupted, "has lost its contents; remove it"),
            Err(()) => refuse(ErrorKind::IncompatibleFormat, "is no store in memory; name another path"),
        }
    }

    /// Whether it is this process that has the data.
    pub(crate) fn is_ours(&self) -> bool {
        *self == Self::new(self.store)
    }

    /// Refuses to go on while another process has the data.
    ///
    /// # Errors
    /// `Unsupported` names the process, if it is alive.
    pub(crate) fn check_process(&self, path: &Path) -> Result<()> {
        if self.is_ours() || process_start(self.pid) != Some(self.start) {
            return Ok(());
        }
        let why = format!(
            "is in the memory of {}, and this engine cannot share it with another process; end that one, or choose an \
             engine that keeps its data on disk",
            describe_process(self.pid)
        );
        Err(Error::new(ErrorKind::Unsupported, why).with_path(path))
    }
}

const WORDS: [&str; 3] = ["in memory of process", "started at", "store"];

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [pid, start, store] = WORDS;
        writeln!(f, "{pid} {} {start} {} {store} {}", self.pid, self.start, self.store)
    }
}

impl FromStr for Marker {
    type Err = ();

    fn from_str(text: &str) -> std::result::Result<Self, ()> {
        let mut rest = text.strip_suffix('\n').ok_or(())?;
        let mut numbers = [0; 3];
        for (word, number) in WORDS.iter().zip(&mut numbers) {
            let after = rest.strip_prefix(word).and_then(|rest| rest.strip_prefix(' ')).ok_or(())?;
            let (digits, left) = after.split_once(' ').unwrap_or((after, ""));
            *number = digits.parse().map_err(drop)?;
            rest = left;
        }
        let [pid, start, store] = numbers;
        Ok(Self { pid: u32::try_from(pid).map_err(drop)?, start, store })
    }
}
