//! One line of a dump: a JSON object whose first member is the checksum of all behind it.
//!
//! ```text
//! {"crc":"0a1b2c3d","key":"42","revision":11,"at":1763666000000,"value":{"tries":1}}
//! ```

use std::io::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::json::Json;
use crate::numbers::{Revision, Seq, Timestamp};

const BEGIN: &[u8] = b"{\"crc\":\"";
const JOINT: &[u8] = b"\",";
/// Where the checked part of a line begins.
const CHECKED: usize = BEGIN.len() + 8 + JOINT.len();

/// What a line says; the lines of a namespace are its own, its keys, its logs with their entries, and its sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    Header(Header),
    Namespace { name: String, revision: Revision },
    Key { key: String, revision: Revision, at: Timestamp, value: Json },
    Log { name: String, first: Seq, last: Seq },
    Entry { seq: Seq, at: Timestamp, entry: Json },
    Sum(Sum),
    End(End),
}

/// The first line; a newer version may lack what this one has, and is named all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    /// Says what it is.
    pub(super) statestore: String,
    pub(super) version: u32,
    /// The engine that it was taken from; it means nothing to whoever reads.
    #[serde(default)]
    pub(super) engine: String,
    #[serde(default)]
    pub(super) epoch: u32,
    /// When it was taken.
    #[serde(default)]
    pub(super) at: u64,
    /// Whether it was compressed, and bears a seal.
    #[serde(default)]
    pub(super) zstd: bool,
}

/// The last line of a namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sum {
    #[serde(rename = "sum")]
    pub(super) namespace: String,
    pub(super) keys: u64,
    pub(super) logs: u64,
    pub(super) entries: u64,
    /// Of its contents.
    pub(super) digest: String,
}

/// The last line of all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct End {
    #[serde(rename = "end")]
    pub(super) what: String,
    pub(super) namespaces: u64,
    pub(super) keys: u64,
    pub(super) logs: u64,
    pub(super) entries: u64,
    /// Of lines between the first and this one.
    pub(super) records: u64,
    /// Of those lines.
    pub(super) digest: String,
}

#[derive(Serialize, Deserialize)]
struct NamespaceText {
    namespace: String,
    revision: u64,
}

#[derive(Serialize, Deserialize)]
struct KeyText<'t> {
    key: String,
    revision: u64,
    at: u64,
    #[serde(borrow)]
    value: &'t RawValue,
}

#[derive(Serialize, Deserialize)]
struct LogText {
    log: String,
    first: u64,
    last: u64,
}

#[derive(Serialize, Deserialize)]
struct EntryText<'t> {
    seq: u64,
    at: u64,
    #[serde(borrow)]
    entry: &'t RawValue,
}

/// Writes a line, its end included, over what the buffer held.
pub(super) fn encode(line: &Line, into: &mut Vec<u8>) -> serde_json::Result<()> {
    into.clear();
    into.extend_from_slice(BEGIN);
    into.extend_from_slice(b"00000000");
    into.extend_from_slice(JOINT);
    // The object's own brace is written where the joint's comma stands, which then takes the place back.
    into.pop();
    match line {
        Line::Header(header) => serde_json::to_writer(&mut *into, header)?,
        Line::Namespace { name, revision } => {
            let text = NamespaceText { namespace: name.clone(), revision: revision.get() };
            serde_json::to_writer(&mut *into, &text)?;
        }
        // By hand: the value is JSON already.
        Line::Key { key, revision, at, value } => {
            into.extend_from_slice(b"{\"key\":");
            serde_json::to_writer(&mut *into, key)?;
            write_to(into, format_args!(",\"revision\":{revision},\"at\":{},\"value\":", at.as_millis()));
            into.extend_from_slice(value.as_str().as_bytes());
            into.push(b'}');
        }
        Line::Log { name, first, last } => {
            let text = LogText { log: name.clone(), first: *first, last: *last };
            serde_json::to_writer(&mut *into, &text)?;
        }
        Line::Entry { seq, at, entry } => {
            write_to(into, format_args!("{{\"seq\":{seq},\"at\":{},\"entry\":", at.as_millis()));
            into.extend_from_slice(entry.as_str().as_bytes());
            into.push(b'}');
        }
        Line::Sum(sum) => serde_json::to_writer(&mut *into, sum)?,
        Line::End(end) => serde_json::to_writer(&mut *into, end)?,
    }
    if let Some(brace) = into.get_mut(CHECKED - 1) {
        debug_assert_eq!(*brace, b'{', "every line is an object");
        *brace = b',';
    }
    into.push(b'\n');
    let crc = crc_of(into.get(CHECKED..).unwrap_or_default());
    if let Some(digits) = into.get_mut(BEGIN.len()..BEGIN.len() + 8) {
        digits.copy_from_slice(&hex(crc));
    }
    Ok(())
}

fn write_to(into: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // Writing to memory does not fail.
    let _ = into.write_fmt(text);
}

fn crc_of(checked: &[u8]) -> u32 {
    crc32fast::hash(checked.strip_suffix(b"\n").unwrap_or(checked))
}

/// Why a line cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// It is not as it was written.
    Changed,
    /// It is whole, but none that this program writes; it says why.
    Odd(String),
}

/// Whether a line begins as those of a dump do.
pub(super) fn looks_like_one(line: &[u8]) -> bool {
    let begin = BEGIN.len().min(line.len());
    line.get(..begin) == BEGIN.get(..begin)
}

/// Reads a line without its end.
pub(super) fn decode(line: &[u8]) -> Result<Line, Unreadable> {
    let digits = line.strip_prefix(BEGIN).and_then(|rest| rest.get(..8)).ok_or(Unreadable::Changed)?;
    let checked = line.get(CHECKED..).ok_or(Unreadable::Changed)?;
    let joint = line.get(CHECKED - JOINT.len()..CHECKED) == Some(JOINT);
    if !joint || hex(crc_of(checked)) != digits {
        return Err(Unreadable::Changed);
    }
    let odd = |e: &dyn std::fmt::Display| Unreadable::Odd(e.to_string());
    // The checksum is a member like any other, of which no record takes note.
    let text = std::str::from_utf8(line).map_err(|e| odd(&e))?;
    parse(text).map_err(|e| odd(&e))
}

/// Writes eight digits.
fn hex(crc: u32) -> [u8; 8] {
    let digit = |n: u32| char::from_digit((crc >> (28 - 4 * n)) & 0xf, 16).map_or(b'0', |digit| digit as u8);
    [0, 1, 2, 3, 4, 5, 6, 7].map(digit)
}

fn parse(text: &str) -> Result<Line, Box<dyn std::error::Error>> {
    let first = text.get(CHECKED + 1..).and_then(|rest| rest.split('"').next()).unwrap_or_default();
    Ok(match first {
        "statestore" => Line::Header(serde_json::from_str(text)?),
        "namespace" => {
            let NamespaceText { namespace: name, revision } = serde_json::from_str(text)?;
            Line::Namespace { name, revision: Revision::new(number(revision)?) }
        }
        "key" => {
            let KeyText { key, revision, at, value } = serde_json::from_str(text)?;
            let revision = Revision::new(number(revision)?);
            let at = Timestamp::from_millis(number(at)?);
            Line::Key { key, revision, at, value: Json::from_valid(value.get())? }
        }
        "log" => {
            let LogText { log: name, first, last } = serde_json::from_str(text)?;
            Line::Log { name, first: number(first)?, last: number(last)? }
        }
        "seq" => {
            let EntryText { seq, at, entry } = serde_json::from_str(text)?;
            let at = Timestamp::from_millis(number(at)?);
            Line::Entry { seq: number(seq)?, at, entry: Json::from_valid(entry.get())? }
        }
        "sum" => Line::Sum(serde_json::from_str(text)?),
        "end" => Line::End(serde_json::from_str(text)?),
        other => return Err(format!("there is no record {other:?}").into()),
    })
}

/// Refuses a number that not every engine can keep.
fn number(number: u64) -> Result<u64, String> {
    match i64::try_from(number) {
        Ok(_) => Ok(number),
        Err(_) => Err(format!("{number} is too large a number")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines() -> Vec<Line> {
        let header = Header {
            statestore: "dump".into(),
            version: 1,
            engine: "e".into(),
            epoch: 2,
            at: 3,
            zstd: false,
        };
        let at = Timestamp::from_millis(7);
        let digest = "00".repeat(32);
        vec![
            Line::Header(header),
            Line::Namespace { name: "a \"b\"".into(), revision: Revision::new(5) },
            Line::Key {
                key: "\u{e9}\"".into(),
                revision: Revision::new(4),
                at,
                value: "{\"a\":1.50}".parse().unwrap(),
            },
            Line::Log { name: "l".into(), first: 3, last: 2 },
            Line::Entry { seq: 3, at, entry: "null".parse().unwrap() },
            Line::Sum(Sum { namespace: "a".into(), keys: 1, logs: 1, entries: 1, digest: digest.clone() }),
            Line::End(End {
                what: "dump".into(),
                namespaces: 1,
                keys: 1,
                logs: 1,
                entries: 1,
                records: 5,
                digest,
            }),
        ]
    }

    #[test]
    fn lines_are_read_as_written_and_every_change_is_seen() {
        for line in lines() {
            let mut text = Vec::new();
            encode(&line, &mut text).unwrap();
            assert_eq!(text.pop(), Some(b'\n'));
            assert!(looks_like_one(&text) && serde_json::from_slice::<serde_json::Value>(&text).is_ok());
            assert_eq!(decode(&text), Ok(line));
            for at in 0..text.len() {
                for bit in 0..8 {
                    let mut changed = text.clone();
                    changed[at] ^= 1 << bit;
                    assert_eq!(decode(&changed), Err(Unreadable::Changed), "bit {bit} of byte {at}");
                }
                assert_eq!(decode(&text[..at]), Err(Unreadable::Changed), "cut at {at}");
            }
        }
    }

    #[test]
    fn numbers_that_not_every_engine_keeps_are_refused() {
        let line = Line::Namespace { name: "n".into(), revision: Revision::new(u64::MAX) };
        let mut text = Vec::new();
        encode(&line, &mut text).unwrap();
        text.pop();
        assert!(matches!(decode(&text), Err(Unreadable::Odd(_))));
    }
}
