//! The numbers by which writes are told apart: revisions, numbers of log entries, moments.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The number of an entry in its log: 1 for the first ever, then without gap. 0 stands for "none yet".
pub type Seq = u64;

/// The number of a namespace's object: 0 means never written; it grows with every committed batch that
/// changes the object and is never used twice, not after a deletion, a power cut or a restore.
///
/// The high part is the store's epoch, so consecutive revisions need not be consecutive numbers. Compare
/// revisions of one namespace only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Revision(u64);

impl Revision {
    /// The revision of an object that was never written.
    pub const NEVER: Self = Self(0);
    const COUNTER_BITS: u32 = 40;

    /// Makes a revision from its number, as [`get`](Self::get) gave it.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Returns the number, at most 2^63 - 1.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Returns the store's epoch in which it was given.
    ///
    /// Revisions of one epoch are consecutive numbers.
    pub fn epoch(self) -> u32 {
        u32::try_from(self.0 >> Self::COUNTER_BITS).unwrap_or(u32::MAX)
    }

    /// Returns the next revision in an epoch: larger than this one, and than any of an earlier epoch.
    pub fn next(self, epoch: u32) -> Self {
        let start = u64::from(epoch) << Self::COUNTER_BITS;
        Self(self.0.max(start) + 1)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A moment by the machine's clock, in whole milliseconds since 1970 in UTC.
///
/// It tells people when; nothing is ordered by it, for clocks are set back.
///
/// # Examples
/// ```
/// use store_core::Timestamp;
/// assert_eq!(Timestamp::from_millis(1_700_000_000_123).to_string(), "2023-11-14T22:13:20.123Z");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(u64);

impl Timestamp {
    /// Returns the present moment; 1970 if the clock stands before it.
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Self(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    /// Makes a moment from milliseconds since 1970.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Returns the milliseconds since 1970.
    pub const fn as_millis(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Timestamp {
    /// Prints RFC 3339 in UTC with milliseconds, such as `2026-01-31T09:30:00.000Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = i64::try_from(self.0).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
        match moment {
            Some(moment) => write!(f, "{moment:.3}"),
            None => write!(f, "{} ms since 1970", self.0),
        }
    }
}

/// What a check expects of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// The key was last written by this revision.
    Revision(Revision),
    /// The key does not exist.
    Absent,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revisions_grow_within_and_across_epochs() {
        let first = Revision::NEVER.next(0);
        assert_eq!(first.get(), 1);
        assert_eq!(first.next(0).get(), 2);
        let later = first.next(3);
        assert!(later > Revision::new(3 << 40));
        assert_eq!(later.next(1), Revision::new(later.get() + 1), "an epoch set back never goes back");
    }
}
