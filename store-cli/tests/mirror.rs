//! `mirror`, and stores that keep one, with real processes on every engine.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
#![cfg(unix)]

mod common;

use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use common::{ENGINES, Place, Ran};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// Far beyond what anything here takes: against hanging only.
const PATIENCE: Duration = Duration::from_mins(1);

/// A process that is killed when its test ends, however it ends.
struct Running(Option<Child>);

impl Running {
    fn start(mut command: Command) -> Self {
        Self(Some(command.spawn().unwrap()))
    }

    fn send(&self, signal: Signal) {
        let id = self.0.as_ref().unwrap().id();
        kill(Pid::from_raw(i32::try_from(id).unwrap()), signal).unwrap();
    }

    fn end(mut self) -> Ran {
        Ran::of(&["running"], &self.0.take().unwrap().wait_with_output().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The store of a place with its mirror `m` and more options.
fn mirrored(place: &Place, more: &str) -> String {
    place.url(&format!("state.db?mirror=m{more}"))
}

fn text(place: &Place, name: &str) -> Option<String> {
    std::fs::read_to_string(place.path(name)).ok()
}

fn lines(out: &str) -> Vec<Value> {
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Runs `--check` and returns its code, and the states by file.
fn check(place: &Place, more: &[&str]) -> (Option<i32>, Vec<(String, String)>) {
    let ran = place.run(&[&["mirror", "--check", "--dir", "m"], more].concat());
    let root = place.path("m");
    let found = lines(&ran.out).into_iter().map(|line| {
        let file = Path::new(line["file"].as_str().unwrap()).strip_prefix(&root).unwrap().to_owned();
        (file.to_str().unwrap().to_owned(), line["state"].as_str().unwrap().to_owned())
    });
    (ran.code, found.collect())
}

fn state(file: &str, state: &str) -> (String, String) {
    (file.to_owned(), state.to_owned())
}

#[test]
fn once_writes_what_is_not_fresh_and_check_tells_it() {
    for engine in ENGINES {
        let place = Place::on(engine);
        let once = |more: &[&str]| place.run(&[&["mirror", "--once", "--dir", "m"], more].concat());
        once(&[]).fails(1, &["state.db"]);
        place.run(&["put", "jobs", "a", r#"{"n":1.50}"#]).ok();
        place.run(&["put", "A/../b", "k", "1"]).ok();
        place.run(&["append", "jobs", "events", "[1, 2]"]).ok();
        assert_eq!(check(&place, &[]).0, Some(4), "nothing is written yet");
        assert!(!place.path("m").exists(), "a look makes nothing");
        let done = lines(&once(&[]).ok());
        assert_eq!(done.len(), 2);
        assert_eq!((&done[1]["namespace"], &done[1]["action"]), (&"jobs".into(), &"written".into()));
        assert_eq!(done[1]["file"], place.path("m/jobs.json").to_str().unwrap());
        assert_eq!(text(&place, "m/jobs.json").unwrap(), "{\n  \"a\": {\n    \"n\": 1.50\n  }\n}\n");
        assert_eq!(once(&[]).ok(), "");
        assert_eq!(once(&["--logs", "all"]).ok().lines().count(), 1);
        assert_eq!(text(&place, "m/jobs/events.jsonl").unwrap(), "[1,2]\n");
        let fresh = [state("%41%2F..%2Fb.json", "fresh"), state("jobs.json", "fresh")];
        assert_eq!(check(&place, &[]), (Some(0), fresh.to_vec()));
        place.run(&["put", "jobs", "a", "2"]).ok();
        place.run(&["put", "jobs", "a", "3"]).ok();
        let ran = place.run(&["mirror", "--check", "--dir", "m", "--namespace", "jobs"]);
        let found = lines(&ran.out);
        assert_eq!((found.len(), &found[0]["state"], &found[0]["behind"]), (1, &"stale".into(), &2.into()));
        ran.stops(4, &["1 stale", "--once"]);
        place.write("m/jobs.json", "{}\n");
        place.run(&["mirror", "--check", "--dir", "m"]).stops(5, &["1 drifted"]);
        std::fs::remove_file(place.path("m/jobs.json")).unwrap();
        assert_eq!(check(&place, &["--namespace", "jobs"]), (Some(5), vec![state("jobs.json", "missing")]));
        place.run(&["delete", "A/../b", "k"]).ok();
        assert_eq!(check(&place, &[]).1[0], state("%41%2F..%2Fb.json", "superfluous"));
        assert_eq!(once(&["--namespace", "jobs"]).ok().lines().count(), 1);
        assert_eq!(lines(&once(&[]).ok())[0]["action"], "removed");
        assert_eq!(check(&place, &["--logs", "all"]).0, Some(0));
    }
}

#[test]
fn a_command_that_writes_leaves_its_mirror_written() {
    for engine in ENGINES {
        let place = Place::on(engine);
        let url = mirrored(&place, "&mirror_debounce=30m&mirror_logs=1");
        let with = |args: &[&str]| place.run(&[args, &["--store", &url]].concat()).ok();
        with(&["put", "n", "k", "1"]);
        assert_eq!(text(&place, "m/n.json").unwrap(), "{\n  \"k\": 1\n}\n");
        with(&["append", "n", "l", "1"]);
        with(&["append", "n", "l", "2"]);
        assert_eq!(text(&place, "m/n/l.jsonl").unwrap(), "2\n");
        with(&["delete", "n", "k"]);
        assert_eq!(text(&place, "m/n.json").unwrap(), "{}\n");
        let info: Value = serde_json::from_str(&with(&["info"])).unwrap();
        let expected = serde_json::json!({"dir": place.path("m").to_str().unwrap(),
            "drifted": 0, "fresh": 2, "missing": 0, "stale": 0, "superfluous": 0});
        assert_eq!(info["mirror"], expected);
        assert_eq!(serde_json::from_str::<Value>(&place.run(&["info"]).ok()).unwrap()["mirror"], Value::Null);
        with(&["mirror", "--check"]);
    }
}

#[test]
fn a_mirror_that_cannot_be_written_fails_no_command() {
    let place = Place::new();
    let url = mirrored(&place, "");
    place.run(&["put", "n", "k", "1", "--store", &url]).ok();
    place.write("m/.mirror.json", "{\"statestore_mirror\": 9}");
    let ran = place.run(&["put", "n", "k", "2", "--store", &url]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.trim().parse::<u64>().is_ok() && ran.err.contains("format 9"), "{ran:?}");
    place.run(&["mirror", "--once", "--dir", "m"]).fails(5, &["format 9", "update this program"]);
    place.run(&["mirror", "--check", "--dir", "m"]).fails(5, &["format 9"]);
}

#[test]
fn what_cannot_be_is_usage() {
    let place = Place::new();
    place.run(&["put", "n", "k", "1"]).ok();
    place.run(&["mirror", "--once"]).fails(2, &["--dir", "[mirror]", "mirror=DIR"]);
    place.run(&["mirror", "--once", "--dir", "."]).fails(2, &["holds the store", "mirror"]);
    place.run(&["mirror", "--once", "--dir", "m", "--namespace", ""]).fails(2, &["must not be empty"]);
    for args in [&["mirror"][..], &["mirror", "--once", "--check"], &["mirror", "--once", "--logs", "0"]] {
        assert_eq!(place.run(args).code, Some(2), "{args:?}");
    }
    place.write(
        "own.toml",
        format!("[store]\nengine = '{0}'\npath = 'state.db'\n[mirror]\ndir = 'm'\n", place.engine),
    );
    assert_eq!(place.run(&["mirror", "--once", "--config", "own.toml"]).ok().lines().count(), 1);
}

#[test]
fn follow_shows_what_others_write_and_ends_on_a_signal() {
    for (engine, signal) in ENGINES.iter().zip([Signal::SIGTERM, Signal::SIGINT].iter().cycle()) {
        let place = Place::on(engine);
        place.run(&["put", "n", "k", "1"]).ok();
        let following = Running::start(place.command(["mirror", "--follow", "--dir", "m", "--logs", "all"]));
        until("the first pass", || text(&place, "m/n.json").is_some());
        place.run(&["put", "n", "k", "2"]).ok();
        place.run(&["append", "n", "l", "1"]).ok();
        until("what was put", || text(&place, "m/n.json").unwrap().contains('2'));
        until("what was appended", || text(&place, "m/n/l.jsonl").is_some());
        place.run(&["put", "n", "k", "3"]).ok();
        following.send(*signal);
        let ran = following.end();
        assert!(lines(&ran.out).iter().all(|line| line["namespace"] == "n"), "{ran:?}");
        ran.ok();
        assert!(text(&place, "m/n.json").unwrap().contains('3'), "what was left is written at the end");
        assert_eq!(check(&place, &["--logs", "all"]).0, Some(0));
    }
}

/// A reader sees only whole files, and a number that grows in the store never shrinks in the mirror, while
/// processes write, and are killed, and others go on.
#[test]
fn the_mirror_is_whole_and_never_goes_back_though_writers_are_killed() {
    for engine in ENGINES {
        let place = Place::on(engine);
        place.run(&["put", "n", "k", "0"]).ok();
        let url = mirrored(&place, "&mirror_debounce=0&mirror_logs=all&timeout=30s");
        let filler = "x".repeat(3000);
        place.write("input", format!("\"{filler}\"\n").repeat(5000));
        let mut last = 0;
        let mut seen = 0_u32;
        let mut look = || {
            let Some(log) = text(&place, "m/n/l.jsonl") else { return };
            let count = log.lines().filter(|line| *line == format!("\"{filler}\"")).count();
            assert!(log.is_empty() || log.ends_with('\n'), "{engine}: half a file");
            assert_eq!(log.lines().count(), count, "{engine}: a line that nobody wrote");
            assert!(count >= last, "{engine}: {count} after {last}");
            seen += u32::from(count > last);
            last = count;
        };
        for _ in 0..4 {
            let writers: Vec<_> = (0..2)
                .map(|_| {
                    let args = ["append", "n", "l", "--lines", "--each", "--store", &url];
                    let mut command = place.command(args);
                    command.stdin(std::fs::File::open(place.path("input")).unwrap());
                    command.stdout(std::process::Stdio::null());
                    Running::start(command)
                })
                .collect();
            let until = Instant::now() + Duration::from_millis(400);
            while Instant::now() < until {
                look();
            }
            for writer in &writers {
                writer.send(Signal::SIGKILL);
            }
            drop(writers);
            look();
        }
        let (code, states) = check(&place, &["--logs", "all"]);
        assert!(matches!(code, Some(0 | 4)), "{engine}: {states:?}");
        place.run(&["put", "n", "k", "1", "--store", &url]).ok();
        look();
        assert_eq!(check(&place, &["--logs", "all"]).0, Some(0), "{engine}: the next writer catches up");
        let left = common::names(&place.path("m"));
        assert_eq!(left, [".mirror.gate", ".mirror.json", "n", "n.json"], "{engine}");
        assert!(seen > 0, "{engine}: nothing was seen to grow");
        let kept = place.run(&["logs", "n"]).ok();
        let kept: Value = serde_json::from_str(kept.lines().next().unwrap()).unwrap();
        assert_eq!(
            kept["last"].as_u64().unwrap(),
            text(&place, "m/n/l.jsonl").unwrap().lines().count() as u64
        );
    }
}
