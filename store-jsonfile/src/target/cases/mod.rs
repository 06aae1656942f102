//! What only JSON files can show: the journal, the tails of logs, kills amid them, changes by hand.

mod hands;
mod instants;
mod journal;
mod kills;
mod leftovers;
mod tails;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::{Path, PathBuf};

use conformance::{OwnCase, OwnWork, Target};
use store_core::{Blocking, Error, ErrorKind, LogRange, Settings};

use super::Files;

pub(super) const CASES: &[OwnCase] = &[
    case("atomic", "what_is_listed_was_there_at_one_instant", instants::listed_together),
    case("atomic", "a_journal_cut_at_every_byte_is_refused", journal::cut_at_every_byte),
    case("atomic", "a_journal_is_read_through_before_it_is_played", journal::read_through),
    case("atomic", "a_kill_amid_a_change_of_several_files", kills::amid_several_files),
    case("atomic", "a_kill_amid_an_append_of_4_mb", kills::amid_a_large_append),
    case("durable", "what_an_unfinished_append_left_is_cut_off", tails::unfinished_appends_are_cut_off),
    case("loud", "a_log_cut_at_any_byte_is_refused", tails::cuts_are_refused),
    case("loud", "an_object_removed_under_an_open_store_is_told_of", hands::told_when_removed),
    case("loud", "changes_by_hand_are_refused_and_adopted", hands::refused_and_adopted),
    case("bounded", "who_adopts_waits_no_longer_than_its_timeout", hands::adopted_in_turn_or_not_at_all),
    case("loud", "what_cannot_be_adopted_is_named", hands::named_with_line_and_column),
    case("shared_rightly", "rights_changed_by_hand_are_mended", hands::rights_are_mended),
    case("tidy", "leftovers_of_killed_writers_go", leftovers::go_with_the_next_write),
];

pub(super) const WORKS: &[OwnWork] = &[kills::SEVERAL, kills::LARGE_APPEND, instants::WRITE_TWO];

const fn case(promise: &'static str, name: &'static str, run: fn(&Path) -> Done) -> OwnCase {
    OwnCase { name, promise, run }
}

type Done = Result<(), String>;

fn said(error: impl Display) -> String {
    error.to_string()
}

fn demand(holds: bool, otherwise: impl Display) -> Done {
    if holds { Ok(()) } else { Err(otherwise.to_string()) }
}

fn place(folder: &Path) -> PathBuf {
    Files.place(folder)
}

fn open(path: &Path) -> Result<Blocking, String> {
    open_with(path, Settings::default())
}

fn open_with(path: &Path, settings: Settings) -> Result<Blocking, String> {
    Files.open(path, settings).map(Blocking::new).map_err(said)
}

/// Demands an error of a kind and returns its words.
fn refused<T>(result: Result<T, Error>, kind: ErrorKind) -> Result<String, String> {
    match result {
        Ok(_) => Err(format!("it should have been {kind}")),
        Err(error) if error.kind() == kind => Ok(error.to_string()),
        Err(error) => Err(format!("it should have been {kind}: {error}")),
    }
}

fn number(store: &Blocking, namespace: &str) -> Result<u64, String> {
    Ok(store.get_as(namespace, "k").map_err(said)?.unwrap_or(0))
}

fn numbers(store: &Blocking, log: &str) -> Result<Vec<u64>, String> {
    let entries = store.read_log("n", log, LogRange::all()).map_err(said)?;
    let dense = entries.iter().zip(1..).all(|(entry, seq)| entry.seq == seq);
    demand(dense, "the numbers have a gap")?;
    entries.iter().map(|entry| entry.entry.decode().map_err(said)).collect()
}

/// The bytes of every file but the gate and the number of changes.
fn bytes_of(path: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>, String> {
    let mut found = BTreeMap::new();
    for entry in path.read_dir().map_err(said)? {
        let path = entry.map_err(said)?.path();
        if path.is_dir() {
            found.extend(bytes_of(&path)?);
        } else if !path.ends_with(".gate") && !path.ends_with(".changes") {
            let bytes = std::fs::read(&path).map_err(said)?;
            found.insert(path, bytes);
        }
    }
    Ok(found)
}
