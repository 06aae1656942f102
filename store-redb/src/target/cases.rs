//! What only redb can show: it reads what is in the file without looking whether it is what was written.

use std::path::Path;

use conformance::{OwnCase, Target};
use store_core::{Blocking, ErrorKind, LogRange, Settings};

use super::Database;

pub(super) const CASES: &[OwnCase] = &[OwnCase {
    name: "what_was_changed_within_the_file_is_told_of",
    promise: "loud",
    run: changed_within_the_file,
}];

type Done = Result<(), String>;

/// Texts that stand nowhere else in the file, of an entry and of a log.
const ENTRY: &[u8] = b"the entry as it was written";
const RECORD: &[u8] = b"the record as it was written";

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn open(path: &Path) -> Result<Blocking, String> {
    Database.open(path, Settings::default()).map(Blocking::new).map_err(said)
}

fn changed_within_the_file(folder: &Path) -> Done {
    let path = Database.place(folder);
    let store = open(&path)?;
    let text = |bytes| store_core::Json::from(String::from_utf8_lossy(bytes).into_owned());
    store.put("n", "k", text(ENTRY)).map_err(said)?;
    store.append("n", "log", text(RECORD)).map_err(said)?;
    store.put("n", "other", 1_u64.into()).map_err(said)?;
    store.close().map_err(said)?;
    drop(store);
    let whole = std::fs::read(&path).map_err(said)?;
    for needle in [ENTRY, RECORD] {
        overwrite(&path, &without_its_first_letter(&whole, needle)?)?;
        let store = open(&path)?;
        let found = if needle == ENTRY {
            store.get("n", "k").map(|entry| format!("{entry:?}"))
        } else {
            store.read_log("n", "log", LogRange::all()).map(|entries| format!("{entries:?}"))
        };
        match found {
            Err(error) if error.kind() == ErrorKind::Corrupted => {}
            Err(error) => return Err(format!("it should have been corrupted: {error}")),
            Ok(found) => return Err(format!("it was given out as it is: {found}")),
        }
        if store.get_as::<u64>("n", "other").map_err(said)? != Some(1) {
            return Err("what is whole is not given out".to_owned());
        }
    }
    overwrite(&path, &whole)
}

/// Changes a letter wherever a text stands.
fn without_its_first_letter(bytes: &[u8], text: &[u8]) -> Result<Vec<u8>, String> {
    let places: Vec<usize> =
        bytes.windows(text.len()).enumerate().filter(|(_, found)| *found == text).map(|(at, _)| at).collect();
    let mut changed = bytes.to_vec();
    for place in &places {
        changed.get_mut(*place).map(|byte| *byte = b'T').ok_or("no such place")?;
    }
    if places.is_empty() { Err("the text is not in the file".to_owned()) } else { Ok(changed) }
}

#[expect(clippy::disallowed_methods, reason = "as a bad disk would")]
fn overwrite(path: &Path, contents: &[u8]) -> Done {
    std::fs::write(path, contents).map_err(said)
}
