//! How often a drill goes on with what it could do for ever.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// A bound on the rounds of a drill: a number, or a time after a least number.
///
/// It can be handed to a worker, and counts from when [`go`](Self::go) is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rounds {
    least: u64,
    most: u64,
    within: Option<Duration>,
}

impl Rounds {
    /// So many rounds, however long they take.
    pub(crate) const fn exactly(rounds: u64) -> Self {
        Self { least: rounds, most: rounds, within: None }
    }

    /// As many rounds as begin within a time, but some in any case.
    pub(crate) const fn within(time: Duration, least: u64) -> Self {
        Self { least, most: u64::MAX, within: Some(time) }
    }

    /// Returns the same with a part of the time, for one of several loops of a drill.
    pub(crate) fn of_loops(self, loops: usize) -> Self {
        let loops = u32::try_from(loops.max(1)).unwrap_or(u32::MAX);
        Self { within: self.within.map(|time| time / loops), ..self }
    }

    /// Begins, and returns the numbers of the rounds from 0.
    pub(crate) fn go(self) -> impl Iterator<Item = u64> {
        let until = self.within.map(|time| Instant::now() + time);
        let goes_on = move |round: &u64| {
            *round < self.least || (*round < self.most && until.is_none_or(|until| Instant::now() < until))
        };
        (0..).take_while(goes_on)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_a_number() {
        assert_eq!(Rounds::exactly(7).go().count(), 7);
        assert_eq!(Rounds::exactly(0).go().count(), 0);
    }

    #[test]
    fn when_the_time_is_over_the_least_is_done_all_the_same() {
        assert_eq!(Rounds::within(Duration::ZERO, 3).go().count(), 3);
        let (mut long, least) = (Rounds::within(Duration::from_hours(1), 3).go(), 3);
        assert_eq!(long.nth(least), Some(3));
    }
}
