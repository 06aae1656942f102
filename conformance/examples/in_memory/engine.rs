//! How a store in memory is found, made and opened.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use store_core::backend::{Engine, Presence};
use store_core::shared::access::Modes;
use store_core::shared::files::{create_file, replace_file, sync_folder};
use store_core::shared::place::{Place, Shape};
use store_core::{Error, ErrorKind, Result, Settings};

use crate::backend::{Held, InMemoryBackend};
use crate::marker::Marker;

/// An engine that keeps everything in the memory of one process, for as long as the process lives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InMemoryEngine;

/// All that this process holds, by the number in the marker; it is kept when nobody has it open.
static STORES: LazyLock<Mutex<HashMap<u64, Arc<Held>>>> = LazyLock::new(Mutex::default);

fn held(marker: Marker) -> Option<Arc<Held>> {
    let stores = STORES.lock().unwrap_or_else(PoisonError::into_inner);
    stores.get(&marker.store).filter(|_| marker.is_ours()).map(Arc::clone)
}

impl Engine for InMemoryEngine {
    type Backend = InMemoryBackend;

    fn name(&self) -> &'static str {
        "memory"
    }

    fn version(&self) -> String {
        "1".into()
    }

    fn shape(&self) -> Shape {
        Shape::File
    }

    fn survives_power(&self) -> bool {
        false
    }

    /// The marker of a process that has ended marks nothing any more: whoever insists on what it marked is told.
    fn probe(&self, place: &Place, settings: &Settings) -> Result<Presence> {
        if place.look_at_file()?.is_none() {
            return Ok(Presence::Missing);
        }
        let marker = Marker::read(place.data())?;
        marker.check_process(place.data())?;
        match held(marker) {
            Some(held) => {
                let newest = held.lock().unwrap_or_else(PoisonError::into_inner);
                newest.check_moved().map_err(|error| error.with_path(place.data()))?;
                Ok(Presence::Ready)
            }
            None if settings.create => Ok(Presence::Missing),
            None => {
                let why =
                    "was in the memory of a process that has ended, and this engine keeps nothing longer";
                Err(Error::new(ErrorKind::Unsupported, why).with_path(place.data()))
            }
        }
    }

    fn create(&self, place: &Place, modes: &Modes) -> Result<()> {
        let marker = Marker::new(fastrand::u64(..));
        STORES.lock().unwrap_or_else(PoisonError::into_inner).insert(marker.store, Arc::default());
        let text = marker.to_string();
        if place.data().exists() {
            replace_file(place.data(), place.folder(), text.as_bytes(), modes.file, modes)?;
            return sync_folder(place.folder());
        }
        create_file(place.data(), text.as_bytes(), modes.file, modes).map(drop)
    }

    fn open(&self, place: &Place, _settings: &Settings) -> Result<InMemoryBackend> {
        let marker = Marker::read(place.data())?;
        marker.check_process(place.data())?;
        let gone = || Error::new(ErrorKind::Corrupted, "marks nothing any more; open it again");
        let held = held(marker).ok_or_else(|| gone().with_path(place.data()))?;
        Ok(InMemoryBackend::new(held, place))
    }
}
