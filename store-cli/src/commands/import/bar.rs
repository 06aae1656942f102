//! How far an import is: on a terminal, from its second second on.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar that stays out of sight while there is nothing to wait for.
pub(super) struct Bar {
    drawn: ProgressBar,
    since: Instant,
    shown: bool,
}

impl Bar {
    const PATIENCE: Duration = Duration::from_secs(1);
    const BYTES: &'static str = "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec}, {eta} left";
    const ITEMS: &'static str = "{msg} {wide_bar} {human_pos}/{human_len} {per_sec}, {eta} left";
    const WAITING: &'static str = "{msg} {spinner} {elapsed}";

    /// Counts bytes.
    pub(super) fn of_bytes(doing: &'static str, bytes: usize) -> Self {
        Self::new(ProgressBar::hidden(), Self::BYTES, doing).of(bytes as u64)
    }

    /// Counts rows or files; how many there are may become known later.
    pub(super) fn of_items(doing: &'static str) -> Self {
        Self::new(ProgressBar::hidden(), Self::ITEMS, doing)
    }

    /// Shows that something is done that cannot be counted.
    pub(super) fn waiting(doing: &'static str) -> Self {
        let bar = Self::new(
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()),
            Self::WAITING,
            doing,
        );
        // On a terminal only; what is written at once is gone at once.
        bar.drawn.enable_steady_tick(Self::PATIENCE);
        bar
    }

    fn new(bar: ProgressBar, template: &str, doing: &'static str) -> Self {
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { drawn: bar.with_message(doing), since: Instant::now(), shown: false }
    }

    fn of(self, all: u64) -> Self {
        self.drawn.set_length(all);
        self
    }

    /// Tells how far it is.
    pub(super) fn at(&mut self, done: u64, all: Option<u64>) {
        if let Some(all) = all {
            self.drawn.set_length(all);
        }
        self.drawn.set_position(done);
        if !self.shown && self.since.elapsed() > Self::PATIENCE {
            self.drawn.set_draw_target(ProgressDrawTarget::stderr());
            self.shown = true;
        }
    }

    /// Takes it out of sight.
    pub(super) fn clear(&self) {
        self.drawn.finish_and_clear();
    }
}
