//! What a store is filled with: namespaces, each with an object and a log.

use std::sync::Arc;
use std::time::Duration;

use statestore::{Batch, Json, StateStore};

use crate::Result;
use crate::load::{LOG, Load};
use crate::plan::Engine;

/// How many entries are written in one batch.
const CHUNK: usize = 20_000;

/// How entries are spread: half of them are keys of objects, half are entries of logs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spread {
    namespaces: usize,
    /// The keys of an object, which are as many as the entries of a log.
    each: usize,
}

/// One entry.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Record<'l, V> {
    Key { namespace: &'l str, key: &'l str, value: &'l V },
    Entry { namespace: &'l str, seq: u64, value: &'l V },
}

impl Spread {
    /// Spreads so many entries over 100 namespaces, or over 10 if they are few.
    pub(crate) fn of(size: usize) -> Self {
        let namespaces = if size >= 100_000 { 100 } else { 10 };
        Self { namespaces, each: size / namespaces / 2 }
    }

    /// Returns how many entries there are.
    pub(crate) fn records(self) -> u64 {
        (self.namespaces * self.each * 2) as u64
    }

    /// Returns how many keys an object has.
    pub(crate) fn each(self) -> usize {
        self.each
    }

    /// Returns the name of a namespace that is drawn.
    pub(crate) fn draw(self) -> String {
        namespace(fastrand::usize(..self.namespaces))
    }

    /// Visits all of them, in the order of names; keys and values come from a load of as many keys as one object has.
    pub(crate) fn visit<V>(
        self,
        load: &mut Load<V>,
        visit: &mut dyn FnMut(Record<'_, V>) -> Result<()>,
    ) -> Result<()> {
        for n in 0..self.namespaces {
            let namespace = namespace(n);
            let namespace = namespace.as_str();
            for n in 0..self.each {
                let (key, value) = load.pair(n);
                visit(Record::Key { namespace, key, value })?;
            }
            for seq in 1..=self.each as u64 {
                let (_, value) = load.draw();
                visit(Record::Entry { namespace, seq, value })?;
            }
        }
        Ok(())
    }
}

fn namespace(n: usize) -> String {
    format!("service-{n:02}")
}

/// Returns the URL of the store on an engine, in a folder that is named relative to this process's own.
pub(crate) fn url(engine: Engine, folder: &str) -> String {
    match engine {
        Engine::Sqlite => format!("sqlite:{folder}/store.db"),
        Engine::Redb => format!("redb:{folder}/store.redb"),
        Engine::Json => format!("json:{folder}/store"),
    }
}

/// Fills a store.
pub(crate) fn fill(store: &Arc<dyn StateStore>, size: usize) -> Result<()> {
    let spread = Spread::of(size);
    let mut load = Load::<Json>::new(spread.each(), 1, |text| text.parse())?;
    let new = || Batch::new().deadline(Duration::from_mins(5));
    let (mut batch, mut waiting) = (new(), 0);
    spread.visit(&mut load, &mut |record| {
        let full = std::mem::replace(&mut batch, new());
        batch = match record {
            Record::Key { namespace, key, value } => full.put(namespace, key, value.clone()),
            Record::Entry { namespace, value, .. } => full.append(namespace, LOG, value.clone()),
        };
        waiting += 1;
        if waiting == CHUNK {
            waiting = 0;
            pollster::block_on(store.commit(std::mem::replace(&mut batch, new())))?;
        }
        Ok(())
    })?;
    if waiting > 0 {
        pollster::block_on(store.commit(batch))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_spread_over_objects_and_logs() {
        let spread = Spread::of(1000);
        let mut load = Load::<String>::new(spread.each(), 1, Ok::<_, std::convert::Infallible>).unwrap();
        let (mut keys, mut entries) = (Vec::new(), 0);
        let mut visit = |record: Record<'_, String>| {
            match record {
                Record::Key { namespace, key, .. } => keys.push(format!("{namespace}/{key}")),
                Record::Entry { seq, .. } => entries += usize::from(seq <= 50),
            }
            Ok(())
        };
        spread.visit(&mut load, &mut visit).unwrap();
        assert_eq!((keys.len(), entries, spread.records()), (500, 500, 1000));
        assert!(keys.is_sorted_by(|a, b| a < b));
    }
}
