//! `migrate`: from engine to engine, with writers that go on until they are told where to.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Stdio};

use common::{ENGINES, Place};
use serde_json::Value;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// A process that appends line after line and prints the number of each that it was acknowledged.
fn writer(place: &Place, store: &str) -> Child {
    let args = ["append", "bus", "events", "--lines", "--each", "--store", store];
    place.command(args).stdin(Stdio::piped()).spawn().unwrap()
}

#[test]
fn a_store_moves_around_all_engines_while_others_write() {
    let place = Place::on(ENGINES[0]);
    let mut from = place.url("state.db");
    place.run(&["put", "bus", "k", "{\"a\": 1.50}"]).ok();
    let mut acknowledged = 0;
    for (number, engine) in ENGINES.iter().cycle().skip(1).take(ENGINES.len().max(2)).enumerate() {
        let to = format!("{engine}:{}", place.path(&format!("moved-{number}")).display());
        let mut writers: Vec<Child> = (0..4).map(|_| writer(&place, &from)).collect();
        let feeders: Vec<_> = writers
            .iter_mut()
            .map(|writer| {
                let mut stdin = writer.stdin.take().unwrap();
                // It ends when the writer does.
                std::thread::spawn(move || while stdin.write_all(b"{\"n\":1}\n").is_ok() {})
            })
            .collect();
        // Each has written before the store moves.
        let heard: Vec<_> = writers
            .iter_mut()
            .map(|writer| {
                let mut lines = BufReader::new(writer.stdout.take().unwrap()).lines();
                lines.next().unwrap().unwrap();
                lines
            })
            .collect();
        let counters: Vec<_> =
            heard.into_iter().map(|lines| std::thread::spawn(move || lines.count() as u64 + 1)).collect();
        let told = json(&place.run(&["migrate", "--to", &to, "--store", &from, "--timeout", "60s"]).ok());
        for mut writer in writers {
            let mut said = String::new();
            std::io::Read::read_to_string(&mut writer.stderr.take().unwrap(), &mut said).unwrap();
            assert_eq!(writer.wait().unwrap().code(), Some(5), "{said}");
            assert!(said.contains("moved") && said.contains(&to), "{said}");
        }
        acknowledged += counters.into_iter().map(|counter| counter.join().unwrap()).sum::<u64>();
        for feeder in feeders {
            feeder.join().unwrap();
        }
        let logs = json(&place.run(&["logs", "bus", "--store", &to]).ok());
        assert_eq!(
            logs["last"], acknowledged,
            "every acknowledged append is there, and none that was refused"
        );
        assert_eq!(told["entries"], acknowledged);
        for args in
            [&["get", "bus", "k"][..], &["put", "bus", "k", "1"], &["info"], &["namespaces"], &["export"]]
        {
            let args: Vec<&str> = args.iter().copied().chain(["--store", &from]).collect();
            place.run(&args).fails(5, &["moved", &to]);
        }
        assert_eq!(place.run(&["get", "bus", "k", "--store", &to]).ok(), "{\"a\":1.50}\n");
        from = to;
    }
}

#[test]
fn a_place_is_not_moved_to_itself_nor_over_what_is_there() {
    for engine in ENGINES {
        let place = Place::on(engine);
        place.run(&["put", "n", "k", "1"]).ok();
        std::os::unix::fs::symlink(place.path("state.db"), place.path("link")).unwrap();
        for to in ["state.db", "./state.db", "link"] {
            place.run(&["migrate", "--to", &place.url(to)]).fails(2, &["cannot move to where it lies"]);
        }
        let other = place.url("other");
        place.run(&["put", "theirs", "k", "2", "--store", &other]).ok();
        place.run(&["migrate", "--to", &other]).fails(4, &["not empty", "\"theirs\""]);
        assert_eq!(place.run(&["get", "n", "k"]).ok(), "1\n");
        place.run(&["migrate", "--to", &place.url("nowhere?create=false")]).stops(1, &["no store here"]);
        place.run(&["migrate", "--to", &other, "--replace", "--keep-old"]).ok();
        assert_eq!(place.run(&["get", "n", "k", "--store", &other]).ok(), "1\n");
        place.run(&["put", "n", "k", "3"]).ok();
        place.run(&["migrate", "--to", &other, "--replace"]).ok();
        assert_eq!(place.run(&["get", "n", "k", "--store", &other]).ok(), "3\n");
        place.run(&["get", "n", "k"]).fails(5, &["moved", "other"]);
        place.run(&["migrate", "--to", &place.url("third")]).fails(5, &["moved", "other"]);
        assert!(!place.path("third").exists());
    }
}
