//! What can be wrong with the files of a store that only this engine knows.

use std::path::Path;

use conformance::Damage;
use store_core::ErrorKind;

type Done = Result<(), String>;

pub(super) const ALL: &[Damage] = &[
    refused("a marker of a newer version", newer_marker, ErrorKind::IncompatibleFormat),
    refused("a marker of another engine", other_engine, ErrorKind::IncompatibleFormat),
    refused("a marker that is no JSON", no_json, ErrorKind::IncompatibleFormat),
    refused("objects without a marker", without_marker, ErrorKind::IncompatibleFormat),
    refused("the epoch is missing", without_epoch, ErrorKind::Corrupted),
    Damage { name: "the number of changes is missing", inflict: without_changes, refused: None },
];

const fn refused(name: &'static str, inflict: fn(&Path) -> Done, kind: ErrorKind) -> Damage {
    Damage { name, inflict, refused: Some(kind) }
}

/// Writes a file as an editor does, in place.
#[expect(clippy::disallowed_methods, reason = "as somebody else would, who does not know better")]
pub(super) fn overwrite(path: &Path, contents: impl AsRef<[u8]>) -> Done {
    std::fs::write(path, contents).map_err(|error| error.to_string())
}

fn newer_marker(path: &Path) -> Done {
    overwrite(&path.join(".store.json"), "{\"statestore\":1000,\"engine\":\"json\"}\n")
}

fn other_engine(path: &Path) -> Done {
    overwrite(&path.join(".store.json"), "{\"statestore\":1,\"engine\":\"other\"}\n")
}

fn no_json(path: &Path) -> Done {
    overwrite(&path.join(".store.json"), "hello\n")
}

fn remove(path: &Path) -> Done {
    std::fs::remove_file(path).map_err(|error| error.to_string())
}

fn without_marker(path: &Path) -> Done {
    remove(&path.join(".store.json"))
}

fn without_epoch(path: &Path) -> Done {
    remove(&path.join(".epoch.json"))
}

fn without_changes(path: &Path) -> Done {
    remove(&path.join(".changes"))
}
