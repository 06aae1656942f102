//! Runs of the doctor on stores that are made for it, and what it says of them.

use std::fs::{File, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::common::{Place, Ran};

/// A group that the machine need not know.
pub(crate) const GROUP: u32 = 65_532;

/// The lines of a run that this store is to blame for, and not the machine.
pub(crate) fn lines(ran: &Ran) -> Vec<Value> {
    let lines: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let has = |state: &str| lines.iter().any(|line| line["state"] == state);
    let code = if has("fault") {
        5
    } else if has("warning") {
        10
    } else {
        0
    };
    let said = ran.err.lines().filter(|line| line.starts_with("statestore: ")).count();
    assert_eq!((ran.code, said), (Some(code), usize::from(code > 0)), "{ran:?}");
    lines.into_iter().filter(|line| line["check"] != "space" && line["check"] != "filesystem").collect()
}

pub(crate) fn doctor(place: &Place, args: &[&str]) -> Vec<Value> {
    lines(&place.run(&[&["doctor", "--json"], args].concat()))
}

/// Returns the lines that are not ok.
pub(crate) fn odd(place: &Place, args: &[&str]) -> Vec<Value> {
    let mut lines = doctor(place, args);
    lines.retain(|line| line["state"] != "ok");
    lines
}

#[track_caller]
pub(crate) fn assert_well(place: &Place, args: &[&str]) {
    assert_eq!(odd(place, args), Vec::<Value>::new(), "{}", place.engine);
}

#[track_caller]
pub(crate) fn assert_found(lines: &[Value], state: &str, check: &str, subject: &Path, words: &str) {
    let subject = subject.to_str().unwrap();
    let is_it = |line: &Value| {
        line["state"] == state
            && line["check"] == check
            && line["subject"] == subject
            && line["why"].as_str().unwrap().contains(words)
    };
    assert!(lines.iter().any(is_it), "no {state} {check} of {subject}, {words:?}, in {lines:#?}");
}

/// Finds a fault, sees it mended, and then gone.
#[track_caller]
pub(crate) fn assert_mended(
    place: &Place,
    args: &[&str],
    state: &str,
    check: &str,
    subject: &Path,
    words: &str,
) {
    let found = odd(place, args);
    assert_found(&found, state, check, subject, words);
    assert!(found.iter().any(|line| line["mend"].is_string()), "{found:?}");
    let fixed = odd(place, &[&["--fix"], args].concat());
    assert_found(&fixed, "mended", check, subject, "");
    assert!(fixed.iter().all(|line| line["state"] == "mended"), "{fixed:#?}");
    assert_well(place, args);
}

pub(crate) fn is_root() -> bool {
    nix::unistd::Uid::effective().is_root()
}

/// A store of one's own, with something in it.
pub(crate) fn private(engine: &'static str) -> Place {
    let place = Place::on(engine);
    place.run(&["put", "n", "k", "1"]).ok();
    place.run(&["append", "n", "l", "1"]).ok();
    place
}

/// A store of a group, in a folder that hands its group down; root alone can give files to any group.
pub(crate) fn of_group(engine: &'static str, access: &str) -> (Place, String) {
    let place = Place::on(engine);
    chown(place.path(""), None, Some(GROUP)).unwrap();
    let (mode, options) = match access {
        "shared" => (0o2775, format!("access=shared&group={GROUP}")),
        _ => (0o2770, format!("group={GROUP}")),
    };
    set_mode(&place.path(""), mode);
    let url = place.url(&format!("state.db?{options}"));
    for args in [["put", "n", "k", "1"], ["append", "n", "l", "1"]] {
        place.run(&[&args[..], &["--store", &url]].concat()).ok();
    }
    (place, url)
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

pub(crate) fn set_age(path: &Path, age: Duration) {
    File::open(path).unwrap().set_modified(SystemTime::now() - age).unwrap();
}

/// Returns the folder of the store's own files.
pub(crate) fn folder(place: &Place) -> PathBuf {
    let path = place.path("state.db");
    if place.engine == "json" { path } else { path.parent().unwrap().to_owned() }
}

/// Returns everything below a folder.
pub(crate) fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(below(&path));
        }
        found.push(path);
    }
    found.sort();
    found
}
