//! The open store of a process, shared by its handles and its threads.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::queue::Queue;
use super::readers::Readers;
use super::syncer::Syncer;
use crate::backend::Backend;
use crate::error::{Error, ErrorKind, Result};
use crate::numbers::Timestamp;
use crate::shared::gate::Gate;
use crate::shared::identity::is_in_place;
use crate::shared::os::Identity;
use crate::shared::place::Place;

/// What was found, or made, where a store was opened.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) place: Place,
    /// What the data is, so that a file moved away is not written to.
    pub(super) identity: Identity,
    /// Whether this opening created the store.
    pub(super) created: bool,
    /// The boot of the machine.
    pub(super) boot: String,
    /// How far the wall clock is behind that of the system.
    pub(super) clock_back: Duration,
}

/// What all handles of a process on one place share.
#[derive(Debug)]
pub(super) struct Core<B: Backend> {
    pub(super) backend: B,
    pub(super) place: Place,
    pub(super) gate: Arc<Gate>,
    pub(super) queue: Arc<Queue>,
    pub(super) readers: Arc<Readers>,
    pub(super) syncer: Syncer,
    pub(super) waiter: Bell,
    /// The boot of the machine, for the epoch.
    pub(super) boot: String,
    clock_back: Duration,
    /// Whether the epoch is known to be of this boot.
    pub(super) epoch_is_current: AtomicBool,
    /// Whether a sync of this process failed and the mark could not be set for the others.
    pub(super) doubt: AtomicBool,
    identity: Identity,
    pub(super) created: bool,
    /// The process that opened it: a forked child must not use it.
    pid: u32,
    handles: AtomicUsize,
    closing: AtomicBool,
}

impl<B: Backend> Core<B> {
    pub(super) fn new(backend: B, opening: Opening, gate: Arc<Gate>) -> Self {
        let Opening { place, identity, created, boot, clock_back } = opening;
        Self {
            identity,
            created,
            backend,
            place,
            queue: Arc::new(Queue::new(Arc::clone(&gate))),
            gate,
            readers: Arc::default(),
            syncer: Syncer::default(),
            waiter: Bell::default(),
            boot,
            clock_back,
            epoch_is_current: AtomicBool::new(false),
            doubt: AtomicBool::new(false),
            pid: std::process::id(),
            handles: AtomicUsize::new(1),
            closing: AtomicBool::new(false),
        }
    }

    /// Returns the time of a write.
    pub(super) fn now(&self) -> Timestamp {
        let back = u64::try_from(self.clock_back.as_millis()).unwrap_or(u64::MAX);
        Timestamp::from_millis(Timestamp::now().as_millis().saturating_sub(back))
    }

    /// Counts one more handle than the first; false if the last one went and the store is closing.
    pub(super) fn join(&self) -> bool {
        let one_more = |handles: usize| (handles > 0).then_some(handles + 1);
        self.handles.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more).is_ok()
    }

    /// Counts a handle out; the last one ends the threads, as far as they are not stuck.
    pub(super) fn leave(&self) {
        if self.handles.fetch_sub(1, Ordering::AcqRel) != 1 {
            return;
        }
        self.closing.store(true, Ordering::Release);
        self.queue.refuse_all(&closed());
        self.readers.close();
        self.syncer.ring();
        self.waiter.ring();
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    /// Whether the data is still what it was when it was opened.
    pub(super) fn is_in_place(&self) -> Result<bool> {
        is_in_place(self.place.data(), self.identity)
    }

    /// Refuses to go on with data that was moved, removed or replaced.
    pub(super) fn check_place(&self) -> Result<()> {
        if self.is_in_place()? {
            return Ok(());
        }
        let why = "was moved, removed or replaced while it was open; put it back, or open the store again";
        Err(Error::new(ErrorKind::Corrupted, why).with_path(self.place.path()))
    }

    /// Refuses a store that has moved since it was opened; what else is wrong with it is told by reading it.
    pub(super) fn check_moved(&self, deadline: Instant) -> Result<()> {
        match self.backend.read(deadline, &mut |snapshot| snapshot.epoch().map(drop)) {
            Err(error) if error.kind() == ErrorKind::Moved => Err(error),
            _ => Ok(()),
        }
    }

    /// Refuses a handle in a forked child: locks, connections and threads are the parent's.
    pub(super) fn check_process(&self) -> Result<()> {
        if self.is_own_process() {
            return Ok(());
        }
        let why = format!(
            "process {} had the store open when it forked this one, and its locks are not ours; fork before the store is \
             opened, or execute a program after forking",
            self.pid
        );
        Err(Error::new(ErrorKind::Closed, why).with_path(self.place.path()))
    }

    pub(super) fn is_own_process(&self) -> bool {
        std::process::id() == self.pid
    }
}

impl<B: Backend> Drop for Core<B> {
    fn drop(&mut self) {
        if !self.is_own_process() {
            self.backend.forget();
        }
    }
}

pub(super) fn closed() -> Error {
    Error::new(ErrorKind::Closed, "the store was closed; open it again")
}

/// Wakes one thread of the store; a ring while it is awake is not lost.
#[derive(Debug, Default)]
pub(super) struct Bell {
    rung: Mutex<bool>,
    changed: Condvar,
    started: AtomicBool,
}

impl Bell {
    pub(super) fn ring(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_one();
    }

    pub(super) fn wait(&self) {
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        while !*rung {
            rung = self.changed.wait(rung).unwrap_or_else(PoisonError::into_inner);
        }
        *rung = false;
    }

    /// Rings, and starts the thread that listens if there is none yet.
    pub(super) fn ring_or_start(
        &self,
        name: &str,
        thread: impl FnOnce() + Send + 'static,
    ) -> std::io::Result<()> {
        if !self.started.swap(true, Ordering::AcqRel) {
            let started = std::thread::Builder::new().name(name.into()).spawn(thread);
            if let Err(e) = started {
                self.started.store(false, Ordering::Release);
                return Err(e);
            }
        }
        self.ring();
        Ok(())
    }
}
