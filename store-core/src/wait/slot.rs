//! Where an answer is awaited: the stages of a call, and the waker of whoever waits for it.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::error::Result;

/// How far a call has come; each step is one compare-and-swap, so that leader, timer and caller agree.
///
/// A write goes `Queued → Taken → Committed → Answered`; under `power` the last step is taken after the
/// sync. It may go back from `Taken` to `Queued`, when the engine was busy and nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Stage {
    /// It waits; it can still be withdrawn and then surely never happens.
    Queued,
    /// It is being done; from here on nobody but the leader knows.
    Taken,
    /// It is visible to everybody, and waits for a sync.
    Committed,
    /// Its answer is there.
    Answered,
}

impl Stage {
    fn of(number: u8) -> Self {
        match number {
            0 => Self::Queued,
            1 => Self::Taken,
            2 => Self::Committed,
            _ => Self::Answered,
        }
    }
}

#[derive(Debug)]
struct Waiting<T> {
    answer: Option<Result<T>>,
    waker: Option<Waker>,
}

/// A place for one answer.
#[derive(Debug)]
pub(crate) struct Slot<T> {
    stage: AtomicU8,
    waiting: Mutex<Waiting<T>>,
}

impl<T> Slot<T> {
    pub(crate) fn new() -> Self {
        let waiting = Mutex::new(Waiting { answer: None, waker: None });
        Self { stage: AtomicU8::new(Stage::Queued as u8), waiting }
    }

    pub(crate) fn stage(&self) -> Stage {
        Stage::of(self.stage.load(Ordering::Acquire))
    }

    /// Takes a step; false if the call is no longer at `from`.
    pub(crate) fn advance(&self, from: Stage, to: Stage) -> bool {
        self.stage.compare_exchange(from as u8, to as u8, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Answers from a stage; false, and the answer is dropped, if the call is no longer there.
    pub(crate) fn answer(&self, from: Stage, answer: Result<T>) -> bool {
        if !self.advance(from, Stage::Answered) {
            return false;
        }
        let waker = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.answer = Some(answer);
            waiting.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }

    pub(crate) fn poll(&self, context: &mut Context<'_>) -> Poll<Result<T>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = waiting.answer.take() {
            return Poll::Ready(answer);
        }
        match &mut waiting.waker {
            Some(waker) => waker.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
        Poll::Pending
    }
}
