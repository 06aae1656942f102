//! The thread that makes commits survive the loss of power, outside the gate: one sync for all that were
//! committed before it began.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::core::{Bell, Core};
use super::pending::Pending;
use crate::backend::Backend;
use crate::batch::Receipt;
use crate::error::{Error, ErrorKind, Result};
use crate::wait::slot::{Slot, Stage};
use crate::wait::timer::{Expire, no_thread};

/// How often it is looked whether what is in doubt was rewritten, while answers wait for it.
const DOUBT_STEP: Duration = Duration::from_millis(2);

/// What waits for the next sync.
#[derive(Debug)]
pub(super) enum Unsynced {
    /// A committed write, and what it is answered with.
    Write(Arc<Pending>, Receipt),
    /// A call of `sync`.
    Barrier(Arc<Barrier>),
}

impl Unsynced {
    fn is_answered(&self) -> bool {
        match self {
            Self::Write(pending, _) => pending.is_answered(),
            Self::Barrier(barrier) => barrier.slot.stage() == Stage::Answered,
        }
    }

    fn answer(self, failure: Option<&Error>) {
        let failure = failure.map(Error::again);
        match self {
            Self::Write(pending, receipt) => pending.synced(failure.map_or(Ok(receipt), Err)),
            Self::Barrier(barrier) => {
                barrier.slot.answer(Stage::Queued, failure.map_or(Ok(()), Err));
            }
        }
    }
}

/// A call of `sync` that waits.
#[derive(Debug)]
pub(super) struct Barrier {
    pub(super) slot: Slot<()>,
}

impl Expire for Barrier {
    fn expire(&self) {
        let why = "the sync did not end within the timeout; it goes on, call sync again to await it";
        self.slot.answer(Stage::Queued, Err(Error::new(ErrorKind::Indeterminate, why)));
    }
}

#[derive(Debug, Default)]
pub(super) struct Syncer {
    waiting: Mutex<Vec<Unsynced>>,
    bell: Bell,
}

impl Syncer {
    pub(super) fn ring(&self) {
        self.bell.ring();
    }

    fn take(&self) -> Vec<Unsynced> {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, unsynced: impl IntoIterator<Item = Unsynced>) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).extend(unsynced);
    }
}

impl<B: Backend> Core<B> {
    /// Hands committed writes, or calls of `sync`, to the sync thread.
    pub(super) fn sync_later(self: &Arc<Self>, unsynced: Vec<Unsynced>) {
        if unsynced.is_empty() {
            return;
        }
        self.queue.syncing.store(true, Ordering::Release);
        self.syncer.add(unsynced);
        let core = Arc::clone(self);
        if let Err(e) = self.syncer.bell.ring_or_start("statestore-sync", move || core.sync_for_ever()) {
            let error = no_thread(e);
            let doubt = Error::new(
                ErrorKind::Indeterminate,
                format!("committed but not synced: {}", error.message()),
            );
            self.queue.syncing.store(false, Ordering::Release);
            for unsynced in self.syncer.take() {
                unsynced.answer(Some(&doubt));
            }
        }
    }

    fn sync_for_ever(self: Arc<Self>) {
        loop {
            let mut waiting = self.syncer.take();
            if waiting.is_empty() {
                self.queue.syncing.store(false, Ordering::Release);
                if self.lead_what_gathered() {
                    continue;
                }
                if self.is_closing() {
                    return;
                }
                self.syncer.bell.wait();
                continue;
            }
            self.queue.syncing.store(true, Ordering::Release);
            waiting.retain(|unsynced| !unsynced.is_answered());
            let failure = self.sync_until_sure(&waiting).err();
            for unsynced in waiting {
                unsynced.answer(failure.as_ref());
            }
            self.lead_what_gathered();
        }
    }

    /// Leads what gathered while a sync ran; true if it did.
    fn lead_what_gathered(self: &Arc<Self>) -> bool {
        let leads = self.queue.claim(true);
        if leads {
            self.lead_inline();
        }
        leads
    }

    /// Syncs; success means that no failed sync of anybody can have taken anything away.
    fn sync_until_sure(self: &Arc<Self>, waiting: &[Unsynced]) -> Result<()> {
        loop {
            self.backend.sync().map_err(|error| self.sync_failed(&error))?;
            if !self.is_in_doubt()? {
                return Ok(());
            }
            // Somebody's sync failed. What is in doubt is rewritten in the gate, by us or by whoever comes
            // first; only a sync after that proves anything.
            self.lead_for_repair();
            std::thread::sleep(DOUBT_STEP);
            if self.is_closing() || waiting.iter().all(Unsynced::is_answered) {
                let why = "a sync failed, and what it put in doubt is not rewritten yet";
                return Err(Error::new(ErrorKind::Indeterminate, why));
            }
        }
    }

    pub(super) fn is_in_doubt(&self) -> Result<bool> {
        if self.doubt.load(Ordering::Acquire) {
            return Ok(true);
        }
        // What waits here is committed, so whatever is wrong now, it may have happened.
        self.gate.is_marked().map_err(|error| {
            let why = "synced, but it cannot be seen whether somebody else's sync failed before";
            Error::new(ErrorKind::Indeterminate, why).with_source(error)
        })
    }

    /// Tells every process that a sync failed, and returns the error for those who waited for it.
    pub(super) fn sync_failed(&self, error: &Error) -> Error {
        self.doubt.store(true, Ordering::Release);
        if let Err(unmarked) = self.gate.set_mark() {
            tracing::error!(path = %self.place.path().display(), error = %unmarked, "cannot mark a failed sync");
        }
        tracing::error!(path = %self.place.path().display(), %error, "a sync failed");
        let why = "the sync failed; it is visible now but may be lost with power; the next writer rewrites what is in \
                   doubt: check the disk, read, then write again";
        Error::new(ErrorKind::Indeterminate, why).with_path(self.place.path()).with_source(error.again())
    }
}
