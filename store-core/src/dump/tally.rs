//! Counts and digests of a dump as it goes by, the same when it is written and when it is read.

use super::digest::Digest;
use super::line::{End, Line, Sum};
use super::outline::{NamespaceOutline, Outline};
use crate::types::LogInfo;

/// What has gone by so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) outline: Outline,
    lines: Digest,
    contents: Digest,
}

impl Tally {
    /// Counts a line between the first and the last; `text` is all of it, its end included.
    pub(super) fn add(&mut self, line: &Line, text: &[u8]) {
        self.lines.update(text);
        self.outline.records += 1;
        match line {
            Line::Namespace { name, revision } => {
                self.contents.reset();
                let opened =
                    NamespaceOutline { name: name.clone(), revision: *revision, ..Default::default() };
                self.outline.namespaces.push(opened);
            }
            Line::Key { key, value, .. } => {
                self.feed(b'k', key.as_bytes());
                self.feed(b'v', value.as_str().as_bytes());
                if let Some(namespace) = self.outline.namespaces.last_mut() {
                    namespace.keys += 1;
                }
            }
            Line::Log { name, first, last } => {
                self.feed(b'l', name.as_bytes());
                self.feed(b'f', &first.to_le_bytes());
                self.feed(b't', &last.to_le_bytes());
                if let Some(namespace) = self.outline.namespaces.last_mut() {
                    namespace.logs.push(LogInfo { name: name.clone(), first: *first, last: *last });
                }
            }
            Line::Entry { entry, .. } => {
                self.feed(b'e', entry.as_str().as_bytes());
                if let Some(namespace) = self.outline.namespaces.last_mut() {
                    namespace.entries += 1;
                }
            }
            Line::Header(_) | Line::Sum(_) | Line::End(_) => {}
        }
    }

    /// Feeds a piece of contents with what it is and how long, so that no two contents feed the same.
    fn feed(&mut self, what: u8, piece: &[u8]) {
        self.contents.update(&[what]).update(&(piece.len() as u64).to_le_bytes()).update(piece);
    }

    /// Returns the sum of the namespace that is open, and notes its digest.
    pub(super) fn sum(&mut self) -> Option<Sum> {
        let digest = self.contents.hex();
        let namespace = self.outline.namespaces.last_mut()?;
        namespace.digest.clone_from(&digest);
        Some(Sum {
            namespace: namespace.name.clone(),
            keys: namespace.keys,
            logs: namespace.logs.len() as u64,
            entries: namespace.entries,
            digest,
        })
    }

    /// Returns the last line, and notes the digest of all.
    pub(super) fn end(&mut self) -> End {
        self.outline.digest = self.lines.hex();
        End {
            what: super::write::NAME.to_owned(),
            namespaces: self.outline.namespaces.len() as u64,
            keys: self.outline.keys(),
            logs: self.outline.logs(),
            entries: self.outline.entries(),
            records: self.outline.records,
            digest: self.outline.digest.clone(),
        }
    }
}
