//! The doctor in a process that has the store open: its locks stay.

#![allow(clippy::unwrap_used, reason = "tests")]
#![cfg(all(target_os = "linux", feature = "sqlite"))]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use statestore::StoreConfig;
use statestore::doctor::State;
use statestore::shared::os;

fn locks(path: &Path) -> usize {
    let found = os::locks_on(os::identity(&path.metadata().unwrap()));
    found.iter().filter(|lock| lock.pid == std::process::id()).count()
}

#[test]
fn a_store_that_is_open_keeps_its_locks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let config = StoreConfig::from_url(&format!("sqlite:{}", path.display())).unwrap();
    let store = config.open_blocking().unwrap();
    store.put_as("n", "k", &1).unwrap();
    let files = ["state.db", "state.db-shm"].map(|name| folder.path().join(name));
    let before = files.each_ref().map(|path| locks(path));
    assert!(before.iter().all(|held| *held > 0), "{before:?}");
    for path in &files {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
    }
    assert_eq!(config.doctor().unwrap().count(State::Fault), 2);
    assert_eq!(files.each_ref().map(|path| locks(path)), before, "after a look");
    let report = config.mend(false).unwrap();
    assert_eq!((report.count(State::Mended), report.count(State::Fault)), (2, 0), "{report:?}");
    assert_eq!(files.each_ref().map(|path| locks(path)), before, "after mending");
    store.put_as("n", "k", &2).unwrap();
    store.close().unwrap();
}

#[test]
fn a_configuration_for_reading_only_is_looked_at_and_not_mended() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}/state.db", folder.path().display());
    let config = StoreConfig::from_url(&url).unwrap();
    config.open_blocking().unwrap().close().unwrap();
    let reading = config.with_read_only(true);
    assert_eq!(reading.doctor().unwrap().count(State::Fault), 0);
    assert_eq!(reading.mend(false).unwrap_err().kind(), statestore::ErrorKind::ReadOnly);
}
