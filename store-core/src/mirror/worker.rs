//! The thread of a mirror: it gathers what changed, and writes it a little later.

use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::pass::{Mirror, Scope};
use super::round::Trust;
use super::status::{MirrorFailure, MirrorPass, MirrorStatus};
use crate::error::{Error, Result};
use crate::wait::timer::{Alarm, Moment, no_thread};

/// How long to rest after a failure, at first and at most.
const FIRST_REST: Duration = Duration::from_millis(250);
const LONGEST_REST: Duration = Duration::from_secs(30);
/// A pass is followed by a rest so many times as long, for the sake of those who write.
const REST: u32 = 4;

/// Gathers changes and has them written; a clone is the same one.
#[derive(Debug, Clone)]
pub(super) struct Worker(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    mirror: Mirror,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    running: bool,
    closing: bool,
    noted: Noted,
    /// What is being written.
    taken: Noted,
    /// When what is noted is due.
    due: Option<Instant>,
    /// Nothing is due before this: the last pass failed, or took long.
    rests: Option<Instant>,
    /// How many attempts failed, one after the other.
    failed: u32,
    /// Who waits until the mirror was tried.
    waiting: Vec<Arc<Moment>>,
    /// Who waits until all is done.
    ending: Vec<Arc<Moment>>,
    status: MirrorStatus,
}

/// What is to be written.
#[derive(Debug, Default)]
struct Noted {
    /// Whatever other processes, or earlier ones, left.
    all: bool,
    namespaces: BTreeSet<String>,
}

impl Noted {
    fn is_empty(&self) -> bool {
        !self.all && self.namespaces.is_empty()
    }

    fn scope(&self) -> Scope {
        Scope { namespaces: (!self.all).then(|| self.namespaces.clone()), trust: Trust::Look }
    }
}

impl Worker {
    /// Starts the thread, which first catches up with what others left.
    pub(super) fn start(mirror: Mirror) -> Self {
        let state = State {
            noted: Noted { all: true, namespaces: BTreeSet::new() },
            due: Some(Instant::now()),
            status: MirrorStatus { dir: mirror.dir().to_owned(), ..MirrorStatus::default() },
            ..State::default()
        };
        let worker = Self(Arc::new(Shared { mirror, state: Mutex::new(state), changed: Condvar::new() }));
        worker.ensure_running(&mut worker.0.lock());
        worker
    }

    pub(super) fn mirror(&self) -> &Mirror {
        &self.0.mirror
    }

    /// Tells how the mirror stands.
    pub(super) fn status(&self) -> MirrorStatus {
        let state = self.0.lock();
        let pending = state.noted.namespaces.union(&state.taken.namespaces).cloned().collect();
        let catching_up = state.noted.all || state.taken.all;
        MirrorStatus { pending, catching_up, ..state.status.clone() }
    }

    /// Notes that namespaces changed; if the mirror is synchronous, waits until it was tried, at most for
    /// the time given.
    ///
    /// While it rests after a failure nobody waits for it.
    pub(super) async fn note(&self, namespaces: impl IntoIterator<Item = String>, within: Duration) {
        self.add(|noted| noted.namespaces.extend(namespaces), within).await;
    }

    /// Notes that anything may have changed.
    pub(super) async fn note_all(&self, within: Duration) {
        self.add(|noted| noted.all = true, within).await;
    }

    async fn add(&self, add: impl FnOnce(&mut Noted), within: Duration) {
        let debounce = self.mirror().config.debounce;
        let moment = {
            let mut state = self.0.lock();
            let nothing_noted = state.noted.is_empty();
            add(&mut state.noted);
            let now = Instant::now();
            if nothing_noted {
                state.due = Some(now + debounce);
            }
            self.ensure_running(&mut state);
            let moment = (debounce.is_zero() && state.failed == 0 && state.running).then(Moment::new);
            if let Some(moment) = &moment {
                state.due = Some(now);
                state.waiting.push(Arc::clone(moment));
            }
            if nothing_noted || moment.is_some() {
                self.0.changed.notify_all();
            }
            moment
        };
        if let Some(moment) = moment {
            self.await_moment(&moment, within).await;
        }
    }

    /// Writes what is noted, ends the thread, and waits for that at most for the time given.
    pub(super) async fn end(&self, within: Duration) {
        let moment = {
            let mut state = self.0.lock();
            state.closing = true;
            let moment = state.running.then(Moment::new);
            state.ending.extend(moment.clone());
            self.0.changed.notify_all();
            moment
        };
        if let Some(moment) = moment {
            self.await_moment(&moment, within).await;
        }
        let left = self.status();
        if left.catching_up || !left.pending.is_empty() {
            let why =
                "closed before all of the mirror was written; the next process with this mirror catches up";
            tracing::warn!(path = %left.dir.display(), pending = ?left.pending, why);
        }
    }

    /// Lets the thread write what is noted and end, without waiting for it.
    pub(super) fn let_go(&self) {
        self.0.lock().closing = true;
        self.0.changed.notify_all();
    }

    async fn await_moment(&self, moment: &Arc<Moment>, within: Duration) {
        // The alarm calls it at the deadline.
        let waited = match Alarm::set(Instant::now() + within, moment) {
            Ok(_alarm) => moment.called().await,
            Err(error) => Err(error),
        };
        if let Err(error) = waited {
            self.0.lock().failed(&error);
        }
    }

    /// Starts the thread if none runs, for one that could not be started may be later.
    fn ensure_running(&self, state: &mut State) {
        if state.running || state.closing {
            return;
        }
        let shared = Arc::clone(&self.0);
        let started =
            std::thread::Builder::new().name("statestore-mirror".into()).spawn(move || shared.run());
        match started {
            Ok(_) => state.running = true,
            Err(error) => state.failed(&no_thread(error)),
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        while let Some((scope, mut waiting)) = self.next() {
            let began = Instant::now();
            let done = self.mirror.pass(&scope);
            let mut state = self.lock();
            state.concluded(done);
            state.rest(began.elapsed(), self.mirror.config.is_synchronous());
            if state.failed > 0 {
                // Who came meanwhile does not wait until it has rested either.
                waiting.append(&mut state.waiting);
            }
            drop(state);
            for moment in waiting {
                moment.call();
            }
        }
    }

    /// Waits until something is due and takes it; none when it is time to end.
    fn next(&self) -> Option<(Scope, Vec<Arc<Moment>>)> {
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            let due = state.due.max(state.rests);
            let nothing = state.noted.is_empty();
            // At the end nothing waits any longer, and what has just failed is left to the next process.
            if state.closing && (nothing || state.failed > 0 && state.rests.is_some_and(|rests| rests > now))
            {
                state.running = false;
                for moment in
                    std::mem::take(&mut state.ending).into_iter().chain(std::mem::take(&mut state.waiting))
                {
                    moment.call();
                }
                return None;
            }
            let wait = match due {
                _ if nothing => None,
                Some(due) if due > now && !state.closing => Some(due - now),
                _ => {
                    state.due = None;
                    state.taken = std::mem::take(&mut state.noted);
                    return Some((state.taken.scope(), std::mem::take(&mut state.waiting)));
                }
            };
            state = match wait {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(wait) => {
                    self.changed.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}

impl State {
    /// Counts what a pass did, and notes again what it could not.
    fn concluded(&mut self, done: Result<MirrorPass>) {
        let taken = std::mem::take(&mut self.taken);
        match done {
            Ok(pass) => {
                let written = pass.changes.len() as u64;
                self.status.written += written;
                metrics::counter!("statestore_mirror_writes_total").increment(written);
                self.failed = if pass.failed.is_empty() { 0 } else { self.failed };
                for (namespace, error) in pass.failed {
                    self.failed(&error);
                    self.noted.namespaces.insert(namespace);
                }
            }
            Err(error) => {
                self.failed(&error);
                self.noted.all |= taken.all;
                self.noted.namespaces.extend(taken.namespaces);
            }
        }
    }

    fn failed(&mut self, error: &Error) {
        let failure = MirrorFailure::of(error);
        tracing::warn!(path = %self.status.dir.display(), error = failure.message, "the mirror could not be written; it is tried again");
        metrics::counter!("statestore_mirror_failures_total").increment(1);
        self.status.failures += 1;
        self.failed = self.failed.saturating_add(1);
        self.status.last_error = Some(failure);
    }

    /// Rests for longer with each failure, and after a pass for as long as leaves most of the time to others.
    fn rest(&mut self, took: Duration, synchronous: bool) {
        let rest = match self.failed {
            0 if synchronous => Duration::ZERO,
            0 => took * REST,
            failed => FIRST_REST.saturating_mul(1 << (failed - 1).min(16)),
        };
        self.rests = Some(Instant::now() + rest.min(LONGEST_REST));
    }
}
