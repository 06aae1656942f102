//! What the processes of one way count.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// What writers did and readers saw.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Tally {
    /// Writes of all kinds that were acknowledged.
    pub(super) writes: u64,
    /// The longest that one write took, in microseconds.
    pub(super) longest_us: u64,
    /// How often a writer took what it could not read for empty.
    pub(super) taken_as_empty: u64,
    /// How often a reader looked.
    pub(super) looks: u64,
    /// Looks that found something unreadable.
    pub(super) unreadable: u64,
    /// Looks that found a file of zero bytes.
    pub(super) zero_bytes: u64,
    /// Looks that found an object half written, mixed or empty, or a log with a gap.
    pub(super) torn: u64,
    /// Looks that found less than had been seen before.
    pub(super) shrunk: u64,
    /// The words of the first error that a reader met.
    pub(super) first_error: Option<String>,
}

impl Tally {
    /// Runs a write and counts it, and the time that it took.
    pub(super) fn timed<E>(&mut self, write: impl FnOnce(&mut Self) -> Result<(), E>) -> Result<(), E> {
        let started = Instant::now();
        write(self)?;
        let took = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.longest_us = self.longest_us.max(took);
        self.writes += 1;
        Ok(())
    }

    /// Adds what another process counted.
    pub(super) fn add(&mut self, other: Self) {
        self.writes += other.writes;
        self.longest_us = self.longest_us.max(other.longest_us);
        self.taken_as_empty += other.taken_as_empty;
        self.looks += other.looks;
        self.unreadable += other.unreadable;
        self.zero_bytes += other.zero_bytes;
        self.torn += other.torn;
        self.shrunk += other.shrunk;
        self.first_error = self.first_error.take().or(other.first_error);
    }

    /// Returns the longest that one write took.
    pub(super) fn longest(&self) -> Duration {
        Duration::from_micros(self.longest_us)
    }

    /// Tells what readers saw that nobody should ever see.
    pub(super) fn problems(&self) -> impl Iterator<Item = String> {
        let seen = [
            (self.unreadable, "unreadable moments"),
            (self.zero_bytes, "files of zero bytes"),
            (self.torn, "torn or mixed objects"),
            (self.shrunk, "times less than seen before"),
        ];
        let counted =
            seen.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("readers saw {n} {what}"));
        counted.chain(self.first_error.clone())
    }
}
