//! Mode, owner and group of every file.

use std::os::unix::fs::{MetadataExt, chown, symlink};
use std::process::Command;

use crate::common::{ENGINES, PROGRAM, Place, Ran};
use crate::runs::{
    GROUP, assert_found, assert_mended, assert_well, below, folder, is_root, lines, odd, of_group, private,
    set_mode,
};

#[test]
fn a_healthy_store_of_a_group_is_all_ok_with_and_without_a_word() {
    for engine in ENGINES.iter().filter(|_| is_root()) {
        for access in ["group", "shared"] {
            let (place, url) = of_group(engine, access);
            assert_well(&place, &["--store", &url]);
            assert_well(&place, &[]);
            assert_well(&place, &["--fix"]);
        }
    }
}

#[test]
fn wrong_modes_are_found_on_every_artefact_and_mended() {
    for engine in ENGINES {
        let place = private(engine);
        for path in below(&place.path("")) {
            let mode = path.metadata().unwrap().mode() & 0o7777;
            if path == folder(&place) {
                continue;
            }
            set_mode(&path, mode | 0o044);
            let words = if path == place.gate() { "can hold it" } else { "others" };
            assert_mended(&place, &[], "fault", "rights", &path, words);
            assert_eq!(path.metadata().unwrap().mode() & 0o7777, mode);
        }
        assert_eq!(place.run(&["get", "n", "k"]).ok(), "1\n");
    }
}

#[test]
fn wrong_groups_and_modes_in_a_store_of_a_group_are_mended() {
    for engine in ENGINES.iter().filter(|_| is_root()) {
        for access in ["group", "shared"] {
            let (place, url) = of_group(engine, access);
            for path in below(&place.path("")).into_iter().filter(|path| *path != folder(&place)) {
                for args in [&["--store", &url][..], &[]] {
                    let mode = path.metadata().unwrap().mode() & 0o7777;
                    // SQLite, run by root, gives its companions back by itself as soon as it opens them.
                    if !["-wal", "-shm"].iter().any(|end| path.to_str().unwrap().ends_with(end)) {
                        chown(&path, None, Some(0)).unwrap();
                        assert_mended(&place, args, "fault", "rights", &path, &format!("group {GROUP}"));
                    }
                    set_mode(&path, mode & 0o2700);
                    assert_mended(&place, args, "fault", "rights", &path, "shut out");
                    assert_eq!(path.metadata().unwrap().mode() & 0o7777, mode);
                }
            }
        }
    }
}

#[test]
fn what_an_editor_replaced_in_a_store_of_a_group_is_given_back() {
    for engine in ENGINES.iter().filter(|_| is_root()) {
        let (place, _) = of_group(engine, "group");
        let data =
            if *engine == "json" { place.path("state.db/.store.json") } else { place.path("state.db") };
        chown(&data, Some(1), Some(1)).unwrap();
        set_mode(&data, 0o644);
        assert_mended(&place, &[], "fault", "rights", &data, "mode 0644");
    }
}

#[test]
fn the_owner_of_a_private_store_gets_its_files_back() {
    for engine in ENGINES.iter().filter(|_| is_root()) {
        let place = Place::on(engine);
        chown(place.path(""), Some(GROUP), Some(GROUP)).unwrap();
        place.run(&["put", "n", "k", "1"]).ok();
        for path in below(&place.path("")) {
            chown(path, Some(GROUP), Some(GROUP)).unwrap();
        }
        chown(place.gate(), Some(0), Some(0)).unwrap();
        assert_mended(&place, &[], "fault", "rights", &place.gate(), "owner root");
    }
}

#[test]
fn links_are_told_and_what_they_lead_to_is_left_alone() {
    for engine in ENGINES {
        let place = private(engine);
        let secret = place.write("secret", "theirs");
        set_mode(&secret, 0o604);
        let named = if *engine == "json" { "state.db/n/l.jsonl" } else { "state.db.gate" };
        let path = place.path(named);
        std::fs::hard_link(&path, place.path("again")).unwrap();
        set_mode(&path, 0o644);
        assert_found(&odd(&place, &["--fix"]), "fault", "links", &path, "hard links");
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o644, "whose it is cannot be told");
        std::fs::remove_file(&path).unwrap();
        symlink(&secret, &path).unwrap();
        assert_found(&odd(&place, &["--fix"]), "fault", "links", &path, "symbolic link");
        assert_eq!(secret.metadata().unwrap().mode() & 0o777, 0o604);
        std::fs::remove_file(&path).unwrap();
        std::fs::hard_link(place.path("again"), &path).unwrap();
        std::fs::remove_file(place.path("again")).unwrap();
        assert_mended(&place, &[], "fault", "rights", &path, "mode 0644");
    }
}

/// Runs the program as a user who shares nothing but the group, from a copy that the user can reach.
fn as_member(place: &Place, args: &[&str]) -> Ran {
    let copies = tempfile::tempdir().unwrap();
    set_mode(copies.path(), 0o755);
    let copy = copies.path().join("statestore");
    std::fs::copy(PROGRAM, &copy).unwrap();
    let groups = format!("--groups={GROUP}");
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", &groups]).arg(copy).args(args);
    loop {
        let ran = Ran::of(args, &command.current_dir(place.path("")).output().unwrap());
        // A process that another test starts right now still has the copy open for writing.
        if !ran.err.contains("Text file busy") {
            return ran;
        }
        std::thread::yield_now();
    }
}

#[test]
fn who_may_not_mend_says_so_and_what_would() {
    for engine in ENGINES.iter().filter(|_| is_root()) {
        let (place, url) = of_group(engine, "group");
        let gate = place.gate();
        set_mode(&gate, 0o664);
        for args in [&["doctor", "--json"][..], &["doctor", "--json", "--fix"]] {
            let ran = as_member(&place, &[args, &["--store", &url]].concat());
            let found = lines(&ran);
            assert_found(&found, "fault", "rights", &gate, "mode 0664, owner root");
            let mend = format!("chmod 0660 {}", gate.display());
            assert!(
                found.iter().any(|l| l["mend"].as_str().is_some_and(|m| m.ends_with(&mend))),
                "{found:?}"
            );
            assert!(!args.contains(&"--fix") || ran.out.contains("user nobody in groups"), "{ran:?}");
        }
        assert_eq!(gate.metadata().unwrap().mode() & 0o777, 0o664);
        set_mode(&gate, 0o660);
        assert!(
            lines(&as_member(&place, &["doctor", "--json", "--fix", "--store", &url]))
                .iter()
                .all(|line| line["state"] == "ok")
        );
    }
}
