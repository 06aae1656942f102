//! `append --lines`: batches, single commits, and bad lines.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use common::{Place, numbers};

const LINES: [&str; 4] = ["append", "bus", "events", "--lines"];
const EACH: [&str; 5] = ["append", "bus", "events", "--lines", "--each"];

fn kept(place: &Place) -> String {
    let lines = place.run(&["log", "bus", "events"]).ok();
    lines
        .lines()
        .map(|line| line.split_once("\"entry\":").unwrap().1.strip_suffix('}').unwrap().to_owned() + " ")
        .collect()
}

#[test]
fn the_last_line_counts_without_its_end() {
    for args in [&LINES[..], &EACH] {
        let place = Place::new();
        assert_eq!(place.pipe(args, "1\n [2, 3] \r\n\"x\"").ok(), "1\n2\n3\n");
        assert_eq!(kept(&place), "1 [2,3] \"x\" ");
        assert_eq!(place.pipe(args, "").ok(), "");
    }
}

#[test]
fn a_bad_line_is_named_and_those_before_it_stand() {
    for args in [&LINES[..], &EACH] {
        for (bad, parts) in [
            (&b"{\"x\":}"[..], &["line 3 column 6", "the 2 lines before are in the log"][..]),
            (b"", &["line 3 column 1", "no value"]),
            (b"1 2", &["line 3 column 3"]),
            (b"\"\xff\"", &["line 3 column 2", "not UTF-8"]),
            (b"\"\\ud800\"", &["line 3 column 2", "surrogate"]),
            (b"[1,", &["line 3 column 4"]),
        ] {
            let place = Place::new();
            let text = [b"1\n2\n", bad, b"\n4\n"].concat();
            assert_eq!(place.pipe(args, text).stops(2, parts), "1\n2\n");
            assert_eq!(kept(&place), "1 2 ");
        }
    }
}

#[test]
fn a_bad_first_line_appends_nothing() {
    let place = Place::new();
    place.pipe(&LINES, "{]\n1\n").fails(2, &["line 1 column 2", "no line is in the log"]);
    place.pipe(&EACH, "\n1\n").fails(2, &["line 1 column 1", "no line is in the log"]);
    assert_eq!(kept(&place), "");
}

#[test]
fn a_value_over_the_limit_is_a_bad_line() {
    let place = Place::new();
    let large = format!("1\n\"{}\"\n3\n", "x".repeat(16 << 20));
    let out = place.pipe(&LINES, large).stops(2, &["too large", "line 2", "the 1 line before is in the log"]);
    assert_eq!((out.as_str(), kept(&place).as_str()), ("1\n", "1 "));
}

#[test]
fn a_bad_line_far_behind_leaves_all_batches_before_it() {
    let place = Place::new();
    let text = numbers(1000) + "nul\n";
    let parts = ["line 1001 column 4", "the 1000 lines before are in the log"];
    let out = place.pipe(&LINES, text).stops(2, &parts);
    assert_eq!(out.lines().count(), 1000);
    assert_eq!(place.run(&["logs", "bus"]).ok(), "{\"log\":\"events\",\"first\":1,\"last\":1000}\n");
}

#[test]
fn a_line_is_committed_before_the_next_one_comes() {
    let place = Place::new();
    let mut child = place.command(LINES).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
    for n in 1..=3 {
        writeln!(stdin, "{n}").unwrap();
        assert_eq!(stdout.next().unwrap().unwrap(), n.to_string());
        assert_eq!(kept(&place).split(' ').count(), n + 1);
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_commit_that_fails_says_what_stands() {
    let place = Place::new();
    place.run(&["append", "bus", "events", "0"]).ok();
    let mut child =
        place.command([&EACH[..], &["--timeout", "300ms"]].concat()).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
    writeln!(stdin, "1").unwrap();
    assert_eq!(stdout.next().unwrap().unwrap(), "2");
    let gate = std::fs::File::options().read(true).write(true).open(place.gate()).unwrap();
    gate.lock().unwrap();
    writeln!(stdin, "2\n3").unwrap();
    let output = child.wait_with_output().unwrap();
    drop(gate);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("the 1 line before is in the log; line 2 and what follows are not"), "{said}");
    assert_eq!(kept(&place), "0 1 ");
}

#[test]
fn many_processes_append_at_once() {
    let place = Place::new();
    let children: Vec<_> = (0..4)
        .map(|process| {
            let lines: Vec<_> = (0..50).map(|n| format!("[{process},{n}]")).collect();
            place.start(&EACH, lines.join("\n").as_bytes())
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    let kept = kept(&place);
    for process in 0..4 {
        let mine: Vec<_> = kept.split(' ').filter(|text| text.starts_with(&format!("[{process},"))).collect();
        let sent: Vec<_> = (0..50).map(|n| format!("[{process},{n}]")).collect();
        assert_eq!(mine, sent);
    }
}
