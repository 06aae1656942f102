//! What is edited: as it was read, and what an edited text changes of it.

use std::collections::BTreeMap;

use statestore::{Batch, Blocking, Entry, Expect, Json, Result, Revision, import};

use crate::args::EditArgs;

/// A namespace or one value, at the instant at which it was read.
#[derive(Debug)]
pub(super) struct Subject {
    ns: String,
    read: Read,
    text: String,
}

#[derive(Debug)]
enum Read {
    Object { revision: Revision, entries: BTreeMap<String, Entry> },
    Value { key: String, entry: Option<Entry> },
}

impl Subject {
    /// Reads it.
    pub(super) fn read(store: &Blocking, edit: &EditArgs) -> Result<Self> {
        let ns = edit.ns.clone();
        let Some(key) = edit.key.clone() else {
            let object = store.object(&ns)?;
            let text = object.pretty();
            return Ok(Self {
                ns,
                read: Read::Object { revision: object.revision, entries: object.entries },
                text,
            });
        };
        let entry = store.get(&ns, &key)?;
        // A key that is not there has no text either.
        let text = entry.as_ref().map(|entry| entry.value.pretty()).unwrap_or_default();
        Ok(Self { ns, read: Read::Value { key, entry }, text })
    }

    /// Returns the text to edit.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Returns the batch that makes what was read into what the edited text says; none if that is the same.
    ///
    /// It commits only if nobody else has changed what was read.
    pub(super) fn changes(&self, edited: &[u8]) -> Result<Option<Batch>> {
        match &self.read {
            Read::Object { revision, entries } => {
                let batch = Batch::new().check_object(&self.ns, *revision);
                let batch = self.puts_and_deletes(batch, entries, import::object(edited)?);
                Ok(Some(batch).filter(|batch| !batch.writes().is_empty()))
            }
            Read::Value { key, entry } => {
                let value = Json::from_slice(edited)?;
                if entry.as_ref().is_some_and(|entry| entry.value == value) {
                    return Ok(None);
                }
                let expect = entry.as_ref().map_or(Expect::Absent, |entry| Expect::Revision(entry.revision));
                Ok(Some(Batch::new().check(&self.ns, key, expect).put(&self.ns, key, value)))
            }
        }
    }

    /// Writes what differs and nothing else, so that the other entries keep their revisions.
    fn puts_and_deletes(
        &self,
        mut batch: Batch,
        before: &BTreeMap<String, Entry>,
        after: BTreeMap<String, Json>,
    ) -> Batch {
        for key in before.keys().filter(|key| !after.contains_key(*key)) {
            batch = batch.delete(&self.ns, key);
        }
        for (key, value) in after {
            if before.get(&key).is_none_or(|entry| entry.value != value) {
                batch = batch.put(&self.ns, key, value);
            }
        }
        batch
    }
}
