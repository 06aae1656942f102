//! Ctrl-C while an editor runs is for the editor alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::exit::Failure;

/// Hears the signals of the terminal's keys, which go to the editor and to this program alike.
///
/// They are caught, not blocked: a program that is started from here inherits what is blocked, but not what is caught,
/// so that nothing has to be let through while it starts.
#[derive(Debug)]
pub(super) struct Signals {
    /// Whether they end this program, as ever.
    end: Arc<AtomicBool>,
}

impl Signals {
    /// Starts to listen; the signals end the program as ever, but not while an editor runs.
    #[cfg(unix)]
    pub(super) fn listen() -> Result<Self, Failure> {
        use signal_hook::consts::{SIGINT, SIGQUIT};
        use signal_hook::flag::register_conditional_default;

        use crate::exit::Code;

        let end = Arc::new(AtomicBool::new(true));
        for signal in [SIGINT, SIGQUIT] {
            let heard = register_conditional_default(signal, Arc::clone(&end));
            heard.map_err(|e| Failure::told(Code::Other, format!("cannot listen to signals: {e}")))?;
        }
        Ok(Self { end })
    }

    /// Listens to nothing: here the system ends the program.
    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
    pub(super) fn listen() -> Result<Self, Failure> {
        Ok(Self { end: Arc::default() })
    }

    /// Does something during which the signals are for others.
    pub(super) fn ignored_during<T>(&self, work: impl FnOnce() -> T) -> T {
        self.end.store(false, Ordering::SeqCst);
        let done = work();
        self.end.store(true, Ordering::SeqCst);
        done
    }
}
