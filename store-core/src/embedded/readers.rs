//! The store's own reader threads: reads that may take long, or that have to wait, run here, so that a
//! deadline holds for their callers.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Result};
use crate::wait::slot::{Slot, Stage};
use crate::wait::timer::{Alarm, Expire, no_thread};

/// The most threads of one store; a read beyond them waits its turn.
const THREADS: usize = 4;

type Job = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    threads: usize,
    idle: usize,
    closed: bool,
}

/// The reader threads of one store, started when they are first needed.
#[derive(Default)]
pub(super) struct Readers {
    state: Mutex<State>,
    changed: Condvar,
}

impl std::fmt::Debug for Readers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = self.lock();
        f.debug_struct("Readers").field("threads", &state.threads).field("jobs", &state.jobs.len()).finish()
    }
}

impl Readers {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs work on a reader thread and awaits its value until the deadline; then `obstacle` says what was in
    /// the way.
    pub(super) fn run<T: Send + 'static>(
        self: &Arc<Self>,
        within: Duration,
        obstacle: impl Fn() -> String + Send + Sync + 'static,
        work: impl FnOnce(Instant) -> Result<T> + Send + 'static,
    ) -> Reading<T> {
        let deadline = Instant::now() + within;
        let call = Arc::new(Call { slot: Slot::new(), within, obstacle: Box::new(obstacle) });
        let job = {
            let call = Arc::clone(&call);
            Box::new(move || {
                // A caller that has its answer already, or went away, needs no work.
                if call.slot.advance(Stage::Queued, Stage::Taken) {
                    let value = work(deadline);
                    call.slot.answer(Stage::Taken, value);
                }
            })
        };
        if let Err(error) = self.enqueue(job) {
            call.slot.answer(Stage::Queued, Err(error));
        }
        Reading { call, deadline, alarm: None }
    }

    fn enqueue(self: &Arc<Self>, job: Job) -> Result<()> {
        let mut state = self.lock();
        state.jobs.push_back(job);
        if state.idle < state.jobs.len() && state.threads < THREADS {
            let readers = Arc::clone(self);
            let started =
                std::thread::Builder::new().name("statestore-read".into()).spawn(move || readers.serve());
            match started {
                Ok(_) => state.threads += 1,
                Err(e) if state.threads == 0 => {
                    state.jobs.pop_back();
                    return Err(no_thread(e));
                }
                Err(_) => {}
            }
        }
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    fn serve(&self) {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                drop(state);
                job();
                state = self.lock();
            } else if state.closed {
                state.threads -= 1;
                return;
            } else {
                state.idle += 1;
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.idle -= 1;
            }
        }
    }

    /// Lets the threads end when they have done what is queued.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }
}

struct Call<T> {
    slot: Slot<T>,
    within: Duration,
    obstacle: Box<dyn Fn() -> String + Send + Sync>,
}

impl<T: Send> Expire for Call<T> {
    fn expire(&self) {
        let why = format!(
            "{}; waited {:.1} s; nothing was changed, try again or raise the timeout",
            (self.obstacle)(),
            self.within.as_secs_f64()
        );
        let busy = || Error::new(ErrorKind::Busy, why.clone());
        let _ = self.slot.answer(Stage::Queued, Err(busy())) || self.slot.answer(Stage::Taken, Err(busy()));
    }
}

/// Awaits the value of a read.
pub(super) struct Reading<T> {
    call: Arc<Call<T>>,
    deadline: Instant,
    alarm: Option<Alarm>,
}

impl<T: Send + 'static> Future for Reading<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = self.call.slot.poll(context);
        if polled.is_pending() && self.alarm.is_none() {
            match Alarm::set(self.deadline, &self.call) {
                Ok(alarm) => self.alarm = Some(alarm),
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        polled
    }
}

impl<T> Drop for Reading<T> {
    fn drop(&mut self) {
        self.call.slot.advance(Stage::Queued, Stage::Answered);
    }
}
