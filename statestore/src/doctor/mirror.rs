//! The mirror, if one is kept: whether its files show what the store holds.

use std::time::Duration;

use store_core::{Blocking, Mirror, MirrorCheck, MirrorConfig, MirrorState, Result};

use super::patient::Patient;
use super::report::Finding;

const CHECK: &str = "mirror";
const MEND: &str = "statestore mirror --once";
/// What a live process has gathered is written by then.
const PATIENCE: Duration = Duration::from_secs(1);

/// Looks at the files of the mirror; nothing is made or locked.
pub(super) fn look(patient: &Patient<'_>) -> Vec<Finding> {
    let (Some(config), true) = (patient.config.mirror(), patient.presence.is_ok()) else { return Vec::new() };
    match check(patient, config) {
        Ok(checks) if checks.is_empty() => {
            vec![Finding::ok(CHECK, &config.dir, "every file shows what the store holds")]
        }
        Ok(checks) => checks.iter().map(finding).collect(),
        Err(error) => vec![Finding::warning(CHECK, &config.dir, error.to_string())],
    }
}

/// Returns the files that do not show what the store holds, and do not catch up.
fn check(patient: &Patient<'_>, config: &MirrorConfig) -> Result<Vec<MirrorCheck>> {
    let settings = patient.settings().clone().with_create(false).with_read_only(true);
    let store = Blocking::open(patient.config.engine().open(patient.place.path().to_owned(), settings))?;
    let mirror = pollster::block_on(Mirror::new(store.store().clone(), config.clone()))?;
    let wrong = |checks: Vec<MirrorCheck>| -> Vec<MirrorCheck> {
        checks.into_iter().filter(|check| check.state != MirrorState::Fresh).collect()
    };
    let mut found = wrong(mirror.check(None)?);
    if !found.is_empty() {
        std::thread::sleep(config.debounce + PATIENCE);
        let before = std::mem::replace(&mut found, wrong(mirror.check(None)?));
        // One that was written meanwhile is kept up by somebody.
        let catches_up = |check: &MirrorCheck| {
            before.iter().all(|before| before.file != check.file || before.revision != check.revision)
        };
        found.retain(|check| check.state != MirrorState::Stale || !catches_up(check));
    }
    store.close()?;
    Ok(found)
}

fn finding(check: &MirrorCheck) -> Finding {
    let why = match (check.state, check.behind) {
        (MirrorState::Stale, Some(behind)) => format!("is {behind} behind, and nobody writes it"),
        (MirrorState::Stale, None) => "shows what the store held before, and nobody writes it".to_owned(),
        (MirrorState::Superfluous, _) => "shows what the store does not hold".to_owned(),
        (MirrorState::Missing, _) => "was written, and is gone".to_owned(),
        _ => {
            "was changed by somebody else, such as by hand, and is written over by the next change".to_owned()
        }
    };
    Finding::warning(CHECK, &check.file, why).with_mend(MEND)
}
