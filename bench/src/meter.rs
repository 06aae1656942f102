//! What one participant measures: a closed loop, the next operation as soon as the last one returns.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::side::Failure;

/// Two digits keep a histogram small enough not to disturb the caches of 64 tasks.
const DIGITS: u8 = 2;
const LONGEST: u64 = 3_600_000_000_000;

/// Returns an empty histogram of nanoseconds.
pub(crate) fn histogram() -> Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1, LONGEST, DIGITS)?)
}

/// Times the operations of one participant.
#[derive(Debug)]
pub(crate) struct Meter {
    until: Instant,
    begun: Instant,
    last_success: Instant,
    tally: Tally,
    latencies: Histogram<u64>,
}

/// What one participant has measured.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Tally {
    /// Operations that succeeded in time.
    pub(crate) done: u64,
    /// Operations that did not end within their timeout.
    pub(crate) errors: u64,
    /// The longest time without a success, from the start to the end of the last operation.
    pub(crate) longest_gap: Duration,
    /// Nanoseconds and how often they were seen. An operation that was begun in time and ended late is here,
    /// though it is not counted in `done`.
    pub(crate) latencies: Vec<(u64, u64)>,
}

impl Meter {
    /// Starts the first operation, of a time that began for all participants of a process at once: whoever
    /// gets a core late has less of it.
    pub(crate) fn start(began: Instant, time: Duration) -> Result<Self> {
        let latencies = histogram()?;
        Ok(Self {
            until: began + time,
            begun: Instant::now(),
            last_success: began,
            tally: Tally::default(),
            latencies,
        })
    }

    /// Notes how the operation ended, and starts the next one; false if the time is over.
    ///
    /// One look at the clock an operation: for a read of a microsecond two would show.
    pub(crate) fn note(&mut self, outcome: std::result::Result<(), Failure>) -> Result<bool> {
        let now = Instant::now();
        let took = now - self.begun;
        self.begun = now;
        self.latencies.saturating_record(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
        match outcome {
            Ok(()) => {
                self.tally.done += u64::from(now <= self.until);
                self.tally.longest_gap = self.tally.longest_gap.max(now - self.last_success);
                self.last_success = now;
            }
            Err(Failure::TimedOut) => self.tally.errors += 1,
            Err(Failure::Broken(error)) => return Err(error),
        }
        Ok(now < self.until)
    }

    /// Returns what was measured.
    pub(crate) fn finish(mut self) -> Tally {
        self.tally.longest_gap =
            self.tally.longest_gap.max(self.begun.saturating_duration_since(self.last_success));
        let seen = self.latencies.iter_recorded();
        self.tally.latencies = seen.map(|at| (at.value_iterated_to(), at.count_at_value())).collect();
        self.tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_and_failed_operations_are_not_counted_as_done() {
        let mut meter = Meter::start(Instant::now(), Duration::from_millis(50)).unwrap();
        assert!(meter.note(Ok(())).unwrap());
        assert!(meter.note(Err(Failure::TimedOut)).unwrap());
        std::thread::sleep(Duration::from_millis(60));
        assert!(!meter.note(Ok(())).unwrap());
        let tally = meter.finish();
        assert_eq!((tally.done, tally.errors), (1, 1));
        assert!(tally.longest_gap >= Duration::from_millis(60));
        assert_eq!(tally.latencies.iter().map(|(_, count)| count).sum::<u64>(), 3);
    }
}
