//! What an operation says about the state, and whether it could be what another one wrote.
//!
//! Leaving out a write that nobody sees keeps an order of the others right; so what is said here errs on the
//! side of seeing.

use super::compile::{Act, Change, Op, Test};
use super::op::Did;

/// Something that an operation saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sight {
    /// A key with its value and revision.
    Entry { space: u32, key: u32, value: u32, revision: u64 },
    /// The revision of a key.
    At { space: u32, key: u32, revision: u64 },
    /// That a key is absent.
    Gone { space: u32, key: u32 },
    /// That a key is there.
    There { space: u32, key: u32 },
    /// That no other key is there.
    Rest { space: u32, keys: Vec<u32> },
    /// The revision of an object.
    Revision { space: u32, revision: u64 },
    /// Whether there is a key or a log.
    Holds { space: u32, any: bool },
    /// A page of a log.
    Page { space: u32, log: u32, entries: Vec<(u64, u32)> },
    /// The extents of logs.
    Extents { space: u32, logs: Vec<(u32, u64, u64)> },
    /// The last number of a log.
    End { space: u32, log: u32, last: u64 },
    /// The last number of a log before an append; what it is, the numbers of the appends say themselves.
    Before { space: u32, log: u32, last: u64 },
}

/// Returns all that an operation saw.
pub(super) fn sights(act: &Act) -> Vec<Sight> {
    match act {
        Act::Get { space, key, found: None } => vec![Sight::Gone { space: *space, key: *key }],
        Act::Get { space, key, found: Some((value, revision)) } => {
            vec![Sight::Entry { space: *space, key: *key, value: *value, revision: *revision }]
        }
        Act::Object { space, revision, entries } => {
            let space = *space;
            let entry = |&(key, value, revision): &_| Sight::Entry { space, key, value, revision };
            let rest = Sight::Rest { space, keys: entries.iter().map(|entry| entry.0).collect() };
            let whole = [Sight::Revision { space, revision: *revision }, rest];
            whole.into_iter().chain(entries.iter().map(entry)).collect()
        }
        Act::Page { space, log, entries, .. } => {
            vec![Sight::Page { space: *space, log: *log, entries: entries.clone() }]
        }
        Act::Logs { space, logs } => vec![Sight::Extents { space: *space, logs: logs.clone() }],
        Act::Conflict(found) => vec![tested(found)],
        Act::Commit { checks, changes, told } => {
            let told = told.as_deref().unwrap_or_default();
            let seen = changes.iter().zip(told).filter_map(|(change, did)| noticed(change, *did));
            checks.iter().map(tested).chain(seen).collect()
        }
        Act::Never => Vec::new(),
    }
}

fn tested(test: &Test) -> Sight {
    match *test {
        Test::Key { space, key, revision: None } => Sight::Gone { space, key },
        Test::Key { space, key, revision: Some(revision) } => Sight::At { space, key, revision },
        Test::Object { space, revision } => Sight::Revision { space, revision },
        Test::Log { space, log, last } => Sight::End { space, log, last },
    }
}

/// What a write notices of the state that it changes.
fn noticed(change: &Change, did: Did) -> Option<Sight> {
    match (change, did) {
        (Change::Delete { space, key }, Did::Deleted(true)) => {
            Some(Sight::There { space: *space, key: *key })
        }
        (Change::Delete { space, key }, _) => Some(Sight::Gone { space: *space, key: *key }),
        (Change::Drop { space }, Did::Deleted(any)) => Some(Sight::Holds { space: *space, any }),
        (Change::Append { space, log, .. }, Did::Appended(number)) => {
            Some(Sight::Before { space: *space, log: *log, last: number.saturating_sub(1) })
        }
        _ => None,
    }
}

impl Op {
    /// Whether this operation can have seen something that another one wrote.
    pub(super) fn sees(&self, writer: &Self) -> bool {
        self.sights.iter().any(|sight| sight.is_of(writer))
    }
}

impl Sight {
    fn space(&self) -> u32 {
        match self {
            Self::Entry { space, .. }
            | Self::At { space, .. }
            | Self::Gone { space, .. }
            | Self::There { space, .. }
            | Self::Rest { space, .. }
            | Self::Revision { space, .. }
            | Self::Holds { space, .. }
            | Self::Page { space, .. }
            | Self::Extents { space, .. }
            | Self::End { space, .. }
            | Self::Before { space, .. } => *space,
        }
    }

    fn is_of_logs(&self) -> bool {
        matches!(self, Self::Page { .. } | Self::Extents { .. } | Self::End { .. } | Self::Before { .. })
    }

    fn is_of(&self, writer: &Op) -> bool {
        let mut numbers = writer.told().map(|(_, did)| match did {
            Some(Did::Appended(number)) => Some(number),
            _ => None,
        });
        writer.changes().iter().any(|change| {
            let number = numbers.next().flatten();
            change.space() == self.space() && self.is_of_change(change, number, writer)
        })
    }

    fn is_of_change(&self, change: &Change, number: Option<u64>, writer: &Op) -> bool {
        if let Self::Revision { space, revision } = self
            && change.is_of_object()
        {
            return writer.may_be(*space, *revision);
        }
        match change {
            Change::Put { space, key, value } => self.is_put(*space, *key, *value, writer),
            Change::Replace { space, object } => {
                object.iter().any(|(key, value)| self.is_put(*space, *key, *value, writer))
                    || self.is_absence(&|key| object.iter().all(|put| put.0 != key))
            }
            Change::Delete { key, .. } => self.is_absence(&|other| other == *key),
            Change::Drop { .. } => self.is_absence(&|_| true) || self.is_of_logs(),
            Change::Append { log, value, .. } => self.is_append(*log, *value, number),
            Change::Trim { log, .. } => match self {
                Self::Page { log: seen, .. } => seen == log,
                Self::Extents { .. } => true,
                _ => false,
            },
        }
    }

    fn is_put(&self, space: u32, key: u32, value: u32, writer: &Op) -> bool {
        match self {
            Self::Entry { key: seen, value: found, revision, .. } => {
                *seen == key && (*found == value || writer.revision(space) == Some(*revision))
            }
            Self::At { key: seen, revision, .. } => *seen == key && writer.may_be(space, *revision),
            Self::There { key: seen, .. } => *seen == key,
            Self::Holds { any, .. } => *any,
            _ => false,
        }
    }

    /// Whether it saw that a key is not there which a write took away.
    fn is_absence(&self, takes: &dyn Fn(u32) -> bool) -> bool {
        match self {
            Self::Gone { key, .. } => takes(*key),
            // Which keys there could be nobody knows.
            Self::Rest { .. } => true,
            Self::Holds { any, .. } => !*any,
            _ => false,
        }
    }

    fn is_append(&self, log: u32, value: u32, number: Option<u64>) -> bool {
        match self {
            Self::Page { log: seen, entries, .. } => {
                let is_it = |entry: &(u64, u32)| entry.1 == value || number == Some(entry.0);
                *seen == log && (number.is_none() || entries.iter().any(is_it))
            }
            Self::Extents { logs, .. } => {
                let is_end = |held: &(u32, u64, u64)| held.0 == log && number.is_none_or(|n| n == held.2);
                logs.iter().any(is_end)
            }
            Self::End { log: seen, last, .. } => *seen == log && number.is_none_or(|n| n == *last),
            Self::Before { log: seen, .. } => *seen == log && number.is_none(),
            Self::Holds { any, .. } => *any,
            _ => false,
        }
    }
}

impl Change {
    /// Returns the namespace that it changes.
    pub(super) fn space(&self) -> u32 {
        match self {
            Self::Put { space, .. }
            | Self::Delete { space, .. }
            | Self::Replace { space, .. }
            | Self::Append { space, .. }
            | Self::Trim { space, .. }
            | Self::Drop { space } => *space,
        }
    }

    fn is_of_object(&self) -> bool {
        !matches!(self, Self::Append { .. } | Self::Trim { .. })
    }
}

impl Op {
    /// Whether a revision of a namespace can be the one that this operation gave it.
    fn may_be(&self, space: u32, revision: u64) -> bool {
        match self.revision(space) {
            Some(given) => given == revision,
            None => !self.complete,
        }
    }
}
