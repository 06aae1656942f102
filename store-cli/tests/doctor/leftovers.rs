//! What killed processes leave: files, a mark, a held gate.

use std::fs::File;
use std::time::Duration;

use statestore::Access;
use statestore::shared::access::Modes;
use statestore::shared::gate::Gate;

use crate::common::ENGINES;
use crate::runs::{assert_found, assert_mended, assert_well, folder, odd, private, set_age};

#[test]
fn leftovers_are_removed_in_the_gate() {
    for engine in ENGINES {
        let place = private(engine);
        let folder = folder(&place);
        let (file, hidden) = (folder.join(".statestore-abc.new"), folder.join(".statestore-def.new"));
        let other = folder.join(".statestore-abc");
        File::create_new(&file).unwrap();
        std::fs::create_dir(&hidden).unwrap();
        File::create_new(&other).unwrap();
        // What is new may be somebody's who is making it.
        assert_well(&place, &[]);
        for path in [&file, &hidden, &other] {
            set_age(path, Duration::from_hours(2));
        }
        let found = odd(&place, &[]);
        assert_found(&found, "warning", "leftover", &file, "left by a process");
        assert_found(&found, "warning", "leftover", &hidden, "left by a process");
        let gate = Gate::new(place.gate(), Modes::of(Access::Private, None));
        let held = gate.try_acquire("test").unwrap().unwrap();
        let busy = odd(&place, &["--fix", "--timeout", "200ms"]);
        assert_found(&busy, "warning", "leftover", &folder, &format!("pid {}", std::process::id()));
        assert!(file.exists() && hidden.exists());
        drop(held);
        assert_mended(&place, &[], "warning", "leftover", &file, "left by a process");
        assert!(!file.exists() && !hidden.exists() && other.exists());
    }
}

#[cfg(feature = "sqlite")]
#[test]
fn a_journal_beside_a_database_is_told_and_an_empty_one_removed() {
    let place = private("sqlite");
    let journal = place.write("state.db-journal", "");
    crate::runs::set_mode(&journal, 0o600);
    assert_mended(&place, &[], "warning", "leftover", &journal, "another program");
    let journal = place.write("state.db-journal", "something");
    crate::runs::set_mode(&journal, 0o600);
    for args in [&[][..], &["--fix"]] {
        let found = odd(&place, args);
        assert_found(&found, "fault", "leftover", &journal, "plays it into the data");
        assert_found(&found, "warning", "integrity", &place.path("state.db"), "was not looked at");
    }
    assert_eq!(std::fs::read(journal).unwrap(), b"something");
}

#[test]
fn a_failed_sync_is_found_and_what_it_left_written_anew() {
    for engine in ENGINES {
        let place = private(engine);
        let gate = Gate::new(place.gate(), Modes::of(Access::Private, None));
        gate.set_mark().unwrap();
        assert_mended(&place, &[], "fault", "sync", &place.gate(), "a sync failed");
        assert!(!gate.is_marked().unwrap());
        assert_eq!(place.run(&["get", "n", "k"]).ok(), "1\n");
    }
}

#[test]
fn whoever_holds_the_gate_for_long_is_named() {
    for engine in ENGINES {
        let place = private(engine);
        let gate = Gate::new(place.gate(), Modes::of(Access::Private, None));
        let held = gate.try_acquire("test").unwrap().unwrap();
        std::thread::sleep(Duration::from_millis(300));
        let found = odd(&place, &["--timeout", "200ms"]);
        assert_found(&found, "warning", "gate", &place.gate(), &format!("pid {}", std::process::id()));
        assert!(found.len() == 1, "{found:?}");
        assert_well(&place, &["--timeout", "1h"]);
        drop(held);
        assert_well(&place, &["--timeout", "200ms"]);
    }
}

#[cfg(feature = "jsonfile")]
#[test]
fn a_journal_that_nobody_finished_is_told_and_played() {
    let place = private("json");
    // One that changes nothing, as the digest of an empty list says.
    let digest = "d53d18c23212ea7b6300594bb89bce60218f6eff2b9d628b8cc42d3e79bbd5ab";
    let text = format!("{{\"statestore\":1,\"changes\":[],\"digest\":\"{digest}\"}}\n");
    let journal = place.write("state.db/.journal", text);
    crate::runs::set_mode(&journal, 0o600);
    let gate = Gate::new(place.gate(), Modes::of(Access::Private, None));
    let held = gate.try_acquire("test").unwrap().unwrap();
    assert_well(&place, &["--timeout", "1h"]);
    set_age(&journal, Duration::from_hours(1));
    assert_found(&odd(&place, &["--timeout", "1h"]), "warning", "leftover", &journal, "nobody finished");
    drop(held);
    assert_mended(&place, &[], "warning", "leftover", &journal, "nobody finished");
}
