//! Ctrl-C while an editor runs is for the editor alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::exit::Failure;

/// Hears the signals of the terminal's keys, which go to the editor and to this program alike.
#[derive(Debug)]
pub(super) struct Signals {
    editing: Arc<AtomicBool>,
}

impl Signals {
    /// Starts to listen; the signals end the program as ever, but not while an editor runs.
    ///
    /// To be called before any other thread starts, for they inherit what is blocked.
    #[cfg(unix)]
    pub(super) fn listen() -> Result<Self, Failure> {
        use crate::exit::Code;

        let editing = Arc::new(AtomicBool::new(false));
        let signals = signals();
        let failed = |e| Failure::told(Code::Other, format!("cannot listen to signals: {e}"));
        signals.thread_block().map_err(failed)?;
        let ignored = Arc::clone(&editing);
        std::thread::spawn(move || {
            while let Ok(signal) = signals.wait() {
                if !ignored.load(Ordering::Acquire) {
                    std::process::exit(128 + signal as i32);
                }
            }
        });
        Ok(Self { editing })
    }

    /// Listens to nothing: here the system ends the program.
    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
    pub(super) fn listen() -> Result<Self, Failure> {
        Ok(Self { editing: Arc::default() })
    }

    /// Does something during which the signals are for others.
    pub(super) fn ignored_during<T>(&self, work: impl FnOnce() -> T) -> T {
        self.editing.store(true, Ordering::Release);
        let done = work();
        self.editing.store(false, Ordering::Release);
        done
    }

    /// Starts a program, which would inherit from this thread that it does not hear the signals.
    ///
    /// In that moment one would end this program, which leaves the text where it is.
    #[expect(clippy::unused_self, reason = "only after `listen` there is something to let through")]
    pub(super) fn let_through<T>(&self, start: impl FnOnce() -> T) -> T {
        #[cfg(unix)]
        let _ = signals().thread_unblock();
        let started = start();
        #[cfg(unix)]
        let _ = signals().thread_block();
        started
    }
}

#[cfg(unix)]
fn signals() -> nix::sys::signal::SigSet {
    use nix::sys::signal::Signal;

    [Signal::SIGINT, Signal::SIGQUIT].into_iter().collect()
}
