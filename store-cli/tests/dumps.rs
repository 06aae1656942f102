//! `export`, `import`, `backup`, `restore`, `verify` and `drill`, as scripts use them, on every engine.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use common::{ENGINES, Place};
use serde_json::Value;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Fills a store with what stores have: digits, order, logs that were trimmed, logs alone, what was emptied.
fn filled(engine: &'static str) -> Place {
    let place = Place::on(engine);
    place.run(&["put", "jobs", "42", r#"{"z": 1.50, "a": [null, false, ""]}"#]).ok();
    place.run(&["put", "jobs", "\u{e9} \"", "12345678901234567890"]).ok();
    place.pipe(&["append", "jobs", "events", "--lines"], "1\n\"two\"\n{\"three\": 3}\n").ok();
    place.run(&["trim", "jobs", "events", "--before", "2"]).ok();
    place.run(&["append", "logs only", "l", "1"]).ok();
    place.run(&["trim", "logs only", "l", "--before", "2"]).ok();
    place.run(&["put", "gone", "k", "1"]).ok();
    place.run(&["delete", "gone", "k"]).ok();
    place
}

/// What a store holds, in the program's own words.
fn contents(place: &Place, store: &str) -> String {
    let mut all = String::new();
    for args in [
        &["namespaces"][..],
        &["list", "jobs"],
        &["logs", "jobs"],
        &["log", "jobs", "events"],
        &["logs", "logs only"],
    ] {
        let args: Vec<&str> = args.iter().copied().chain(["--store", store]).collect();
        all += &place.run(&args).ok();
    }
    all
}

#[test]
fn a_dump_goes_from_every_engine_to_every_engine_by_file_and_pipe() {
    for from in ENGINES {
        let place = filled(from);
        let before = contents(&place, &place.url("state.db"));
        let told = json(&place.run(&["export", "a.dump"]).ok());
        assert_eq!(told["keys"], 2);
        assert_eq!((&told["entries"], &told["logs"]), (&2.into(), &2.into()));
        let piped = place.command(["export"]).output().unwrap();
        assert!(piped.status.success() && piped.stderr.is_empty(), "{piped:?}");
        for to in ENGINES {
            let (by_file, by_pipe) = (format!("{to}:{to}.file"), format!("{to}:{to}.pipe"));
            let restored = json(&place.run(&["import", "a.dump", "--store", &by_file]).ok());
            assert_eq!(restored["digest"], told["digest"], "{from} to {to}");
            place.pipe(&["import", "-", "--store", &by_pipe], &piped.stdout).ok();
            for store in [by_file, by_pipe] {
                assert_eq!(contents(&place, &store), before, "{from} to {to}");
                // What is written afterwards is above all that was given before, here or there.
                let revision: u64 =
                    place.run(&["put", "jobs", "42", "1", "--store", &store]).ok().trim().parse().unwrap();
                let before = told["namespaces"][0]["revision"].as_u64().unwrap();
                assert!(revision > before, "{revision} after {before}");
                assert_eq!(place.run(&["append", "logs only", "l", "2", "--store", &store]).ok(), "2\n");
            }
        }
    }
}

#[test]
fn a_store_that_holds_something_is_replaced_only_when_told() {
    for engine in ENGINES {
        let place = filled(engine);
        place.run(&["backup", "a.dump"]).ok();
        let first: u64 = place.run(&["put", "jobs", "42", "\"later\""]).ok().trim().parse().unwrap();
        place.run(&["put", "newer", "k", "1"]).ok();
        place.run(&["restore", "a.dump"]).fails(4, &["not empty", "--replace", "nothing was touched"]);
        assert_eq!(place.run(&["get", "jobs", "42"]).ok(), "\"later\"\n");
        place.run(&["restore", "a.dump", "--replace"]).ok();
        assert_eq!(place.run(&["get", "jobs", "42"]).ok(), "{\"z\":1.50,\"a\":[null,false,\"\"]}\n");
        place.run(&["get", "newer", "k"]).fails(1, &["newer"]);
        let listed = json(place.run(&["list", "jobs"]).ok().lines().next().unwrap());
        assert!(listed["revision"].as_u64().unwrap() > first, "no revision is given twice: {listed}");
        let again: u64 = place.run(&["put", "newer", "k", "2"]).ok().trim().parse().unwrap();
        assert!(again > first);
        if *engine == "json" {
            assert!(!place.path("state.db/.next").exists(), "nothing is left of the rebuild");
        }
    }
}

#[test]
fn backups_have_dated_names_and_the_newest_are_kept() {
    for engine in ENGINES {
        let place = filled(engine);
        let other = place.write("bk-notes", "mine");
        let mut files = Vec::new();
        for number in 0..4 {
            place.run(&["put", "n", "k", &number.to_string()]).ok();
            let args = ["backup", "bk", "--keep", "2", "--zstd"];
            let told = json(&place.run(&args).ok());
            files.push(told["file"].as_str().unwrap().to_owned());
            assert_eq!(told.get("removed").is_some(), number >= 2, "{told}");
            place.write("bk/state-mine.dump", "not counted");
        }
        let mut left: Vec<String> = std::fs::read_dir(place.path("bk"))
            .unwrap()
            .map(|f| f.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        let mut expected: Vec<&str> =
            files[2..].iter().map(|file| Path::new(file).file_name().unwrap().to_str().unwrap()).collect();
        expected.push("state-mine.dump");
        assert_eq!(left, expected, "{engine}");
        assert!(other.exists());
        let mode = place.path(&files[3]).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "a backup is as private as its store");
        let newest = format!("{engine}:newest");
        place.run(&["restore", &files[3], "--store", &newest]).ok();
        assert_eq!(place.run(&["get", "n", "k", "--store", &newest]).ok(), "3\n");
    }
}

#[test]
fn a_backup_has_the_rights_of_its_store() {
    for engine in ENGINES {
        let place = Place::on(engine);
        let url = place.url("state.db?access=shared");
        place.run(&["put", "n", "k", "1", "--store", &url]).ok();
        place.run(&["export", "a.dump", "--store", &url]).ok();
        let mode = place.path("a.dump").metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o664, "{engine}");
    }
}

#[test]
fn nothing_is_made_or_touched_for_what_is_no_dump() {
    let place = filled(ENGINES[0]);
    place.write("empty", "");
    place.write("foreign", "{\"a\": 1}\n");
    let made = place.run(&["export", "a.dump"]).ok();
    assert!(made.contains("digest"));
    let dump = std::fs::read(place.path("a.dump")).unwrap();
    place.write("cut", &dump[..dump.len() - 10]);
    for engine in ENGINES {
        let store = format!("{engine}:new");
        for (file, code, words) in [
            ("empty", 5, "zero bytes"),
            ("foreign", 5, "no dump"),
            ("cut", 5, "cut short"),
            ("missing", 2, "cannot read the dump"),
            (".", 2, "plain file"),
        ] {
            for command in ["import", "restore"] {
                place.run(&[command, file, "--store", &store]).fails(code, &[file, words]);
            }
            place.run(&["verify", file]).fails(code, &[file, words]);
        }
        place
            .pipe(&["import", "-", "--store", &store], &dump[..dump.len() / 2])
            .fails(5, &["<stdin>", "record "]);
        assert!(!place.path("new").exists(), "{engine}");
    }
    place.run(&["export", "."]).fails(2, &["plain file"]);
    place.run(&["export", "x.dump", "--store", &place.url("not-there")]).fails(1, &["no store here"]);
    assert!(!place.path("x.dump").exists() && !place.path("not-there").exists());
}

/// Ten ways in which backups turn out to be none.
fn damages(dump: &[u8], other: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let lines: Vec<&[u8]> = dump.split_inclusive(|byte| *byte == b'\n').collect();
    let others: Vec<&[u8]> = other.split_inclusive(|byte| *byte == b'\n').collect();
    let flipped = |at: usize| {
        let mut bytes = dump.to_vec();
        bytes[at] ^= 4;
        bytes
    };
    let swapped = {
        let mut lines = lines.clone();
        lines.swap(2, 3);
        lines.concat()
    };
    let without = |at: usize| {
        lines.iter().enumerate().filter(|(n, _)| *n != at).flat_map(|(_, l)| l.to_vec()).collect()
    };
    vec![
        ("zero bytes", Vec::new()),
        ("cut in the middle", dump[..dump.len() / 2].to_vec()),
        ("without its last line", lines[..lines.len() - 1].concat()),
        ("a bit of its beginning", flipped(20)),
        ("a bit of a value", flipped(dump.len() / 3)),
        ("a bit of its last line", flipped(dump.len() - 20)),
        ("a record left out", without(2)),
        ("two records swapped", swapped),
        (
            "the end of another",
            [lines[..lines.len() - 1].concat(), others[others.len() - 1].to_vec()].concat(),
        ),
        ("zeros in its middle", {
            let mut bytes = dump.to_vec();
            let middle = bytes.len() / 2;
            bytes[middle..middle + 40].fill(0);
            bytes
        }),
    ]
}

#[test]
fn the_drill_proves_a_backup_and_finds_every_damage() {
    for engine in ENGINES {
        let place = filled(engine);
        let ran = place.run(&["drill"]).ok();
        assert!(ran.contains("proven") && ran.contains("jobs"), "{ran}");
        place.run(&["export", "good.dump"]).ok();
        let told = json(&place.run(&["drill", "--json", "--backup", "good.dump"]).ok());
        assert_eq!((&told["passed"], &told["differences"]), (&true.into(), &Value::Array(Vec::new())));
        let good = std::fs::read(place.path("good.dump")).unwrap();
        place.run(&["put", "jobs", "42", "\"another\""]).ok();
        place.run(&["export", "other.dump"]).ok();
        let other = std::fs::read(place.path("other.dump")).unwrap();
        let damages = damages(&good, &other);
        assert_eq!(damages.len(), 10);
        for (what, bytes) in damages {
            place.write("bad.dump", &bytes);
            let ran = place.run(&["drill", "--backup", "bad.dump"]);
            assert_eq!(ran.code, Some(5), "{engine}: {what}: {ran:?}");
            assert!(ran.err.contains("bad.dump") && ran.err.contains("record"), "{what}: {ran:?}");
        }
        place.run(&["drill", "--scratch", "not-there"]).fails(9, &["not-there"]);
        let left = std::fs::read_dir(std::env::temp_dir()).unwrap().flatten();
        let drills =
            left.filter(|found| found.file_name().to_string_lossy().starts_with(".statestore-drill-"));
        assert_eq!(
            drills.filter(|found| found.path().join("store").exists()).count(),
            0,
            "nothing is left of a drill"
        );
    }
}
