//! Which store the program opens: flags, the environment, files.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use common::{Place, Ran};
use serde_json::Value;

/// The variables that a test sets; all others that count are not set.
type Variables<'a> = &'a [(&'a str, &'a str)];

fn run(place: &Place, variables: Variables<'_>, args: &[&str]) -> Ran {
    let mut command = place.command(args);
    command.env_remove("STATESTORE_URL").envs(variables.iter().copied());
    Ran::of(args, &command.output().unwrap())
}

/// Writes a configuration that names a store and marks it with a timeout.
fn configure(place: &Place, file: &str, store: &str, timeout: &str) {
    let engine = place.engine;
    let text = format!("[store]\nengine = \"{engine}\"\npath = \"{store}\"\ntimeout = \"{timeout}\"\n");
    place.write(file, text);
}

fn opened(place: &Place, variables: Variables<'_>, args: &[&str]) -> (String, u64) {
    let info: Value = serde_json::from_str(&run(place, variables, &[args, &["info"]].concat()).ok()).unwrap();
    let path = info["path"].as_str().unwrap().to_owned();
    (path, info["timeout_ms"].as_u64().unwrap())
}

#[test]
fn a_flag_beats_the_environment_beats_the_file() {
    let place = Place::new();
    let url = |name: &str, timeout: &str| place.url(&format!("{name}.db?timeout={timeout}"));
    std::fs::create_dir(place.path("etc")).unwrap();
    configure(&place, "statestore.toml", "here.db", "11s");
    configure(&place, "etc/env.toml", "env.db", "12s");
    configure(&place, "etc/flag.toml", "flag.db", "13s");
    for store in ["here.db", "etc/env.db", "etc/flag.db", "url-env.db", "url-flag.db"] {
        place.run(&["put", "n", "k", "1", "--store", &place.url(store)]).ok();
    }
    let at = |name: &str, ms: u64| (place.path(name).to_str().unwrap().to_owned(), ms);
    let (url_env, url_flag) = (url("url-env", "14s"), url("url-flag", "15s"));
    let by_url = ("STATESTORE_URL", url_env.as_str());
    let by_file = ("STATESTORE_CONFIG", "etc/env.toml");
    assert_eq!(opened(&place, &[], &[]), at("here.db", 11_000));
    assert_eq!(opened(&place, &[by_file], &[]), at("etc/env.db", 12_000));
    assert_eq!(opened(&place, &[by_url, by_file], &[]), at("url-env.db", 14_000));
    let config = ["--config", "etc/flag.toml"];
    assert_eq!(opened(&place, &[by_url, by_file], &config), at("etc/flag.db", 13_000));
    assert_eq!(opened(&place, &[by_url, by_file], &["--store", &url_flag]), at("url-flag.db", 15_000));
    assert_eq!(opened(&place, &[], &["--timeout", "1s"]), at("here.db", 1_000));
    assert_eq!(
        opened(&place, &[("STATESTORE_URL", ""), ("STATESTORE_CONFIG", "")], &[]),
        at("here.db", 11_000)
    );
    let both = run(&place, &[], &["info", "--store", &url_flag, "--config", "etc/flag.toml"]);
    assert_eq!(both.code, Some(2));
}

#[test]
fn nothing_is_looked_for_above_the_current_folder() {
    let place = Place::new();
    configure(&place, "statestore.toml", "here.db", "11s");
    std::fs::create_dir(place.path("below")).unwrap();
    let mut command = place.command(["info"]);
    let output = command.env_remove("STATESTORE_URL").current_dir(place.path("below")).output().unwrap();
    Ran::of(&["info"], &output).fails(2, &["--store", "--config", "STATESTORE_CONFIG", "statestore.toml"]);
}

#[test]
fn what_comes_first_counts_even_if_it_cannot_be() {
    let place = Place::new();
    configure(&place, "statestore.toml", "here.db", "11s");
    place.write("wrong.toml", "[store]\nengine = \"none\"\npath = \"x\"\n");
    let unknown = ["wrong.toml: line 2 column 1", "no engine \"none\"", "there are: "];
    run(&place, &[("STATESTORE_CONFIG", "wrong.toml")], &["info"]).fails(2, &unknown);
    run(&place, &[], &["info", "--config", "wrong.toml"]).fails(2, &unknown);
    run(&place, &[("STATESTORE_URL", "here.db")], &["info"])
        .fails(2, &["STATESTORE_URL: ", "names no engine"]);
    run(&place, &[("STATESTORE_CONFIG", "none.toml")], &["info"]).fails(2, &["none.toml", "no such"]);
    run(&place, &[], &["info", "--config", "none.toml"]).fails(2, &["none.toml"]);
    run(&place, &[], &["info", "--config", "."]).fails(2, &["is not a file"]);
    run(&place, &[], &["info", "--store", ""]).fails(2, &["names no engine"]);
    place.write("statestore.toml", "[store]\ntimeout = 5s\n");
    run(&place, &[], &["put", "n", "k", "1"]).fails(2, &["statestore.toml: line 2 column "]);
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read_is_denied() {
    use std::os::unix::fs::PermissionsExt;

    let place = Place::new();
    configure(&place, "statestore.toml", "here.db", "11s");
    let closed = std::fs::Permissions::from_mode(0o000);
    std::fs::set_permissions(place.path("statestore.toml"), closed).unwrap();
    if nix::unistd::Uid::effective().is_root() {
        // Root may read what is closed.
        return;
    }
    run(&place, &[], &["info"]).fails(6, &["statestore.toml"]);
}

#[test]
fn sizes_can_be_chosen() {
    let place = Place::new();
    let store = place.url("state.db?max_value=10&max_batch=15");
    let with = |args: &[&str]| place.run(&[args, &["--store", &store]].concat());
    with(&["put", "n", "k", "12345678"]).ok();
    with(&["put", "n", "k", "12345678901"]).fails(2, &["too large", "11 bytes, the limit is 10"]);
    with(&["put", "name", "key", "123456789"]).fails(2, &["too large"]);
    assert_eq!(with(&["get", "n", "k"]).ok(), "12345678\n");
}

#[test]
fn info_tells_what_store_it_is() {
    for engine in common::ENGINES {
        let place = Place::on(engine);
        let revision: u64 = place.run(&["put", "n \"1\"", "k", "1"]).ok().trim().parse().unwrap();
        place.run(&["append", "log", "events", "1"]).ok();
        let info: Value = serde_json::from_str(&place.run(&["info"]).ok()).unwrap();
        assert_eq!(
            (&info["engine"], &info["version"]),
            (&(*engine).into(), &env!("CARGO_PKG_VERSION").into())
        );
        assert_eq!(info["path"], place.path("state.db").to_str().unwrap());
        assert_eq!(info["gate"], place.gate().to_str().unwrap());
        assert_eq!((&info["access"], &info["durability"]), (&"private".into(), &"power".into()));
        let sizes = info["files"].as_array().unwrap().iter().map(|file| file["bytes"].as_u64().unwrap());
        assert_eq!(info["total_bytes"], sizes.sum::<u64>());
        assert!(info["total_bytes"].as_u64().unwrap() > 0, "{info}");
        let namespaces =
            serde_json::json!([{"name": "log", "revision": 0}, {"name": "n \"1\"", "revision": revision}]);
        assert_eq!(info["namespaces"], namespaces);
    }
}

#[test]
fn info_answers_while_a_holder_of_the_gate_is_stopped() {
    for engine in common::ENGINES {
        let place = Place::on(engine);
        place.run(&["put", "n", "k", "1"]).ok();
        let gate = std::fs::File::options().read(true).write(true).open(place.gate()).unwrap();
        gate.lock().unwrap();
        let info: Value = serde_json::from_str(&place.run(&["info", "--timeout", "2s"]).ok()).unwrap();
        assert!(info["gate_holder"].is_string(), "{info}");
        assert_eq!(info["namespaces"][0]["name"], "n", "{info}");
    }
}
