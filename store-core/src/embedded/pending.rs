//! A write on its way: the batch, its deadline, and the future that its caller awaits.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::queue::Queue;
use crate::batch::{Batch, Receipt};
use crate::error::{Error, ErrorKind, Result};
use crate::wait::slot::{Slot, Stage};
use crate::wait::timer::{Alarm, Expire, Moment};

/// How long before its deadline a write that the engine refused before is tried for the last time; several
/// times as long as the engine is waited for.
const LAST_TRY: Duration = Duration::from_millis(100);

/// A batch between its call and its answer.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) batch: Batch,
    /// Bytes of names and values.
    pub(super) size: u64,
    /// Whether it is answered only after a sync.
    pub(super) needs_sync: bool,
    pub(super) deadline: Instant,
    called: Instant,
    /// Whether a leader gave it back because the engine was busy.
    given_back: AtomicBool,
    slot: Slot<Receipt>,
    queue: Arc<Queue>,
    outstanding: Arc<Outstanding>,
}

impl Pending {
    pub(super) fn new(
        batch: Batch,
        size: u64,
        needs_sync: bool,
        within: Duration,
        queue: Arc<Queue>,
        outstanding: Arc<Outstanding>,
    ) -> Self {
        let called = Instant::now();
        outstanding.add();
        Self {
            batch,
            size,
            needs_sync,
            deadline: called + within,
            called,
            given_back: AtomicBool::new(false),
            slot: Slot::new(),
            queue,
            outstanding,
        }
    }

    pub(super) fn is_queued(&self) -> bool {
        self.slot.stage() == Stage::Queued
    }

    pub(super) fn is_answered(&self) -> bool {
        self.slot.stage() == Stage::Answered
    }

    /// The leader takes it; false if it was withdrawn or has expired.
    ///
    /// One that was given back is left alone when little time is left: while it is tried once more nobody
    /// could tell that it did not happen, and waiting in the queue it ends as `Busy`.
    pub(super) fn take(&self) -> bool {
        let hopeless = self.given_back.load(Ordering::Relaxed) && Instant::now() + LAST_TRY > self.deadline;
        !hopeless && self.slot.advance(Stage::Queued, Stage::Taken)
    }

    /// The leader gives it back, for nothing was written; false if it was answered meanwhile.
    pub(super) fn give_back(&self) -> bool {
        self.given_back.store(true, Ordering::Relaxed);
        self.slot.advance(Stage::Taken, Stage::Queued)
    }

    /// It is visible and waits for a sync.
    pub(super) fn committed(&self) {
        self.slot.advance(Stage::Taken, Stage::Committed);
    }

    /// Answers a write that is queued: it surely does not happen.
    pub(super) fn refuse(&self, error: Error) {
        self.finish(Stage::Queued, Err(error));
    }

    /// Answers a write that was taken.
    pub(super) fn decide(&self, answer: Result<Receipt>) {
        self.finish(Stage::Taken, answer);
    }

    /// Answers a write that was committed, after its sync.
    pub(super) fn synced(&self, answer: Result<Receipt>) {
        self.finish(Stage::Committed, answer);
    }

    /// Answers with the doubt that is left, wherever it is by now.
    pub(super) fn abandon(&self, why: &str) {
        let doubt = || Error::new(ErrorKind::Indeterminate, why);
        let _ = self.finish(Stage::Taken, Err(doubt())) || self.finish(Stage::Committed, Err(doubt()));
    }

    fn finish(&self, from: Stage, answer: Result<Receipt>) -> bool {
        let finished = self.slot.answer(from, answer);
        if finished {
            self.outstanding.done();
        }
        finished
    }

    fn waited(&self) -> String {
        format!("waited {:.1} s", self.called.elapsed().as_secs_f64())
    }
}

impl Expire for Pending {
    fn expire(&self) {
        // A leader may take it, or give it back, between any two lines of this.
        while !self.is_answered() {
            if self.is_queued() {
                let why = format!(
                    "{}; {}; nothing was written, try again or raise the timeout",
                    self.queue.obstacle(),
                    self.waited()
                );
                self.refuse(Error::new(ErrorKind::Busy, why));
                self.queue.forget(self);
            } else {
                self.abandon(&format!(
                    "it was taken, and its end is not known; {}; it may happen or have happened: read before writing \
                     again, or write under a check",
                    self.waited()
                ));
            }
        }
    }
}

/// Awaits the answer of a write; dropped while it is queued, the write never happens.
#[derive(Debug)]
pub(super) struct Answer {
    pending: Arc<Pending>,
    alarm: Option<Alarm>,
}

impl Answer {
    pub(super) fn new(pending: Arc<Pending>) -> Self {
        Self { pending, alarm: None }
    }
}

impl Future for Answer {
    type Output = Result<Receipt>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = self.pending.slot.poll(context);
        // Most writes are answered at once and need no alarm.
        if polled.is_pending() && self.alarm.is_none() {
            match Alarm::set(self.pending.deadline, &self.pending) {
                Ok(alarm) => self.alarm = Some(alarm),
                Err(error) => {
                    self.pending.refuse(error.again());
                    self.pending.abandon(&error.to_string());
                    return self.pending.slot.poll(context);
                }
            }
        }
        polled
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if self.pending.is_queued() {
            self.pending.refuse(Error::new(ErrorKind::Closed, "the call was dropped"));
            self.pending.queue.forget(&self.pending);
        }
    }
}

/// The writes of one handle that have no answer yet, so that closing can await them.
#[derive(Debug, Default)]
pub(super) struct Outstanding {
    count: AtomicUsize,
    closing: Mutex<Vec<Arc<Moment>>>,
}

impl Outstanding {
    fn add(&self) {
        self.count.fetch_add(1, Ordering::AcqRel);
    }

    fn done(&self) {
        if self.count.fetch_sub(1, Ordering::AcqRel) == 1 {
            let closing = std::mem::take(&mut *self.closing.lock().unwrap_or_else(PoisonError::into_inner));
            for closing in closing {
                closing.call();
            }
        }
    }

    /// Returns once none is outstanding, or the time is over.
    pub(super) async fn drained(&self, within: Duration) -> Result<()> {
        let closing = Moment::new();
        self.closing.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&closing));
        if self.count.load(Ordering::Acquire) == 0 {
            return Ok(());
        }
        let _alarm = Alarm::set(Instant::now() + within, &closing)?;
        closing.called().await
    }
}
