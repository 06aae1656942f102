//! What takes long: one instant of everything, and rebuilding everything, each on a thread of its own.
//!
//! The deadline of such a call bounds what it waits for, the gate or the engine. Once it has begun, it ends when
//! its work does.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::core::Core;
use super::leader::Failure;
use crate::backend::Backend;
use crate::error::{Error, ErrorKind, Result};
use crate::shared::gate::{Gate, Holder};
use crate::store::{RebuildWork, SnapshotWork};
use crate::wait::slot::{Slot, Stage};
use crate::wait::timer::{Alarm, Expire, no_thread};

/// How long an engine that is busy is left alone.
const REST: Duration = Duration::from_millis(5);

/// A call that may take long.
struct Long<T> {
    slot: Slot<T>,
    called: Instant,
    obstacle: Box<dyn Fn() -> String + Send + Sync>,
}

impl<T> Long<T> {
    /// Begins, unless nobody waits any more; to say it again does no harm.
    fn begin(&self) -> Result<()> {
        if self.slot.advance(Stage::Queued, Stage::Taken) || self.slot.stage() == Stage::Taken {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Busy, "nobody waits for it any more"))
    }

    /// Waits again, for nothing was done: from here on the deadline answers.
    fn give_back(&self) {
        self.slot.advance(Stage::Taken, Stage::Queued);
    }
}

impl<T: Send> Expire for Long<T> {
    fn expire(&self) {
        if self.slot.stage() == Stage::Queued {
            let waited = self.called.elapsed().as_secs_f64();
            let why = format!(
                "{}; waited {waited:.1} s; nothing was changed, try again or raise the timeout",
                (self.obstacle)()
            );
            self.slot.answer(Stage::Queued, Err(Error::new(ErrorKind::Busy, why)));
        }
    }
}

/// Withdraws a call that has not begun when its future is dropped.
struct Withdraw<T>(Arc<Long<T>>);

impl<T> Drop for Withdraw<T> {
    fn drop(&mut self) {
        self.0.slot.advance(Stage::Queued, Stage::Answered);
    }
}

impl<B: Backend> Core<B> {
    /// Runs a call on a thread of its own and awaits its end, or the deadline if it has not begun by then.
    async fn run_long<T: Send + 'static>(
        self: &Arc<Self>,
        within: Duration,
        work: impl FnOnce(&Self, &Long<T>, Instant) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let called = Instant::now();
        let deadline = called + within;
        let core = Arc::clone(self);
        let obstacle = move || core.what_holds_up();
        let long = Arc::new(Long { slot: Slot::new(), called, obstacle: Box::new(obstacle) });
        let (core, call) = (Arc::clone(self), Arc::clone(&long));
        let runs = move || {
            let done = work(&core, &call, deadline);
            // Before it has begun it may fail as well.
            let _ = call.begin();
            call.slot.answer(Stage::Taken, done);
        };
        let started = std::thread::Builder::new().name("statestore-long".into()).spawn(runs);
        started.map_err(no_thread)?;
        let waiting = Withdraw(long);
        let _alarm = Alarm::set(deadline, &waiting.0)?;
        std::future::poll_fn(|context| waiting.0.slot.poll(context)).await
    }

    fn what_holds_up(&self) -> String {
        match (self.gate.holder(), self.backend.holder()) {
            (Holder::Nobody, holder) if holder.is_empty() => "the engine was busy".to_owned(),
            (Holder::Nobody, holder) => holder,
            (holder, _) => format!("the gate is held by {holder}"),
        }
    }

    /// Runs work on one instant of everything.
    pub(super) async fn snapshot(self: &Arc<Self>, within: Duration, mut work: SnapshotWork) -> Result<()> {
        self.run_long(within, move |core, long, deadline| {
            core.check_place()?;
            core.backend.read_whole(deadline, &mut |snapshot| {
                long.begin()?;
                work(snapshot)
            })
        })
        .await
    }

    /// Runs work that may change everything in one transaction, synced before it is answered.
    pub(super) async fn rebuild(
        self: &Arc<Self>,
        operation: &'static str,
        within: Duration,
        survives_power: bool,
        mut work: RebuildWork,
    ) -> Result<()> {
        self.run_long(within, move |core, long, deadline| {
            // The leader asks for the gate by itself: this is another in the queue.
            let gate = Gate::new(core.gate.path().to_owned(), core.gate.modes());
            loop {
                let mut held = gate.acquire(operation)?;
                long.begin()?;
                let done = match core.prepare(&mut held) {
                    Ok(()) => core.transact_by(B::write_whole, |transaction| work(transaction)),
                    Err(error) => Err(Failure::Busy(error)),
                };
                match done {
                    Ok(()) if survives_power => core.sync_rebuilt()?,
                    Ok(()) => {}
                    Err(Failure::Busy(error))
                        if error.kind() == ErrorKind::Busy && Instant::now() < deadline =>
                    {
                        drop(held);
                        // The gate may be waited for without end again, and the caller must not.
                        long.give_back();
                        if Instant::now() >= deadline {
                            return Err(error);
                        }
                        std::thread::sleep(REST);
                        continue;
                    }
                    Err(Failure::Busy(error) | Failure::Undone(error) | Failure::Unknown(error)) => {
                        return Err(error);
                    }
                }
                if core.backend.needs_maintenance() {
                    core.maintain();
                }
                return Ok(());
            }
        })
        .await
    }

    /// Makes what was rebuilt survive the loss of power, in the gate.
    fn sync_rebuilt(&self) -> Result<()> {
        self.backend.sync().map_err(|error| self.sync_failed(&error))?;
        // As for every answer of `power`: a mark that could not be set is known to this process alone.
        if self.is_in_doubt()? {
            let why = "rebuilt, but somebody's sync failed meanwhile; the next writer rewrites what is in doubt: \
                       look, then do it again";
            return Err(Error::new(ErrorKind::Indeterminate, why));
        }
        Ok(())
    }

    /// Lets the engine look through its own structures.
    pub(super) async fn check_integrity(self: &Arc<Self>, within: Duration) -> Result<Vec<String>> {
        self.run_long(within, move |core, long, deadline| {
            core.check_place()?;
            long.begin()?;
            core.backend.check_integrity(deadline)
        })
        .await
    }
}
