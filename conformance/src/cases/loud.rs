//! Promise 5: every failure is a typed error that says what, where, why, and what to do.

mod conflicts;
mod copies;
mod damage;
mod filling;
mod forks;
mod full;
pub(super) mod handles;
mod lacking;
mod mounts;
mod mutants;
mod places;
mod removed;
mod spoilt;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use store_core::{Batch, Blocking, ErrorKind, Json, KeyRange, Settings, StoreInfo, Update};

use super::faults::a_fault_at_any_system_call_is_told_and_loses_nothing;
use super::{Case, cases};
use crate::arena::Arena;
use crate::audit::dump;
use crate::drill::{why_no_ext4, why_no_mounts, why_no_quota};
use crate::failure::{Context, Outcome, Refused, ensure, ensure_eq};
use crate::job::{Job, Work};
use crate::target::{Role, folder_of};
use crate::tracer::why_not;
use crate::values::{below, listing};

use conflicts::{
    a_conflict_of_a_key_says_what_was_found, a_conflict_of_a_log_says_what_was_found,
    a_conflict_of_an_object_says_what_was_found,
};
use damage::{
    a_file_that_is_no_store_is_refused_and_left_as_it_is, a_gate_that_is_not_understood_lets_nobody_write,
    a_link_in_place_of_a_companion_is_refused, damage_that_the_engine_knows_is_refused_and_left_as_it_is,
};
use forks::a_forked_child_is_refused_and_the_parent_goes_on;
use full::{
    a_full_disk_in_memory_is_told_of_and_room_lets_work_go_on,
    a_full_disk_is_told_of_and_room_lets_work_go_on,
    a_quota_used_up_is_told_of_and_a_higher_one_lets_work_go_on,
    processes_that_fill_a_disk_together_lose_nothing,
};
use handles::{a_closed_handle_refuses_every_call, a_read_only_handle_refuses_every_write};
use lacking::what_a_backend_lacks_is_unsupported_and_all_else_works;

use mounts::a_read_only_mount_is_read_and_takes_no_write;
use mutants::a_random_change_of_a_file_is_told_of_or_changes_nothing;
use places::{
    a_file_with_two_names_is_refused, a_link_that_leads_nowhere_is_no_store, a_network_filesystem_is_refused,
    a_path_that_cannot_be_is_refused, a_sticky_folder_is_refused, an_unfit_engine_is_refused,
    odd_names_of_files_and_folders_work, what_is_no_file_is_refused,
};
use removed::{
    a_companion_that_is_removed_or_exchanged_loses_nothing_in_silence,
    data_that_is_removed_or_exchanged_takes_no_write,
    shared_memory_that_is_removed_or_exchanged_loses_nothing_in_silence,
};
use spoilt::{
    a_spoilt_artefact_is_told_of_or_loses_nothing, what_is_no_file_in_place_of_an_artefact_is_refused,
};

pub(super) const CASES: &[Case] = cases![
    a_missing_store_is_not_found_and_not_made,
    a_conflict_of_a_key_says_what_was_found,
    a_conflict_of_an_object_says_what_was_found,
    a_conflict_of_a_log_says_what_was_found,
    a_read_only_handle_refuses_every_write,
    reading_leaves_the_files_as_they_are,
    a_closed_handle_refuses_every_call,
    a_value_of_another_type_is_refused,
    an_error_names_the_call_the_place_and_the_store,
    info_describes_the_store,
    what_a_backend_lacks_is_unsupported_and_all_else_works,
    a_network_filesystem_is_refused,
    an_unfit_engine_is_refused,
    a_sticky_folder_is_refused,
    a_file_with_two_names_is_refused,
    what_is_no_file_is_refused,
    a_path_that_cannot_be_is_refused,
    a_link_that_leads_nowhere_is_no_store,
    odd_names_of_files_and_folders_work,
    damage_that_the_engine_knows_is_refused_and_left_as_it_is,
    a_file_that_is_no_store_is_refused_and_left_as_it_is,
    a_link_in_place_of_a_companion_is_refused,
    a_gate_that_is_not_understood_lets_nobody_write,
    a_spoilt_artefact_is_told_of_or_loses_nothing,
    what_is_no_file_in_place_of_an_artefact_is_refused,
    a_random_change_of_a_file_is_told_of_or_changes_nothing => drill,
    a_read_only_mount_is_read_and_takes_no_write needs why_no_mounts,
    data_that_is_removed_or_exchanged_takes_no_write,
    a_companion_that_is_removed_or_exchanged_loses_nothing_in_silence,
    shared_memory_that_is_removed_or_exchanged_loses_nothing_in_silence,
    a_forked_child_is_refused_and_the_parent_goes_on,
    a_full_disk_in_memory_is_told_of_and_room_lets_work_go_on needs why_no_mounts,
    a_full_disk_is_told_of_and_room_lets_work_go_on needs why_no_ext4,
    processes_that_fill_a_disk_together_lose_nothing needs why_no_ext4,
    a_quota_used_up_is_told_of_and_a_higher_one_lets_work_go_on needs why_no_quota,
    a_fault_at_any_system_call_is_told_and_loses_nothing needs why_not => drill,
];

pub(super) const WORKS: &[&[Work]] = &[
    copies::WORKS,
    filling::WORKS,
    forks::WORKS,
    full::WORKS,
    lacking::WORKS,
    mounts::WORKS,
    mutants::WORKS,
    places::WORKS,
    removed::WORKS,
    super::works![digest_files],
];

fn a_missing_store_is_not_found_and_not_made(arena: &Arena) -> Outcome {
    let path = arena.path()?;
    let not_there = arena.target.place(&arena.folder().join("not").join("there"));
    let settings = Settings::default;
    for path in [&path, &not_there] {
        for settings in [settings().with_create(false), settings().with_read_only(true)] {
            let error = arena.target.open(path, settings).refused(ErrorKind::NotFound)?;
            ensure!(error.path().is_some(), "the error names no path: {error}");
        }
    }
    ensure_eq!(listing(arena.folder())?, ["store"], "what lies in the folder of the case");
    ensure_eq!(listing(&arena.folder().join("store"))?, [""; 0], "what lies in the folder of the store");
    // And when it may, it makes the folders too.
    Blocking::new(arena.target.open(&not_there, settings())?).put("n", "k", Json::from(1u64))?;
    Ok(())
}

/// What a file is: its role, size and mode, and the hash of its bytes with the time of its change.
type Digest = Vec<(Role, u64, u32, Option<(u64, i64, i64)>)>;

/// Says what the files of the store are. A process that has the store open must not do so itself: closing
/// a file drops the locks that it holds on it.
fn digest_files(job: &Job) -> Outcome {
    let mut found = Digest::new();
    for artefact in job.target.artefacts(&job.orders.path) {
        let Ok(metadata) = artefact.path.metadata() else { continue };
        let is_file = metadata.is_file();
        let read = || std::fs::read(&artefact.path).context(artefact.path.display());
        let bytes = if is_file { read()? } else { Vec::new() };
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        let contents = (hasher.finish(), metadata.mtime(), metadata.mtime_nsec());
        let lasting = artefact.role != Role::Shared;
        found.push((artefact.role, metadata.len(), metadata.mode(), lasting.then_some(contents)));
    }
    job.say(found)
}

fn digest(arena: &Arena) -> Outcome<Digest> {
    arena.worker("digest_files")?.start()?.hear()
}

fn reading_leaves_the_files_as_they_are(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    for n in 0..50_u64 {
        store.commit(Batch::new().put("n", format!("key {n}"), n).append("n", "log", n))?;
    }
    let held = dump(&store)?;
    store.close()?;
    drop(store);
    let before = digest(arena)?;
    ensure!(before.iter().any(|(role, ..)| *role == Role::Data), "{before:?}");
    for _ in 0..3 {
        let reader = arena.open_with(Settings::default().with_read_only(true))?;
        ensure_eq!(dump(&reader)?, held);
        ensure_eq!(reader.get_as::<u64>("n", "key 7")?, Some(7));
        ensure_eq!(reader.list("n", KeyRange::prefix("key 1"))?.len(), 11);
        reader.put("n", "k", Json::from(1u64)).refused(ErrorKind::ReadOnly)?;
        reader.delete_namespace("n").refused(ErrorKind::ReadOnly)?;
        reader.sync()?;
        reader.info()?;
        ensure_eq!(digest(arena)?, before, "the files while it is open");
        reader.close()?;
        drop(reader);
        ensure_eq!(digest(arena)?, before, "the files after it was closed");
    }
    let folder = folder_of(arena.target, &arena.path()?)?;
    ensure_eq!(below(&folder)?.len(), before.len(), "files and folders of the store");
    Ok(())
}

fn a_value_of_another_type_is_refused(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    store.put_as("n", "k", "seven")?;
    let before = dump(&store)?;
    let error = store.get_as::<u64>("n", "k").refused(ErrorKind::InvalidInput)?;
    let words = error.to_string();
    ensure!(words.contains("\"n\"") && words.contains("\"k\"") && words.contains("u64"), "{words}");
    store.get_as::<Vec<String>>("n", "k").refused(ErrorKind::InvalidInput)?;
    let updated = store.update_as("n", "k", |_: Option<u64>| Ok(Update::Put(1_u64)));
    updated.refused(ErrorKind::InvalidInput)?;
    ensure_eq!(store.get_as::<String>("n", "k")?.as_deref(), Some("seven"));
    store.put_as("n", "k", &f64::NAN).refused(ErrorKind::InvalidInput)?;
    store.append_as("n", "log", &f64::INFINITY).refused(ErrorKind::InvalidInput)?;
    ensure_eq!(dump(&store)?, before);
    Ok(())
}

fn an_error_names_the_call_the_place_and_the_store(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    let path = store.info()?.path;
    let long = "x".repeat(65);
    let errors = [
        ("get", store.get("name of it", "").refused(ErrorKind::InvalidInput)?),
        ("put", store.put("name of it", "", Json::from(1u64)).refused(ErrorKind::InvalidInput)?),
        ("append", store.append("name of it", &long, Json::from(1u64)).refused(ErrorKind::InvalidInput)?),
        ("delete", store.delete("name of it", "").refused(ErrorKind::InvalidInput)?),
    ];
    for (call, error) in errors {
        let words = error.to_string();
        ensure_eq!(error.operation(), Some(call));
        ensure_eq!(error.path(), Some(path.as_path()));
        let all = words.contains(call) && words.contains("name of it");
        ensure!(all && words.contains(&path.display().to_string()), "{words}");
        ensure!(!error.is_retryable(), "the same name is refused again: {words}");
    }
    Ok(())
}

/// Waits until the gate is free: whoever leads a write answers it before the gate is let go.
fn info_at_rest(store: &Blocking) -> Outcome<StoreInfo> {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let info = store.info()?;
        if info.gate_holder.is_none() || Instant::now() > until {
            return Ok(info);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn info_describes_the_store(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    store.put("n", "k", Json::from(1u64))?;
    let info = info_at_rest(&store)?;
    ensure!(!info.engine.is_empty() && !info.engine_version.is_empty(), "{info:?}");
    ensure_eq!(info.path, arena.path()?.canonicalize()?);
    ensure_eq!((&info.gate_holder, info.in_doubt), (&None, false));
    let artefacts = arena.target.artefacts(&info.path);
    for (path, size) in &info.files {
        ensure!(artefacts.iter().any(|artefact| artefact.path == *path), "{} is no artefact", path.display());
        ensure_eq!(path.metadata().context(path.display())?.len(), *size, "{}", path.display());
    }
    let data = artefacts.iter().filter(|artefact| artefact.role == Role::Data);
    for artefact in data {
        let named = info.files.iter().any(|(path, _)| *path == artefact.path);
        ensure!(named || artefact.path.is_dir(), "{} is left out", artefact.path.display());
    }
    Ok(())
}
