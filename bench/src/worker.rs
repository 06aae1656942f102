//! The child process: it opens a subject, says that it is ready, waits for the word, works, and reports.

use std::io::{Read, Write};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::memory::Memory;
use crate::meter::Tally;
use crate::plan::{Case, Subject};
use crate::side;

/// The line that says that a child is ready.
pub(crate) const READY: &str = "ready";

/// What a child is told.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) subject: Subject,
    pub(crate) case: Case,
    /// How long it works; none makes the database instead.
    pub(crate) time: Option<Duration>,
    pub(crate) seed: u64,
}

/// What a child has measured.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    /// One of each task or thread.
    pub(crate) tallies: Vec<Tally>,
    /// None where the system does not tell.
    pub(crate) memory: Option<Memory>,
}

/// Does what it is told, in the current folder: one line when ready, one with the report.
pub(crate) fn run(order: &str) -> Result<()> {
    let order: Order = serde_json::from_str(order)?;
    let memory = Memory::before();
    let mut side = side::open(order.subject, order.case, order.seed)?;
    let Some(time) = order.time else {
        side.prepare()?;
        return side.close();
    };
    side.warm_up()?;
    let tallies = side.work(time, &mut wait_for_the_word)?;
    let memory = memory.and_then(Memory::after);
    side.close()?;
    tell(&Report { tallies, memory })
}

/// Writes a report to the parent, a line.
pub(crate) fn tell(report: &impl Serialize) -> Result<()> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, report)?;
    Ok(writeln!(out)?)
}

/// All children share one pipe, and each takes one byte of it; its end means that the parent is gone.
pub(crate) fn wait_for_the_word() -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{READY}")?;
    out.flush()?;
    let mut word = [0];
    // Not through `stdin()`, whose buffer would take the others' bytes.
    let mut input = unbuffered_input()?;
    Ok(input.read_exact(&mut word)?)
}

#[cfg(unix)]
fn unbuffered_input() -> Result<std::fs::File> {
    use std::os::fd::AsFd;
    Ok(std::io::stdin().as_fd().try_clone_to_owned()?.into())
}

#[cfg(windows)]
fn unbuffered_input() -> Result<std::fs::File> {
    use std::os::windows::io::AsHandle;
    Ok(std::io::stdin().as_handle().try_clone_to_owned()?.into())
}
