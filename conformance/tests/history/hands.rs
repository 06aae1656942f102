//! Short ways to write histories by hand.

use std::collections::BTreeMap;

use conformance::history::{
    Call, Check, Did, Entry, History, Operation, Outcome, Receipt, Start, Verdict, Violation, Write, check,
};

/// A history of operations: who, from when, to when, what, and what came of it.
pub(crate) fn history(operations: Vec<(u32, u64, u64, (Call, Outcome))>) -> History {
    let operation = |(process, called, returned, (call, outcome))| {
        let returned = (returned > 0).then_some(returned);
        Operation { process, called, returned, call, outcome }
    };
    History { operations: operations.into_iter().map(operation).collect() }
}

/// Expects an order.
#[track_caller]
pub(crate) fn fine(operations: Vec<(u32, u64, u64, (Call, Outcome))>) {
    let verdict = check(&history(operations));
    assert!(matches!(verdict, Verdict::Linearizable { .. }), "{verdict}");
}

/// Expects that there is none, and returns why.
#[track_caller]
pub(crate) fn wrong(operations: Vec<(u32, u64, u64, (Call, Outcome))>) -> Violation {
    match check(&history(operations)) {
        Verdict::Violation(violation) => *violation,
        other => panic!("{other}"),
    }
}

pub(crate) fn put_call(space: &str, key: &str, value: u64) -> Write {
    Write::Put { namespace: space.into(), key: key.into(), value: value.to_string() }
}

pub(crate) fn append_call(space: &str, value: u64) -> Write {
    Write::Append { namespace: space.into(), log: "log".into(), entry: value.to_string() }
}

pub(crate) fn delete_call(space: &str, key: &str) -> Write {
    Write::Delete { namespace: space.into(), key: key.into() }
}

fn receipt(revisions: &[(&str, u64)], outcomes: Vec<Did>) -> Outcome {
    let revisions: BTreeMap<_, _> = revisions.iter().map(|(name, rev)| ((*name).to_owned(), *rev)).collect();
    Outcome::Done(Receipt { revisions: Some(revisions), outcomes })
}

fn told_less(did: Did) -> Outcome {
    Outcome::Done(Receipt { revisions: None, outcomes: vec![did] })
}

pub(crate) fn put(key: &str, value: u64, revision: u64) -> (Call, Outcome) {
    (Call::Write(put_call("n", key, value)), receipt(&[("n", revision)], vec![Did::Written(revision)]))
}

pub(crate) fn delete(key: &str, existed: bool) -> (Call, Outcome) {
    (Call::Write(delete_call("n", key)), told_less(Did::Deleted(existed)))
}

pub(crate) fn append(value: u64, number: u64) -> (Call, Outcome) {
    (Call::Write(append_call("n", value)), told_less(Did::Appended(number)))
}

pub(crate) fn trim(before: u64) -> (Call, Outcome) {
    let write = Write::TrimLog { namespace: "n".into(), log: "log".into(), before };
    (Call::Write(write), told_less(Did::Trimmed))
}

pub(crate) fn delete_namespace(existed: bool) -> (Call, Outcome) {
    let write = Write::DeleteNamespace { namespace: "n".into() };
    (Call::Write(write), told_less(Did::Deleted(existed)))
}

pub(crate) fn commit(
    checks: Vec<Check>,
    writes: Vec<Write>,
    revisions: &[(&str, u64)],
    dids: Vec<Did>,
) -> (Call, Outcome) {
    (Call::Commit { checks, writes }, receipt(revisions, dids))
}

pub(crate) fn unknown(write: Write) -> (Call, Outcome) {
    (Call::Write(write), Outcome::Unknown("it was killed".into()))
}

pub(crate) fn refused(write: Write) -> (Call, Outcome) {
    (Call::Write(write), Outcome::Refused("busy".into()))
}

pub(crate) fn get_in(space: &str, key: &str, found: Option<(u64, u64)>) -> (Call, Outcome) {
    let found = found.map(|(value, revision)| Entry { value: value.to_string(), revision });
    (Call::Get { namespace: space.into(), key: key.into() }, Outcome::Got(found))
}

pub(crate) fn get(key: &str, found: Option<(u64, u64)>) -> (Call, Outcome) {
    get_in("n", key, found)
}

pub(crate) fn object(revision: u64, entries: &[(&str, u64, u64)]) -> (Call, Outcome) {
    let entry = |(key, value, revision): &(&str, u64, u64)| {
        ((*key).to_owned(), Entry { value: value.to_string(), revision: *revision })
    };
    let entries = entries.iter().map(entry).collect();
    (Call::Object { namespace: "n".into() }, Outcome::Object { revision, entries })
}

pub(crate) fn page(start: Start, entries: &[(u64, u64)]) -> (Call, Outcome) {
    let call = Call::ReadLog { namespace: "n".into(), log: "log".into(), start, limit: None };
    let entries = entries.iter().map(|(number, value)| (*number, value.to_string())).collect();
    (call, Outcome::Page(entries))
}

pub(crate) fn conflict(checks: Vec<Check>, writes: Vec<Write>, found: Check) -> (Call, Outcome) {
    (Call::Commit { checks, writes }, Outcome::Conflict(found))
}

pub(crate) fn key_at(key: &str, revision: Option<u64>) -> Check {
    Check::Key { namespace: "n".into(), key: key.into(), revision }
}
