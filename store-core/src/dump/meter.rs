//! How far a dump has come, for whoever draws it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Counts what goes by; one thread works while another looks.
#[derive(Debug, Default)]
pub struct Meter {
    step: Mutex<&'static str>,
    records: AtomicU64,
    bytes: AtomicU64,
    total: AtomicU64,
}

/// How far something has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Progress {
    /// What is being done, in a word; empty before it begins.
    pub step: &'static str,
    /// The records of this step so far.
    pub records: u64,
    /// Their bytes, uncompressed.
    pub bytes: u64,
    /// How many bytes there will be, as far as it is known; an estimate while a store is read, 0 if unknown.
    pub total: u64,
}

impl Meter {
    /// Makes a meter that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns how far it has come.
    pub fn progress(&self) -> Progress {
        Progress {
            step: *self.step.lock().unwrap_or_else(PoisonError::into_inner),
            records: self.records.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            total: self.total.load(Ordering::Relaxed),
        }
    }

    pub(super) fn begin(&self, step: &'static str, total: u64) {
        *self.step.lock().unwrap_or_else(PoisonError::into_inner) = step;
        self.records.store(0, Ordering::Relaxed);
        self.bytes.store(0, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
    }

    pub(super) fn count(&self, bytes: usize) {
        self.records.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}
