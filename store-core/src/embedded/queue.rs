//! The writes of one process that wait for the gate, and who leads them through it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::pending::Pending;
use crate::error::Error;
use crate::shared::gate::{Gate, Holder};

/// The most batches of one group: a group is a hold of the gate.
const GROUP_BATCHES: usize = 512;
/// The most bytes of one group, unless its first batch alone is larger.
const GROUP_BYTES: u64 = 4 << 20;
/// How long it is told that the engine refused, and who holds the gate: the former is known only from the
/// last attempt, the latter is looked up once for all that expire together.
const ENGINE_FRESH: Duration = Duration::from_millis(500);
const HOLDER_FRESH: Duration = Duration::from_millis(10);

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Arc<Pending>>,
    /// Whether some thread leads, or will: at most one does.
    led: bool,
}

/// The queue in front of the gate.
#[derive(Debug)]
pub(super) struct Queue {
    gate: Arc<Gate>,
    state: Mutex<State>,
    /// What is in the way, and until when that is told.
    obstacle: Mutex<Option<(Instant, String)>>,
    /// Set while a sync runs: writes that need one gather behind it.
    pub(super) syncing: AtomicBool,
}

impl Queue {
    pub(super) fn new(gate: Arc<Gate>) -> Self {
        Self { gate, state: Mutex::default(), obstacle: Mutex::new(None), syncing: AtomicBool::new(false) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a write; true if the caller has to lead.
    ///
    /// A write that needs a sync itself is left to the sync that runs: it leads right after, all that
    /// gathered at once. It claims the lead under the same mutex, so none is forgotten.
    pub(super) fn push(&self, pending: Arc<Pending>) -> bool {
        let mut state = self.lock();
        let gathers = pending.needs_sync && self.syncing.load(Ordering::Acquire);
        state.waiting.push_back(pending);
        let leads = !state.led && !gathers;
        state.led |= leads;
        leads
    }

    /// Claims the lead; false if some thread has it, or if it is asked for only if something waits.
    pub(super) fn claim(&self, only_if_waiting: bool) -> bool {
        let mut state = self.lock();
        if state.led || (only_if_waiting && state.waiting.is_empty()) {
            return false;
        }
        state.led = true;
        true
    }

    /// Gives the lead up, unless something waits for it: then the caller still has it.
    pub(super) fn resign(&self) -> bool {
        let mut state = self.lock();
        let syncing = self.syncing.load(Ordering::Acquire);
        state.led = state.waiting.iter().any(|pending| !(syncing && pending.needs_sync));
        !state.led
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.lock().waiting.is_empty()
    }

    /// Takes the next group, in order, bounded in batches and bytes.
    pub(super) fn drain(&self) -> Vec<Arc<Pending>> {
        let mut state = self.lock();
        let mut group = Vec::new();
        let mut bytes = 0;
        while let Some(next) = state.waiting.front() {
            let full = group.len() >= GROUP_BATCHES || bytes + next.size > GROUP_BYTES;
            if full && !group.is_empty() {
                break;
            }
            let Some(next) = state.waiting.pop_front() else { break };
            if next.take() {
                bytes += next.size;
                group.push(next);
            }
        }
        group
    }

    /// Says what was in the way of the last attempt.
    pub(super) fn set_obstacle(&self, words: String) {
        *self.told() = Some((Instant::now() + ENGINE_FRESH, words));
    }

    /// Says that nothing was in the way of the last attempt.
    pub(super) fn clear_obstacle(&self) {
        *self.told() = None;
    }

    fn told(&self) -> MutexGuard<'_, Option<(Instant, String)>> {
        self.obstacle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a group back in front, for nothing of it was written.
    pub(super) fn put_back(&self, group: Vec<Arc<Pending>>) {
        let mut state = self.lock();
        for pending in group.into_iter().rev() {
            if pending.give_back() {
                state.waiting.push_front(pending);
            }
        }
    }

    /// Refuses everything that waits.
    pub(super) fn refuse_all(&self, error: &Error) {
        let waiting = std::mem::take(&mut self.lock().waiting);
        for pending in waiting {
            pending.refuse(error.again());
        }
    }

    /// Removes a write that was answered while it waited.
    pub(super) fn forget(&self, pending: &Pending) {
        self.lock().waiting.retain(|other| !std::ptr::eq(&raw const **other, pending));
    }

    /// Says what is in the way of the writes that wait.
    pub(super) fn obstacle(&self) -> String {
        let mut told = self.told();
        if let Some((until, words)) = &*told
            && Instant::now() < *until
        {
            return words.clone();
        }
        let words = match self.gate.holder() {
            Holder::Nobody => "the gate was taken in turns by other writers".to_owned(),
            holder => format!("the gate is held by {holder}"),
        };
        *told = Some((Instant::now() + HOLDER_FRESH, words.clone()));
        words
    }
}
