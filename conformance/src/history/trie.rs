//! The contents of logs, shared: a log is the number of a node, whose parents are the entries before it.
//!
//! So a log is copied, compared and hashed as one number, however long it is.

use std::collections::HashMap;

/// All contents of logs that a search has come across.
#[derive(Debug, Clone)]
pub(super) struct Trie {
    nodes: Vec<Node>,
    children: HashMap<(u32, u32), u32>,
    bases: HashMap<u64, u32>,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    parent: u32,
    /// None for entries that nobody knows.
    value: Option<u32>,
    /// The number of the entry.
    number: u64,
}

impl Trie {
    /// The log without entries yet.
    pub(super) const EMPTY: u32 = 0;

    pub(super) fn new() -> Self {
        let root = Node { parent: 0, value: None, number: 0 };
        Self { nodes: vec![root], children: HashMap::new(), bases: HashMap::new() }
    }

    fn node(&self, node: u32) -> Node {
        let missing = Node { parent: 0, value: None, number: 0 };
        self.nodes.get(node as usize).copied().unwrap_or(missing)
    }

    fn add(&mut self, node: Node) -> u32 {
        self.nodes.push(node);
        u32::try_from(self.nodes.len() - 1).unwrap_or(u32::MAX)
    }

    /// Returns the log that ends with a number and whose entries nobody knows.
    pub(super) fn base(&mut self, last: u64) -> u32 {
        if let Some(known) = self.bases.get(&last) {
            return *known;
        }
        let base = self.add(Node { parent: Self::EMPTY, value: None, number: last });
        self.bases.insert(last, base);
        base
    }

    /// Returns the log with one more entry.
    pub(super) fn append(&mut self, log: u32, value: u32) -> u32 {
        if let Some(known) = self.children.get(&(log, value)) {
            return *known;
        }
        let number = self.last(log) + 1;
        let child = self.add(Node { parent: log, value: Some(value), number });
        self.children.insert((log, value), child);
        child
    }

    /// Returns the number of the last entry.
    pub(super) fn last(&self, log: u32) -> u64 {
        self.node(log).number
    }

    /// Whether entries that end with a number are these values; what nobody knows may be any.
    pub(super) fn holds(&self, log: u32, last: u64, values: impl DoubleEndedIterator<Item = u32>) -> bool {
        let mut at = self.node(log);
        while at.number > last {
            at = self.node(at.parent);
        }
        values.rev().all(|value| {
            let same = at.value.is_none_or(|held| held == value);
            // Below a base nothing is known, and nothing is lower.
            at = if at.value.is_some() { self.node(at.parent) } else { at };
            same
        })
    }

    /// Returns the values of the entries from a number on, as many as are known.
    pub(super) fn values(&self, log: u32, from: u64) -> Vec<(u64, u32)> {
        let mut at = self.node(log);
        let mut found = Vec::new();
        while let Some(value) = at.value
            && at.number >= from
        {
            found.push((at.number, value));
            at = self.node(at.parent);
        }
        found.reverse();
        found
    }
}
