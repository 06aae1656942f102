//! From one store to another, with nothing written in between: copied, compared and buried in one hold of the gate.

use std::io::{BufWriter, Seek, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::export::{Compression, outline_of, write_spool};
use super::meter::Meter;
use super::outline::Outline;
use super::restore::{Existing, restore};
use super::source::DumpSource;
use super::take::{To, take};
use crate::backend::Transaction;
use crate::error::{Error, ErrorKind, Result};
use crate::store::StateStore;

/// What becomes of the old store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Old {
    /// It says from then on where to, to every read and write of whoever has it open, and to whoever opens it; its
    /// contents stay on the disk.
    #[default]
    Bury,
    /// It goes on, and what is written to it afterwards is its own.
    Keep,
}

/// Copies a store to another and compares the two by digest; `to` is the URL that the old one leaves word of.
///
/// All of it happens in one hold of the old store's gate, so that no write falls between; one that is kept is copied
/// from one instant while others write. Interrupted at any moment, the old store serves on; the new one is empty or
/// whole. Revisions, times and numbers stay as they are, so that checks go on to hold.
///
/// # Errors
/// - `Conflict` if the new store is not empty and is not to be replaced.
/// - `Unsupported` by a store that cannot leave word of a move, or has no one instant.
/// - Those of [`restore`] and of reading either store: then the old one is as it was.
/// - `Indeterminate` if it is not known whether the old store was buried: open it to see.
pub async fn migrate(
    old: &dyn StateStore,
    new: Arc<dyn StateStore>,
    to: &str,
    becomes: Old,
    existing: Existing,
    meter: &Arc<Meter>,
) -> Result<Outline> {
    if becomes == Old::Keep {
        let (outline, dump) = write_spool(old, meter).await?;
        fill(&*new, dump, &outline, existing, meter).await?;
        return Ok(outline);
    }
    let engine = old.info().await?.engine;
    let (to, gauge) = (to.to_owned(), Arc::clone(meter));
    let copied = Arc::new(Mutex::new(None));
    let kept = Arc::clone(&copied);
    let mut existing = existing;
    let works = move |transaction: &mut dyn Transaction| {
        let copy = copy(transaction, &engine, &*new, existing, &gauge);
        // Should the old store have to be asked again, the copy of before is replaced.
        if copy.is_ok() {
            existing = Existing::Replace;
        }
        let went_on = copy.is_ok();
        *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(copy);
        if went_on {
            return transaction.entomb(&to);
        }
        // What went wrong in the other store must not be taken for a fault of this one.
        Err(Error::new(ErrorKind::Conflict, "the copy was not made"))
    };
    let buried = old.rebuild("migrate", Box::new(works)).await;
    let copy = copied.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (buried, copy) {
        (_, Some(Err(error))) | (Err(error), _) => Err(error),
        (Ok(()), Some(Ok(outline))) => Ok(outline),
        (Ok(()), None) => Err(crate::backend::never_ran("rebuild")),
    }
}

fn copy(
    transaction: &mut dyn Transaction,
    engine: &str,
    new: &dyn StateStore,
    existing: Existing,
    meter: &Arc<Meter>,
) -> Result<Outline> {
    let name = PathBuf::from("<temporary file>");
    let failed = |e| Error::from_io("cannot keep the copy in a temporary file", &name, e);
    meter.begin("write", 0);
    let mut spool = tempfile::tempfile().map_err(failed)?;
    let to = To { sink: BufWriter::new(&spool), name: &name, compression: Compression::None };
    let (outline, mut to) = take(transaction, engine, to, meter)?;
    to.flush().map_err(failed)?;
    drop(to);
    spool.rewind().map_err(failed)?;
    // This thread is the old store's own; the new one has others.
    pollster::block_on(fill(new, DumpSource::of(spool, name), &outline, existing, meter))?;
    Ok(outline)
}

/// Fills the new store, and reads it again.
async fn fill(
    new: &dyn StateStore,
    dump: DumpSource,
    outline: &Outline,
    existing: Existing,
    meter: &Arc<Meter>,
) -> Result<()> {
    restore(new, dump, existing, meter).await?;
    let found = outline_of(new, meter).await?;
    let differences = outline.differences(&found);
    if differences.is_empty() {
        return Ok(());
    }
    let why = format!(
        "the new store does not hold what the old one does: {}; the old one serves on: let nobody write to the new one \
         meanwhile, then migrate again",
        differences.join("; ")
    );
    Err(Error::new(ErrorKind::Conflict, why))
}
