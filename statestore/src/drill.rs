//! The drill: a backup is proven by restoring it.

use std::path::Path;
use std::sync::Arc;

use store_core::dump::{Compression, DumpSource, Existing, Meter, Outline, export, outline_of, restore};
use store_core::shared::access::explain_denial;
use store_core::{Error, Result};

use crate::config::StoreConfig;

/// What a drill has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drill {
    /// What the backup holds.
    pub backup: Outline,
    /// What the store that was restored from it holds, opened anew.
    pub restored: Outline,
    /// What its engine finds wrong with it, in words.
    pub damage: Vec<String>,
    /// What the two hold otherwise, in words.
    pub differences: Vec<String>,
}

impl Drill {
    /// Whether the backup was proven.
    pub fn passed(&self) -> bool {
        self.damage.is_empty() && self.differences.is_empty()
    }
}

impl StoreConfig {
    /// Backs a store up, restores the backup to scratch with the same engine, opens that anew, lets its engine look
    /// through it, and compares the two: counts of each namespace and log, digests, revisions and times.
    ///
    /// With `backup` it is that file which is proven, and the store is not touched. Nothing is left of the scratch,
    /// which lies in a folder of its own below `scratch`.
    ///
    /// # Errors
    /// What kept it from coming to its end: those of [`export`], [`DumpSource::verify`], [`restore`] and of opening;
    /// what it found otherwise is in its result.
    pub async fn drill(&self, backup: Option<&Path>, scratch: &Path, meter: &Arc<Meter>) -> Result<Drill> {
        let folder = tempfile::Builder::new().prefix(".statestore-drill-").tempdir_in(scratch);
        let folder = folder.map_err(|e| explain_denial("cannot make a folder in", scratch, e))?;
        let made = folder.path().join("backup.dump");
        let file = if let Some(file) = backup {
            file
        } else {
            let store = self.clone().without_mirror().with_create(false).open().await?;
            export(&*store, &made, Compression::None, meter).await?;
            store.close().await?;
            &made
        };
        let backup = DumpSource::open(file)?.verify(meter)?;
        let config = self.clone().scratch(&folder.path().join("store"));
        let store = config.open().await?;
        restore(&*store, DumpSource::open(file)?, Existing::Refuse, meter).await?;
        store.close().await?;
        drop(store);
        // What is on the disk counts, not what a handle remembers.
        let store = config.with_create(false).open().await?;
        let damage = store.check_integrity().await?;
        let restored = outline_of(&*store, meter).await?;
        store.close().await?;
        drop(store);
        let mut differences = backup.differences(&restored);
        if differences.is_empty() && backup.digest != restored.digest {
            differences.push("revisions or times differ".to_owned());
        }
        folder.close().map_err(|e| Error::from_io("cannot remove the scratch in", scratch, e))?;
        Ok(Drill { backup, restored, damage, differences })
    }
}
