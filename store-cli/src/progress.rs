//! A bar on stderr for what takes more than a second, with rate and time left; nothing where nobody looks.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use statestore::dump::Meter;

/// How long is waited before anything is drawn.
const PATIENCE: Duration = Duration::from_secs(1);
const STEP: Duration = Duration::from_millis(100);
/// Where it is known how much there is, and where it is not.
const KNOWN: &str = "{msg:8} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta} left";
const UNKNOWN: &str = "{msg:8} {spinner} {bytes} {bytes_per_sec} {elapsed}";

/// Draws a meter until this is dropped.
#[derive(Debug)]
pub(crate) struct Bar {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Bar {
    /// Begins to watch a meter.
    pub(crate) fn watch(meter: &Arc<Meter>) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self { stop: None, thread: None };
        }
        let (stop, stopped) = channel::<()>();
        let meter = Arc::clone(meter);
        let draws = move || {
            if stopped.recv_timeout(PATIENCE) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            let bar = ProgressBar::no_length();
            let mut step = "";
            while stopped.recv_timeout(STEP) == Err(RecvTimeoutError::Timeout) {
                let now = meter.progress();
                if now.step != step {
                    step = now.step;
                    let style = if now.total > 0 { KNOWN } else { UNKNOWN };
                    if let Ok(style) = ProgressStyle::with_template(style) {
                        bar.set_style(style);
                    }
                    bar.reset();
                    bar.set_message(step);
                }
                // What is estimated may be exceeded.
                bar.set_length(now.total.max(now.bytes));
                bar.set_position(now.bytes);
            }
            bar.finish_and_clear();
        };
        // Without a thread nothing is drawn.
        let thread = std::thread::Builder::new().name("statestore-bar".into()).spawn(draws).ok();
        Self { stop: Some(stop), thread }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
