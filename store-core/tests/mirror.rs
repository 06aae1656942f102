//! The mirror of a store, on a backend in memory.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod memory;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use memory::Memory;
use store_core::shared::access::Modes;
use store_core::shared::files;
use store_core::shared::gate::Gate;
use store_core::{
    Access, Batch, Blocking, Embedded, ErrorKind, Json, Mirror, MirrorAction, MirrorConfig, MirrorLogs,
    MirrorState, MirrorStatus, Mirrored, Settings, StateStore, Update,
};
use tempfile::TempDir;

/// Far beyond what anything here takes: against hanging only.
const PATIENCE: Duration = Duration::from_mins(1);

struct Scene {
    folder: TempDir,
    memory: Memory,
    store: Arc<dyn StateStore>,
}

impl Scene {
    fn new() -> Self {
        Self::with(Settings::default().with_timeout(PATIENCE))
    }

    fn with(settings: Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let memory = Memory::default();
        let path = folder.path().join("s");
        let store = pollster::block_on(Embedded::open(memory.clone(), &path, settings)).unwrap();
        Self { folder, memory, store: Arc::new(store) }
    }

    fn plain(&self) -> Blocking {
        Blocking::new(Arc::clone(&self.store))
    }

    fn config(&self) -> MirrorConfig {
        MirrorConfig::new(self.folder.path().join("m"))
    }

    fn mirror(&self, config: MirrorConfig) -> Mirror {
        pollster::block_on(Mirror::new(Arc::clone(&self.store), config)).unwrap()
    }

    fn mirrored(&self, config: MirrorConfig) -> Blocking {
        let mirrored = pollster::block_on(Mirrored::new(Arc::clone(&self.store), config)).unwrap();
        Blocking::new(Arc::new(mirrored))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join("m").join(name)
    }

    fn text(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.file(name)).ok()
    }

    fn states(&self, config: MirrorConfig) -> Vec<(String, MirrorState, u64, Option<u64>)> {
        let root = self.folder.path().canonicalize().unwrap().join("m");
        let name = |file: &Path| file.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        let checks = self.mirror(config).check(None).unwrap();
        checks.into_iter().map(|c| (name(&c.file), c.state, c.revision, c.behind)).collect()
    }
}

fn status(store: &Blocking) -> MirrorStatus {
    store.info().unwrap().mirror.unwrap()
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn by_hand(path: &Path, text: &str) {
    let modes = Modes::of(Access::Private, None);
    files::replace_file(path, path.parent().unwrap(), text.as_bytes(), 0o600, &modes).unwrap();
}

fn json(text: &str) -> Json {
    text.parse().unwrap()
}

#[test]
fn a_synchronous_mirror_shows_a_write_when_it_returns() {
    let scene = Scene::new();
    let store = scene.mirrored(scene.config().with_debounce(Duration::ZERO));
    store.put("jobs", "b", json(r#"{"n":1.50,"z":[],"a":1e400}"#)).unwrap();
    store.put("jobs", "a", json("\"\\u00e4\"")).unwrap();
    let lines =
        "{\n  \"a\": \"\\u00e4\",\n  \"b\": {\n    \"n\": 1.50,\n    \"z\": [],\n    \"a\": 1e400\n  }\n}\n";
    assert_eq!(scene.text("jobs.json").unwrap(), lines);
    store.commit(Batch::new().put("A/../b", "k", 1).delete("jobs", "b")).unwrap();
    assert_eq!(scene.text("%41%2F..%2Fb.json").unwrap(), "{\n  \"k\": 1\n}\n");
    assert_eq!(scene.text("jobs.json").unwrap(), "{\n  \"a\": \"\\u00e4\"\n}\n");
    store.replace_object("jobs", BTreeMap::from([("c".into(), Json::from(true))])).unwrap();
    assert_eq!(scene.text("jobs.json").unwrap(), "{\n  \"c\": true\n}\n");
    // Emptied, it shows as such only while the namespace holds a log.
    store.delete("jobs", "c").unwrap();
    assert_eq!(scene.text("jobs.json"), None);
    store.append("jobs", "events", 1.into()).unwrap();
    assert_eq!(scene.text("jobs.json").unwrap(), "{}\n");
    store.delete_namespace("jobs").unwrap();
    assert_eq!(scene.text("jobs.json"), None);
    let told = status(&store);
    assert_eq!((told.failures, told.last_error, told.pending.len()), (0, None, 0));
    assert_eq!(told.written, 8, "each change one file");
}

#[test]
fn a_debounced_mirror_gathers_and_closing_writes_the_rest() {
    let scene = Scene::new();
    let store = scene.mirrored(scene.config().with_debounce(Duration::from_mins(30)));
    until("caught up", || !status(&store).catching_up);
    for n in 0..100 {
        store.put("jobs", "n", n.into()).unwrap();
    }
    assert_eq!((scene.text("jobs.json"), status(&store).pending), (None, vec!["jobs".to_owned()]));
    store.close().unwrap();
    assert_eq!(scene.text("jobs.json").unwrap(), "{\n  \"n\": 99\n}\n");
    let store = Scene::new();
    let quick = store.mirrored(store.config().with_debounce(Duration::from_millis(1)));
    quick.put("jobs", "n", 1.into()).unwrap();
    until("written by itself", || store.text("jobs.json").is_some());
}

#[test]
fn an_open_store_catches_up_with_what_others_left() {
    let scene = Scene::new();
    scene.plain().put("jobs", "n", 1.into()).unwrap();
    scene.plain().put("gone", "n", 1.into()).unwrap();
    drop(scene.mirrored(scene.config()));
    until("written", || scene.text("gone.json").is_some());
    scene.plain().put("jobs", "n", 2.into()).unwrap();
    scene.plain().delete_namespace("gone").unwrap();
    let store = scene.mirrored(scene.config());
    until("caught up", || !status(&store).catching_up);
    assert_eq!(scene.text("jobs.json").unwrap(), "{\n  \"n\": 2\n}\n");
    assert_eq!(scene.text("gone.json"), None);
    assert_eq!(status(&store).written, 2);
}

#[test]
fn only_what_is_wanted_is_shown() {
    let scene = Scene::new();
    let config = scene.config().with_namespaces(["a"]).with_logs(MirrorLogs::Last(2));
    let store = scene.mirrored(config.clone().with_debounce(Duration::ZERO));
    for n in 1..=5 {
        store.append("a", "l", n.into()).unwrap();
        store.append("b", "l", n.into()).unwrap();
    }
    assert_eq!(scene.text("a/l.jsonl").unwrap(), "4\n5\n");
    store.trim_log("a", "l", 5).unwrap();
    assert_eq!(scene.text("a/l.jsonl").unwrap(), "5\n");
    store.trim_log("a", "l", 9).unwrap();
    assert_eq!(scene.text("a/l.jsonl").unwrap(), "");
    assert_eq!((scene.text("a.json"), scene.text("b.json"), scene.text("b/l.jsonl")), (None, None, None));
    store.delete_namespace("a").unwrap();
    assert!(!scene.file("a").exists());
    // Long logs come page by page.
    for n in 0..3000 {
        scene.plain().append("a", "l", n.into()).unwrap();
    }
    let mirror = scene.mirror(config.with_logs(MirrorLogs::All));
    mirror.write(None).unwrap();
    let lines: Vec<u64> =
        scene.text("a/l.jsonl").unwrap().lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(lines, (0..3000).collect::<Vec<_>>());
}

#[test]
fn a_log_that_was_deleted_and_filled_again_is_written_anew() {
    let scene = Scene::new();
    let mirror = scene.mirror(scene.config().with_logs(MirrorLogs::All));
    scene.plain().append("n", "l", 1.into()).unwrap();
    mirror.write(None).unwrap();
    scene.plain().delete_namespace("n").unwrap();
    scene.plain().append("n", "l", 2.into()).unwrap();
    assert_eq!(scene.states(mirror.config().clone())[0].1, MirrorState::Stale);
    mirror.write(None).unwrap();
    assert_eq!(scene.text("n/l.jsonl").unwrap(), "2\n");
}

#[test]
fn check_tells_how_each_file_stands() {
    use MirrorState::{Drifted, Fresh, Missing, Stale, Superfluous};

    let scene = Scene::new();
    let plain = scene.plain();
    let revision = |namespace: &str| plain.object(namespace).unwrap().revision.get();
    for namespace in ["drifted", "fresh", "gone", "missing", "stale"] {
        plain.put(namespace, "n", 1.into()).unwrap();
    }
    assert_eq!(scene.states(scene.config())[1].1, Stale, "nothing is written yet, which is no loss");
    let mirror = scene.mirror(scene.config());
    assert_eq!(mirror.write(None).unwrap().changes.len(), 5);
    assert!(scene.states(scene.config()).iter().all(|found| found.1 == Fresh && found.3 == Some(0)));
    let old = revision("stale");
    plain.put("stale", "n", 2.into()).unwrap();
    plain.put("stale", "n", 3.into()).unwrap();
    plain.put("new", "n", 3.into()).unwrap();
    plain.delete_namespace("gone").unwrap();
    by_hand(&scene.file("drifted.json"), "{\n  \"n\": 7\n}\n");
    by_hand(&scene.file("odd.json"), "{}");
    by_hand(&scene.file("Not Ours.json"), "{}");
    fs::remove_file(scene.file("missing.json")).unwrap();
    let expected = [
        ("drifted", Drifted, 0, None),
        ("fresh", Fresh, revision("fresh"), Some(0)),
        ("gone", Superfluous, 1 << 40 | 1, None),
        ("missing", Missing, 0, Some(1)),
        ("new", Stale, 0, Some(1)),
        ("odd", Superfluous, 0, None),
        ("stale", Stale, old, Some(2)),
    ];
    let mut expected = expected.map(|(name, state, at, behind)| (format!("{name}.json"), state, at, behind));
    expected[2].2 = old;
    assert_eq!(scene.states(scene.config()), expected);
    let pass = mirror.write(None).unwrap();
    assert!(pass.failed.is_empty());
    let changed: Vec<_> = pass.changes.iter().map(|c| (c.namespace.as_str(), c.action)).collect();
    let written = |name| (name, MirrorAction::Written);
    let all = ["drifted", "missing", "new", "stale"].map(written).into_iter();
    assert_eq!(changed, all.chain([("gone", MirrorAction::Removed)]).collect::<Vec<_>>());
    let left = scene.states(scene.config());
    assert!(left.iter().all(|(name, state, ..)| *state == Fresh || name == "odd.json"), "{left:?}");
    assert!(scene.file("Not Ours.json").exists());
}

#[test]
fn a_kill_between_the_index_and_a_file_is_no_change_by_hand() {
    let scene = Scene::new();
    let mirror = scene.mirror(scene.config());
    scene.plain().put("n", "k", 1.into()).unwrap();
    mirror.write(None).unwrap();
    let old = scene.text("n.json").unwrap();
    scene.plain().put("n", "k", 2.into()).unwrap();
    mirror.write(None).unwrap();
    // As if the writer had been killed before the file was in place.
    by_hand(&scene.file("n.json"), &old);
    let states = scene.states(scene.config());
    assert_eq!((states[0].1, states[0].3), (MirrorState::Stale, Some(1)));
    // The next who opens the store with its mirror catches up.
    drop(scene.mirrored(scene.config()));
    until("caught up", || scene.text("n.json").unwrap().contains('2'));
    until("fresh", || scene.states(scene.config())[0].1 == MirrorState::Fresh);
}

#[test]
fn a_mirror_that_fails_fails_no_write_and_goes_on_later() {
    let scene = Scene::with(Settings::default().with_timeout(Duration::from_secs(30)));
    by_hand(&scene.folder.path().join("m"), "in the way");
    let config = scene.config();
    let error = pollster::block_on(Mirrored::new(Arc::clone(&scene.store), config.clone())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConfigInvalid, "what can be told before is: {error}");
    fs::remove_file(scene.folder.path().join("m")).unwrap();
    let store = scene.mirrored(config.with_debounce(Duration::ZERO));
    until("caught up", || !status(&store).catching_up);
    fs::remove_dir_all(scene.folder.path().join("m")).unwrap();
    by_hand(&scene.folder.path().join("m"), "in the way");
    store.put("n", "k", 0.into()).unwrap();
    let told = status(&store);
    assert!(told.failures > 0 && told.pending == ["n"], "what failed is still to be written: {told:?}");
    for n in 0..20 {
        store.put("n", "k", n.into()).unwrap();
    }
    let told = status(&store);
    assert!(told.failures > 0 && told.pending == ["n"], "{told:?}");
    let failure = told.last_error.unwrap();
    assert!(failure.message.contains("mirror") && failure.path.is_some(), "{failure:?}");
    fs::remove_file(scene.folder.path().join("m")).unwrap();
    until("tried again", || scene.text("n.json").is_some());
    assert_eq!(scene.text("n.json").unwrap(), "{\n  \"k\": 19\n}\n");
}

#[test]
fn a_failed_sync_shows_nothing() {
    let scene = Scene::new();
    let mirror = scene.mirror(scene.config());
    scene.plain().put("n", "k", 1.into()).unwrap();
    scene.memory.set(|faults| faults.syncs = 1);
    assert_eq!(mirror.write(None).unwrap_err().kind(), ErrorKind::Indeterminate);
    assert_eq!(fs::read_dir(scene.file("")).unwrap().count(), 1, "the lock alone");
    mirror.write(None).unwrap();
    scene.memory.set(|faults| faults.done.clear());
    scene.plain().put("n", "k", 2.into()).unwrap();
    mirror.write(None).unwrap();
    assert_eq!(scene.memory.count("sync"), 2, "one for the write, one for the mirror");
}

#[test]
fn a_spoilt_index_is_begun_anew_and_a_newer_one_refused() {
    let scene = Scene::new();
    let mirror = scene.mirror(scene.config());
    scene.plain().put("n", "k", 1.into()).unwrap();
    mirror.write(None).unwrap();
    for text in ["", "{\"statestore_mirror\":1}", "\u{0}"] {
        by_hand(&scene.file(".mirror.json"), text);
        assert_eq!(scene.states(scene.config())[0].1, MirrorState::Drifted);
        mirror.write(None).unwrap();
        assert_eq!(scene.states(scene.config())[0].1, MirrorState::Fresh);
    }
    by_hand(&scene.file(".mirror.json"), "{\"statestore_mirror\": 2}");
    let newer = mirror.write(None).unwrap_err();
    assert_eq!(newer.kind(), ErrorKind::IncompatibleFormat);
    assert!(newer.to_string().contains("update this program"), "{newer}");
}

#[test]
fn one_folder_mirrors_one_store() {
    let (scene, other) = (Scene::new(), Scene::new());
    scene.plain().put("n", "k", 1.into()).unwrap();
    other.plain().put("n", "k", 2.into()).unwrap();
    scene.mirror(scene.config()).write(None).unwrap();
    let error = other.mirror(scene.config()).write(None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
    assert!(error.to_string().contains("mirror of another store, memory:/"), "{error}");
    assert!(scene.text("n.json").unwrap().contains('1'));
    fs::remove_file(scene.file(".mirror.json")).unwrap();
    other.mirror(scene.config()).write(None).unwrap();
    assert!(scene.text("n.json").unwrap().contains('2'));
}

#[test]
fn whoever_has_not_the_lock_writes_nothing_and_reads_when_it_has() {
    let scene = Scene::with(Settings::default().with_timeout(Duration::from_millis(300)));
    let mirror = scene.mirror(scene.config());
    scene.plain().put("n", "k", 1.into()).unwrap();
    mirror.write(None).unwrap();
    let gate = Gate::new(scene.file(".mirror.gate"), Modes::of(Access::Private, None));
    let held = gate.try_acquire("test").unwrap().unwrap();
    scene.plain().put("n", "k", 2.into()).unwrap();
    let busy = mirror.write(None).unwrap_err();
    assert_eq!(busy.kind(), ErrorKind::Busy);
    assert!(busy.to_string().contains(&format!("pid {}", std::process::id())), "{busy}");
    assert!(scene.text("n.json").unwrap().contains('1'));
    assert_eq!(scene.states(scene.config())[0].1, MirrorState::Stale, "a look needs no lock");
    // A synchronous mirror holds a write up once, and no longer than the timeout.
    let store = scene.mirrored(scene.config().with_debounce(Duration::ZERO));
    store.put("n", "k", 3.into()).unwrap();
    until("it failed", || status(&store).failures > 0);
    store.put("n", "k", 4.into()).unwrap();
    assert!(scene.text("n.json").unwrap().contains('1'));
    drop(held);
    until("written", || scene.text("n.json").unwrap().contains('4'));
    // Who waits for the lock shows what was written meanwhile.
    let held = gate.acquire("test").unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| mirror.write(None).unwrap());
        std::thread::sleep(Duration::from_millis(50));
        scene.plain().put("n", "k", 5.into()).unwrap();
        drop(held);
        waiting.join().unwrap();
    });
    assert!(scene.text("n.json").unwrap().contains('5'));
}

#[test]
fn the_lock_is_held_from_before_the_read_until_the_files_are_in_place() {
    let scene = Scene::new();
    let mirror = scene.mirror(scene.config());
    scene.plain().put("n", "k", 1.into()).unwrap();
    scene.memory.set(|faults| faults.syncs_wait = true);
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| mirror.write(None).unwrap());
        let hidden = |name: std::ffi::OsString| name.to_string_lossy().starts_with(".statestore-");
        let staged =
            || fs::read_dir(scene.file("")).into_iter().flatten().any(|f| hidden(f.unwrap().file_name()));
        until("something is staged", staged);
        let gate = Gate::new(scene.file(".mirror.gate"), Modes::of(Access::Private, None));
        let free = gate.try_acquire("test").unwrap().is_some();
        let seen = scene.text("n.json");
        scene.memory.set(|faults| faults.syncs_wait = false);
        writing.join().unwrap();
        assert!(!free, "somebody else could have written meanwhile");
        assert_eq!(seen, None, "what is not synced is not shown");
    });
    assert!(scene.text("n.json").is_some());
}

#[test]
fn many_handles_never_let_it_go_back() {
    let scene = Scene::new();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|_| {
                let store = scene.mirrored(scene.config().with_debounce(Duration::ZERO));
                scope.spawn(move || {
                    for _ in 0..40 {
                        let grow = |at: Option<(u64, String)>| {
                            let filler = "x".repeat(fastrand::usize(..20_000));
                            Ok(Update::Put((at.map_or(1, |(n, _)| n + 1), filler)))
                        };
                        store.update_as("n", "at", grow).unwrap();
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            let mut last = 0;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                let Some(text) = scene.text("n.json") else { continue };
                let value: serde_json::Value = serde_json::from_str(&text).unwrap();
                let at = value["at"][0].as_u64().unwrap();
                assert!(at >= last, "{at} after {last}");
                last = at;
            }
        });
        for writer in writers {
            writer.join().unwrap();
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    assert_eq!(scene.states(scene.config())[0].1, MirrorState::Fresh);
}

#[cfg(unix)]
#[test]
fn everything_has_the_rights_of_the_store_and_leftovers_go() {
    use std::os::unix::fs::PermissionsExt;

    let scene = Scene::with(Settings::default().with_access(Access::Group));
    let mirror = scene.mirror(scene.config().with_logs(MirrorLogs::All));
    scene.plain().put("n", "k", 1.into()).unwrap();
    scene.plain().append("n", "l", 1.into()).unwrap();
    mirror.write(None).unwrap();
    let mode = |name: &str| scene.file(name).metadata().unwrap().permissions().mode() & 0o7777;
    for name in ["n.json", "n/l.jsonl", ".mirror.json", ".mirror.gate"] {
        assert_eq!(mode(name), 0o660, "{name}");
    }
    assert_eq!((mode(""), mode("n")), (0o2770, 0o2770));
    by_hand(&scene.file(".statestore-killed.new"), "");
    mirror.write(None).unwrap();
    assert_eq!(fs::read_dir(scene.file("")).unwrap().count(), 4);
}
