//! `adopt`: files that people changed count, and say so.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use common::Place;

#[test]
fn engines_without_files_for_people_say_so() {
    for engine in common::ENGINES.iter().filter(|engine| **engine != "json") {
        let place = Place::on(engine);
        place.run(&["put", "n", "k", "1"]).ok();
        for args in [&["adopt"][..], &["adopt", "n"]] {
            place.run(args).fails(9, &["unsupported", engine, "json:FOLDER", "statestore edit"]);
        }
        place.run(&["adopt", ""]).fails(2, &["invalid input"]);
    }
}

#[cfg(feature = "jsonfile")]
mod json {
    use serde_json::Value;

    use super::common::Place;

    fn change(place: &Place, file: &str, from: &str, to: &str) {
        let text = std::fs::read_to_string(place.path(file)).unwrap();
        assert!(text.contains(from), "{text}");
        place.write(file, text.replace(from, to));
    }

    #[test]
    fn a_changed_file_is_refused_until_it_is_adopted() {
        let place = Place::on("json");
        let first: u64 = place.run(&["put", "n", "k", "\"before\""]).ok().trim().parse().unwrap();
        place.run(&["put", "other", "k", "1"]).ok();
        let ran = place.run(&["adopt"]);
        assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""), "{ran:?}");
        assert!(ran.err.contains("nothing had to be adopted"), "{ran:?}");
        change(&place, "state.db/n.json", "\"before\"", "\"after, by hand\"");
        place.run(&["get", "n", "k"]).fails(5, &["n.json", "statestore adopt"]);
        assert_eq!(place.run(&["get", "other", "k"]).ok(), "1\n");
        place.run(&["adopt", "other"]).stops(0, &["nothing had to be adopted"]);
        let line: Value = serde_json::from_str(&place.run(&["adopt", "n"]).ok()).unwrap();
        assert_eq!((&line["namespace"], &line["entries"]), (&"n".into(), &1.into()));
        assert!(line["revision"].as_u64().unwrap() > first && line.get("log").is_none(), "{line}");
        assert!(line["file"].as_str().unwrap().ends_with("state.db/n.json"), "{line}");
        assert_eq!(place.run(&["get", "n", "k"]).ok(), "\"after, by hand\"\n");
    }

    #[test]
    fn what_is_no_json_is_refused_and_left_alone() {
        let place = Place::on("json");
        place.run(&["put", "n", "k", "\"before\""]).ok();
        change(&place, "state.db/n.json", "\"before\"", "\"before");
        let text = std::fs::read(place.path("state.db/n.json")).unwrap();
        let ran = place.run(&["adopt"]);
        assert!(ran.code != Some(0) && ran.out.is_empty() && ran.err.contains("n.json"), "{ran:?}");
        assert_eq!(std::fs::read(place.path("state.db/n.json")).unwrap(), text);
    }

    #[test]
    fn a_store_that_is_not_there_is_not_made() {
        let place = Place::on("json");
        place.run(&["adopt"]).fails(1, &["state.db"]);
        assert!(!place.path("state.db").exists());
    }
}
