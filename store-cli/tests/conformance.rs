//! The suite of real processes as a command.

#![cfg(all(feature = "conformance", target_os = "linux"))]

mod common;

use std::os::unix::fs::PermissionsExt;

use common::{ENGINES, Place};

/// Makes the folder one that the users of the suite's cases can get to.
#[expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]
fn place() -> Place {
    let place = Place::new();
    std::fs::set_permissions(place.path("."), std::fs::Permissions::from_mode(0o755)).unwrap();
    place
}

#[test]
fn every_engine_is_tried_in_the_folder_that_is_named() {
    let place = place();
    let case = "atomic::writes_apply_in_order";
    let ran = place.run(&["conformance", "--at", "made/here", "--filter", case, "--seed", "7"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for engine in ENGINES {
        assert!(ran.out.contains(&format!("{engine}::{case}")), "{ran:?}");
    }
    assert_eq!(std::fs::read_dir(place.path("made/here")).unwrap().count(), 0, "what it left");
}

#[test]
fn its_workers_are_processes_of_the_program() {
    let case = "linearizable::no_process_reads_what_was_replaced";
    let ran = place().run(&["conformance", "--at", ".", "--filter", case, "--backend", ENGINES[0]]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("1 passed"), "{ran:?}");
}

#[test]
fn cases_are_listed_and_what_is_unknown_is_refused() {
    let place = place();
    let listed = place.run(&["conformance", "--list"]).ok();
    for engine in ENGINES {
        assert!(listed.lines().filter(|line| line.starts_with(&format!("{engine}::"))).count() > 100);
    }
    place.run(&["conformance", "--at", ".", "--backend", "tape"]).fails(2, &["\"tape\"", ENGINES[0]]);
    place.run(&["conformance", "--at", ".", "--filter", "no such case"]).stops(2, &["no case"]);
    place.write("file", "");
    place.run(&["conformance", "--at", "file/below", "--filter", "atomic"]).fails(2, &["file/below"]);
}

#[test]
fn a_report_is_written_in_every_form() {
    let place = place();
    let case = "atomic::writes_apply_in_order";
    let ran = place.run(&[
        "conformance",
        "--at",
        ".",
        "--filter",
        case,
        "--seed",
        "7",
        "--report",
        "out.html",
        "--json",
        "out.json",
        "--junit",
        "out.xml",
    ]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let cases = ENGINES.len();
    assert!(ran.out.contains(&format!("{cases} passed, 0 failed, 0 ignored")), "{ran:?}");
    assert!(ran.out.contains("promise") && ran.out.contains("1 passed"), "the table: {ran:?}");
    let text = std::fs::read_to_string(place.path("out.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["about"]["seed"], 7);
    assert_eq!(json["cases"].as_array().unwrap().len(), cases);
    assert!(json["cases"].as_array().unwrap().iter().all(|case| case["verdict"]["is"] == "passed"), "{json}");
    let page = std::fs::read_to_string(place.path("out.html")).unwrap();
    assert!(page.contains("writes apply in order") && !page.contains("http"), "{page}");
    let junit = std::fs::read_to_string(place.path("out.xml")).unwrap();
    assert!(junit.contains(&format!("tests=\"{cases}\"")), "{junit}");
}

#[test]
fn what_cannot_be_is_refused_before_anything_runs() {
    let place = place();
    let run = |more: &[&str]| {
        let args = [&["conformance", "--at", ".", "--filter", "writes_apply_in_order"], more].concat();
        place.run(&args)
    };
    for outlet in ["--report", "--json", "--junit"] {
        run(&[outlet, "no/such/folder/out"]).fails(2, &["no/such/folder/out"]);
        run(&[outlet, "."]).fails(2, &["folder"]);
    }
    run(&["--minutes", "5"]).fails(2, &["--profile full"]);
    assert_eq!(run(&["--minutes", "0", "--profile", "full"]).code, Some(2));
    assert_eq!(run(&["--threads", "0"]).code, Some(2));
}
