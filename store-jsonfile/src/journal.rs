//! A change of several files, told whole before the first of them has it.
//!
//! ```text
//! {"statestore":1,"changes":[{"replace":"jobs.json","bytes":123},{"append":"jobs/events.jsonl","at":99,
//! "bytes":80},{"remove":"jobs/old.jsonl"}],"digest":"…"}
//! ```
//!
//! on one line, and behind it the bytes, one after the other. Once the journal can be seen the change has
//! happened: readers read through it, and whoever writes next makes it so in the files; doing that twice does
//! no harm. The digest is BLAKE3 of the list and the bytes. `{"place":"jobs.json"}` is a file that lies complete in
//! `.next` and is moved from there.
//!
//! A store that has moved has, in the place of a journal and for ever,
//!
//! ```text
//! {"statestore":1,"moved":"sqlite:/srv/state.db","digest":"…"}
//! ```
//!
//! since whoever reads or writes looks whether there is a journal, and nothing else has to be looked at.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use store_core::{Json, Result};

use crate::error::FileError;
use crate::layout::Item;
use crate::object::{FORMAT, check_format};
use crate::objects::read_file;

/// What becomes of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// It is these bytes from now on.
    Replace { item: Item, bytes: Vec<u8> },
    /// From a place on it is these bytes; before it nothing changes.
    Append { item: Item, at: u64, bytes: Vec<u8> },
    /// It is the file that lies complete in the folder of what comes next, or already in its place.
    Place { item: Item },
    /// It is gone.
    Remove { item: Item },
}

impl Change {
    pub(crate) fn item(&self) -> &Item {
        match self {
            Self::Replace { item, .. }
            | Self::Append { item, .. }
            | Self::Place { item }
            | Self::Remove { item } => item,
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Replace { bytes, .. } | Self::Append { bytes, .. } => bytes,
            Self::Place { .. } | Self::Remove { .. } => &[],
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase", untagged, deny_unknown_fields)]
enum Line {
    Replace { replace: String, bytes: usize },
    Append { append: String, at: u64, bytes: usize },
    Place { place: String },
    Remove { remove: String },
}

#[derive(Deserialize)]
struct Header<'t> {
    #[serde(borrow)]
    changes: &'t RawValue,
    digest: String,
}

#[derive(Deserialize)]
struct Moved<'t> {
    #[serde(borrow)]
    moved: &'t RawValue,
    digest: String,
}

/// Writes a journal.
pub(crate) fn encode(changes: &[Change]) -> Result<Vec<u8>> {
    let lines: Vec<Line> = changes.iter().map(line_of).collect();
    let list = Json::encode(&lines)?;
    let bytes: Vec<u8> = changes.iter().flat_map(Change::bytes).copied().collect();
    let digest = digest_of(list.as_str(), &bytes);
    let mut journal =
        format!("{{\"statestore\":{FORMAT},\"changes\":{list},\"digest\":\"{digest}\"}}\n").into_bytes();
    journal.extend(bytes);
    Ok(journal)
}

fn line_of(change: &Change) -> Line {
    let name = change.item().name();
    match change {
        Change::Replace { bytes, .. } => Line::Replace { replace: name, bytes: bytes.len() },
        Change::Append { at, bytes, .. } => Line::Append { append: name, at: *at, bytes: bytes.len() },
        Change::Place { .. } => Line::Place { place: name },
        Change::Remove { .. } => Line::Remove { remove: name },
    }
}

/// Writes, in the place of a journal, where the store has moved.
pub(crate) fn encode_moved(to: &str) -> Vec<u8> {
    let to = Json::from(to);
    let digest = digest_of(to.as_str(), b"moved");
    format!("{{\"statestore\":{FORMAT},\"moved\":{to},\"digest\":\"{digest}\"}}\n").into_bytes()
}

/// Reads where a store has moved, of a line that says so.
fn decode_moved(header: &str) -> Option<String> {
    let moved: Moved<'_> = serde_json::from_str(header).ok()?;
    (digest_of(moved.moved.get(), b"moved") == moved.digest)
        .then(|| serde_json::from_str(moved.moved.get()).ok())?
}

fn digest_of(list: &str, bytes: &[u8]) -> String {
    blake3::Hasher::new().update(list.as_bytes()).update(bytes).finalize().to_hex().to_string()
}

/// Reads a journal.
pub(crate) fn decode(journal: &[u8]) -> Result<Vec<Change>, FileError> {
    if journal.is_empty() {
        return Err(FileError::Empty);
    }
    let odd = |what: &str| FileError::changed(1, format!("the journal {what}"));
    let end = journal.iter().position(|byte| *byte == b'\n').ok_or_else(|| odd("was cut"))?;
    let (header, bytes) = journal.split_at_checked(end + 1).ok_or_else(|| odd("was cut"))?;
    let header = std::str::from_utf8(header).map_err(|_| odd("is not UTF-8"))?;
    check_format(header)?;
    if let Some(to) = decode_moved(header) {
        return Err(FileError::Moved { to });
    }
    let header: Header<'_> =
        serde_json::from_str(header).map_err(|_| odd("is not what this program wrote"))?;
    if digest_of(header.changes.get(), bytes) != header.digest {
        return Err(odd("does not match its digest"));
    }
    let lines: Vec<Line> =
        serde_json::from_str(header.changes.get()).map_err(|_| odd("is not what this program wrote"))?;
    let mut rest = bytes;
    let mut take = |length: usize| {
        let (taken, left) = rest.split_at_checked(length)?;
        rest = left;
        Some(taken.to_vec())
    };
    let changes = lines.into_iter().map(|line| {
        Some(match line {
            Line::Replace { replace, bytes } => {
                Change::Replace { item: Item::parse(&replace)?, bytes: take(bytes)? }
            }
            Line::Append { append, at, bytes } => {
                Change::Append { item: Item::parse(&append)?, at, bytes: take(bytes)? }
            }
            Line::Place { place } => Change::Place { item: Item::parse(&place)? },
            Line::Remove { remove } => Change::Remove { item: Item::parse(&remove)? },
        })
    });
    changes.collect::<Option<_>>().ok_or_else(|| odd("names what is no file of a store"))
}

/// Whether what stands in the place of a journal says that the store has moved.
pub(crate) fn says_moved(path: &Path) -> bool {
    read_file(path).is_ok_and(|(_, bytes)| matches!(decode(&bytes), Err(FileError::Moved { .. })))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes() -> Vec<Change> {
        vec![
            Change::Replace { item: Item::Object("a".into()), bytes: b"{\n}".to_vec() },
            Change::Append { item: Item::Log("a".into(), "B".into()), at: 7, bytes: b"x\n".to_vec() },
            Change::Remove { item: Item::Log("a".into(), "c".into()) },
            Change::Replace { item: Item::Epoch, bytes: Vec::new() },
            Change::Place { item: Item::Log("b".into(), "l".into()) },
        ]
    }

    #[test]
    fn what_is_written_is_read_and_changes_are_seen() {
        let journal = encode(&changes()).unwrap();
        assert_eq!(decode(&journal).unwrap(), changes());
        for at in 0..journal.len() {
            let mut changed = journal.clone();
            changed[at] ^= 1;
            assert!(decode(&changed).is_err(), "byte {at}");
            assert!(decode(&journal[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn a_journal_that_says_where_the_store_moved_is_an_error_that_says_so() {
        let journal = encode_moved("sqlite:/a \"b\".db");
        let Err(FileError::Moved { to }) = decode(&journal) else { panic!() };
        assert_eq!(to, "sqlite:/a \"b\".db");
        for at in 0..journal.len() {
            let mut changed = journal.clone();
            changed[at] ^= 1;
            assert!(!matches!(decode(&changed), Ok(_) | Err(FileError::Moved { .. })), "byte {at}");
        }
    }

    #[test]
    fn a_journal_names_no_file_outside() {
        let list = r#"[{"remove":"../x.json"}]"#;
        let journal =
            format!("{{\"statestore\":1,\"changes\":{list},\"digest\":\"{}\"}}\n", digest_of(list, b""));
        assert!(decode(journal.as_bytes()).is_err());
    }
}
