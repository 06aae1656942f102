//! What a dump, or a store, holds, without the values: counts, extents, revisions and digests.

use std::fmt::Write as _;

use crate::numbers::{Revision, Timestamp};
use crate::types::LogInfo;

/// What a whole store holds at one instant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Outline {
    /// The engine that it was taken from.
    pub engine: String,
    /// The store's epoch.
    pub epoch: u32,
    /// When it was taken.
    pub at: Timestamp,
    /// The namespaces by name.
    pub namespaces: Vec<NamespaceOutline>,
    /// How many records a dump of it has between its first and its last line.
    pub records: u64,
    /// How many bytes a dump of it has, uncompressed.
    pub bytes: u64,
    /// BLAKE3 of those records, in hexadecimal digits: equal for stores that hold the same to the last revision and
    /// time, whatever their engines.
    pub digest: String,
}

/// What a namespace holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct NamespaceOutline {
    /// Its name.
    pub name: String,
    /// The revision of its object.
    pub revision: Revision,
    /// How many keys it has.
    pub keys: u64,
    /// Its logs by name.
    pub logs: Vec<LogInfo>,
    /// How many entries its logs have.
    pub entries: u64,
    /// BLAKE3 of its contents, in hexadecimal digits: keys and values, the extents of its logs and their entries; not
    /// of revisions and times, which a restore may have to raise.
    pub digest: String,
}

impl Outline {
    /// Returns how many keys there are in all.
    pub fn keys(&self) -> u64 {
        self.namespaces.iter().map(|namespace| namespace.keys).sum()
    }

    /// Returns how many logs there are in all.
    pub fn logs(&self) -> u64 {
        self.namespaces.iter().map(|namespace| namespace.logs.len() as u64).sum()
    }

    /// Returns how many entries there are in all logs.
    pub fn entries(&self) -> u64 {
        self.namespaces.iter().map(|namespace| namespace.entries).sum()
    }

    /// Tells in words what another holds otherwise, namespace by namespace: contents, counts and extents; none if it
    /// holds the same.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let mut found = Vec::new();
        let (mut ours, mut theirs) = (self.namespaces.iter().peekable(), other.namespaces.iter().peekable());
        loop {
            let first = match (ours.peek(), theirs.peek()) {
                (Some(our), Some(their)) => our.name.cmp(&their.name),
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (None, None) => return found,
            };
            match first {
                std::cmp::Ordering::Less => {
                    found.extend(ours.next().map(|our| format!("namespace {:?} is missing", our.name)));
                }
                std::cmp::Ordering::Greater => {
                    found
                        .extend(theirs.next().map(|their| format!("namespace {:?} is too many", their.name)));
                }
                std::cmp::Ordering::Equal => {
                    if let (Some(our), Some(their)) = (ours.next(), theirs.next()) {
                        found.extend(our.difference(their));
                    }
                }
            }
        }
    }
}

impl NamespaceOutline {
    /// Tells in words what another namespace holds otherwise; none if it holds the same, whatever its revision.
    pub fn difference(&self, other: &Self) -> Option<String> {
        if self.digest == other.digest && self.keys == other.keys && self.logs == other.logs {
            return None;
        }
        let mut words = format!("namespace {:?}", self.name);
        let counts = [("keys", self.keys, other.keys), ("entries", self.entries, other.entries)];
        for (what, ours, theirs) in counts {
            if ours != theirs {
                // Writing to a string cannot fail.
                let _ = write!(words, " has {theirs} {what} instead of {ours};");
            }
        }
        for log in &self.logs {
            let extent = |log: &LogInfo| format!("{} to {}", log.first, log.last);
            match other.logs.iter().find(|other| other.name == log.name) {
                None => drop(write!(words, " log {:?} is missing;", log.name)),
                Some(found) if found != log => {
                    let _ = write!(
                        words,
                        " log {:?} has {} instead of {};",
                        log.name,
                        extent(found),
                        extent(log)
                    );
                }
                Some(_) => {}
            }
        }
        let _ = write!(words, " its contents have digest {} instead of {}", other.digest, self.digest);
        Some(words)
    }
}
