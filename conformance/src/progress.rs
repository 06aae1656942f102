//! How far a run is, on a terminal: cases done, what was counted, the time left.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

use crate::report::thousands;
use crate::run::Setup;

const TEMPLATE: &str = "{bar:24} {pos}/{len} cases {counted} [{elapsed}, {eta} left]";

/// A bar on stderr; nothing where that is no terminal.
#[derive(Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Shows that none of so many cases is done.
    pub(crate) fn start(cases: usize, setup: &Setup) -> Self {
        let bar = ProgressBar::new(u64::try_from(cases).unwrap_or(u64::MAX));
        let counts = Arc::clone(&setup.counts);
        let style = ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar());
        let counted = move |_: &ProgressState, to: &mut dyn Write| {
            for (what, number) in counts.counted() {
                let _ = write!(to, ", {} {}", thousands(number), what.as_str());
            }
        };
        bar.set_style(style.with_key("counted", counted));
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    /// Says that one more case is done, with the bar out of the way of what is printed.
    pub(crate) fn finished(&self, print: impl FnOnce()) {
        self.0.suspend(print);
        self.0.inc(1);
    }

    /// Takes the bar away.
    pub(crate) fn end(self) {
        self.0.finish_and_clear();
    }
}
