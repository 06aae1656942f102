//! Ctrl-C and its like: heard by a thread, so that what goes on for long ends by cleaning up.

use std::sync::mpsc::{Receiver, channel};
#[cfg(unix)]
use std::time::{Duration, Instant};

use crate::exit::Failure;

/// Within this, a second signal belongs to the first: some send theirs to the process and to its group.
#[cfg(unix)]
const PATIENCE: Duration = Duration::from_secs(1);

/// Starts to listen; the numbers of signals arrive in the channel instead of ending the process.
///
/// To be called before any other thread starts. Who asks again later, for the cleaning hangs, ends the
/// process at once.
#[cfg(unix)]
pub(crate) fn listen() -> Result<Receiver<u8>, Failure> {
    use crate::exit::Code;

    let failed = |e| Failure::told(Code::Other, format!("cannot listen to signals: {e}"));
    let signals = signals();
    signals.thread_block().map_err(failed)?;
    let (sender, heard) = channel();
    std::thread::spawn(move || {
        let mut first = None;
        while let Ok(signal) = signals.wait() {
            let number = u8::try_from(signal as i32).unwrap_or(0);
            let since = first.get_or_insert_with(Instant::now).elapsed();
            if sender.send(number).is_err() || since > PATIENCE {
                std::process::exit(128 + i32::from(number));
            }
        }
    });
    Ok(heard)
}

/// Lets signals end this process again, which inherited that they do not.
#[cfg(unix)]
pub(crate) fn let_through() {
    // Failing, a process of the demo still ends with its stdin.
    let _ = signals().thread_unblock();
}

#[cfg(unix)]
fn signals() -> nix::sys::signal::SigSet {
    use nix::sys::signal::Signal;

    [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP].into_iter().collect()
}

/// Listens to nothing: here the system ends the program.
#[cfg(not(unix))]
pub(crate) fn listen() -> Result<Receiver<u8>, Failure> {
    let (sender, heard) = channel();
    // The channel must not look like one whose listener is gone.
    std::mem::forget(sender);
    Ok(heard)
}

/// Has nothing to let through.
#[cfg(not(unix))]
pub(crate) fn let_through() {}
