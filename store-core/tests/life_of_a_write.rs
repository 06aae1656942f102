//! The life of a write, step by step, on a backend whose every step can fail, block and be counted.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod memory;

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use memory::Memory;
use store_core::shared::access::Modes;
use store_core::shared::gate::{Gate, Holder};
use store_core::{
    Access, Batch, Blocking, Durability, Embedded, Error, ErrorKind, Expect, Json, Seams, Settings,
    StateStore,
};
use tempfile::TempDir;

/// Far beyond what anything here takes: against hanging only.
const PATIENCE: Duration = Duration::from_mins(1);

struct Scene {
    folder: TempDir,
    memory: Memory,
    store: Arc<Embedded<Memory>>,
}

impl Scene {
    fn new() -> Self {
        Self::with(Settings::default().with_timeout(PATIENCE))
    }

    fn with(settings: Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let memory = Memory::default();
        let store = Self::open(&folder, &memory, settings);
        // The first write also raises the epoch, which is counted here.
        pollster::block_on(store.put("first", "write", Json::from(true))).unwrap();
        memory.set(|faults| faults.done.clear());
        Self { folder, memory, store }
    }

    fn open(folder: &TempDir, memory: &Memory, settings: Settings) -> Arc<Embedded<Memory>> {
        let path = folder.path().join("s");
        Arc::new(pollster::block_on(Embedded::open(memory.clone(), &path, settings)).unwrap())
    }

    fn blocking(&self) -> Blocking {
        Blocking::new(Arc::clone(&self.store) as Arc<dyn StateStore>)
    }

    fn put(&self, key: &str) -> Result<store_core::Revision, Error> {
        self.blocking().put("n", key, Json::from(key))
    }

    fn has(&self, key: &str) -> bool {
        self.blocking().get("n", key).unwrap().is_some()
    }

    /// The gate as another process sees it.
    fn gate(&self) -> Gate {
        let path = self.folder.path().canonicalize().unwrap().join("s.gate");
        Gate::new(path, Modes::of(Access::Private, None))
    }

    /// Starts a put on a thread of its own.
    fn start(&self, key: &'static str) -> JoinHandle<Result<store_core::Revision, Error>> {
        let store = self.blocking();
        thread::spawn(move || store.put("n", key, Json::from(key)))
    }
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "never: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn one_bad_batch_of_a_group_does_not_take_the_others_along() {
    let scene = Scene::new();
    scene.memory.set(|faults| faults.poison = Some("bad"));
    let gate = scene.gate();
    let held = gate.acquire("test").unwrap();
    let writes = ["good", "bad", "better"].map(|key| scene.start(key));
    thread::sleep(Duration::from_millis(100));
    assert_eq!(scene.memory.count("commit"), 0);
    drop(held);
    let [good, bad, better] = writes.map(|write| write.join().unwrap());
    assert!(good.is_ok() && better.is_ok());
    assert_eq!(bad.unwrap_err().kind(), ErrorKind::StorageFull);
    assert!(scene.has("good") && scene.has("better") && !scene.has("bad"));
}

#[test]
fn a_failed_commit_is_annulled_before_it_is_told() {
    let scene = Scene::new();
    scene.memory.set(|faults| faults.commits = vec![ErrorKind::StorageFull]);
    let error = scene.put("a").unwrap_err();
    assert!(error.kind() == ErrorKind::StorageFull && error.surely_not_done());
    assert_eq!(scene.memory.faults().done, ["commit", "annul"]);
    assert!(!scene.has("a"));
}

#[test]
fn a_failed_commit_that_cannot_be_annulled_may_have_happened() {
    let scene = Scene::new();
    scene.memory.set(|faults| {
        faults.commits = vec![ErrorKind::StorageFull];
        faults.annul_fails = true;
    });
    let error = scene.put("a").unwrap_err();
    assert!(error.kind() == ErrorKind::Indeterminate && !error.surely_not_done());
}

#[test]
fn a_busy_engine_is_tried_again() {
    let scene = Scene::new();
    scene.memory.set(|faults| faults.commits = vec![ErrorKind::Busy; 5]);
    scene.put("a").unwrap();
    assert_eq!((scene.memory.count("commit"), scene.memory.count("annul")), (6, 0));
}

#[test]
fn an_engine_that_stays_busy_is_named_when_the_time_is_over() {
    let scene = Scene::with(Settings::default().with_timeout(Duration::from_millis(300)));
    scene.memory.set(|faults| faults.commits = vec![ErrorKind::Busy; 10_000]);
    let error = scene.put("a").unwrap_err();
    assert!(error.kind() == ErrorKind::Busy && error.is_retryable());
    assert!(error.to_string().contains("as the test told"), "{error}");
    scene.memory.set(|faults| faults.commits.clear());
    scene.put("b").unwrap();
    assert!(!scene.has("a"), "what was told as not done is not done");
}

#[test]
fn a_held_gate_is_told_with_its_holder_and_nothing_happens_later() {
    let scene = Scene::with(Settings::default().with_timeout(Duration::from_millis(300)));
    let gate = scene.gate();
    let held = gate.acquire("test").unwrap();
    let error = scene.put("a").unwrap_err();
    assert!(error.kind() == ErrorKind::Busy && error.surely_not_done());
    assert!(error.to_string().contains(&format!("pid {}", std::process::id())), "{error}");
    drop(held);
    scene.put("b").unwrap();
    assert!(!scene.has("a"));
}

#[test]
fn a_deadline_after_the_taking_is_indeterminate() {
    let scene = Scene::with(Settings::default().with_timeout(Duration::from_millis(300)));
    scene.memory.set(|faults| faults.commits_wait = true);
    let gate = scene.gate();
    let held = gate.acquire("test").unwrap();
    let write = scene.start("a");
    wait_until("it is queued", || gate.somebody_waits().unwrap());
    drop(held);
    // The waiter leads it and is stuck in the engine, in the gate; the answer comes all the same.
    wait_until("it is taken", || gate.holder() != Holder::Nobody);
    let memory = scene.memory.clone();
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(900));
        memory.set(|faults| faults.commits_wait = false);
    });
    let second = scene.start("b");
    assert_eq!(second.join().unwrap().unwrap_err().kind(), ErrorKind::Busy, "it was never taken");
    assert_eq!(write.join().unwrap().unwrap_err().kind(), ErrorKind::Indeterminate);
    wait_until("the commit ends", || scene.has("a"));
    scene.put("c").unwrap();
    assert!(!scene.has("b"));
}

#[test]
fn a_failed_sync_is_indeterminate_and_rewritten_before_the_next_write() {
    let scene = Scene::new();
    scene.memory.set(|faults| faults.syncs = 1);
    assert_eq!(scene.put("a").unwrap_err().kind(), ErrorKind::Indeterminate);
    assert!(scene.gate().is_marked().unwrap(), "the others have to know");
    scene.put("b").unwrap();
    assert_eq!(scene.memory.faults().done, ["commit", "sync", "rewrite", "commit", "sync"]);
    assert!(!scene.gate().is_marked().unwrap());
}

#[test]
fn nobody_acknowledges_while_somebody_elses_failed_sync_stands() {
    let scene = Scene::new();
    scene.memory.set(|faults| faults.syncs_wait = true);
    let write = scene.start("a");
    wait_until("the commit", || scene.memory.count("commit") == 1);
    // Another process's sync fails between our commit and our answer.
    scene.gate().set_mark().unwrap();
    scene.memory.set(|faults| faults.syncs_wait = false);
    write.join().unwrap().unwrap();
    let done = scene.memory.faults().done.clone();
    let rewrite = done.iter().position(|what| *what == "rewrite").unwrap();
    assert_eq!(done[rewrite + 1..].last(), Some(&"sync"), "only a sync after the rewriting counts: {done:?}");
    assert!(!scene.gate().is_marked().unwrap());
}

#[test]
fn what_cannot_be_rewritten_stops_all_writes() {
    let scene = Scene::new();
    scene.gate().set_mark().unwrap();
    scene.memory.set(|faults| faults.rewrite_fails = true);
    let error = scene.put("a").unwrap_err();
    assert!(error.kind() == ErrorKind::Corrupted && error.surely_not_done());
    assert!(scene.gate().is_marked().unwrap());
    scene.memory.set(|faults| faults.rewrite_fails = false);
    scene.put("b").unwrap();
    assert!(!scene.has("a"));
}

#[test]
fn process_durability_is_answered_before_any_sync() {
    let scene = Scene::with(Settings::default().with_timeout(PATIENCE).with_durability(Durability::Process));
    scene.memory.set(|faults| faults.syncs_wait = true);
    scene.put("a").unwrap();
    scene.memory.set(|faults| faults.syncs_wait = false);
    scene.blocking().sync().unwrap();
    assert_eq!(scene.memory.faults().done, ["commit", "sync"]);
}

#[test]
fn writes_gather_behind_a_sync_and_share_the_next() {
    let scene = Scene::new();
    scene.memory.set(|faults| faults.syncs_wait = true);
    let first = scene.start("a");
    wait_until("the first commit", || scene.memory.count("commit") == 1);
    let keys = ["b", "c", "d", "e", "f", "g", "h", "i"];
    let others = keys.map(|key| scene.start(key));
    thread::sleep(Duration::from_millis(200));
    assert_eq!(scene.memory.count("commit"), 1);
    scene.memory.set(|faults| faults.syncs_wait = false);
    first.join().unwrap().unwrap();
    for write in others {
        write.join().unwrap().unwrap();
    }
    // All that had gathered went at once; a straggler may have needed one more.
    assert!(scene.memory.count("commit") <= 3 && scene.memory.count("sync") <= 3);
}

#[test]
fn dropped_while_queued_never_happens() {
    let scene = Scene::new();
    let gate = scene.gate();
    let held = gate.acquire("test").unwrap();
    {
        let mut write = Box::pin(scene.store.put("n", "dropped", Json::from(1)));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(write.as_mut().poll(&mut context).is_pending());
    }
    drop(held);
    scene.put("after").unwrap();
    assert!(!scene.has("dropped"));
}

#[test]
fn closing_answers_what_is_queued() {
    let scene = Scene::with(Settings::default().with_timeout(Duration::from_secs(2)));
    let gate = scene.gate();
    let held = gate.acquire("test").unwrap();
    let writes = ["a", "b", "c"].map(|key| scene.start(key));
    thread::sleep(Duration::from_millis(200));
    let store = scene.blocking();
    let close = thread::spawn(move || store.close());
    wait_until("the handle refuses", || {
        scene.blocking().get("n", "a").is_err_and(|error| error.kind() == ErrorKind::Closed)
    });
    drop(held);
    close.join().unwrap().unwrap();
    for write in writes {
        write.join().unwrap().unwrap();
    }
}

#[test]
fn closing_ends_within_the_timeout_when_the_gate_never_comes() {
    let scene = Scene::with(Settings::default().with_timeout(Duration::from_millis(300)));
    let gate = scene.gate();
    let _held = gate.acquire("test").unwrap();
    let write = scene.start("a");
    thread::sleep(Duration::from_millis(50));
    scene.blocking().close().unwrap();
    let kind = write.join().unwrap().unwrap_err().kind();
    assert!(matches!(kind, ErrorKind::Busy | ErrorKind::Closed), "{kind}");
}

#[test]
fn the_epoch_is_raised_and_synced_before_the_first_write_after_a_boot() {
    let folder = tempfile::tempdir().unwrap();
    let memory = Memory::default();
    let boot = |id: &str| {
        let seams = Seams { boot_id: Some(id.into()), ..Seams::default() };
        Settings::default().with_durability(Durability::Process).with_seams(seams)
    };
    let mut last = store_core::Revision::NEVER;
    for id in ["monday", "tuesday"] {
        memory.set(|faults| faults.done.clear());
        let store = Blocking::new(Scene::open(&folder, &memory, boot(id)) as Arc<dyn StateStore>);
        let first = store.put("n", "a", Json::from(id)).unwrap();
        let second = store.put("n", "a", Json::from(id)).unwrap();
        assert_eq!(memory.faults().done, ["commit", "sync", "commit", "commit"]);
        assert!(second.get() - first.get() == 1 && first.get() - last.get() > 1 << 39);
        last = second;
        store.close().unwrap();
    }
}

#[test]
fn handles_on_one_place_share_one_queue() {
    let scene = Scene::new();
    let other = Scene::open(&scene.folder, &Memory::default(), Settings::default());
    pollster::block_on(other.put("n", "through the other", Json::from(1))).unwrap();
    assert!(scene.has("through the other"), "it went to the first handle's open store");
    pollster::block_on(other.close()).unwrap();
    scene.put("still open").unwrap();
}

#[test]
fn batches_of_a_group_see_each_other_in_order() {
    let scene = Scene::new();
    let gate = scene.gate();
    let held = gate.acquire("test").unwrap();
    let claims: Vec<_> = (0..8)
        .map(|n| {
            let store = scene.blocking();
            let batch =
                Batch::new().check("n", "lock", Expect::Absent).put("n", "lock", n).append("n", "log", n);
            thread::spawn(move || store.commit(batch))
        })
        .collect();
    thread::sleep(Duration::from_millis(200));
    drop(held);
    let results: Vec<_> = claims.into_iter().map(|claim| claim.join().unwrap()).collect();
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    let lost = results.iter().filter_map(|result| result.as_ref().err());
    lost.for_each(|error| assert!(error.conflict().is_some(), "{error}"));
    assert_eq!(scene.memory.count("commit"), 1, "they were one group");
    assert_eq!(scene.blocking().logs("n").unwrap()[0].last, 1);
}
