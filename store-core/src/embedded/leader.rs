//! The leader: the one thread of a process that passes the gate, for all that is queued.
//!
//! On the quiet path it is the caller's own thread, for a hop costs more than a commit. If the gate is busy
//! it is the store's waiter thread, which blocks in the lock, where the kernel queues. It is always the waiter
//! where a commit syncs by itself: that takes far longer than a hop, and the disk must not keep a caller past
//! its deadline.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::core::{Core, closed};
use super::pending::Pending;
use super::settle::settle;
use super::syncer::Unsynced;
use crate::backend::{Backend, Epoch, Transaction, never_ran};
use crate::batch::Receipt;
use crate::config::Durability;
use crate::error::{Error, ErrorKind, Result};
use crate::shared::gate::GateGuard;
use crate::wait::timer::no_thread;

/// How long the engine may keep a leader waiting in the gate: somebody who is not a writer of ours holds it.
const ENGINE_PATIENCE: Duration = Duration::from_millis(20);
/// How long the waiter leads groups in one hold of the gate.
const LONGEST_HOLD: Duration = Duration::from_millis(5);
/// How long the waiter rests after the engine was busy: first, and at most.
const REST: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(50));

type Group = Vec<Arc<Pending>>;

/// How a transaction ended that did not commit.
pub(super) enum Failure {
    /// The engine was busy: nothing is written, and it may go through later.
    Busy(Error),
    /// Nothing is written.
    Undone(Error),
    /// It may come back to life.
    Unknown(Error),
}

impl<B: Backend> Core<B> {
    /// Queues a write, and leads it through the gate at once if nobody is in the way.
    pub(super) fn submit(self: &Arc<Self>, pending: Arc<Pending>) {
        if self.is_closing() {
            pending.refuse(closed());
            return;
        }
        if !self.queue.push(pending) {
            return;
        }
        match self.backend.durability() {
            Durability::Process => self.lead_inline(),
            Durability::Power => self.wake_waiter(),
        }
    }

    /// Leads one group on this thread if the gate is free; else the waiter does. The lead is ours.
    pub(super) fn lead_inline(self: &Arc<Self>) {
        match self.gate.try_acquire("commit") {
            Ok(Some(mut gate)) => {
                let synced_later = self.lead_group(&mut gate).1;
                drop(gate);
                self.sync_later(synced_later);
            }
            Ok(None) => return self.wake_waiter(),
            Err(error) => self.queue.refuse_all(&error),
        }
        if !self.queue.resign() || (self.backend.needs_maintenance() && self.queue.claim(false)) {
            self.wake_waiter();
        }
    }

    /// Lets the waiter pass the gate once, to rewrite what a failed sync left in doubt.
    pub(super) fn lead_for_repair(self: &Arc<Self>) {
        if self.queue.claim(false) {
            self.wake_waiter();
        }
    }

    /// Passes the lead to the waiter thread.
    fn wake_waiter(self: &Arc<Self>) {
        let core = Arc::clone(self);
        if let Err(e) = self.waiter.ring_or_start("statestore-gate", move || core.wait_for_ever()) {
            self.queue.refuse_all(&no_thread(e));
            self.queue.resign();
        }
    }

    /// The waiter thread: each ring hands it the lead.
    fn wait_for_ever(self: Arc<Self>) {
        loop {
            self.waiter.wait();
            let mut rest = REST.0;
            loop {
                if self.is_closing() {
                    self.queue.refuse_all(&closed());
                    return;
                }
                match self.gate.acquire("commit") {
                    // Whoever was stuck here may be let go by now.
                    Ok(gate) if self.is_closing() => drop(gate),
                    Ok(gate) => {
                        if self.hold(gate) {
                            rest = REST.0;
                        } else {
                            std::thread::sleep(rest);
                            rest = (rest * 2).min(REST.1);
                        }
                    }
                    Err(error) => self.queue.refuse_all(&error),
                }
                if self.queue.resign() {
                    break;
                }
            }
        }
    }

    /// Leads group after group, for a bounded time and only while nobody else waits: a process that writes
    /// the next as soon as it has its answer would be served many times in each of its turns. False if the
    /// engine was busy.
    fn hold(self: &Arc<Self>, mut gate: GateGuard<'_>) -> bool {
        let until = Instant::now() + LONGEST_HOLD;
        let mut ready = true;
        loop {
            let (went_on, synced_later) = self.lead_group(&mut gate);
            ready &= went_on;
            self.sync_later(synced_later);
            let goes_on = ready && Instant::now() < until && !self.queue.is_empty();
            if !goes_on || gate.somebody_waits() {
                break;
            }
        }
        if self.backend.needs_maintenance() {
            self.maintain();
        }
        drop(gate);
        ready
    }

    pub(super) fn maintain(&self) {
        match self.backend.maintain() {
            // A write for which there is no room is refused; it loses nothing, as a failed sync may.
            Err(error) if matches!(error.kind(), ErrorKind::Busy | ErrorKind::StorageFull) => {
                tracing::debug!(%error, "maintenance waits");
            }
            // It may have been a sync that failed, and then everything since the last one is in doubt.
            Err(error) => drop(self.sync_failed(&error)),
            Ok(()) => {}
        }
    }

    /// Leads what is queued through one transaction, in the gate: false if the engine was busy, and the
    /// writes that are committed but need a sync.
    fn lead_group(self: &Arc<Self>, gate: &mut GateGuard<'_>) -> (bool, Vec<Unsynced>) {
        match self.prepare(gate) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::Busy => {
                self.queue.set_obstacle(error.message().to_owned());
                return (false, Vec::new());
            }
            Err(error) => {
                self.queue.refuse_all(&error);
                return (true, Vec::new());
            }
        }
        let group = self.queue.drain();
        if group.is_empty() {
            return (true, Vec::new());
        }
        let mut unsynced = Vec::new();
        let went_on = self.lead(group, &mut unsynced);
        (went_on, unsynced)
    }

    /// Makes sure, in the gate, that the store is where it was, that nothing is in doubt, and that the epoch
    /// is of this boot.
    pub(super) fn prepare(&self, gate: &mut GateGuard<'_>) -> Result<()> {
        self.check_place()?;
        if gate.is_marked() || self.doubt.load(Ordering::Acquire) {
            tracing::warn!(path = %self.place.path().display(), "rewriting what a failed sync left in doubt");
            self.doubt.store(false, Ordering::Release);
            if let Err(error) = self.backend.rewrite() {
                self.doubt.store(true, Ordering::Release);
                return Err(error);
            }
            gate.clear_mark()?;
        }
        if self.epoch_is_current.load(Ordering::Acquire) {
            return Ok(());
        }
        self.raise_epoch()?;
        self.epoch_is_current.store(true, Ordering::Release);
        Ok(())
    }

    /// Raises an epoch of another boot, and syncs it before any revision of it is given: what a power cut
    /// took away from the last boot is then never given again.
    fn raise_epoch(&self) -> Result<()> {
        let mut is_current = false;
        let raised = self.transact(|transaction| {
            let old = transaction.epoch()?;
            is_current = old.boot == self.boot;
            if is_current {
                // There is nothing to commit.
                return Err(Error::new(ErrorKind::Conflict, "the epoch is of this boot"));
            }
            transaction.set_epoch(&Epoch { number: old.number + 1, boot: self.boot.clone() })
        });
        if is_current {
            return Ok(());
        }
        raised.map_err(|failure| match failure {
            Failure::Busy(error) | Failure::Undone(error) => error,
            // The epoch may be raised or not, but no write of the queue has happened.
            Failure::Unknown(error) => Error::new(ErrorKind::Io, "cannot raise the epoch").with_source(error),
        })?;
        self.backend.sync().inspect_err(|error| drop(self.sync_failed(error)))
    }

    /// Leads a group; if storage fails before the commit, each of its batches alone.
    fn lead(&self, group: Group, unsynced: &mut Vec<Unsynced>) -> bool {
        match self.attempt(&group) {
            Ok(verdicts) => {
                self.queue.clear_obstacle();
                conclude(group, verdicts, unsynced);
            }
            Err(Failure::Busy(error)) => {
                self.queue.set_obstacle(error.message().to_owned());
                self.queue.put_back(group);
                return false;
            }
            Err(Failure::Undone(error)) if group.len() == 1 => decide_all(&group, &error),
            Err(Failure::Undone(error)) => {
                tracing::debug!(%error, batches = group.len(), "a group failed; each batch goes alone");
                return group.into_iter().fold(true, |went_on, pending| {
                    let alone = self.lead(vec![pending], unsynced);
                    went_on && alone
                });
            }
            Err(Failure::Unknown(error)) => decide_all(&group, &error),
        }
        true
    }

    fn attempt(&self, group: &Group) -> Result<Vec<Result<Receipt>>, Failure> {
        let mut verdicts = None;
        self.transact(|transaction| {
            let epoch = transaction.epoch()?.number;
            let batches = group.iter().map(|pending| &pending.batch);
            let settled = settle(transaction, batches, epoch, self.now())?;
            settled.apply(transaction)?;
            verdicts = Some(settled.verdicts);
            Ok(())
        })?;
        // Work that did not run wrote nothing.
        verdicts.ok_or_else(|| Failure::Undone(never_ran("write")))
    }

    /// Runs one transaction; a commit that failed is annulled before its error is told.
    fn transact(&self, work: impl FnMut(&mut dyn Transaction) -> Result<()>) -> Result<(), Failure> {
        self.transact_by(B::write, work)
    }

    /// The same, by a way of writing of the backend.
    pub(super) fn transact_by(
        &self,
        write: impl FnOnce(&B, Instant, &mut dyn FnMut(&mut dyn Transaction) -> Result<()>) -> Result<()>,
        mut work: impl FnMut(&mut dyn Transaction) -> Result<()>,
    ) -> Result<(), Failure> {
        let mut worked = false;
        let written = write(&self.backend, Instant::now() + ENGINE_PATIENCE, &mut |transaction| {
            worked = false;
            work(transaction)?;
            worked = true;
            Ok(())
        });
        let Err(error) = written else { return Ok(()) };
        if error.kind() == ErrorKind::Busy {
            return Err(Failure::Busy(error));
        }
        if error.kind() == ErrorKind::Io {
            // It may have been a sync that failed: the engine syncs when it starts its log again.
            drop(self.sync_failed(&error));
        }
        if !worked {
            return Err(Failure::Undone(error));
        }
        Err(match self.backend.annul() {
            Ok(()) => Failure::Undone(error),
            Err(left) => {
                let why = format!(
                    "the commit failed ({}), and it could not be made sure that it stays so ({}): it may happen when \
                     the store is opened next; read before writing again",
                    error.message(),
                    left.message()
                );
                Failure::Unknown(Error::new(ErrorKind::Indeterminate, why).with_source(error))
            }
        })
    }
}

/// Answers a committed group, but for what needs a sync first.
fn conclude(group: Group, verdicts: Vec<Result<Receipt>>, unsynced: &mut Vec<Unsynced>) {
    for (pending, verdict) in group.into_iter().zip(verdicts) {
        match verdict {
            Ok(receipt) if pending.needs_sync => {
                pending.committed();
                unsynced.push(Unsynced::Write(pending, receipt));
            }
            verdict => pending.decide(verdict),
        }
    }
}

fn decide_all(group: &Group, error: &Error) {
    for pending in group {
        pending.decide(Err(error.again()));
    }
}
