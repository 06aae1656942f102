//! The time of a run that is bounded, and the shares of it.

use std::num::NonZero;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// When a run ends, and how many drills still want their share of the time until then.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    ends: Option<Instant>,
    drills: AtomicU32,
    at_once: u32,
}

impl Clock {
    /// Starts the time of a run with so many drills, so many of them at once.
    pub(crate) fn start(time: Option<Duration>, drills: usize, at_once: NonZero<usize>) -> Self {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self {
            ends: time.map(|time| Instant::now() + time),
            drills: AtomicU32::new(number(drills)),
            at_once: number(at_once.get()),
        }
    }

    /// Returns how long the next drill may go on, so that all others can as long; none if nothing bounds it.
    pub(crate) fn share(&self) -> Option<Duration> {
        let left = self.ends?.saturating_duration_since(Instant::now());
        let before =
            self.drills.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| Some(n.saturating_sub(1)));
        let drills = before.unwrap_or(1).max(1);
        // The last ones cannot share what only as many as are at once can use.
        Some(left * self.at_once.min(drills) / drills)
    }

    /// Whether the time is over.
    pub(crate) fn is_over(&self) -> bool {
        self.ends.is_some_and(|ends| Instant::now() >= ends)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_of_all_drills_make_up_the_time() {
        let hour = Duration::from_hours(1);
        let clock = Clock::start(Some(hour), 4, NonZero::<usize>::MIN);
        let first = clock.share().unwrap();
        assert!(first <= hour / 4 && first > hour / 5, "{first:?}");
        for _ in 0..2 {
            clock.share();
        }
        let last = clock.share().unwrap();
        assert!(last > hour / 2, "nobody else wants it: {last:?}");
    }

    #[test]
    fn without_a_bound_there_are_no_shares() {
        let clock = Clock::start(None, 4, NonZero::<usize>::MIN);
        assert_eq!((clock.share(), clock.is_over()), (None, false));
    }
}
