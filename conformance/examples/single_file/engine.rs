//! How a store is found, made and opened.
//!
//! The store is a folder with two files. The marker says what it is, is written once, and its rights are those
//! of all; the document is everything else.

use std::path::Path;

use store_core::backend::{Engine, Presence};
use store_core::shared::access::Modes;
use store_core::shared::files::{create_file, replace_file};
use store_core::shared::place::{Place, Shape};
use store_core::{Error, ErrorKind, Result, Settings};

use crate::backend::SingleFileBackend;
use crate::document;
use crate::file::{path_in, read_file};
use crate::state::State;

/// An engine that keeps everything in one JSON file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SingleFileEngine;

impl Engine for SingleFileEngine {
    type Backend = SingleFileBackend;

    fn name(&self) -> &'static str {
        "single-file"
    }

    fn version(&self) -> String {
        format!("format {}", document::FORMAT)
    }

    fn shape(&self) -> Shape {
        Shape::Folder
    }

    fn survives_power(&self) -> bool {
        true
    }

    fn probe(&self, place: &Place, _settings: &Settings) -> Result<Presence> {
        if place.look_at_file()?.is_none() {
            return check_free(&path_in(place.path())).map(|()| Presence::Missing);
        }
        let (_, bytes) = read_file(place.data())?;
        check_marker(&bytes).map_err(|error| error.with_path(place.data()))?;
        // Damage is told at once, not by the first read.
        let path = path_in(place.path());
        let state = document::decode(&read_file(&path)?.1).and_then(|state| state.check_moved());
        state.map_err(|error| error.with_path(&path))?;
        Ok(Presence::Ready)
    }

    /// The marker comes last: once it can be seen the store is complete.
    fn create(&self, place: &Place, modes: &Modes) -> Result<()> {
        let empty = document::encode(&State::default())?;
        replace_file(&path_in(place.path()), place.path(), empty.as_bytes(), modes.file, modes)?;
        create_file(place.data(), marker().as_bytes(), modes.file, modes).map(drop)
    }

    fn open(&self, place: &Place, _settings: &Settings) -> Result<SingleFileBackend> {
        SingleFileBackend::open(place)
    }
}

fn marker() -> String {
    format!("{}{}}}\n", document::BEGINNING, document::FORMAT)
}

fn check_marker(bytes: &[u8]) -> Result<()> {
    if bytes.is_empty() {
        return Err(Error::new(ErrorKind::Corrupted, "has lost its contents; restore a backup"));
    }
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    document::check_format(text, ErrorKind::IncompatibleFormat)?;
    if text == marker() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::IncompatibleFormat, "is not what this program writes; name another folder"))
}

/// Refuses to make a store over a document that holds something; an empty one was left by a kill amid creation.
fn check_free(path: &Path) -> Result<()> {
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    let left = document::decode(&read_file(path)?.1);
    if left.is_ok_and(|state| state.namespaces.is_empty()) {
        return Ok(());
    }
    let why = "is there but .store.json is not, so this is no store, or no longer one: put .store.json back, or name an \
               empty folder";
    Err(Error::new(ErrorKind::IncompatibleFormat, why).with_path(path))
}
