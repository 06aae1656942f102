//! `edit`: with editors that are scripts.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
#![cfg(unix)]

mod common;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use common::{ENGINES, Place, Ran, names};

/// Runs `edit` with a shell script as the editor, to which `$1` is the file; temporary files come into `tmp`.
fn command(place: &Place, args: &[&str], script: &str) -> Command {
    let editor = place.write("my editor", format!("#!/bin/sh\n{script}\n"));
    std::fs::set_permissions(&editor, std::fs::Permissions::from_mode(0o700)).unwrap();
    std::fs::create_dir_all(place.path("tmp")).unwrap();
    let mut command = place.command([&["edit"], args].concat());
    // Through a shell, so that another test's child that still has the script open is no reason to fail.
    command.env("EDITOR", format!("sh '{}'", editor.display())).env("TMPDIR", place.path("tmp"));
    command.env("STATESTORE", common::PROGRAM);
    command
}

fn edit(place: &Place, args: &[&str], script: &str) -> Ran {
    Ran::of(args, &command(place, args, script).output().unwrap())
}

/// Returns the file in which a text was kept; asserts that the message names it and that nobody else may read it.
fn kept(place: &Place, ran: &Ran) -> String {
    let folders = names(&place.path("tmp"));
    assert_eq!(folders.len(), 1, "{ran:?}");
    let folder: PathBuf = place.path("tmp").join(&folders[0]);
    let file = folder.join("edit.json");
    assert!(ran.err.contains(&format!("your text is kept in {}", file.display())), "{ran:?}");
    let rights = |path: &PathBuf| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((rights(&folder), rights(&file)), (0o700, 0o600));
    std::fs::read_to_string(file).unwrap()
}

fn revision_of(place: &Place, key: &str) -> u64 {
    let line = place.run(&["list", "n", "--prefix", key]).ok();
    // Not as a serde_json tree, which has no room for every number.
    let (_, rest) = line.split_once(",\"revision\":").unwrap();
    rest.split_once(',').unwrap().0.parse().unwrap()
}

#[test]
fn an_object_is_edited_and_only_what_changed_is_written() {
    for engine in ENGINES {
        let place = Place::on(engine);
        place.pipe(&["replace", "n"], r#"{"a":{"z":1.50,"b":[1e400]},"b":1,"c":"x"}"#).ok();
        let before = revision_of(&place, "a");
        let script = "cp \"$1\" seen; sed -i -e '/^  .b.: 1,/d' -e 's/\"x\"/\"y\", \"new\": [ ]/' \"$1\"";
        let printed: u64 = edit(&place, &["n"], script).ok().trim().parse().unwrap();
        let seen = "{\n  \"a\": {\n    \"z\": 1.50,\n    \"b\": [\n      1e400\n    ]\n  },\n  \"b\": 1,\n  \
                    \"c\": \"x\"\n}\n";
        assert_eq!(std::fs::read_to_string(place.path("seen")).unwrap(), seen);
        let after = "{\"a\":{\"z\":1.50,\"b\":[1e400]},\"c\":\"y\",\"new\":[]}\n";
        assert_eq!(place.run(&["object", "n"]).ok(), after);
        assert_eq!((revision_of(&place, "a"), revision_of(&place, "c")), (before, printed));
        assert!(printed > before);
        assert_eq!(names(&place.path("tmp")), [""; 0]);
    }
}

#[test]
fn one_value_is_edited_or_made() {
    for engine in ENGINES {
        let place = Place::on(engine);
        place.run(&["put", "n", "k", "{\"x\":1.0}"]).ok();
        edit(&place, &["n", "k"], "sed -i s/1.0/2.00/ \"$1\"").ok();
        assert_eq!(place.run(&["get", "n", "k"]).ok(), "{\"x\":2.00}\n");
        edit(&place, &["n", "new"], "test -s \"$1\" || echo '[ 3 ]' > \"$1\"").ok();
        assert_eq!(place.run(&["get", "n", "new"]).ok(), "[3]\n");
        edit(&place, &["fresh"], "grep -qx '{}' \"$1\" && echo '{\"a\":1}' > \"$1\"").ok();
        assert_eq!(place.run(&["object", "fresh"]).ok(), "{\"a\":1}\n");
    }
}

#[test]
fn what_is_not_changed_is_not_written() {
    let place = Place::new();
    place.pipe(&["replace", "n"], r#"{"a":1,"b":{"x":2}}"#).ok();
    let before = place.run(&["namespaces"]).ok();
    for (args, script) in [
        (&["n"][..], "true"),
        (&["n"], "printf '{\"b\":{\"x\":2},\\n\\n\"a\":1}' > \"$1\""),
        (&["n", "b"], "printf '{ \"x\" : 2 }' > \"$1\""),
        (&["n", "missing"], "true"),
    ] {
        assert_eq!(edit(&place, args, script).stops(0, &["nothing changed"]), "");
        assert_eq!(names(&place.path("tmp")), [""; 0]);
    }
    assert_eq!(place.run(&["namespaces"]).ok(), before);
}

#[test]
fn a_change_in_between_is_a_conflict_that_keeps_the_text() {
    for engine in ENGINES {
        let place = Place::on(engine);
        place.pipe(&["replace", "n"], r#"{"a":1,"b":2}"#).ok();
        let script = "\"$STATESTORE\" put n a 7 > /dev/null && sed -i s/2/3/ \"$1\"";
        let ran = edit(&place, &["n"], script);
        assert_eq!(kept(&place, &ran), "{\n  \"a\": 1,\n  \"b\": 3\n}\n");
        ran.fails(4, &["conflict", "object \"n\" was expected at revision"]);
        assert_eq!(place.run(&["object", "n"]).ok(), "{\"a\":7,\"b\":2}\n");
        // Of one value, only a change of that value is one.
        edit(&place, &["n", "b"], script).ok();
        assert_eq!(place.run(&["object", "n"]).ok(), "{\"a\":7,\"b\":3}\n");
        let script = "\"$STATESTORE\" put n b 8 > /dev/null; echo 9 > \"$1\"";
        edit(&place, &["n", "b"], script).fails(4, &["key \"b\"", "your text is kept in"]);
        let script = "\"$STATESTORE\" put n new 8 > /dev/null; echo 9 > \"$1\"";
        edit(&place, &["n", "new"], script).fails(4, &["expected absent", "your text is kept in"]);
        assert_eq!(place.run(&["object", "n"]).ok(), "{\"a\":7,\"b\":8,\"new\":8}\n");
    }
}

#[test]
fn nothing_of_the_store_is_held_while_somebody_types() {
    for engine in ENGINES {
        let place = Place::on(engine);
        place.run(&["put", "n", "a", "1"]).ok();
        let script = "\"$STATESTORE\" put other k 1 --timeout 300ms > /dev/null && sed -i s/1/2/ \"$1\"";
        edit(&place, &["n"], script).ok();
        assert_eq!(place.run(&["get", "n", "a"]).ok(), "2\n");
    }
}

#[test]
fn a_text_that_is_no_object_names_the_place_and_is_kept() {
    let before = "{\"a\":1}\n";
    for (args, text, parts) in [
        (&["n"][..], "{\"a\":1,\n \"b\":}", &["edit.json", "line 2 column 6"][..]),
        (&["n"], "", &["no value"]),
        (&["n"], "[1]", &["expected an object"]),
        (&["n"], "{\"a\":1,\"a\":2}", &["\"a\" is there twice"]),
        (&["n"], "{\"\":1}", &["must not be empty"]),
        (&["n", "a"], "tru", &["line 1 column"]),
        (&["n", "a"], "", &["no value"]),
    ] {
        let place = Place::new();
        place.run(&["put", "n", "a", "1"]).ok();
        let ran = edit(&place, args, &format!("printf '%s' '{text}' > \"$1\""));
        assert_eq!(kept(&place, &ran), text);
        ran.fails(2, parts);
        assert_eq!(place.run(&["object", "n"]).ok(), before);
    }
}

#[test]
fn a_commit_that_fails_keeps_the_text() {
    let place = Place::new();
    place.run(&["put", "n", "a", "1"]).ok();
    let gate = std::fs::File::options().read(true).write(true).open(place.gate()).unwrap();
    gate.lock().unwrap();
    let ran = edit(&place, &["n", "a", "--timeout", "300ms"], "echo 2 > \"$1\"");
    drop(gate);
    assert_eq!(kept(&place, &ran), "2\n");
    ran.fails(3, &["busy"]);
    assert_eq!(place.run(&["get", "n", "a"]).ok(), "1\n");
}

#[test]
fn an_editor_that_fails_changes_nothing() {
    let place = Place::new();
    place.run(&["put", "n", "a", "1"]).ok();
    edit(&place, &["n"], "exit 3").fails(9, &["the editor \"sh\"", "exit status: 3", "nothing was changed"]);
    assert_eq!(names(&place.path("tmp")), [""; 0]);
    edit(&place, &["n"], "rm \"$1\"").fails(2, &["edit.json", "cannot read"]);
    assert_eq!(names(&place.path("tmp")), [""; 0]);
    let ran = edit(&place, &["n"], "echo work > \"$1\"; kill -9 $$");
    assert_eq!(kept(&place, &ran), "work\n");
    ran.fails(9, &["signal: 9", "nothing was changed"]);
    assert_eq!(place.run(&["object", "n"]).ok(), "{\"a\":1}\n");
}

#[test]
fn ctrl_c_is_for_the_editor_alone() {
    let place = Place::new();
    place.run(&["put", "n", "a", "1"]).ok();
    edit(&place, &["n", "a"], "kill -INT $PPID; kill -QUIT $PPID; sleep 0.2; echo 2 > \"$1\"").ok();
    assert_eq!(place.run(&["get", "n", "a"]).ok(), "2\n");
    let started = Instant::now();
    // A test that runs in the background may have been told to ignore it, and hands that down.
    let interrupted = "exec env --default-signal=INT sh -c 'kill -INT $$; sleep 9'";
    edit(&place, &["n", "a"], interrupted).fails(9, &["signal: 2"]);
    assert!(started.elapsed() < Duration::from_secs(5), "the editor hears its own signals");
}

#[test]
fn the_editor_is_chosen_as_ever() {
    let place = Place::new();
    place.run(&["put", "n", "a", "1"]).ok();
    let with = |visual: Option<&str>, editor: &str| {
        let mut command = command(&place, &["n", "a"], "echo 2 > \"$1\"");
        command.env("EDITOR", editor);
        if let Some(visual) = visual {
            command.env("VISUAL", visual);
        }
        Ran::of(&[editor], &command.output().unwrap())
    };
    with(Some("no-such-editor -w"), "true")
        .fails(2, &["\"no-such-editor\" (VISUAL)", "set VISUAL or EDITOR"]);
    with(None, "no-such-editor").fails(2, &["(EDITOR)"]);
    with(Some(" "), "no-such-editor").fails(2, &["(EDITOR)"]);
    with(None, "vi 'x").fails(2, &["EDITOR=vi 'x", "no end"]);
    with(Some("true"), "false").stops(0, &["nothing changed"]);
    let mut command = command(&place, &["n"], "true");
    let output = command.env_remove("EDITOR").env("PATH", "/nowhere").output().unwrap();
    Ran::of(&["edit"], &output).fails(2, &["\"vi\" (default)"]);
}

#[test]
fn what_cannot_be_edited_starts_no_editor() {
    let place = Place::new();
    let script = "touch started";
    edit(&place, &["n"], script).fails(1, &["state.db"]);
    place.run(&["put", "n", "a", "1"]).ok();
    edit(&place, &["", "k"], script).fails(2, &["invalid input"]);
    edit(&place, &["n", ""], script).fails(2, &["invalid input"]);
    let url = place.url("state.db?read_only=true");
    edit(&place, &["n", "--store", &url], script).fails(6, &["read-only"]);
    assert!(!place.path("started").exists());
}

#[test]
fn what_an_editor_prints_is_not_in_the_output() {
    let place = Place::new();
    place.run(&["put", "n", "a", "1"]).ok();
    let ran = edit(&place, &["n", "a"], "echo screen; echo 2 > \"$1\"");
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), "screen\n"), "{ran:?}");
    assert!(ran.out.trim().parse::<u64>().is_ok(), "{ran:?}");
}
