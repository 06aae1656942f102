//! `import-json`: what people have becomes state, whole or not at all.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::time::{Duration, Instant};

use common::{ENGINES, Place, names, numbers};

const INTO: [&str; 2] = ["--namespace", "n"];

fn import(place: &Place, args: &[&str]) -> common::Ran {
    place.run(&[&["import-json"][..], &INTO, args].concat())
}

fn pipe(place: &Place, args: &[&str], text: impl AsRef<[u8]>) -> common::Ran {
    place.pipe(&[&["import-json", "-"][..], &INTO, args].concat(), text)
}

fn object(place: &Place) -> String {
    place.run(&["object", "n"]).ok().trim().to_owned()
}

fn entries(place: &Place, log: &str) -> Vec<String> {
    let lines = place.run(&["log", "n", log]).ok();
    let entry = |line: &str| line.split_once("\"entry\":").unwrap().1.strip_suffix('}').unwrap().to_owned();
    lines.lines().map(entry).collect()
}

#[test]
fn an_object_becomes_the_object_and_keeps_its_text() {
    for engine in ENGINES {
        let place = Place::on(engine);
        place.write("jobs.json", "{\"b\" : {\"z\": 1.50, \"a\": 12345678901234567890123},\n \"a\": 1e400}\n");
        let out = import(&place, &["jobs.json"]).ok();
        assert!(out.starts_with("{\"namespace\":\"n\",\"keys\":2,\"revision\":"), "{out}");
        assert_eq!(object(&place), r#"{"a":1e400,"b":{"z":1.50,"a":12345678901234567890123}}"#);
    }
}

#[test]
fn an_array_or_json_lines_become_a_log() {
    for engine in ENGINES {
        let place = Place::on(engine);
        place.write("events.json", "[1, {\"b\": 1.50, \"a\": 2},\n \"x\"]");
        let line = |log: &str, n: u64| {
            format!("{{\"namespace\":\"n\",\"log\":\"{log}\",\"entries\":{n},\"first\":1,\"last\":{n}}}\n")
        };
        assert_eq!(import(&place, &["events.json"]).ok(), line("events", 3));
        assert_eq!(entries(&place, "events"), ["1", "{\"b\":1.50,\"a\":2}", "\"x\""]);
        assert_eq!(pipe(&place, &[], "{\"a\": 1}\r\n{\"a\": 2}").ok(), line("items", 2));
        assert_eq!(pipe(&place, &["--log", "one"], "{\"a\": 1}\n").ok(), line("one", 1));
        place.write("rows.jsonl", "[1]\n");
        assert_eq!(import(&place, &["rows.jsonl"]).ok(), line("rows", 1));
        assert_eq!(entries(&place, "rows"), ["[1]"]);
        assert_eq!(object(&place), "{}");
        let none = import(&place, &["--log", "none", "-"]);
        assert_eq!((none.code, none.out.as_str(), none.err.as_str()), (Some(0), "", ""));
    }
}

#[test]
fn a_field_makes_an_object_of_an_array() {
    let place = Place::new();
    let by_id = ["--key-field", "id"];
    pipe(&place, &by_id, "[{\"id\": \"b\", \"n\": 1.0}, {\"n\": 2, \"id\": 7}]").ok();
    assert_eq!(object(&place), r#"{"7":{"n":2,"id":7},"b":{"id":"b","n":1.0}}"#);
    pipe(&place, &["--key-field", "id", "--replace"], "{\"id\": 1}\n").ok();
    assert_eq!(object(&place), r#"{"1":{"id":1}}"#);
    let replace = ["--key-field", "id", "--replace"];
    for (text, parts) in [
        (
            "[{\"id\":1},\n{\"id\":\"1\"}]",
            &["<stdin>", "element 2 at line 2", "\"1\"", "element 1 at line 1"][..],
        ),
        ("[{\"id\":1},\n{\"ID\":1}]", &["element 2 at line 2 has no field \"id\""]),
        ("{\"id\":1}\n{\"id\":[]}\n", &["element 2 at line 2", "neither text nor number"]),
        ("[1]", &["element 1 at line 1 is no object"]),
        ("{\n\"id\": {}}", &["leave the key field away"]),
    ] {
        pipe(&place, &replace, text).fails(2, parts);
    }
    assert_eq!(object(&place), r#"{"1":{"id":1}}"#);
}

#[test]
fn what_is_malformed_is_named_and_nothing_is_written() {
    for engine in ENGINES {
        let place = Place::on(engine);
        for (text, parts) in [
            (&b" "[..], &["old.json", "line 1 column 2", "no value"][..]),
            (b"{\"a\": 1,\n \"b\": tru}", &["old.json", "line 2 column 10"]),
            (b"{\"a\": 1", &["line 1 column 8"]),
            (b"{\"a\": 1, \"a\": 2}", &["\"a\" is there twice"]),
            (b"{\"a\": 1}}", &["line 1 column 9"]),
            (b"{\n\"a\": 1}\n{\"b\": 2}", &["line 3 column 1"]),
            (b"{\"a\": 1}\n{\"b\": }\n", &["line 2 column 7"]),
            (b"[1,\n2,]", &["line 2 column 3"]),
            (b"1\n\n2\n", &["line 2 column 1"]),
            (b"7", &["neither object nor array"]),
            (b"{\"\": 1}", &["a key must not be empty"]),
            (b"\xef\xbb\xbf{}", &["byte order mark"]),
            (b"{\"a\": \"\xff\"}", &["line 1 column 8", "UTF-8"]),
            (b"{\"a\": \"\\udc00\"}", &["line 1 column 8", "surrogate"]),
            (b"\0\0\0\0", &["line 1 column 1"]),
        ] {
            place.write("old.json", text);
            import(&place, &["old.json"]).fails(2, parts);
        }
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(129), "]".repeat(129));
        pipe(&place, &[], deep).fails(2, &["<stdin>", "128"]);
        import(&place, &["none.json"]).fails(2, &["none.json", "cannot read"]);
        import(&place, &["."]).fails(2, &["cannot read"]);
        assert_eq!(names(&place.path(".")), ["old.json"], "a store was made on {engine}");
    }
}

#[test]
fn zero_bytes_are_empty_quietly_and_nothing_else_is() {
    for engine in ENGINES {
        let place = Place::on(engine);
        place.write("jobs.json", "");
        assert_eq!(import(&place, &["jobs.json"]).ok(), "");
        assert_eq!(names(&place.path(".")), ["jobs.json"], "a store was made on {engine}");
        place.run(&["put", "n", "k", "1"]).ok();
        place.run(&["append", "n", "jobs", "1"]).ok();
        assert_eq!(import(&place, &["jobs.json"]).ok() + &import(&place, &["jobs.json", "--merge"]).ok(), "");
        assert_eq!(object(&place), "{\"k\":1}");
        assert!(
            import(&place, &["jobs.json", "--replace"]).ok().starts_with("{\"namespace\":\"n\",\"keys\":0,")
        );
        assert_eq!((object(&place).as_str(), entries(&place, "jobs").len()), ("{}", 1));
        let emptied = import(&place, &["jobs.json", "--replace", "--log", "jobs"]).ok();
        assert_eq!(
            emptied,
            "{\"namespace\":\"n\",\"log\":\"jobs\",\"entries\":0,\"first\":null,\"last\":null}\n"
        );
        assert_eq!(entries(&place, "jobs").len(), 0);
    }
}

#[test]
fn a_second_run_is_refused_unless_it_is_told() {
    for engine in ENGINES {
        let place = Place::on(engine);
        place.write("jobs.json", "{\"a\": 1, \"b\": 2}");
        place.write("events.json", "[1, 2]");
        import(&place, &["jobs.json"]).ok();
        import(&place, &["events.json"]).ok();
        place.run(&["put", "n", "c", "3"]).ok();
        import(&place, &["jobs.json"]).fails(4, &["\"n\"", "holds keys already (3)", "replace or to merge"]);
        import(&place, &["events.json"]).fails(4, &["\"n\" \"events\"", "holds entries already (2)"]);
        import(&place, &["events.json", "--merge"]).fails(2, &["append NAMESPACE LOG --lines"]);
        assert_eq!(entries(&place, "events"), ["1", "2"]);
        place.write("jobs.json", "{\"a\": 10}");
        import(&place, &["jobs.json", "--merge"]).ok();
        assert_eq!(object(&place), r#"{"a":10,"b":2,"c":3}"#);
        import(&place, &["jobs.json", "--replace"]).ok();
        assert_eq!(object(&place), r#"{"a":10}"#);
        let out = import(&place, &["events.json", "--replace"]).ok();
        assert!(out.ends_with("\"entries\":2,\"first\":3,\"last\":4}\n"), "{out}");
        assert_eq!(entries(&place, "events"), ["1", "2"]);
        // What was emptied can be imported again.
        place.run(&["trim", "n", "events", "--before", "9"]).ok();
        place.run(&["delete", "n", "a"]).ok();
        import(&place, &["events.json"]).ok();
        import(&place, &["jobs.json"]).ok();
    }
}

#[test]
fn wrong_usage_is_refused() {
    let place = Place::new();
    for args in [
        &["import-json", "--namespace", "n"][..],
        &["import-json", "f.json"],
        &["import-json", "f.json", "--dir", ".", "--namespace", "n"],
        &["import-json", "f.json", "--namespace", "n", "--replace", "--merge"],
        &["import-json", "--dir", ".", "--namespace", "n", "--log", "l"],
        &["import-json", "f.json", "--namespace", "n", "--log", "l", "--key-field", "f"],
        &["import-json", "f.json", "--namespace", ""],
        &["import-json", "f.json", "--namespace", "n", "--log", ""],
    ] {
        let ran = place.run(args);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{ran:?}");
    }
    let long = format!("{}.jsonl", "x".repeat(65));
    place.write(&long, "1\n");
    import(&place, &[&long]).fails(2, &["at most 64 bytes", "name the log with --log"]);
}

mod folders {
    use super::{ENGINES, INTO, Place, import, names, object};

    fn folder(place: &Place) {
        std::fs::create_dir(place.path("jobs")).unwrap();
    }

    #[test]
    fn each_file_becomes_a_key() {
        for engine in ENGINES {
            let place = Place::on(engine);
            folder(&place);
            for (name, text) in [
                ("b.json", "{\"n\" : 1.50}\n"),
                ("a.b.json", "[1]"),
                (" ä'.json", "null"),
                ("empty.json", ""),
                (".hidden.json", "{"),
                ("b.json.tmp", "{"),
                ("README", "{"),
                ("JSON.JSON", "{"),
            ] {
                place.write(&format!("jobs/{name}"), text);
            }
            std::fs::create_dir(place.path("jobs/sub.json")).unwrap();
            place.write("jobs/sub.json/c.json", "1");
            let ran = import(&place, &["--dir", "jobs"]);
            assert_eq!(ran.code, Some(0), "{ran:?}");
            assert!(ran.out.starts_with("{\"namespace\":\"n\",\"keys\":3,"), "{ran:?}");
            let said = "skipped in jobs: 1 of zero bytes, 1 hidden, 3 not ending in .json, 1 folders";
            assert!(ran.err.contains(said), "{ran:?}");
            assert_eq!(object(&place), r#"{" ä'":null,"a.b":[1],"b":{"n":1.50}}"#);
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed() {
        let place = Place::new();
        folder(&place);
        place.write("secret.json", "1");
        place.write("jobs/a.json", "1");
        std::os::unix::fs::symlink(place.path("secret.json"), place.path("jobs/link.json")).unwrap();
        std::os::unix::fs::symlink("a.json", place.path("jobs/near.json")).unwrap();
        std::os::unix::fs::symlink("nowhere", place.path("jobs/broken.json")).unwrap();
        let ran = import(&place, &["--dir", "jobs"]);
        assert!(ran.code == Some(0) && ran.err.contains("3 symbolic links or no files"), "{ran:?}");
        assert_eq!(object(&place), r#"{"a":1}"#);
    }

    #[test]
    fn one_bad_file_and_nothing_is_written() {
        for engine in ENGINES {
            let place = Place::on(engine);
            folder(&place);
            place.write("jobs/a.json", "1");
            place.write("jobs/b.json", "{\n\"b\":}");
            import(&place, &["--dir", "jobs"]).fails(2, &["jobs/b.json", "line 2 column 5"]);
            assert_eq!(names(&place.path(".")), ["jobs"], "a store was made on {engine}");
            place.write("jobs/b.json", " ");
            import(&place, &["--dir", "jobs"]).fails(2, &["jobs/b.json", "no value"]);
            place.write("jobs/b.json", "2");
            import(&place, &["--dir", "jobs"]).ok();
            import(&place, &["--dir", "jobs"]).fails(4, &["holds keys already (2)"]);
            std::fs::remove_file(place.path("jobs/a.json")).unwrap();
            import(&place, &["--dir", "jobs", "--replace"]).ok();
            assert_eq!(object(&place), r#"{"b":2}"#);
        }
        let place = Place::new();
        place.write("file", "");
        std::fs::create_dir(place.path("bare")).unwrap();
        assert_eq!(import(&place, &["--dir", "bare"]).ok(), "");
        assert_eq!(names(&place.path(".")), ["bare", "file"]);
        for dir in ["none", "file"] {
            place.run(&[&["import-json", "--dir", dir][..], &INTO].concat()).fails(2, &[dir, "cannot read"]);
        }
    }
}

/// The ticket of the last process that began to wait for the gate.
fn ticket(place: &Place) -> Vec<u8> {
    std::fs::read(place.gate()).unwrap()[24..32].to_vec()
}

/// Holds the gate while `each` of the children is started, and waits until it is in the line behind those before.
fn in_line(place: &Place, children: &[&dyn Fn() -> std::process::Child]) -> Vec<std::process::Child> {
    let gate = std::fs::File::options().read(true).write(true).open(place.gate()).unwrap();
    gate.lock().unwrap();
    let mut started = Vec::new();
    for start in children {
        let before = ticket(place);
        started.push(start());
        let deadline = Instant::now() + Duration::from_mins(1);
        while ticket(place) == before {
            assert!(Instant::now() < deadline, "nobody came to the gate");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    // It has said that it waits; a moment later it does.
    std::thread::sleep(Duration::from_millis(300));
    started
}

#[test]
fn a_writer_between_the_look_and_the_commit_is_a_conflict() {
    for engine in ENGINES {
        let place = Place::on(engine);
        place.run(&["put", "other", "k", "1"]).ok();
        place.write("jobs.json", "{\"a\": 1}");
        place.write("events.json", "[1, 2]");
        let patient = ["--timeout", "60s"];
        let import = |file: &str| place.start(&[&["import-json", file][..], &INTO, &patient].concat(), b"");
        let put = || place.start(&[&["put", "n", "k", "1"][..], &patient].concat(), b"");
        let append = || place.start(&[&["append", "n", "events", "0"][..], &patient].concat(), b"");
        let (jobs, events) = (|| import("jobs.json"), || import("events.json"));
        for (writer, importer, part) in [
            (&put as &dyn Fn() -> _, &jobs as &dyn Fn() -> _, "object \"n\""),
            (&append, &events, "log \"events\""),
        ] {
            let mut both = in_line(&place, &[writer, importer]).into_iter();
            let writer = both.next().unwrap().wait_with_output().unwrap();
            assert!(writer.status.success(), "{engine}: {writer:?}");
            let importer = both.next().unwrap().wait_with_output().unwrap();
            common::Ran::of(&["import-json"], &importer).fails(4, &["conflict", part]);
        }
        assert_eq!(object(&place), "{\"k\":1}");
        assert_eq!(entries(&place, "events"), ["0"]);
    }
}

#[test]
fn an_import_that_is_killed_before_its_commit_leaves_nothing() {
    for engine in ENGINES {
        let place = Place::on(engine);
        place.run(&["put", "n", "k", "1"]).ok();
        place.write("jobs.json", "{\"a\": 1}");
        let args = ["import-json", "jobs.json", "--namespace", "n", "--replace", "--timeout", "60s"];
        let mut child = in_line(&place, &[&|| place.start(&args, b"")]).remove(0);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(object(&place), "{\"k\":1}", "{engine}");
        place.run(&args).ok();
        assert_eq!(object(&place), "{\"a\":1}", "{engine}");
    }
}

#[test]
fn large_inputs_are_one_commit() {
    for engine in ENGINES {
        let place = Place::on(engine);
        let rows: Vec<_> = (0..50_000).map(|n| format!("{{\"id\":{n},\"text\":\"value {n}\"}}")).collect();
        place.write("rows.json", format!("[{}]", rows.join(",\n")));
        let out = import(&place, &["rows.json", "--key-field", "id"]).ok();
        assert!(out.contains("\"keys\":50000,"), "{out}");
        assert_eq!(place.run(&["get", "n", "49999"]).ok().trim(), rows[49_999]);
        let out = import(&place, &["rows.json"]).ok();
        assert!(out.ends_with("\"log\":\"rows\",\"entries\":50000,\"first\":1,\"last\":50000}\n"), "{out}");
        assert_eq!(place.run(&["list", "n"]).ok().lines().count(), 50_000);
    }
}

#[test]
fn the_batch_limit_is_raised_up_to_the_ceiling() {
    let place = Place::new();
    let url = place.url("state.db?max_batch=1MiB&max_value=1MiB");
    let text = "x".repeat(1000);
    let lines = |count: usize| format!("\"{text}\"\n").repeat(count);
    place.write("large.jsonl", lines(2000));
    import(&place, &["large.jsonl", "--store", &url]).ok();
    assert_eq!(place.run(&["logs", "n"]).ok(), "{\"log\":\"large\",\"first\":1,\"last\":2000}\n");
    place.write("large.jsonl", lines(280_000));
    import(&place, &["large.jsonl", "--replace"])
        .fails(2, &["too large", "one transaction takes at most", "split"]);
    assert_eq!(place.run(&["logs", "n"]).ok(), "{\"log\":\"large\",\"first\":1,\"last\":2000}\n");
    pipe(&place, &[], format!("{{\"big\":\"{}\"}}", "x".repeat(17 << 20)))
        .fails(2, &["\"n\" \"big\"", "limit"]);
    assert_eq!(pipe(&place, &["--log", "count"], numbers(3)).ok().lines().count(), 1);
}
