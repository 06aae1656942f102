//! The exit codes that real trouble brings about: busy, damaged, denied, full, and the rest.

#![allow(clippy::unwrap_used, reason = "tests")]
#![cfg(unix)]

mod common;

use std::fs::{File, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use common::{PROGRAM, Place, Ran};

fn is_root() -> bool {
    nix::unistd::Uid::effective().is_root()
}

#[test]
fn a_held_gate_is_busy_for_writers_and_open_for_readers() {
    let place = Place::new();
    place.run(&["put", "n", "k", "1"]).ok();
    let gate = File::options().read(true).write(true).open(place.gate()).unwrap();
    gate.lock().unwrap();
    for args in [
        &["put", "n", "k", "2", "--timeout", "300ms"][..],
        &["append", "n", "l", "2", "--timeout", "300ms"],
        &["delete", "n", "k", "--timeout", "300ms"],
        &["trim", "n", "l", "--before", "1", "--timeout", "300ms"],
    ] {
        let started = Instant::now();
        place.run(args).fails(3, &["busy"]);
        assert!(started.elapsed() < Duration::from_secs(3), "{args:?} took {:?}", started.elapsed());
    }
    assert_eq!(place.run(&["get", "n", "k"]).ok(), "1\n");
    place.run(&["info"]).ok();
    drop(gate);
    assert_eq!(place.run(&["object", "n"]).ok(), "{\"k\":1}\n");
    assert_eq!(place.run(&["logs", "n"]).ok(), "");
}

#[cfg(feature = "sqlite")]
#[test]
fn a_file_that_is_no_database_is_told_and_left_alone() {
    let place = Place::new();
    let text = "{\"this\": \"is JSON\"}\n".repeat(500);
    let path = place.write("state.db", &text);
    for args in [&["get", "n", "k"][..], &["put", "n", "k", "1"], &["info"]] {
        place.run(args).fails(5, &["state.db"]);
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), text);
}

#[test]
fn a_read_only_store_refuses_writes() {
    let place = Place::new();
    place.run(&["put", "n", "k", "1"]).ok();
    let url = &place.url("state.db?read_only=true");
    assert_eq!(place.run(&["get", "n", "k", "--store", url]).ok(), "1\n");
    place.run(&["put", "n", "k", "2", "--store", url]).fails(6, &["read-only"]);
    place.run(&["delete", "n", "k", "--store", url]).fails(6, &["read-only"]);
    assert_eq!(place.run(&["get", "n", "k"]).ok(), "1\n");
}

/// Runs the program as a user without rights, from a copy that the user can reach.
fn as_nobody(place: &Place, args: &[&str]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let copy = folder.path().join("statestore");
    std::fs::copy(PROGRAM, &copy).unwrap();
    std::fs::set_permissions(&copy, Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new(&copy);
    command.args(args).env("STATESTORE_URL", place.url(place.path("state.db").to_str().unwrap()));
    if is_root() {
        command.uid(65534).gid(65534);
    }
    loop {
        match command.output() {
            // A process that another test starts right now still has the copy open for writing.
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => std::thread::yield_now(),
            output => return Ran::of(args, &output.unwrap()),
        }
    }
}

#[test]
fn who_may_not_is_told_so() {
    let place = Place::new();
    place.run(&["put", "n", "k", "1"]).ok();
    let folder = place.path("");
    if is_root() {
        // The others may pass the folder, but the files are the owner's.
        std::fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
    } else {
        std::fs::set_permissions(place.path("state.db"), Permissions::from_mode(0o000)).unwrap();
    }
    as_nobody(&place, &["get", "n", "k"]).fails(6, &["permission denied", "state.db"]);
    as_nobody(&place, &["put", "n", "k", "2"]).fails(6, &["permission denied"]);
    if is_root() {
        assert_eq!(place.run(&["get", "n", "k"]).ok(), "1\n");
    }
}

#[test]
fn a_folder_where_nothing_may_be_made_is_denied() {
    let place = Place::new();
    std::fs::set_permissions(place.path(""), Permissions::from_mode(0o555)).unwrap();
    as_nobody(&place, &["put", "n", "k", "2"]).fails(6, &["permission denied"]);
    std::fs::set_permissions(place.path(""), Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn a_file_of_others_as_input_is_denied() {
    let place = Place::new();
    std::fs::set_permissions(place.path(""), Permissions::from_mode(0o755)).unwrap();
    let secret = place.write("secret.json", "1");
    std::fs::set_permissions(&secret, Permissions::from_mode(0o000)).unwrap();
    let value = format!("@{}", secret.display());
    as_nobody(&place, &["put", "n", "k", &value]).fails(6, &["secret.json"]);
}

#[test]
fn stdout_that_takes_nothing_is_a_failure() {
    let place = Place::new();
    place.run(&["put", "n", "k", "1"]).ok();
    if !Path::new("/dev/full").exists() {
        return;
    }
    let full = || File::options().write(true).open("/dev/full").unwrap();
    let output = place.command(["get", "n", "k"]).stdout(full()).output().unwrap();
    Ran::of(&["get"], &output).fails(9, &["<stdout>"]);
    let mut command = place.command(["append", "n", "l", "--lines"]);
    place.write("lines", "1\n2\n");
    let output = command.stdin(File::open(place.path("lines")).unwrap()).stdout(full()).output().unwrap();
    Ran::of(&["append"], &output).fails(9, &["<stdout>", "the 2 lines before are in the log"]);
}

#[test]
fn a_full_disk_is_told_and_what_stands_stays() {
    let place = Place::new();
    let small = place.path("small");
    std::fs::create_dir(&small).unwrap();
    // An empty store of redb is larger than the others get before they are full.
    let (size, count) = if place.engine == "redb" { ("size=6m", 500) } else { ("size=512k", 100) };
    let options = format!("{size},mode=755");
    let mount = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(&small).status();
    if !is_root() || !mount.is_ok_and(|status| status.success()) {
        // Only root can mount a filesystem that is small enough to fill.
        return;
    }
    let url = place.url(&format!("{}/state.db", small.display()));
    let lines = format!("\"{}\"\n", "x".repeat(20_000)).repeat(count);
    let out =
        place.pipe(&["append", "n", "l", "--lines", "--each", "--store", &url], lines).stops(7, &["full"]);
    let stand = out.lines().count();
    let kept = place.run(&["log", "n", "l", "--store", &url]).ok().lines().count();
    let unmounted = Command::new("umount").arg(&small).status().unwrap();
    assert!(unmounted.success());
    assert!(stand > 0 && kept == stand, "{kept} kept, {stand} acknowledged");
}
