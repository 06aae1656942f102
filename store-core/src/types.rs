//! The plain data of the contract: entries, objects, logs and ranges over them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::json::{Json, pretty};
use crate::numbers::{Revision, Seq, Timestamp};

/// A JSON value under a key, with the revision and the time of the write that put it there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The value, the same text as it was written, white space aside.
    pub value: Json,
    /// The revision of the object that wrote this entry.
    pub revision: Revision,
    /// When it was written, by the writer's clock.
    pub at: Timestamp,
}

/// All entries of a namespace and its revision, at one instant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Object {
    /// The revision; [`Revision::NEVER`] if the object was never written.
    pub revision: Revision,
    /// The entries by key; empty for an object that was never written or has lost its last key.
    pub entries: BTreeMap<String, Entry>,
}

impl Object {
    /// Returns the plain object as JSON text in lines, its keys in the order of their bytes, with a newline at
    /// its end; values keep their text, white space aside.
    pub fn pretty(&self) -> String {
        let mut compact = String::from("{");
        for (at, (key, entry)) in self.entries.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            // Writing to a string cannot fail.
            let _ = write!(compact, "{comma}{}:{}", Json::from(key.as_str()), entry.value);
        }
        compact.push('}');
        pretty(&compact)
    }
}

/// One entry of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// Its number.
    pub seq: Seq,
    /// When it was appended, by the writer's clock.
    pub at: Timestamp,
    /// The value.
    pub entry: Json,
}

/// The extent of a log: its entries are those numbered `first` to `last`, without gap.
///
/// A log whose entries are all trimmed has `first` = `last` + 1; the next append gets `last` + 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogInfo {
    /// The name of the log.
    pub name: String,
    /// The number of the first entry that is kept.
    pub first: Seq,
    /// The number of the last entry ever appended.
    pub last: Seq,
}

/// A namespace that holds something: a key or a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamespaceInfo {
    /// Its name.
    pub name: String,
    /// The revision of its object; [`Revision::NEVER`] if it has logs only.
    pub revision: Revision,
}

/// The keys that [`list`](crate::StateStore::list) returns: from `start`, before `end`, at most `limit`.
///
/// Keys are ordered by their UTF-8 bytes.
///
/// # Examples
/// ```
/// use store_core::KeyRange;
/// let users = KeyRange::prefix("user/").with_limit(100);
/// assert!(users.contains("user/7") && !users.contains("users"));
/// let next_page = users.after("user/7");
/// assert!(!next_page.contains("user/7") && next_page.contains("user/8"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyRange {
    start: Option<String>,
    end: Option<String>,
    limit: Option<usize>,
}

impl KeyRange {
    /// Ranges over all keys.
    pub fn all() -> Self {
        Self::default()
    }

    /// Ranges over the keys that begin with `prefix`.
    pub fn prefix(prefix: &str) -> Self {
        Self { start: Some(prefix.to_owned()), end: successor(prefix), limit: None }
    }

    /// Starts at `start`, itself included.
    pub fn with_start(mut self, start: impl Into<String>) -> Self {
        self.start = Some(start.into());
        self
    }

    /// Ends before `end`, itself excluded.
    pub fn with_end(mut self, end: impl Into<String>) -> Self {
        self.end = Some(end.into());
        self
    }

    /// Returns at most `limit` entries.
    pub fn with_limit(mut self, limit: usize) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Starts right after `key`: the next page after one that ended with it.
    pub fn after(self, key: &str) -> Self {
        // U+0000 is the smallest character, so nothing lies between `key` and this.
        self.with_start(format!("{key}\0"))
    }

    /// Returns the first key of the range, itself included.
    pub fn start(&self) -> Option<&str> {
        self.start.as_deref()
    }

    /// Returns the end of the range, itself excluded.
    pub fn end(&self) -> Option<&str> {
        self.end.as_deref()
    }

    /// Returns how many entries are wanted at most.
    pub fn limit(&self) -> Option<usize> {
        self.limit
    }

    /// Tells whether a key lies between start and end.
    pub fn contains(&self, key: &str) -> bool {
        self.start().is_none_or(|start| start <= key) && self.end().is_none_or(|end| key < end)
    }
}

/// The smallest string above all that begin with `prefix`; none if there is no such string.
fn successor(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        // A range of characters skips the surrogates, which a char cannot be.
        if let Some(next) = (last..=char::MAX).nth(1) {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

/// Where a [`LogRange`] starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogStart {
    /// At this number, or at the first that is kept if that is later.
    From(Seq),
    /// So many entries before the end.
    Tail(u64),
}

/// The entries that [`read_log`](crate::StateStore::read_log) returns, in order.
///
/// # Examples
/// ```
/// use store_core::LogRange;
/// let page = LogRange::from(101).with_limit(50);
/// let newest = LogRange::tail(10);
/// # let _ = (page, newest);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogRange {
    start: LogStart,
    limit: Option<u64>,
}

impl LogRange {
    /// Ranges over the whole log.
    pub fn all() -> Self {
        Self::from(0)
    }

    /// Starts at a number, or at the first entry that is kept if that is later.
    pub fn from(seq: Seq) -> Self {
        Self { start: LogStart::From(seq), limit: None }
    }

    /// Ranges over the last `count` entries.
    pub fn tail(count: u64) -> Self {
        Self { start: LogStart::Tail(count), limit: None }
    }

    /// Returns at most `limit` entries, the first of the range.
    pub fn with_limit(mut self, limit: u64) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Returns where the range starts.
    pub fn start(&self) -> LogStart {
        self.start
    }

    /// Returns how many entries are wanted at most.
    pub fn limit(&self) -> Option<u64> {
        self.limit
    }

    /// Returns the first number wanted of a log with this extent.
    pub(crate) fn first_wanted(&self, info: &LogInfo) -> Seq {
        match self.start {
            LogStart::From(seq) => seq.max(info.first),
            LogStart::Tail(count) => info.last.saturating_add(1).saturating_sub(count).max(info.first),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_before_the_next_string() {
        assert_eq!(successor("a"), Some("b".into()));
        assert_eq!(successor("a\u{d7ff}"), Some("a\u{e000}".into()));
        assert_eq!(successor("a\u{10ffff}"), Some("b".into()));
        assert_eq!(successor("\u{10ffff}"), None);
        assert_eq!(successor(""), None);
        assert!(KeyRange::prefix("").contains("anything"));
    }
}
