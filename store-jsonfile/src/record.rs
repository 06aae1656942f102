//! The lines of a log: a header, then one record a line.
//!
//! ```text
//! {"statestore":1,"namespace":"jobs","log":"events","last":"00000000000000000003"}
//! {"seq":1,"at":1763666000000,"first":1,"crc":"0a1b2c3d","entry":"started"}
//! {"seq":2,"at":1763666000007,"crc":"1b2c3d4e","entry":{"tries":1}}
//! {"seq":3,"at":1763666000007,"first":1,"crc":"2c3d4e5f","entry":"done"}
//! {"seq":3,"at":1763666000009,"first":3,"crc":"3d4e5f60"}
//! ```
//!
//! `first`, the number of the first entry that is kept, stands in the last record of each batch alone, and so
//! marks its end. A record without entry only moves it. `crc` is the CRC-32 of the line without its digits.
//! `last` in the header is overwritten in place after the sync of each batch, without one of its own: a log that
//! ends before it was cut, and what stands behind the entry of that number may never have been synced.

use std::fmt::Write as _;
use std::sync::Arc;

use store_core::{Json, LogEntry, Result, Seq, Timestamp};

use crate::error::FileError;
use crate::object::{FORMAT, check_format, quoted};

/// The most bytes of a header: two names of 64 bytes, escaped, and what is between them.
pub(crate) const HEADER: usize = 2048;
const LAST: &str = ",\"last\":\"";
const DIGITS: usize = 20;
const CRC: &str = "\"crc\":\"";

/// One line behind the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) seq: Seq,
    pub(crate) at: Timestamp,
    /// The first entry that is kept, in the last record of a batch.
    pub(crate) first: Option<Seq>,
    pub(crate) entry: Option<Json>,
}

/// Writes the first line of a log.
pub(crate) fn header(namespace: &str, log: &str, last: Seq) -> Result<String> {
    let (namespace, log) = (quoted(namespace)?, quoted(log)?);
    Ok(format!("{{\"statestore\":{FORMAT},\"namespace\":{namespace},\"log\":{log}{LAST}{last:020}\"}}\n"))
}

/// Returns where in a header of a length the digits of its last number begin, and those digits for a number.
pub(crate) fn last_in_header(header_end: u64, last: Seq) -> (u64, String) {
    (header_end.saturating_sub(DIGITS as u64 + 3), format!("{last:020}"))
}

/// Checks the first line of a log, its end included, and returns the number that it knows as the last.
pub(crate) fn check_header(line: &str, namespace: &str, log: &str) -> Result<Seq, FileError> {
    check_format(line)?;
    let odd = || FileError::changed(1, "the header is not what this program wrote");
    let last = known_of(line.as_bytes()).ok_or_else(odd)?;
    match header(namespace, log, last) {
        Ok(expected) if expected == line => Ok(last),
        _ => Err(FileError::changed(1, format!("the header is not that of log {log:?} of {namespace:?}"))),
    }
}

/// Reads the number that a header, its end included, knows as the last.
pub(crate) fn known_of(line: &[u8]) -> Option<Seq> {
    let line = std::str::from_utf8(line).ok()?.strip_suffix("\"}\n")?;
    line.rsplit_once(LAST)?.1.parse().ok()
}

/// Adds a record to a text.
pub(crate) fn encode(text: &mut String, record: &Record) {
    let mut before = format!("{{\"seq\":{},\"at\":{},", record.seq, record.at.as_millis());
    if let Some(first) = record.first {
        // Writing to a string cannot fail.
        let _ = write!(before, "\"first\":{first},");
    }
    before.push_str(CRC);
    let entry = record.entry.as_ref().map_or("", |entry| entry.as_str());
    let joint = if record.entry.is_some() { "\",\"entry\":" } else { "\"" };
    let crc = crc_of(&before, &[joint, entry, "}"]);
    let _ = writeln!(text, "{before}{crc:08x}{joint}{entry}}}");
}

fn crc_of(before: &str, after: &[&str]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(before.as_bytes());
    for part in after {
        hasher.update(part.as_bytes());
    }
    hasher.finalize()
}

/// Reads a line without its end; none if it is not what this program writes.
pub(crate) fn decode(line: &[u8]) -> Option<Record> {
    let line = std::str::from_utf8(line).ok()?;
    let (seq, rest) = number(line.strip_prefix("{\"seq\":")?)?;
    let (at, rest) = number(rest.strip_prefix(",\"at\":")?)?;
    let (first, rest) = match rest.strip_prefix(",\"first\":") {
        Some(rest) => number(rest).map(|(first, rest)| (Some(first), rest))?,
        None => (None, rest),
    };
    let rest = rest.strip_prefix(',')?.strip_prefix(CRC)?;
    let (crc, after) = rest.split_at_checked(8)?;
    let before = line.get(..line.len() - rest.len())?;
    if format!("{:08x}", crc_of(before, &[after])) != crc {
        return None;
    }
    let entry = match after.strip_prefix("\",\"entry\":") {
        Some(rest) => Some(Json::from_trusted(Arc::from(rest.strip_suffix('}')?))),
        None => (after == "\"}").then_some(None)?,
    };
    Some(Record { seq, at: Timestamp::from_millis(at), first, entry })
}

/// Reads the number alone of a line, of which there may be no more than its beginning.
pub(crate) fn seq_of(line: &[u8]) -> Option<Seq> {
    let rest = line.strip_prefix(b"{\"seq\":")?;
    let digits = rest.split(|byte| !byte.is_ascii_digit()).next()?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn number(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (digits, rest) = text.split_at_checked(end)?;
    Some((digits.parse().ok()?, rest))
}

/// Writes the records of a batch, of which the last marks the end.
pub(crate) fn encode_batch(entries: &[LogEntry], first: Seq) -> String {
    let mut text = String::with_capacity(entries.iter().map(|entry| entry.entry.size() + 80).sum());
    for (at, entry) in entries.iter().enumerate() {
        let ends = at + 1 == entries.len();
        let record = Record {
            seq: entry.seq,
            at: entry.at,
            first: ends.then_some(first),
            entry: Some(entry.entry.clone()),
        };
        encode(&mut text, &record);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_as_written_and_changes_are_seen() {
        for (first, entry) in [(None, Some("{\"a\":1}")), (Some(3), Some("\"\\n\"")), (Some(10), None)] {
            let entry = entry.map(|text| text.parse().unwrap());
            let record = Record { seq: 9, at: Timestamp::from_millis(5), first, entry };
            let mut text = String::new();
            encode(&mut text, &record);
            let line = text.trim_end_matches('\n').as_bytes();
            assert_eq!(decode(line), Some(record));
            assert_eq!(seq_of(line), Some(9));
            assert!(serde_json::from_slice::<serde_json::Value>(line).is_ok());
            for at in 0..line.len() {
                let mut changed = line.to_vec();
                changed[at] ^= 1;
                assert_eq!(decode(&changed), None, "byte {at} of {text}");
                assert_eq!(decode(&line[..at]), None, "cut at {at}");
            }
        }
    }

    #[test]
    fn headers_are_checked() {
        let line = header("n", "l\"", 12).unwrap();
        assert_eq!(check_header(&line, "n", "l\"").unwrap(), 12);
        assert!(check_header(&line, "n", "other").is_err());
        assert!(check_header(line.trim_end(), "n", "l\"").is_err());
        let (at, digits) = last_in_header(line.len() as u64, 12);
        let at = usize::try_from(at).unwrap();
        assert_eq!(&line[at..at + 20], digits);
    }
}
