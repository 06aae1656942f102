//! Logs: `append`, `log`, `logs`, `namespaces`, `trim`, `info`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use common::{Place, names, numbers};
use serde_json::Value;

fn entries(place: &Place, args: &[&str]) -> Vec<(u64, String)> {
    let lines = place.run(&[&["log", "bus", "events"], args].concat()).ok();
    lines
        .lines()
        .map(|line| {
            // Not as a serde_json tree, which has no room for every number.
            let (head, entry) = line.split_once(",\"entry\":").unwrap();
            let head: Value = serde_json::from_str(&format!("{head}}}")).unwrap();
            assert!(head["at"].as_str().unwrap().ends_with('Z'), "{line}");
            (head["seq"].as_u64().unwrap(), entry.strip_suffix('}').unwrap().to_owned())
        })
        .collect()
}

#[test]
fn entries_are_numbered_and_keep_their_text() {
    let place = Place::new();
    assert_eq!(place.run(&["append", "bus", "events", "1e400"]).ok(), "1\n");
    assert_eq!(place.pipe(&["append", "bus", "events", "-"], "{ \"b\":1, \"a\":2 }").ok(), "2\n");
    place.write("entry.json", "[1.50]");
    assert_eq!(place.run(&["append", "bus", "events", "@entry.json"]).ok(), "3\n");
    assert_eq!(place.run(&["append", "bus", "events", "-7"]).ok(), "4\n");
    let texts: Vec<_> = entries(&place, &[]).into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, ["1e400", r#"{"b":1,"a":2}"#, "[1.50]", "-7"]);
}

#[test]
fn log_takes_ranges_over_many_pages() {
    let place = Place::new();
    let lines = numbers(2500);
    assert_eq!(place.pipe(&["append", "bus", "events", "--lines"], &lines).ok(), lines);
    let range = |args: &[&str]| {
        let entries = entries(&place, args);
        assert!(entries.iter().all(|(seq, text)| text == &seq.to_string()));
        assert!(entries.windows(2).all(|pair| pair[0].0 + 1 == pair[1].0));
        entries.first().zip(entries.last()).map(|(first, last)| (first.0, last.0))
    };
    assert_eq!(range(&[]), Some((1, 2500)));
    assert_eq!(range(&["--from", "2400"]), Some((2400, 2500)));
    assert_eq!(range(&["--from", "2501"]), None);
    assert_eq!(range(&["--tail", "10"]), Some((2491, 2500)));
    assert_eq!(range(&["--tail", "10", "--limit", "3"]), Some((2491, 2493)));
    assert_eq!(range(&["--from", "5", "--limit", "1500"]), Some((5, 1504)));
    assert_eq!(range(&["--tail", "99999"]), Some((1, 2500)));
    assert_eq!(range(&["--limit", "0"]), None);
    assert_eq!(range(&["--tail", "0"]), None);
    assert_eq!(range(&["--from", "18446744073709551615"]), None);
}

#[test]
fn trimming_moves_the_start() {
    let place = Place::new();
    place.pipe(&["append", "bus", "events", "--lines"], "1\n2\n3\n").ok();
    assert_eq!(place.run(&["trim", "bus", "events", "--before", "3"]).ok(), "");
    assert_eq!(place.run(&["logs", "bus"]).ok(), "{\"log\":\"events\",\"first\":3,\"last\":3}\n");
    assert_eq!(entries(&place, &[]), [(3, "3".into())]);
    place.run(&["trim", "bus", "events", "--before", "99"]).ok();
    assert_eq!(place.run(&["logs", "bus"]).ok(), "{\"log\":\"events\",\"first\":4,\"last\":3}\n");
    assert_eq!(entries(&place, &[]), []);
    assert_eq!(place.run(&["append", "bus", "events", "4"]).ok(), "4\n");
}

#[test]
fn namespaces_and_info_are_json() {
    let place = Place::new();
    place.run(&["append", "a \"log\"", "events", "1"]).ok();
    place.run(&["put", "keys", "k", "1"]).ok();
    let lines = place.run(&["namespaces"]).ok();
    let names: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&names[0]["namespace"], &names[0]["revision"]), (&"a \"log\"".into(), &0.into()));
    assert_eq!(names[1]["namespace"], "keys");
    let info: Value = serde_json::from_str(&place.run(&["info", "--timeout", "2s"]).ok()).unwrap();
    assert_eq!((&info["engine"], &info["durability"]), (&place.engine.into(), &"power".into()));
    assert_eq!(info["path"], place.path("state.db").to_str().unwrap());
    assert_eq!((&info["timeout_ms"], &info["in_doubt"]), (&2000.into(), &false.into()));
    assert_eq!(info["gate_holder"], Value::Null);
}

#[test]
fn what_was_never_written_is_empty() {
    let place = Place::new();
    place.run(&["put", "n", "k", "1"]).ok();
    for args in [
        &["log", "n", "none"][..],
        &["logs", "n"],
        &["list", "none"],
        &["trim", "n", "none", "--before", "5"],
    ] {
        assert_eq!(place.run(args).ok(), "", "{args:?}");
    }
    assert_eq!(place.run(&["object", "none"]).ok(), "{}\n");
}

#[test]
fn only_what_writes_creates_a_store_and_says_where() {
    let place = Place::new();
    let no_create = place.url("state.db?create=false");
    for args in [
        &["get", "n", "k"][..],
        &["delete", "n", "k"],
        &["object", "n"],
        &["list", "n"],
        &["log", "n", "l"],
        &["logs", "n"],
        &["namespaces"],
        &["trim", "n", "l", "--before", "1"],
        &["info"],
        &["edit", "n"],
        &["put", "n", "k", "1", "--store", &no_create],
    ] {
        place.run(args).fails(1, &["not found", "state.db"]);
    }
    place.run(&["put", "n", "k", "{"]).fails(2, &[]);
    place.run(&["append", "n", "", "1"]).fails(2, &[]);
    place.pipe(&["replace", "n"], "[]").fails(2, &[]);
    assert_eq!(names(&place.path("")), Vec::<String>::new());
    let ran = place.run(&["put", "n", "k", "1"]);
    assert_eq!(ran.err, format!("statestore: created {}\n", place.path("state.db").display()));
    assert_eq!(place.run(&["put", "n", "k", "1"]).err, "");
}
