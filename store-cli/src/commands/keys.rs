//! `get`, `put`, `delete`, `list`: keys and their values.

use statestore::{Blocking, KeyRange};

use super::place;
use crate::args::{ListArgs, StoreArgs};
use crate::exit::{Code, Failure};
use crate::input;
use crate::output::{self, Output, quoted};

/// Prints the value under a key.
pub(super) fn get(store: &Blocking, ns: &str, key: &str) -> Result<(), Failure> {
    let entry = store.get(ns, key)?.ok_or_else(|| missing(ns, key))?;
    output::print(&entry.value)
}

/// Puts a value and prints the new revision.
pub(super) fn put(args: &StoreArgs, ns: &str, key: &str, value: &str) -> Result<(), Failure> {
    // What cannot be put must not create a store either.
    let value = input::value(value)?;
    check(ns, key)?;
    output::print(&place::creating(args)?.put(ns, key, value)?)
}

/// Deletes a key.
pub(super) fn delete(store: &Blocking, ns: &str, key: &str) -> Result<(), Failure> {
    if store.delete(ns, key)? { Ok(()) } else { Err(missing(ns, key)) }
}

/// Prints the keys of a range, one a line.
pub(super) fn list(store: &Blocking, args: &ListArgs) -> Result<(), Failure> {
    let mut out = Output::new();
    for (key, entry) in store.list(&args.ns, range(args))? {
        let (key, value, revision, at) = (quoted(&key), entry.value, entry.revision, entry.at);
        out.line(format_args!(r#"{{"key":{key},"value":{value},"revision":{revision},"at":"{at}"}}"#))?;
    }
    out.flush()
}

/// Returns the keys that lie in all of the ranges asked for.
fn range(args: &ListArgs) -> KeyRange {
    let prefixed = KeyRange::prefix(args.prefix.as_deref().unwrap_or_default());
    let start = args.from.as_deref().max(prefixed.start());
    let end = match (args.to.as_deref(), prefixed.end()) {
        (Some(to), Some(end)) => Some(to.min(end)),
        (to, end) => to.or(end),
    };
    let mut range = KeyRange::all();
    if let Some(start) = start {
        range = range.with_start(start);
    }
    if let Some(end) = end {
        range = range.with_end(end);
    }
    match args.limit {
        Some(limit) => range.with_limit(limit),
        None => range,
    }
}

fn check(ns: &str, key: &str) -> Result<(), Failure> {
    statestore::check_namespace(ns)?;
    Ok(statestore::check_key(key)?)
}

fn missing(ns: &str, key: &str) -> Failure {
    Failure::told(Code::NotFound, format!("there is no key {key:?} in {ns:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_what_prefix_start_and_end_have_in_common() {
        let given = |prefix: Option<&str>, from: Option<&str>, to: Option<&str>| {
            let owned = |text: Option<&str>| text.map(str::to_owned);
            let args = ListArgs {
                ns: String::new(),
                prefix: owned(prefix),
                from: owned(from),
                to: owned(to),
                limit: None,
            };
            let range = range(&args);
            (range.start().unwrap_or_default().to_owned(), range.end().map(str::to_owned))
        };
        let end = |text: &str| Some(text.to_owned());
        assert_eq!(given(None, None, None), (String::new(), None));
        assert_eq!(given(Some("b"), None, None), ("b".into(), end("c")));
        assert_eq!(given(Some("b"), Some("a"), Some("d")), ("b".into(), end("c")));
        assert_eq!(given(Some("b"), Some("b5"), Some("b7")), ("b5".into(), end("b7")));
        assert_eq!(given(None, Some("x"), Some("z")), ("x".into(), end("z")));
    }
}
