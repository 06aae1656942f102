//! What goes wrong with a mirror, above the store that it shows.

use std::path::Path;
use std::sync::Arc;

use store_core::{Batch, Error, ErrorKind, Mirror, MirrorConfig, Mirrored, Result, StateStore, Write};

use super::faults::Fault;
use super::places::{set_mode, umask};
use super::store::Store;

/// Gives a store its mirror, with the fault.
pub(super) fn mirrored(
    fault: Fault,
    store: Arc<dyn StateStore>,
    config: MirrorConfig,
) -> Result<Arc<dyn StateStore>> {
    let below = match fault {
        // What others left is nothing to it.
        Fault::LeavesTheMirrorToItself => config.clone().with_namespaces(["nobody writes this"]),
        _ => config.clone(),
    };
    let inner: Arc<dyn StateStore> = Arc::new(pollster::block_on(Mirrored::new(store, below))?);
    Ok(match fault {
        Fault::MirrorsInPlace
        | Fault::LeavesTheMirrorToItself
        | Fault::FailsWithItsMirror
        | Fault::WaitsForItsMirror
        | Fault::SaysNothingOfItsMirror
        | Fault::MirrorsByTheUmask => Arc::new(Store::new(inner, fault).with_mirror(config)),
        _ => inner,
    })
}

/// Goes wrong after a batch was written.
pub(super) async fn after_write(store: &Store, config: &MirrorConfig, batch: &Batch) -> Result<()> {
    let namespaces: Vec<String> = batch.writes().iter().map(Write::namespace).map(str::to_owned).collect();
    match store.fault {
        Fault::MirrorsInPlace => {
            for namespace in namespaces {
                let text = store.inner.object(&namespace).await?.pretty();
                in_place(&config.dir.join(format!("{namespace}.json")), &text);
            }
        }
        Fault::LeavesTheMirrorToItself | Fault::WaitsForItsMirror => {
            let mirror = Mirror::new(Arc::clone(&store.inner), config.clone()).await?;
            let _ = mirror.write(Some(&namespaces));
        }
        Fault::FailsWithItsMirror => {
            let failure = store.inner.info().await?.mirror.and_then(|mirror| mirror.last_error);
            return failure.map_or(Ok(()), |failure| Err(Error::new(ErrorKind::Io, failure.message)));
        }
        Fault::MirrorsByTheUmask => {
            for found in std::fs::read_dir(&config.dir).unwrap() {
                let path = found.unwrap().path();
                if path.is_file() {
                    set_mode(&path, 0o666 & !umask());
                }
            }
        }
        _ => {}
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "as who thinks little of it would")]
fn in_place(path: &Path, text: &str) {
    let _ = std::fs::write(path, text);
}
