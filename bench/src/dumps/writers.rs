//! Writes, and backups of the store that is written to, each for a time.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use statestore::dump::Meter as Progress;
use statestore::{BackupOptions, ErrorKind, Json, StateStore, backup};

use super::contents::{Spread, url};
use super::errand::Errand;
use super::plan::{Subject, Work};
use crate::Result;
use crate::load::{LOG, Load};
use crate::meter::{Meter, Tally};
use crate::side::Failure;
use crate::worker::wait_for_the_word;

/// How many backups are kept, so that old ones are removed as from cron.
const KEEP: usize = 2;

/// Puts and appends in turns, on a store with a mirror only puts, each in a namespace that is drawn.
pub(super) fn write(errand: &Errand, time: Duration) -> Result<Tally> {
    let store = open(errand)?;
    let spread = Spread::of(errand.case.size);
    fastrand::seed(errand.seed);
    let mut load = Load::<Json>::new(spread.each(), errand.seed, |text| text.parse())?;
    let mut appends = false;
    let mut once = || {
        appends = !appends && errand.case.work == Work::Backup;
        let (namespace, (key, value)) = (spread.draw(), load.draw());
        if appends {
            pollster::block_on(store.append(&namespace, LOG, value.clone())).map(drop)
        } else {
            pollster::block_on(store.put(&namespace, key, value.clone())).map(drop)
        }
    };
    once()?;
    repeat(time, once)
}

/// Takes one backup after the other; each is an operation.
pub(super) fn back_up(errand: &Errand, time: Duration) -> Result<Tally> {
    let store = open(errand)?;
    repeat(time, || {
        let (options, meter) = (BackupOptions::default().keep(KEEP), Arc::new(Progress::new()));
        pollster::block_on(backup(&*store, Path::new("backups"), options, &meter)).map(drop)
    })
}

fn open(errand: &Errand) -> Result<Arc<dyn StateStore>> {
    let url = url(errand.case.engine, ".");
    let mirror = if errand.subject == Subject::Mirrored { "&mirror=mirror" } else { "" };
    Ok(pollster::block_on(statestore::open(&format!("{url}?durability=power{mirror}")))?)
}

/// Repeats an operation from when all are ready.
fn repeat(time: Duration, mut once: impl FnMut() -> statestore::Result<()>) -> Result<Tally> {
    wait_for_the_word()?;
    let mut meter = Meter::start(Instant::now(), time)?;
    loop {
        let outcome = once().map_err(|error| match error.kind() {
            ErrorKind::Busy | ErrorKind::Indeterminate => Failure::TimedOut,
            _ => Failure::Broken(error.into()),
        });
        if !meter.note(outcome)? {
            return Ok(meter.finish());
        }
    }
}
