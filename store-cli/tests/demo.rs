//! The demo: what it prints, what it leaves behind, and how it ends.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::{Duration, Instant};

use common::{Place, names};

#[test]
fn the_store_keeps_what_the_old_way_loses() {
    let place = Place::new();
    // Other users must be able to pass the folder.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(place.path(""), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let ran =
        place.run(&["demo", "--at", ".", "--processes", "3", "--events-per-process", "20", "--seed", "7"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for part in ["seed 7", "the store kept all 60"] {
        assert!(ran.err.contains(part), "{part:?} is not in {ran:?}");
    }
    if cfg!(unix) && nix::unistd::Uid::effective().is_root() {
        assert!(ran.err.contains("users 65534 and 65533"), "{ran:?}");
    }
    let row = |name: &str| {
        let line = ran.out.lines().find(|line| line.contains(name)).unwrap();
        line.split(['│', '┆']).map(|cell| cell.trim().to_owned()).collect::<Vec<_>>()
    };
    let engines = usize::from(cfg!(feature = "sqlite"))
        + usize::from(cfg!(feature = "redb"))
        + usize::from(cfg!(feature = "jsonfile"));
    assert_eq!(ran.err.matches("the store kept all 60").count(), engines, "{ran:?}");
    let stores = 3..3 + engines;
    assert!(row("events sent")[2..3 + engines].iter().all(|cell| cell == "60"), "{ran:?}");
    assert!(row("events kept")[stores.clone()].iter().all(|cell| cell == "60"), "{ran:?}");
    for zero in ["events lost", "last state was lost", "unreadable", "zero-byte", "torn or mixed", "shorter"]
    {
        assert!(row(zero)[stores.clone()].iter().all(|cell| cell.starts_with('0')), "{ran:?}");
    }
    assert_eq!(names(&place.path("")), Vec::<String>::new());
}

#[test]
fn real_events_can_be_sent() {
    let place = Place::new();
    let events = place.write("events.jsonl", "{\"a\": 1e400}\n[1,2]\n\"x\"\n4\n5");
    let ran = place.run(&["demo", "--processes", "2", "--events", events.to_str().unwrap()]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.err.contains("the store kept all 5"), "{ran:?}");
}

#[test]
fn bad_events_and_places_are_refused() {
    let place = Place::new();
    place.write("bad.jsonl", "1\n{\"a\"}\n");
    place.write("empty.jsonl", "");
    for (args, parts) in [
        (&["--events", "bad.jsonl"], &["bad.jsonl", "line 2 column 5"][..]),
        (&["--events", "empty.jsonl"], &["empty.jsonl", "no events"]),
        (&["--events", "none.jsonl"], &["none.jsonl"]),
        (&["--at", "none"], &["none", "--at"]),
        (&["--at", "bad.jsonl"], &["bad.jsonl", "--at"]),
    ] {
        place.run(&[&["demo"], &args[..]].concat()).fails(2, parts);
    }
    place.run(&["demo-part"]).fails(2, &["statestore demo"]);
}

#[cfg(unix)]
#[test]
fn a_signal_ends_it_and_cleans_up() {
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;

    let place = Place::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(place.path(""), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let child = place.command(["demo", "--at", ".", "--events-per-process", "5000"]).spawn().unwrap();
    let started = Instant::now();
    while names(&place.path("")).is_empty() && started.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(50));
    }
    std::thread::sleep(Duration::from_millis(300));
    kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(128 + 15), "{output:?}");
    assert_eq!(names(&place.path("")), Vec::<String>::new());
}
