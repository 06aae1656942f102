//! Files that are not what they should be: refused by kind, named, and left byte for byte.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;

use store_core::{Blocking, ErrorKind, Json, Settings};

use super::places::{filled, folder, make_room, refuses};
use crate::arena::Arena;
use crate::failure::{Context, Failure, Outcome, Refused, ensure, ensure_eq};
use crate::prints::prints;
use crate::target::{Role, Shape, artefact};

/// What the engine knows to be wrong with its own files.
pub(super) fn damage_that_the_engine_knows_is_refused_and_left_as_it_is(arena: &Arena) -> Outcome {
    for damage in arena.target.damages() {
        let Some(kind) = damage.refused else { continue };
        let path = filled(arena, damage.name)?;
        (damage.inflict)(&path).map_err(Failure::new).context(damage.name)?;
        refuses(arena, &path, &Settings::default(), kind).context(damage.name)?;
    }
    Ok(())
}

/// Puts bytes in place of a file.
fn replace(path: &Path, bytes: &[u8]) -> Outcome {
    std::fs::remove_file(path)?;
    Ok(File::create_new(path)?.write_all(bytes)?)
}

const NO_STORES: [(&str, &[u8], ErrorKind); 6] = [
    ("text", b"once upon a time, and a very good time it was\n", ErrorKind::IncompatibleFormat),
    ("one byte", b"\0", ErrorKind::IncompatibleFormat),
    ("zeros", &[0; 16_384], ErrorKind::IncompatibleFormat),
    ("JSON", b"{\"jobs\": {\"42\": \"running\"}}", ErrorKind::IncompatibleFormat),
    ("noise", &[0xa5; 5000], ErrorKind::IncompatibleFormat),
    ("nothing", b"", ErrorKind::Corrupted),
];

/// A file of another kind, alone or among the rest of a store.
pub(super) fn a_file_that_is_no_store_is_refused_and_left_as_it_is(arena: &Arena) -> Outcome {
    for (name, bytes, kind) in NO_STORES {
        let path = filled(arena, &format!("{name} among the rest"))?;
        replace(&artefact(arena.target, &path, Role::Data)?, bytes)?;
        let kind = known_as(arena, &path, kind);
        refuses(arena, &path, &Settings::default(), kind).context(name)?;
        let alone = arena.target.place(&folder(arena, &format!("{name} alone"))?);
        make_room(arena, &alone)?;
        File::create_new(artefact(arena.target, &alone, Role::Data)?)?.write_all(bytes)?;
        let kind = known_as(arena, &alone, kind);
        refuses(arena, &alone, &Settings::default(), kind).context(name)?;
    }
    Ok(())
}

/// Returns the kind as which a file has to be refused: what lies in a folder of the store's own may be taken
/// for a file of the store that somebody has spoilt.
fn known_as(arena: &Arena, path: &Path, kind: ErrorKind) -> ErrorKind {
    let found = arena.target.open(path, Settings::default()).map_err(|error| error.kind());
    match (arena.target.shape(), found) {
        (Shape::Folder, Err(ErrorKind::Corrupted)) => ErrorKind::Corrupted,
        _ => kind,
    }
}

/// A companion behind a link could be anybody's.
pub(super) fn a_link_in_place_of_a_companion_is_refused(arena: &Arena) -> Outcome {
    for role in [Role::Companion, Role::Shared] {
        let path = filled(arena, &format!("{role:?}"))?;
        for artefact in arena.target.artefacts(&path).into_iter().filter(|artefact| artefact.role == role) {
            let aside = artefact.path.with_extension("aside");
            std::fs::hard_link(&artefact.path, &aside)?;
            std::fs::remove_file(&artefact.path)?;
            for to in [aside.as_path(), Path::new("/nowhere/at/all")] {
                std::os::unix::fs::symlink(to, &artefact.path)?;
                refuses(arena, &path, &Settings::default(), ErrorKind::Corrupted)?;
                std::fs::remove_file(&artefact.path)?;
            }
        }
    }
    Ok(())
}

/// What is no gate, or one of a newer protocol, lets nobody write: a lock that is not understood protects
/// nothing.
pub(super) fn a_gate_that_is_not_understood_lets_nobody_write(arena: &Arena) -> Outcome {
    type Spoil = fn(&Path) -> Outcome;
    let spoils: [(&str, Spoil); 5] = [
        // The version of the protocol stands in bytes 8 to 12.
        ("newer", |gate| {
            Ok(File::options().write(true).open(gate)?.write_all_at(&2_u32.to_le_bytes(), 8)?)
        }),
        ("empty", |gate| replace(gate, b"")),
        ("text", |gate| replace(gate, b"a lock file of somebody else")),
        ("short", |gate| replace(gate, b"SSGATE\r\n")),
        ("of another program", |gate| replace(gate, b"NOGATE\r\n\x01\0\0\0 and some more of it")),
    ];
    for (name, spoil) in spoils {
        let path = filled(arena, name)?;
        spoil(&artefact(arena.target, &path, Role::Gate)?)?;
        let before = prints(arena.target, &path)?;
        let error = match arena.target.open(&path, Settings::default()) {
            // Reading needs no gate.
            Ok(store) => {
                let store = Blocking::new(store);
                ensure_eq!(store.object("n")?.entries.len(), 20, "{name}");
                store.append("n", "log", Json::from(1u64)).refused(ErrorKind::IncompatibleFormat)?;
                store.delete_namespace("n").refused(ErrorKind::IncompatibleFormat)?;
                let error = store.put("n", "k", Json::from(1u64)).refused(ErrorKind::IncompatibleFormat)?;
                ensure_eq!(store.get("n", "k")?, None, "{name}");
                error
            }
            refused => refused.refused(ErrorKind::IncompatibleFormat).context(name)?,
        };
        let gate = artefact(arena.target, &path, Role::Gate)?.canonicalize()?;
        ensure!(error.path() == Some(&gate), "{name}: it does not name the gate: {error}");
        ensure_eq!(prints(arena.target, &path)?, before, "{name}: the files");
    }
    Ok(())
}
