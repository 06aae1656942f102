//! What the suite has to know of a store on JSON files.

mod cases;
mod damages;

use std::any::Any;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use conformance::{Artefact, Damage, OwnCase, OwnWork, Role, Shape, Target, Tight};
use store_core::shared::access::Modes;
use store_core::{Access, Durability, Result, Settings, StateStore};

use crate::engine::JsonFiles;
use crate::folder::Folder;
use crate::layout::Item;
use crate::objects::read_file;

/// A store on JSON files as programs open it.
#[derive(Debug)]
pub struct Files;

impl Target for Files {
    fn name(&self) -> &'static str {
        "json"
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
        conformance::open_embedded(JsonFiles::default(), path, settings)
    }

    fn artefacts(&self, path: &Path) -> Vec<Artefact> {
        let fixed = [
            (Role::Data, ".store.json"),
            (Role::Companion, ".epoch.json"),
            (Role::Shared, ".changes"),
            (Role::Passing, ".journal"),
            (Role::Gate, ".gate"),
        ];
        let fixed = fixed.map(|(role, name)| Artefact::new(role, path.join(name)));
        let folder = folder(path);
        let listing = folder.list(None).unwrap_or_default();
        let folders = listing.logs.keys().map(|namespace| folder.layout.logs(namespace));
        let items = listing.items();
        let files = items.iter().map(|item| folder.layout.path(item));
        let parts = folders.chain(files).map(|path| Artefact::new(Role::Part, path));
        fixed.into_iter().chain(parts).collect()
    }

    fn check_integrity(&self, path: &Path) -> Result<(), String> {
        check(&folder(path)).map_err(|error| error.to_string())
    }

    fn dumps_hold_up_writers(&self) -> bool {
        true
    }

    fn tight(&self) -> Option<Tight> {
        None
    }

    fn hold_snapshot(&self, path: &Path) -> Result<Box<dyn Any + Send>, String> {
        let files = self.artefacts(path).into_iter().filter(|artefact| artefact.role == Role::Part);
        let open: Vec<_> = files.filter_map(|artefact| read_file(&artefact.path).ok()).collect();
        Ok(Box::new(open))
    }

    fn damages(&self) -> Vec<Damage> {
        damages::ALL.to_vec()
    }

    fn unfit_version(&self) -> Option<i32> {
        None
    }

    fn own_cases(&self) -> Vec<OwnCase> {
        cases::CASES.to_vec()
    }

    fn own_works(&self) -> &'static [OwnWork] {
        cases::WORKS
    }
}

fn folder(path: &Path) -> Folder {
    Folder::new(path, Modes::of(Access::Private, None), 0)
}

/// Reads every file to its end.
fn check(folder: &Folder) -> Result<()> {
    let journal = folder.journal()?;
    let changes = journal.as_ref().map(|journal| journal.changes.as_slice());
    folder.epoch(changes)?;
    for item in folder.list(changes)?.items() {
        match &item {
            Item::Epoch => {}
            Item::Object(namespace) => drop(folder.object(namespace, changes)?),
            Item::Log(namespace, name) => {
                if let Some(log) = folder.log(namespace, name, changes)? {
                    let mut goes_on = |_| ControlFlow::Continue(());
                    log.scan(0, &mut goes_on).map_err(|e| e.at(&folder.layout.path(&item)))?;
                }
            }
        }
    }
    Ok(())
}
