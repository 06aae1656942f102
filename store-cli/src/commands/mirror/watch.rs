//! What any process changed since the last look.

use std::collections::{BTreeMap, BTreeSet};

use statestore::{Blocking, MirrorConfig, MirrorLogs, Result, Seq};

/// What a namespace held: the revision of its object, and the extents of its logs.
type Held = (u64, Vec<(String, Seq, Seq)>);

/// Looks at a store again and again.
#[derive(Debug, Default)]
pub(super) struct Watch {
    held: BTreeMap<String, Held>,
}

impl Watch {
    /// Returns the namespaces that changed, came or went since the last look.
    pub(super) fn look(&mut self, store: &Blocking, config: &MirrorConfig) -> Result<BTreeSet<String>> {
        let mut held = BTreeMap::new();
        for namespace in store.namespaces()?.into_iter().filter(|found| config.wants(&found.name)) {
            let logs = match config.logs {
                MirrorLogs::None => Vec::new(),
                _ => store.logs(&namespace.name)?,
            };
            let extents = logs.into_iter().map(|log| (log.name, log.first, log.last)).collect();
            held.insert(namespace.name, (namespace.revision.get(), extents));
        }
        let came = held.iter().filter(|(name, now)| self.held.get(*name) != Some(now));
        let went = self.held.keys().filter(|name| !held.contains_key(*name));
        let changed = came.map(|(name, _)| name).chain(went).cloned().collect();
        self.held = held;
        Ok(changed)
    }
}
