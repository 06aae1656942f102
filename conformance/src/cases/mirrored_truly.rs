//! Promise 10: the JSON mirror is whole at every instant, never goes back, catches up, shows its drift, and never
//! endangers a write.

mod drift;
mod kills;
mod obstacles;
mod readers;
mod rights;
mod synced;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use store_core::{Blocking, MirrorConfig, MirrorLogs, MirrorState, MirrorStatus};

use super::Case;
use super::bounded::syncs::why_no_strace;
use crate::drill::why_no_mounts;
use crate::failure::{Context, Outcome, ensure, ensure_eq};
use crate::job::{Job, Work};
use crate::target::Target;
use crate::users::why_not_root;
use crate::values::below;

use drift::what_somebody_changed_is_told_and_written_anew;
use kills::after_a_kill_every_file_is_whole_and_the_next_process_catches_up;
use obstacles::{
    a_full_mirror_fails_no_write_and_catches_up, a_mirror_that_is_taken_away_fails_no_write_and_catches_up,
    a_mirror_that_may_not_be_written_fails_no_write_and_catches_up,
    a_mirror_that_turns_read_only_fails_no_write_and_catches_up,
    a_stopped_process_in_the_mirror_delays_no_write_for_long,
};
use readers::a_reader_sees_whole_files_and_only_newer_ones;
use rights::a_mirror_has_the_rights_of_its_store_whoever_writes_it;
use synced::what_a_mirror_shows_was_synced_before;

pub(super) const CASES: &[Case] = super::cases![
    a_reader_sees_whole_files_and_only_newer_ones,
    after_a_kill_every_file_is_whole_and_the_next_process_catches_up => drill,
    what_somebody_changed_is_told_and_written_anew,
    a_full_mirror_fails_no_write_and_catches_up needs why_no_mounts,
    a_mirror_that_turns_read_only_fails_no_write_and_catches_up needs why_no_mounts,
    a_mirror_that_is_taken_away_fails_no_write_and_catches_up,
    a_mirror_that_may_not_be_written_fails_no_write_and_catches_up needs why_not_root,
    a_stopped_process_in_the_mirror_delays_no_write_for_long,
    a_mirror_has_the_rights_of_its_store_whoever_writes_it needs why_not_root,
    what_a_mirror_shows_was_synced_before needs why_no_strace,
];

pub(super) const WORKS: &[&[Work]] =
    &[drift::WORKS, obstacles::WORKS, readers::WORKS, rights::WORKS, synced::WORKS];

/// Against hanging only: far longer than anything here takes, and shorter than the patience of the suite.
const LONG: Duration = Duration::from_secs(30);
/// Gathers changes for longer than any case takes.
const NEVER: Duration = Duration::from_mins(10);

/// Returns the folder of a store's mirror.
fn dir_of(path: &Path) -> Outcome<PathBuf> {
    Ok(path.parent().context("the store has no folder")?.join("mirror"))
}

/// Returns the configuration of a store's mirror, its logs included.
fn config_of(path: &Path) -> Outcome<MirrorConfig> {
    Ok(MirrorConfig::new(dir_of(path)?).with_logs(MirrorLogs::Last(5)))
}

/// Gives an open store its mirror.
fn mirrored(target: &dyn Target, store: &Blocking, config: MirrorConfig) -> store_core::Result<Blocking> {
    target.mirrored(Arc::clone(store.store()), config).map(Blocking::new)
}

/// Opens the store of a worker with its mirror.
fn open_mirrored(job: &Job, debounce: Duration) -> Outcome<Blocking> {
    let config = config_of(&job.orders.path)?.with_debounce(debounce);
    Ok(mirrored(job.target, &job.open()?, config)?)
}

/// Returns how the mirror of a store stands.
fn status(store: &Blocking) -> Outcome<MirrorStatus> {
    store.info()?.mirror.context("info tells of no mirror")
}

#[track_caller]
fn until(what: &str, mut holds: impl FnMut() -> Outcome<bool>) -> Outcome {
    let deadline = Instant::now() + LONG;
    while !holds()? {
        ensure!(Instant::now() < deadline, "it never came about that {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

fn until_caught_up(store: &Blocking) -> Outcome {
    until("the mirror has caught up", || {
        let status = status(store)?;
        Ok(!status.catching_up && status.pending.is_empty())
    })
}

/// Makes sure that a mirror shows all that its store holds, and that nothing else lies in its folder.
#[track_caller]
fn shows_all(store: &Blocking, config: &MirrorConfig) -> Outcome {
    let checks = store.mirror(config.clone())?.check(None)?;
    ensure!(!checks.is_empty(), "the mirror shows nothing");
    for check in &checks {
        ensure!(check.state == MirrorState::Fresh && check.behind == Some(0), "{check:?}");
        if check.log.is_none() {
            let shown = std::fs::read_to_string(&check.file).context(check.file.display())?;
            ensure_eq!(shown, store.object(&check.namespace)?.pretty(), "{}", check.file.display());
        }
    }
    let folders = checks.iter().filter(|check| check.log.is_some()).map(|check| check.namespace.as_str());
    let folders = folders.collect::<std::collections::BTreeSet<_>>().len();
    // The index and the lock.
    let found = below(&config.dir)?;
    ensure_eq!(found.len(), checks.len() + folders + 2, "what lies in the folder of the mirror: {found:?}");
    Ok(())
}
