//! Moving a store to another engine or place.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use store_core::dump::{self, Existing, Meter, Old, Outline};
use store_core::shared::place::{Place, Shape};
use store_core::{Error, ErrorKind, Result};

use crate::config::StoreConfig;

impl StoreConfig {
    /// Copies this store to the place and engine of another configuration, compares the two by digest, and leaves
    /// word of it in the old one, all in one hold of its gate; see [`dump::migrate`].
    ///
    /// A new store that is missing is created.
    ///
    /// # Errors
    /// - `ConfigInvalid` if both are the same place, whatever their names, or one lies within the other.
    /// - `NotFound` if the old store is not there; those of [`dump::migrate`] and of opening either.
    pub async fn migrate_to(
        &self,
        to: &Self,
        becomes: Old,
        existing: Existing,
        meter: &Arc<Meter>,
    ) -> Result<Outline> {
        let (from, target) = (resolved(self.path())?, resolved(to.path())?);
        if from.starts_with(&target) || target.starts_with(&from) {
            let why = format!(
                "the store cannot move to where it lies, or into itself: it lies at {}; name another place",
                from.display()
            );
            return Err(Error::new(ErrorKind::ConfigInvalid, why)
                .with_operation("migrate")
                .with_path(target));
        }
        let old = self.clone().without_mirror().with_create(false).open().await?;
        // Whoever reads the word may be anywhere.
        let word = to.clone().at(&target).to_string();
        let new = to.open().await?;
        let moved = dump::migrate(&*old, Arc::clone(&new), &word, becomes, existing, meter).await;
        let closed = new.close().await;
        // A handle on a store that has moved has nothing left to do.
        let _ = old.close().await;
        let outline = moved?;
        closed?;
        Ok(outline)
    }
}

fn resolved(path: &Path) -> Result<PathBuf> {
    let path = std::path::absolute(path).map_err(|e| Error::from_io("cannot resolve the path", path, e))?;
    Ok(Place::resolve(&path, Shape::File)?.path().to_owned())
}
