//! What a command line can get wrong, and the environment.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::process::Stdio;

use common::{Place, Ran, numbers};

#[test]
fn help_and_version_succeed() {
    let place = Place::new();
    let help = place.run(&["--help"]).ok();
    for line in
        ["Exit codes:", "  0  done", "  4  conflict", "  9  any other failure", "STATESTORE_URL", "--timeout"]
    {
        assert!(help.contains(line), "{help}");
    }
    assert!(!help.contains("demo-part"), "{help}");
    assert!(place.run(&["--version"]).ok().starts_with("statestore 0."));
    assert!(place.run(&["append", "--help"]).ok().contains("--each"));
}

#[test]
fn wrong_usage_exits_2_with_words_on_stderr_only() {
    let place = Place::new();
    for (args, part) in [
        (&[][..], "Usage"),
        (&["frobnicate"], "frobnicate"),
        (&["get", "n"], "<KEY>"),
        (&["get", "n", "k", "--colour"], "--colour"),
        (&["put", "n", "k", "1", "--timout", "5s"], "--timout"),
        (&["put", "n", "k", "--timout"], "no such option"),
        (&["put", "n", "k"], "<VALUE>"),
        (&["append", "n", "l"], "<VALUE>"),
        (&["append", "n", "l", "1", "--lines"], "--lines"),
        (&["append", "n", "l", "1", "--each"], "--each"),
        (&["log", "n", "l", "--from", "1", "--tail", "1"], "--tail"),
        (&["log", "n", "l", "--from", "-1"], "-1"),
        (&["log", "n", "l", "--from", "18446744073709551616"], "--from"),
        (&["trim", "n", "l"], "--before"),
        (&["list", "n", "--limit", "many"], "many"),
        (&["info", "--timeout", "soon"], "5s, 500ms"),
        (&["demo", "--processes", "0"], "--processes"),
    ] {
        let ran = place.run(args);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{ran:?}");
        assert!(ran.err.contains(part), "{part:?} is not in {ran:?}");
    }
}

#[test]
fn a_store_must_be_named_in_the_right_form() {
    let place = Place::new();
    for url in ["", "state.db", "sqlite://state.db", "sqlite:", "postgres:x", "sqlite:s.db?durabilty=power"] {
        let (command, parts): (_, &[&str]) = match url {
            "" => ("info", &["--store", "STATESTORE_URL", "sqlite:state.db"]),
            "state.db" | "sqlite://state.db" => ("put", &["sqlite:state.db"]),
            "sqlite:" => ("append", &["sqlite:state.db"]),
            "postgres:x" => ("get", &["there are: sqlite"]),
            _ => ("get", &["durabilty", "durability (process or power)"]),
        };
        let rest: &[&str] = if command == "info" { &[] } else { &["n", "k"] };
        let value: &[&str] = if matches!(command, "put" | "append") { &["1"] } else { &[] };
        let args = [&[command][..], rest, value].concat();
        // With an engine that this build has.
        let here =
            |text: &str| if url.is_empty() { text.to_owned() } else { text.replace("sqlite", place.engine) };
        let output = place.command(&args).env("STATESTORE_URL", here(url)).output().unwrap();
        let parts: Vec<_> = parts.iter().map(|part| here(part)).collect();
        Ran::of(&args, &output).fails(2, &parts.iter().map(String::as_str).collect::<Vec<_>>());
    }
    let output = place.command(["info"]).env_remove("STATESTORE_URL").output().unwrap();
    Ran::of(&["info"], &output).fails(2, &["--store sqlite:state.db"]);
    let output = place.command(["info"]).env("STATESTORE_LOG", "loud").output().unwrap();
    Ran::of(&["info"], &output).fails(2, &["STATESTORE_LOG=loud", "debug"]);
}

#[test]
fn the_flag_beats_the_environment() {
    let place = Place::new();
    let other = place.url("other.db");
    place.run(&["--store", &other, "put", "n", "k", "1"]).ok();
    place.run(&["get", "n", "k"]).fails(1, &["state.db"]);
    assert_eq!(place.run(&["get", "n", "k", "--store", &other]).ok(), "1\n");
}

#[test]
fn bad_values_name_their_place_line_and_column() {
    let place = Place::new();
    place.write("bad.json", "{\n  \"ä\": tru }");
    place.write("empty.json", "");
    for (args, parts) in [
        (&["put", "n", "k", "{\"a\":}"][..], &["the argument", "line 1 column 6"][..]),
        (&["put", "n", "k", ""], &["the argument", "no value"]),
        (&["put", "n", "k", "@bad.json"], &["bad.json", "line 2 column 11"]),
        (&["append", "n", "k", "@empty.json"], &["empty.json", "no value"]),
        (&["put", "n", "k", "@none.json"], &["none.json", "cannot read"]),
        (&["put", "n", "k", "@."], &["cannot read"]),
        (&["append", "n", "k", "1 2"], &["the argument", "line 1 column 3"]),
    ] {
        place.run(args).fails(2, parts);
    }
    place.pipe(&["put", "n", "k", "-"], "[1,\n2,]").fails(2, &["<stdin>", "line 2 column 3"]);
    place.pipe(&["append", "n", "l", "-"], b"\xff").fails(2, &["<stdin>", "line 1 column 1", "UTF-8"]);
    let deep = "[".repeat(129) + &"]".repeat(129);
    place.pipe(&["put", "n", "k", "-"], deep).fails(2, &["128"]);
    let large = format!("\"{}\"", "x".repeat(16 << 20));
    place.pipe(&["put", "n", "k", "-"], large).fails(2, &["too large"]);
}

#[test]
fn bad_names_are_refused_everywhere() {
    let place = Place::new();
    place.run(&["put", "n", "k", "1"]).ok();
    let long = "x".repeat(65);
    let long_key = "x".repeat(1025);
    for args in [
        &["get", "", "k"][..],
        &["get", "n", ""],
        &["get", "n", &long_key],
        &["put", &long, "k", "1"],
        &["put", "n", "line\nbreak", "1"],
        &["delete", "n", "\u{85}"],
        &["replace", ""],
        &["object", &long],
        &["list", "a\tb"],
        &["append", "n", &long, "1"],
        &["append", "n", "", "--lines"],
        &["log", "n", &long],
        &["log", "", "l"],
        &["logs", ""],
        &["trim", "n", "", "--before", "1"],
    ] {
        place.run(args).fails(2, &["invalid input"]);
    }
    place.run(&["put", "../up", "a/../b; DROP TABLE entries", "1"]).ok();
    assert_eq!(place.run(&["get", "../up", "a/../b; DROP TABLE entries"]).ok(), "1\n");
}

#[cfg(unix)]
#[test]
fn arguments_that_are_not_text_are_refused() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let place = Place::new();
    let odd = OsStr::from_bytes(b"\xff");
    let output = place.command([OsStr::new("get"), odd, odd]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let output = place.command(["info"]).env("STATESTORE_URL", odd).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_reader_that_leaves_ends_it_quietly() {
    let place = Place::new();
    let line = format!("\"{}\"\n", "x".repeat(100));
    place.pipe(&["append", "bus", "events", "--lines"], line.repeat(20_000)).ok();
    let mut child = place.command(["log", "bus", "events"]).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn appending_goes_on_when_nobody_reads_the_numbers() {
    let place = Place::new();
    place.write("lines", numbers(1000));
    let input = std::fs::File::open(place.path("lines")).unwrap();
    let mut command = place.command(["append", "bus", "events", "--lines"]);
    let mut child = command.stdin(Stdio::from(input)).spawn().unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
    assert_eq!(place.run(&["logs", "bus"]).ok(), "{\"log\":\"events\",\"first\":1,\"last\":1000}\n");
}
