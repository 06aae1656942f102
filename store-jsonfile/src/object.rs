//! The file of an object: one key a line, so that diffs, `grep` and `jq .object` work.
//!
//! ```text
//! {"statestore":1,"namespace":"jobs","revision":2,
//! "object":{
//! "42":"running",
//! "43":{"tries":1}
//! },
//! "written":{
//! "42":[2,1763666000000],
//! "43":[1,1763665000000]
//! },
//! "digest":"…"}
//! ```
//!
//! `written` has the revision and the time, in milliseconds since 1970, of the write that put each key there.
//! The digest is BLAKE3 of every byte before its line: a file that was changed by hand does not match it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use serde::Deserialize;
use store_core::{Entry, Json, Result, Revision, Timestamp};

use crate::error::FileError;

/// The format of every file; a larger one is of a newer program.
pub(crate) const FORMAT: u64 = 1;

const OBJECT: &str = "\"object\":{\n";
const WRITTEN: &str = "},\n\"written\":{\n";
const END: &str = "},\n";
const DIGEST: &str = "\"digest\":\"";

/// The keys of a namespace, and its revision.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) revision: Revision,
    pub(crate) entries: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
struct Header {
    namespace: String,
    revision: u64,
}

/// Reads the number that every file of ours begins with; none for a file of somebody else.
pub(crate) fn format_of(text: &str) -> Option<u64> {
    let rest = text.strip_prefix("{\"statestore\":")?;
    let digits = rest.find(|c: char| !c.is_ascii_digit())?;
    rest.get(..digits)?.parse().ok()
}

/// Refuses the file of a newer program.
pub(crate) fn check_format(text: &str) -> Result<(), FileError> {
    match format_of(text) {
        Some(FORMAT) => Ok(()),
        Some(found) if found > FORMAT => Err(FileError::Newer { found, known: FORMAT }),
        _ => Err(FileError::changed(1, "it does not begin as this program wrote it")),
    }
}

/// Writes a string as JSON.
pub(crate) fn quoted(text: &str) -> Result<String> {
    Ok(Json::encode(text)?.as_str().to_owned())
}

/// Ends a text with the digest of all before it.
pub(crate) fn seal(mut text: String) -> String {
    let digest = blake3::hash(text.as_bytes());
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{DIGEST}{}\"}}", digest.to_hex());
    text
}

/// Returns what stands before the digest, if it fits.
pub(crate) fn unseal(bytes: &[u8]) -> Result<&str, FileError> {
    if bytes.is_empty() {
        return Err(FileError::Empty);
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|e| FileError::changed(line_at(bytes, e.valid_up_to()), "it is not UTF-8"))?;
    check_format(text)?;
    let last = text.strip_suffix("\"}\n").and_then(|text| text.rsplit_once(DIGEST));
    let Some((body, digest)) = last else {
        return Err(FileError::changed(line_at(bytes, bytes.len()), "it does not end with its digest"));
    };
    if blake3::hash(body.as_bytes()).to_hex().as_str() != digest {
        return Err(FileError::changed(1, "it does not match its digest"));
    }
    Ok(body)
}

fn line_at(bytes: &[u8], offset: usize) -> usize {
    bytes.iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}

/// Writes the file of an object.
pub(crate) fn encode(namespace: &str, object: &Object) -> Result<String> {
    let size: usize = object.entries.iter().map(|(key, entry)| 2 * key.len() + entry.value.size() + 64).sum();
    let mut text = String::with_capacity(size + 256);
    let revision = object.revision.get();
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "{{\"statestore\":{FORMAT},\"namespace\":{},\"revision\":{revision},",
        quoted(namespace)?
    );
    let keys: Vec<String> = object.entries.keys().map(|key| quoted(key)).collect::<Result<_>>()?;
    let comma = |at: usize| if at + 1 < keys.len() { "," } else { "" };
    text.push_str(OBJECT);
    for (at, (key, entry)) in keys.iter().zip(object.entries.values()).enumerate() {
        let _ = writeln!(text, "{key}:{}{}", entry.value, comma(at));
    }
    text.push_str(WRITTEN);
    for (at, (key, entry)) in keys.iter().zip(object.entries.values()).enumerate() {
        let (revision, moment) = (entry.revision.get(), entry.at.as_millis());
        let _ = writeln!(text, "{key}:[{revision},{moment}]{}", comma(at));
    }
    text.push_str(END);
    Ok(seal(text))
}

/// Reads the file of an object.
pub(crate) fn decode(namespace: &str, bytes: &[u8]) -> Result<Object, FileError> {
    let body = unseal(bytes)?;
    let odd =
        |line: usize| FileError::changed(line, "it fits its digest but is not what this program writes");
    let (first, rest) = body.split_once('\n').ok_or_else(|| odd(1))?;
    let header = first.strip_suffix(',').and_then(|fields| serde_json::from_str(&format!("{fields}}}")).ok());
    let Header { namespace: found, revision } = header.ok_or_else(|| odd(1))?;
    if found != namespace {
        return Err(FileError::changed(
            1,
            format!("it holds namespace {found:?}, not {namespace:?}; it was renamed"),
        ));
    }
    let rest = rest.strip_prefix(OBJECT).ok_or_else(|| odd(2))?;
    let (values, rest) = split_section(rest, WRITTEN).ok_or_else(|| odd(2))?;
    let (written, _) = split_section(rest, END).ok_or_else(|| odd(2))?;
    let mut entries = BTreeMap::new();
    for (at, (value, written)) in values.lines().zip(written.lines()).enumerate() {
        let (key, entry) = decode_entry(value, written).ok_or_else(|| odd(at + 3))?;
        entries.insert(key, entry);
    }
    Ok(Object { revision: Revision::new(revision), entries })
}

/// Splits what stands before a mark at the beginning of a line from what stands behind it.
fn split_section<'t>(text: &'t str, mark: &str) -> Option<(&'t str, &'t str)> {
    if let Some(rest) = text.strip_prefix(mark) {
        return Some(("", rest));
    }
    // No line of an entry begins with a brace.
    let at = text.find(&format!("\n{mark}"))? + 1;
    Some((text.get(..at)?, text.get(at + mark.len()..)?))
}

fn decode_entry(value: &str, written: &str) -> Option<(String, Entry)> {
    let (key, value) = split_key(value)?;
    let (again, written) = split_key(written)?;
    let (revision, at): (u64, u64) = serde_json::from_str(written).ok()?;
    let entry = Entry {
        value: Json::from_trusted(Arc::from(value)),
        revision: Revision::new(revision),
        at: Timestamp::from_millis(at),
    };
    (key == again).then_some(())?;
    Some((serde_json::from_str(key).ok()?, entry))
}

/// Splits a line `"key":value` or `"key":value,`.
fn split_key(line: &str) -> Option<(&str, &str)> {
    let bytes = line.as_bytes();
    let mut at = 1;
    while *bytes.get(at)? != b'"' {
        at += if *bytes.get(at)? == b'\\' { 2 } else { 1 };
    }
    let value = line.get(at + 1..)?.strip_prefix(':')?;
    Some((line.get(..=at)?, value.strip_suffix(',').unwrap_or(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object() -> Object {
        let entry = |text: &str, revision| Entry {
            value: text.parse().unwrap(),
            revision: Revision::new(revision),
            at: Timestamp::from_millis(1_763_666_000_000),
        };
        let entries = [("a", "1.50"), ("b\\\"c:", r#"{"x":"},\n"}"#), ("é", r#"",""#), ("},", "[]")];
        let entries = entries.into_iter().enumerate();
        Object {
            revision: Revision::new(7 << 40),
            entries: entries.map(|(n, (key, text))| (key.to_owned(), entry(text, n as u64))).collect(),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for object in [object(), Object::default()] {
            let text = encode("n\"s", &object).unwrap();
            assert_eq!(decode("n\"s", text.as_bytes()).unwrap(), object);
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(value["object"].as_object().unwrap().len(), object.entries.len());
        }
    }

    #[test]
    fn every_change_of_a_byte_is_seen() {
        let text = encode("n", &object()).unwrap().into_bytes();
        for at in 0..text.len() {
            let mut changed = text.clone();
            changed[at] ^= 1;
            assert!(decode("n", &changed).is_err(), "byte {at}");
            assert!(decode("n", &text[..at]).is_err(), "cut at {at}");
        }
        assert!(decode("m", &text).is_err(), "renamed");
        assert!(matches!(decode("n", b""), Err(FileError::Empty)));
        let newer = decode("n", b"{\"statestore\":2,\"what\":\"ever\"}");
        assert!(matches!(newer, Err(FileError::Newer { found: 2, .. })));
    }
}
