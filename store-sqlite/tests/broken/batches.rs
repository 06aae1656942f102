//! Batches taken apart and put together again.

use std::collections::BTreeMap;
use std::time::Duration;

use store_core::{Batch, Check, Durability, Json, Outcome, Receipt, Result, Revision, StateStore, Write};

use super::faults::Fault;
use super::store::Store;

pub(crate) fn with_check(batch: Batch, check: Check) -> Batch {
    match check {
        Check::Key { namespace, key, expect } => batch.check(namespace, key, expect),
        Check::Object { namespace, revision } => batch.check_object(namespace, revision),
        Check::Log { namespace, log, last } => batch.check_log(namespace, log, last),
    }
}

pub(crate) fn with_write(batch: Batch, write: Write) -> Batch {
    match write {
        Write::Put { namespace, key, value } => batch.put(namespace, key, value),
        Write::Delete { namespace, key } => batch.delete(namespace, key),
        Write::ReplaceObject { namespace, object } => batch.replace_object(namespace, object),
        Write::Append { namespace, log, entry } => batch.append(namespace, log, entry),
        Write::TrimLog { namespace, log, before } => batch.trim_log(namespace, log, before),
        Write::DeleteNamespace { namespace } => batch.delete_namespace(namespace),
    }
}

pub(crate) fn append_null(namespace: &str, log: &str) -> Batch {
    Batch::new().append(namespace, log, serde_json::Value::Null)
}

/// Puts a batch together as the store's fault has it.
pub(crate) fn rebuild(store: &Store, batch: &Batch) -> Batch {
    let mut writes: Vec<Write> = batch.writes().iter().flat_map(|write| rewrite(store, write)).collect();
    let mut checks: Vec<Check> = batch.checks().iter().map(|check| recheck(store, check)).collect();
    match store.fault {
        Fault::ReversesBatches => writes.reverse(),
        Fault::IgnoresChecks => checks.clear(),
        Fault::ChecksTheFirstOnly => checks.truncate(1),
        Fault::WritesForAnEmptyBatch if writes.is_empty() => {
            writes.push(Write::Put { namespace: "n".into(), key: "empty".into(), value: Json::from(0) });
        }
        _ => {}
    }
    let rebuilt = checks.into_iter().fold(Batch::new(), with_check);
    let mut rebuilt = writes.into_iter().fold(rebuilt, with_write);
    if store.fault == Fault::ForgetsPower {
        rebuilt = rebuilt.durability(Durability::Process);
    } else if let Some(durability) = batch.wanted_durability() {
        rebuilt = rebuilt.durability(durability);
    }
    match batch.wanted_deadline() {
        Some(_) if store.fault == Fault::ShortensDeadlines => rebuilt.deadline(Duration::from_millis(400)),
        Some(deadline) => rebuilt.deadline(deadline),
        None => rebuilt,
    }
}

fn recheck(store: &Store, check: &Check) -> Check {
    let mut check = check.clone();
    match &mut check {
        Check::Key { namespace, key: name, .. } | Check::Log { namespace, log: name, .. } => {
            (*namespace, *name) = (store.space(namespace), store.name(name));
        }
        Check::Object { namespace, .. } => *namespace = store.space(namespace),
    }
    check
}

fn rewrite(store: &Store, write: &Write) -> Vec<Write> {
    let namespace = store.space(write.namespace());
    match write {
        Write::Put { key, value, .. } => {
            vec![Write::Put { namespace, key: store.name(key), value: store.value(value) }]
        }
        Write::Delete { key, .. } if store.fault == Fault::DeletesByPutting => {
            vec![Write::Put { namespace, key: key.clone(), value: serde_json::Value::Null.into() }]
        }
        Write::Delete { key, .. } => vec![Write::Delete { namespace, key: store.name(key) }],
        Write::ReplaceObject { object, .. } => {
            let object: BTreeMap<String, Json> =
                object.iter().map(|(key, value)| (store.name(key), store.value(value))).collect();
            if store.fault != Fault::ReplacesWithoutDeleting {
                return vec![Write::ReplaceObject { namespace, object }];
            }
            let put = |(key, value)| Write::Put { namespace: namespace.clone(), key, value };
            object.into_iter().map(put).collect()
        }
        Write::Append { log, entry, .. } => {
            vec![Write::Append { namespace, log: store.name(log), entry: store.value(entry) }]
        }
        Write::TrimLog { log, before, .. } => {
            vec![Write::TrimLog { namespace, log: store.name(log), before: *before }]
        }
        Write::DeleteNamespace { .. } if store.fault == Fault::KeepsLogsOfDeletedNamespaces => {
            vec![Write::ReplaceObject { namespace, object: BTreeMap::new() }]
        }
        Write::DeleteNamespace { .. } => vec![Write::DeleteNamespace { namespace }],
    }
}

/// Returns a batch for each write; the checks stay with the first.
pub(crate) fn split(batch: &Batch) -> Vec<Batch> {
    let checks = batch.checks().iter().cloned().fold(Batch::new(), with_check);
    let mut writes = batch.writes().iter().cloned();
    let Some(first) = writes.next() else { return vec![checks] };
    let rest = writes.map(|write| with_write(Batch::new(), write));
    std::iter::once(with_write(checks, first)).chain(rest).collect()
}

/// Makes one receipt of several.
pub(crate) fn merge(receipts: Vec<(Receipt, Batch)>) -> Receipt {
    let mut revisions = BTreeMap::new();
    let mut outcomes = Vec::new();
    for (receipt, batch) in receipts {
        let spaces = batch.writes().iter().map(Write::namespace);
        revisions.extend(spaces.filter_map(|name| Some((name.to_owned(), receipt.revision(name)?))));
        outcomes.extend_from_slice(receipt.outcomes());
    }
    Receipt::new(revisions, outcomes)
}

/// Makes up the receipt of a batch that is not written.
pub(crate) async fn invent(store: &dyn StateStore, batch: &Batch) -> Result<Receipt> {
    let mut revisions = BTreeMap::new();
    let mut outcomes = Vec::new();
    for write in batch.writes() {
        let namespace = write.namespace();
        let next = Revision::new(store.object(namespace).await?.revision.get() + 1);
        outcomes.push(match write {
            Write::Append { log, .. } => {
                let logs = store.logs(namespace).await?;
                Outcome::Appended(logs.iter().find(|info| info.name == *log).map_or(1, |info| info.last + 1))
            }
            Write::TrimLog { .. } => Outcome::Trimmed,
            Write::Delete { .. } | Write::DeleteNamespace { .. } => Outcome::Deleted(true),
            _ => Outcome::Written(next),
        });
        revisions.insert(namespace.to_owned(), next);
    }
    Ok(Receipt::new(revisions, outcomes))
}

/// Rounds every number in a value to six places.
pub(crate) fn round(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::Number(number) => {
            Value::from(number.as_f64().map_or(0.0, |double| (double * 1e6).round() / 1e6))
        }
        Value::Array(items) => items.into_iter().map(round).collect(),
        Value::Object(fields) => fields.into_iter().map(|(key, value)| (key, round(value))).collect(),
        other => other,
    }
}
