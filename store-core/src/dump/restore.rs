//! From a dump to a store: seen whole before anything is touched, one transaction in the gate, compared before it is
//! committed.

use std::sync::{Arc, Mutex, PoisonError};

use super::load::load;
use super::meter::Meter;
use super::outline::Outline;
use super::source::DumpSource;
use super::take::{To, take};
use crate::backend::Transaction;
use crate::error::{Error, ErrorKind, Result};
use crate::store::StateStore;

/// What becomes of what a store holds before it is restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Existing {
    /// A store that holds anything is refused.
    #[default]
    Refuse,
    /// All of it is replaced.
    Replace,
}

/// Makes a store hold what a dump holds, and nothing else, at one instant for all who have it open; an interrupted
/// restore leaves it as it was.
///
/// - The dump is read to its end before the store is touched.
/// - It is one write transaction in the gate. What it wrote is read again and compared with the dump before it is
///   committed, and it is synced before this returns.
/// - The epoch is raised above those of both, so that no revision of either is given again. Objects that this store
///   never had keep their revisions; those that it had get one above all that it gave.
///
/// # Errors
/// - `Conflict` if the store is not empty and is not to be replaced.
/// - `Corrupted`, `IncompatibleFormat` for the dump, with the record and the byte; nothing was touched.
/// - `Unsupported` by a store that cannot; those of every write.
pub async fn restore(
    store: &dyn StateStore,
    dump: DumpSource,
    existing: Existing,
    meter: &Arc<Meter>,
) -> Result<Outline> {
    let expected = dump.verify(meter)?;
    let engine = store.info().await?.engine;
    let loaded = Arc::new(Mutex::new(None));
    let (kept, gauge) = (Arc::clone(&loaded), Arc::clone(meter));
    let works = move |transaction: &mut dyn Transaction| {
        gauge.begin("restore", expected.bytes);
        let outline = load(transaction, dump.read(&gauge)?, existing)?;
        gauge.begin("compare", expected.bytes);
        compare(transaction, &engine, &outline, &gauge)?;
        *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(outline);
        Ok(())
    };
    store.rebuild("restore", Box::new(works)).await?;
    let outline = loaded.lock().unwrap_or_else(PoisonError::into_inner).take();
    outline.ok_or_else(|| crate::backend::never_ran("rebuild"))
}

/// Makes sure that the transaction holds what was loaded.
fn compare(transaction: &dyn Transaction, engine: &str, outline: &Outline, meter: &Meter) -> Result<()> {
    let (found, _) = take(transaction, engine, To::nowhere(), meter)?;
    let differences = outline.differences(&found);
    if differences.is_empty() {
        return Ok(());
    }
    let why = format!(
        "what was restored does not read as the dump: {}; nothing was changed, report this as a bug",
        differences.join("; ")
    );
    Err(Error::new(ErrorKind::Corrupted, why))
}
