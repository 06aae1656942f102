//! What a file of a mirror shows, and its name.

use crate::shared::names::{decode, encode};

/// The object of a namespace, or one of its logs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Item {
    pub(super) namespace: String,
    pub(super) log: Option<String>,
}

impl Item {
    /// Names an object.
    pub(super) fn object(namespace: &str) -> Self {
        Self { namespace: namespace.to_owned(), log: None }
    }

    /// Names a log.
    pub(super) fn log(namespace: &str, log: &str) -> Self {
        Self { namespace: namespace.to_owned(), log: Some(log.to_owned()) }
    }

    /// Returns the path of its file below the mirror's folder.
    pub(super) fn name(&self) -> String {
        let namespace = encode(&self.namespace);
        match &self.log {
            None => format!("{namespace}.json"),
            Some(log) => format!("{namespace}/{}.jsonl", encode(log)),
        }
    }

    /// Reads a path that [`name`](Self::name) made; none for any other.
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name.split_once('/') {
            None => Self { namespace: decode(name.strip_suffix(".json")?)?, log: None },
            Some((folder, file)) => {
                Self { namespace: decode(folder)?, log: Some(decode(file.strip_suffix(".jsonl")?)?) }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_written_and_none_leaves_the_folder() {
        for item in
            [Item::object("../x"), Item::object(".mirror"), Item::log("a.json", ".."), Item::log("A", "b")]
        {
            let name = item.name();
            assert!(
                !name.contains("..") && !name.starts_with('.') && name.matches('/').count() < 2,
                "{name}"
            );
            assert_eq!(Item::parse(&name), Some(item));
        }
        for name in [".mirror.json", "../x.json", "a/../b.jsonl", "x", "A.json", "a/b/c.jsonl"] {
            assert_eq!(Item::parse(name), None, "{name}");
        }
    }
}
