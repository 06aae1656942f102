//! What the suite has to know of a store over a single file.

use std::any::Any;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use conformance::{Artefact, Damage, Role, Shape, Target, Tight, open_embedded};
use store_core::{Durability, ErrorKind, Result, Settings, StateStore};

use crate::document;
use crate::engine::SingleFileEngine;
use crate::file::{path_in, read_file};

/// A store over a single file as programs open it.
#[derive(Debug)]
pub(crate) struct SingleFile;

impl Target for SingleFile {
    fn name(&self) -> &'static str {
        "single_file"
    }

    fn place(&self, folder: &Path) -> PathBuf {
        folder.join("state")
    }

    fn shape(&self) -> Shape {
        Shape::Folder
    }

    fn durability(&self) -> Durability {
        Durability::Power
    }

    fn open(&self, path: &Path, settings: Settings) -> Result<Arc<dyn StateStore>> {
        open_embedded(SingleFileEngine, path, settings)
    }

    fn artefacts(&self, path: &Path) -> Vec<Artefact> {
        vec![
            Artefact::new(Role::Data, path.join(".store.json")),
            Artefact::new(Role::Companion, path_in(path)),
            Artefact::new(Role::Gate, path.join(".gate")),
        ]
    }

    fn check_integrity(&self, path: &Path) -> Result<(), String> {
        let read = read_file(&path_in(path)).and_then(|(_, bytes)| document::decode(&bytes));
        read.map(drop).map_err(|error| error.to_string())
    }

    fn tight(&self) -> Option<Tight> {
        None
    }

    fn hold_snapshot(&self, path: &Path) -> Result<Box<dyn Any + Send>, String> {
        read_file(&path_in(path)).map(|open| Box::new(open) as Box<dyn Any + Send>).map_err(|e| e.to_string())
    }

    fn damages(&self) -> Vec<Damage> {
        vec![
            damage("a newer marker", |path| replace(&path.join(".store.json"), "{\"single_file\":2}\n")),
            damage("a newer document", |path| {
                replace(&path_in(path), "{\"single_file\":2,\"what\":\"ever\"}\n")
            }),
            damage("a document without a marker", |path| remove(&path.join(".store.json"))),
            Damage {
                refused: Some(ErrorKind::Corrupted),
                ..damage("a marker without a document", |path| remove(&path_in(path)))
            },
        ]
    }

    fn unfit_version(&self) -> Option<i32> {
        None
    }
}

const fn damage(name: &'static str, inflict: fn(&Path) -> Result<(), String>) -> Damage {
    Damage { name, inflict, refused: Some(ErrorKind::IncompatibleFormat) }
}

fn remove(path: &Path) -> Result<(), String> {
    std::fs::remove_file(path).map_err(|error| error.to_string())
}

fn replace(path: &Path, text: &str) -> Result<(), String> {
    remove(path)?;
    let written = File::create_new(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| error.to_string())
}
