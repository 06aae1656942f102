//! Keys: `get`, `put`, `delete`, `list`, `object`, `replace`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use common::Place;
use serde_json::Value;

#[test]
fn a_value_comes_back_as_it_was_put() {
    let place = Place::new();
    for value in [
        "1e400",
        "-1.50e-3",
        "12345678901234567890123456789012345678901",
        r#"{"b":1,"a":[null,true,"\u00e4 ä 🦀"]}"#,
        "null",
        "0",
        r#""""#,
    ] {
        place.run(&["put", "n", "k", value]).ok();
        assert_eq!(place.run(&["get", "n", "k"]).ok(), format!("{value}\n"));
    }
}

#[test]
fn put_prints_growing_revisions() {
    let place = Place::new();
    let revisions: Vec<u64> =
        (0..3).map(|_| place.run(&["put", "n", "k", "1"]).ok().trim().parse().unwrap()).collect();
    assert!(revisions.is_sorted_by(|a, b| a < b), "{revisions:?}");
}

#[test]
fn values_come_from_files_and_stdin() {
    let place = Place::new();
    place.write("value.json", "{ \"a\" :\n 1 }\n");
    place.run(&["put", "n", "file", "@value.json"]).ok();
    place.pipe(&["put", "n", "stdin", "-"], " [ 1 ] ").ok();
    assert_eq!(place.run(&["get", "n", "file"]).ok(), "{\"a\":1}\n");
    assert_eq!(place.run(&["get", "n", "stdin"]).ok(), "[1]\n");
    assert_eq!(place.run(&["object", "n"]).ok(), "{\"file\":{\"a\":1},\"stdin\":[1]}\n");
}

#[test]
fn a_missing_key_is_not_found() {
    let place = Place::new();
    place.run(&["put", "n", "k", "1"]).ok();
    place.run(&["get", "n", "other"]).fails(1, &["no key \"other\" in \"n\""]);
    assert_eq!(place.run(&["delete", "n", "k"]).ok(), "");
    place.run(&["delete", "n", "k"]).fails(1, &["no key \"k\" in \"n\""]);
    assert_eq!(place.run(&["object", "n"]).ok(), "{}\n");
}

#[test]
fn list_takes_ranges() {
    let place = Place::new();
    let object = r#"{"a":1,"b1":{"x":1.0},"b2":3,"b3":4,"c \"":5}"#;
    place.pipe(&["replace", "n"], object).ok();
    let keys = |args: &[&str]| -> Vec<String> {
        let all = [&["list", "n"], args].concat();
        let lines = place.run(&all).ok();
        lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["key"].to_string()).collect()
    };
    assert_eq!(keys(&[]), [r#""a""#, r#""b1""#, r#""b2""#, r#""b3""#, r#""c \"""#]);
    assert_eq!(keys(&["--prefix", "b"]), [r#""b1""#, r#""b2""#, r#""b3""#]);
    assert_eq!(keys(&["--prefix", "b", "--from", "b2", "--to", "z"]), [r#""b2""#, r#""b3""#]);
    assert_eq!(keys(&["--from", "b1", "--to", "b3"]), [r#""b1""#, r#""b2""#]);
    assert_eq!(keys(&["--limit", "2"]).len(), 2);
    assert_eq!(keys(&["--limit", "0"]).len(), 0);
    assert_eq!(keys(&["--from", "z", "--to", "a"]).len(), 0);
    assert_eq!(keys(&["--prefix", "b", "--from", "c"]).len(), 0);
}

#[test]
fn a_listed_line_has_value_revision_and_time() {
    let place = Place::new();
    let revision = place.run(&["put", "n", "k", "1.50"]).ok();
    let line = place.run(&["list", "n"]).ok();
    let start = format!(r#"{{"key":"k","value":1.50,"revision":{},"at":"20"#, revision.trim());
    assert!(line.starts_with(&start) && line.ends_with("Z\"}\n"), "{line}");
}

#[test]
fn replace_takes_an_object_whole() {
    let place = Place::new();
    place.run(&["put", "n", "old", "1"]).ok();
    let text = "{\"z\": {\"b\": 1.00, \"a\": 1e400},\n \"a\" : [1, 2]}";
    place.write("object.json", text);
    let first: u64 = place.run(&["replace", "n", "object.json"]).ok().trim().parse().unwrap();
    assert_eq!(place.run(&["object", "n"]).ok(), "{\"a\":[1,2],\"z\":{\"b\":1.00,\"a\":1e400}}\n");
    let second: u64 = place.pipe(&["replace", "n", "-"], "{}").ok().trim().parse().unwrap();
    assert!(second > first);
    assert_eq!(place.run(&["object", "n"]).ok(), "{}\n");
}

#[test]
fn what_object_prints_replace_takes() {
    let place = Place::new();
    place.run(&["put", "n", "a \" key\u{1f980}", r#"{"x":[1e400]}"#]).ok();
    place.run(&["put", "n", "b", "null"]).ok();
    let object = place.run(&["object", "n"]).ok();
    place.pipe(&["replace", "copy"], &object).ok();
    assert_eq!(place.run(&["object", "copy"]).ok(), object);
}

#[test]
fn replace_refuses_what_is_no_object_and_changes_nothing() {
    let place = Place::new();
    place.run(&["put", "n", "k", "1"]).ok();
    let long_key = format!("{{\"{}\":1}}", "k".repeat(1025));
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(129), "]".repeat(129));
    for (text, parts) in [
        ("", &["<stdin>", "line 1 column 1", "no value"][..]),
        ("[1]", &["<stdin>", "expected an object"]),
        ("{\"a\":1,\n\"a\":2}", &["key \"a\"", "twice"]),
        ("{\"a\":1,\n \"b\":}", &["line 2 column 6"]),
        ("{\"a\":\n[\"\\udc00\"]}", &["line 2 column 3", "surrogate"]),
        ("{\"\":1}", &["<stdin>", "must not be empty"]),
        (&long_key, &["at most 1024 bytes"]),
        (&deep, &["128"]),
    ] {
        place.pipe(&["replace", "n"], text).fails(2, parts);
    }
    place.pipe(&["replace", "n"], b"{\"a\":\"\xff\"}").fails(2, &["line 1 column 7", "not UTF-8"]);
    place.run(&["replace", "n", "no-such-file"]).fails(2, &["no-such-file", "cannot read"]);
    assert_eq!(place.run(&["object", "n"]).ok(), "{\"k\":1}\n");
}
