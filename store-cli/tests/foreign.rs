//! A store of one engine that is opened as one of another: refused by kind, and left as it is.

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use common::{ENGINES, Place};

/// All files below a folder, with their bytes, and the folders.
#[expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]
fn contents(folder: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(contents(&path));
        }
        let bytes = path.is_file().then(|| std::fs::read(&path).unwrap());
        found.insert(path, bytes);
    }
    found
}

#[test]
fn the_store_of_another_engine_is_refused_and_left_as_it_is() {
    for engine in ENGINES {
        let place = Place::on(engine);
        place.run(&["put", "n", "k", "1"]).ok();
        place.run(&["append", "n", "log", "1"]).ok();
        let before = contents(&place.path("."));
        for other in ENGINES.iter().filter(|other| *other != engine) {
            let url = format!("{other}:state.db");
            let tries: [&[&str]; 5] = [
                &["get", "n", "k"],
                &["put", "n", "k", "2"],
                &["append", "n", "log", "2"],
                &["namespaces"],
                &["info"],
            ];
            for args in tries {
                let ran = place.run(&[args, &["--store", &url]].concat());
                let what = format!("a store on {engine} opened as one on {other}: {ran:?}");
                assert!(matches!(ran.code, Some(2 | 5)), "{what}");
                assert!(ran.out.is_empty() && ran.err.contains("state.db"), "{what}");
                assert!(contents(&place.path(".")) == before, "its files changed: {what}");
            }
        }
        assert_eq!(place.run(&["get", "n", "k"]).ok().trim(), "1", "{engine}");
    }
}
