//! The store as a whole: that it is there, complete, readable, and as it was.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::common::{ENGINES, Place};
use crate::runs::{assert_found, assert_well, below, odd, private, set_age};

/// Mode, group, and what a file holds since when.
type Print = (u32, u32, Option<(Vec<u8>, SystemTime)>);

/// Returns what tells a change of any file; the shared memory of SQLite changes with every look.
fn prints(place: &Place) -> BTreeMap<PathBuf, Print> {
    let print = |path: PathBuf| {
        let found = path.symlink_metadata().unwrap();
        let is_data = found.is_file() && !path.to_str().unwrap().ends_with("-shm");
        let data = is_data.then(|| (std::fs::read(&path).unwrap(), found.modified().unwrap()));
        (path, (found.mode(), found.gid(), data))
    };
    below(&place.path("")).into_iter().map(print).collect()
}

#[test]
fn a_healthy_store_is_all_ok_and_left_as_it_is() {
    for engine in ENGINES {
        let place = private(engine);
        let before = prints(&place);
        assert_well(&place, &[]);
        assert_eq!(prints(&place), before);
        assert_well(&place, &["--fix", "--adopt"]);
        let table = place.run(&["doctor"]);
        assert!(table.out.contains("integrity") && table.out.contains(engine), "{table:?}");
    }
}

#[test]
fn where_no_store_is_nothing_is_made() {
    for engine in ENGINES {
        let place = Place::on(engine);
        for args in [&["doctor"][..], &["doctor", "--json"], &["doctor", "--fix", "--adopt"]] {
            place.run(args).fails(1, &["not found", "state.db"]);
            place.run(&[args, &["--store", &place.url("no/such/folder/state.db")]].concat()).fails(1, &[]);
        }
        assert_eq!(below(&place.path("")), Vec::<PathBuf>::new());
        place.run(&["doctor", "--adopt"]).code.filter(|code| *code == 2).unwrap();
    }
}

/// What of each engine can be taken away and is made anew, and what cannot.
fn companions(engine: &str) -> (&'static [&'static str], &'static [&'static str]) {
    match engine {
        "sqlite" => (&["state.db-wal", "state.db-shm"], &["state.db-wal"]),
        "redb" => (&[], &["state.db.stamp"]),
        _ => (&["state.db/.changes"], &["state.db/.epoch.json"]),
    }
}

#[test]
fn missing_companions_are_made_anew_only_with_fix() {
    for engine in ENGINES {
        for gate_too in [false, true] {
            let place = private(engine);
            let mut gone: Vec<PathBuf> = companions(engine).0.iter().map(|name| place.path(name)).collect();
            if gate_too {
                gone.push(place.gate());
            }
            for path in &gone {
                std::fs::remove_file(path).unwrap();
            }
            let before = below(&place.path(""));
            let found = odd(&place, &[]);
            for path in &gone {
                assert_found(&found, "warning", "rights", path, "is missing");
            }
            assert_eq!(below(&place.path("")), before, "something was made");
            let fixed = odd(&place, &["--fix"]);
            for path in &gone {
                assert_found(&fixed, "mended", "rights", path, "made anew");
            }
            assert_well(&place, &[]);
        }
    }
}

#[test]
fn what_cannot_be_made_anew_is_a_fault_until_it_is_back() {
    for engine in ENGINES {
        let place = private(engine);
        for name in companions(engine).1 {
            let (path, away) = (place.path(name), place.path("away"));
            std::fs::hard_link(&path, &away).unwrap();
            std::fs::remove_file(&path).unwrap();
            for args in [&[][..], &["--fix"]] {
                assert_found(&odd(&place, args), "fault", "format", &path, "");
                assert!(!path.exists());
            }
            std::fs::hard_link(&away, &path).unwrap();
            std::fs::remove_file(&away).unwrap();
            assert_well(&place, &[]);
        }
    }
}

#[test]
fn a_last_write_in_the_future_is_told() {
    for engine in ENGINES {
        let place = private(engine);
        let data = if *engine == "json" { place.path("state.db/n.json") } else { place.path("state.db") };
        File::open(&data).unwrap().set_modified(SystemTime::now() + Duration::from_hours(3)).unwrap();
        assert_found(&odd(&place, &[]), "warning", "clock", &data, "in the future");
        set_age(&data, Duration::from_secs(1));
        assert_well(&place, &[]);
    }
}

#[cfg(feature = "jsonfile")]
#[test]
fn files_changed_by_hand_are_adopted_only_when_asked() {
    let place = private("json");
    let path = place.path("state.db/n.json");
    let text = std::fs::read_to_string(&path).unwrap().replace(":1\n", ":2\n");
    place.write("state.db/n.json", text);
    crate::runs::set_mode(&path, 0o644);
    for args in [&[][..], &["--fix"]] {
        let found = odd(&place, args);
        assert_found(&found, "fault", "integrity", &path, "statestore adopt");
        assert!(found.iter().any(|line| line["mend"] == "statestore doctor --fix --adopt"), "{found:?}");
    }
    let fixed = odd(&place, &["--fix", "--adopt"]);
    assert_found(&fixed, "mended", "adopt", &path, "1 keys");
    assert_well(&place, &[]);
    assert_eq!(place.run(&["get", "n", "k"]).ok(), "2\n");
}
