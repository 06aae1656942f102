//! A store whose processes have no gate in common: each passes one of its own.

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use conformance::open_embedded;
use store_core::{Result, Settings, StateStore};

use super::engine::BrokenEngine;
use super::table::Mutant;
use crate::engine::SingleFileEngine;

/// Opens a store over the document at a path, behind a gate that only this process has.
pub(super) fn open(mutant: Mutant, path: &Path, settings: Settings) -> Result<Arc<dyn StateStore>> {
    // Whether there may be one, and whether it is sound, is looked after as it should.
    let sound = open_embedded(SingleFileEngine, path, settings.clone())?;
    pollster::block_on(sound.close())?;
    drop(sound);
    let engine = BrokenEngine { mutant, shared: Some(path.to_owned()) };
    open_embedded(engine, &own_place(path), settings.with_create(true))
}

/// Returns a place for the gate of this process, far enough above the store not to lie about in its folder.
fn own_place(path: &Path) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    let name = format!("gate of {} {:x}", std::process::id(), hasher.finish());
    path.ancestors().nth(2).unwrap_or(path).join(name)
}

/// Locks a file that is removed when it is let go: whoever waits for it then has another file than who comes.
pub(super) fn lock_file(folder: &Path) -> std::io::Result<impl Drop> {
    struct Held(PathBuf, #[expect(dead_code, reason = "it is let go with this")] File);
    impl Drop for Held {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }
    let path = folder.join(".lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path)?;
    file.lock()?;
    Ok(Held(path, file))
}
