//! Passing the gate once, with a deadline, for what is no write of an open store.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use super::gate::Gate;
use crate::error::{Error, ErrorKind, Result};

/// Does work in the gate, in turn with all who wait for it, unless the time passes first: the lock has no
/// deadline, so that it is waited for on a thread that can be lost.
///
/// Work that has begun is awaited, however long it takes.
///
/// # Errors
/// `Busy` if the gate is not had in time, naming who holds it: the work is not done, now or later. Those of
/// [`Gate::acquire`], and the work's own.
pub fn in_the_gate<T: Send + 'static>(
    gate: Gate,
    operation: &'static str,
    timeout: Duration,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let gate = Arc::new(gate);
    let taken = Arc::new(AtomicBool::new(false));
    let (sender, answer) = sync_channel(1);
    let waiting = (Arc::clone(&gate), Arc::clone(&taken));
    let waits = move || {
        let (gate, taken) = waiting;
        let held = gate.acquire(operation);
        if !taken.swap(true, Ordering::AcqRel) {
            // Somebody waits for it, however long it takes now.
            let _ = sender.send(held.and_then(|_held| work()));
        }
    };
    let started = std::thread::Builder::new().name(format!("statestore-{operation}")).spawn(waits);
    started.map_err(|e| Error::from_io("cannot start a thread", gate.path(), e))?;
    let gone = || {
        let why = format!("the thread of {operation} has gone; report this as a bug");
        Error::new(ErrorKind::Io, why)
    };
    match answer.recv_timeout(timeout) {
        Ok(done) => done,
        Err(RecvTimeoutError::Timeout) if taken.swap(true, Ordering::AcqRel) => {
            answer.recv().map_err(|_| gone())?
        }
        Err(RecvTimeoutError::Timeout) => {
            let why = format!("the gate is held by {}; nothing was changed, try again", gate.holder());
            Err(Error::new(ErrorKind::Busy, why).with_path(gate.path()))
        }
        Err(RecvTimeoutError::Disconnected) => Err(gone()),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::config::Access;
    use crate::shared::access::Modes;

    #[test]
    fn what_is_late_is_not_done() {
        let dir = tempfile::tempdir().unwrap();
        let gate = || Gate::new(dir.path().join("s.gate"), Modes::of(Access::Private, None));
        assert_eq!(in_the_gate(gate(), "look", Duration::from_mins(1), || Ok(7)).unwrap(), 7);
        let holder = gate();
        let held = holder.acquire("test").unwrap();
        let done = Arc::new(AtomicBool::new(false));
        let late = Arc::clone(&done);
        let error = in_the_gate(gate(), "look", Duration::from_millis(50), move || {
            late.store(true, Ordering::Release);
            Ok(())
        })
        .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Busy);
        assert!(error.to_string().contains(&format!("pid {}", std::process::id())), "{error}");
        drop(held);
        // In turn behind the one that was given up.
        in_the_gate(gate(), "look", Duration::from_mins(1), || Ok(())).unwrap();
        assert!(!done.load(Ordering::Acquire));
    }
}
