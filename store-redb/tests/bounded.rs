//! Locks of redb that a peer holds and does not let go.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use redb::backends::FileBackend;
use redb::{Builder, ConcurrencyMode, StorageBackend};
use store_core::backend::{Backend, Engine, Snapshot, read_value};
use store_core::shared::access::Modes;
use store_core::shared::place::{Place, Shape};
use store_core::{Entry, ErrorKind, Json, Revision, Settings, Timestamp};
use store_redb::{Redb, RedbBackend};

const WRITER: (Bound<u64>, Bound<u64>) = (Bound::Included(1 << 62), Bound::Included(1 << 62));
const HEADER: (Bound<u64>, Bound<u64>) = (Bound::Included(0), Bound::Excluded(320));
/// Names the database that a child of the test writes to.
const WRITES_TO: &str = "WRITES_TO";

fn make(folder: &Path) -> PathBuf {
    let path = folder.canonicalize().unwrap().join("state.redb");
    let place = Place::resolve(&path, Shape::File).unwrap();
    let modes = Modes::settle(&Settings::default(), folder).unwrap();
    Redb::default().create(&place, &modes).unwrap();
    path
}

fn open(path: &Path) -> RedbBackend {
    let place = Place::resolve(path, Shape::File).unwrap();
    Redb::default().open(&place, &Settings::default()).unwrap()
}

/// Stands for a peer: locks of another open file are another's, in the same process too.
fn peer(path: &Path) -> FileBackend {
    FileBackend::new(OpenOptions::new().read(true).write(true).open(path).unwrap()).unwrap()
}

fn soon() -> Instant {
    Instant::now() + Duration::from_millis(50)
}

fn put(backend: &RedbBackend, value: u64) -> store_core::Result<()> {
    let entry = Entry { value: Json::from(value), revision: Revision::new(value), at: Timestamp::now() };
    backend.write(soon(), &mut |transaction| transaction.put("n", "k", &entry))
}

fn read(backend: &RedbBackend) -> store_core::Result<Option<Entry>> {
    read_value(backend, soon(), |snapshot: &dyn Snapshot| snapshot.get("n", "k"))
}

fn found(entry: store_core::Result<Option<Entry>>) -> u64 {
    entry.unwrap().unwrap().revision.get()
}

#[track_caller]
fn in_time<T>(work: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let done = work();
    assert!(begun.elapsed() < Duration::from_secs(1), "it took {:?}", begun.elapsed());
    done
}

#[test]
fn a_held_header_is_busy_for_all_and_then_free() {
    let folder = tempfile::tempdir().unwrap();
    let path = make(folder.path());
    let backend = open(&path);
    put(&backend, 1).unwrap();
    let peer = peer(&path);
    peer.lock_range(HEADER.0, HEADER.1).unwrap();
    let begun = Instant::now();
    assert_eq!(backend.get("n", "k").unwrap_err().kind(), ErrorKind::Busy);
    assert!(begun.elapsed() < Duration::from_millis(10), "a get waited {:?}", begun.elapsed());
    assert_eq!(in_time(|| read(&backend)).unwrap_err().kind(), ErrorKind::Busy);
    assert_eq!(in_time(|| put(&backend, 2)).unwrap_err().kind(), ErrorKind::Busy);
    let late = in_time(|| open(&path));
    in_time(|| drop(backend));
    peer.unlock_range(HEADER.0, HEADER.1).unwrap();
    assert_eq!(found(late.get("n", "k")), 1);
    put(&late, 3).unwrap();
    assert_eq!(found(read(&late)), 3);
}

/// A reader that is stopped while it looks at the header lets others read, and the commit fails for certain.
#[test]
fn a_header_that_is_looked_at_keeps_off_writers_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = make(folder.path());
    let backend = open(&path);
    put(&backend, 1).unwrap();
    let peer = peer(&path);
    peer.lock_shared_range(HEADER.0, HEADER.1).unwrap();
    assert_eq!(in_time(|| put(&backend, 2)).unwrap_err().kind(), ErrorKind::Busy);
    assert_eq!(found(backend.get("n", "k")), 1);
    peer.unlock_range(HEADER.0, HEADER.1).unwrap();
    assert_eq!(found(backend.get("n", "k")), 1);
    put(&backend, 3).unwrap();
    assert_eq!(found(backend.get("n", "k")), 3);
}

#[test]
fn a_held_writer_byte_keeps_off_writers_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = make(folder.path());
    let backend = open(&path);
    let peer = peer(&path);
    for held in [1, 2] {
        put(&backend, held).unwrap();
        peer.lock_range(WRITER.0, WRITER.1).unwrap();
        assert_eq!(in_time(|| put(&backend, 9)).unwrap_err().kind(), ErrorKind::Busy);
        assert_eq!(found(backend.get("n", "k")), held);
        assert_eq!(found(open(&path).get("n", "k")), held);
        peer.unlock_range(WRITER.0, WRITER.1).unwrap();
    }
    in_time(|| drop(backend));
}

/// Runs in a child of the test below.
#[test]
fn child_that_writes() {
    let Some(path) = std::env::var_os(WRITES_TO) else { return };
    let database = Builder::new().set_concurrency_mode(ConcurrencyMode::MultiWriter).open(path).unwrap();
    let transaction = database.begin_write().unwrap();
    println!("\nwrites");
    std::thread::sleep(Duration::from_mins(1));
    drop(transaction);
}

fn writing_child(path: &Path) -> Child {
    let mut child = Command::new("/proc/self/exe")
        .args(["--exact", "child_that_writes", "--nocapture"])
        .env(WRITES_TO, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line == "writes"));
    child
}

#[test]
fn a_writer_that_is_stopped_and_killed_delays_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let path = make(folder.path());
    let backend = open(&path);
    put(&backend, 1).unwrap();
    let mut child = writing_child(&path);
    let pid = Pid::from_raw(child.id().try_into().unwrap());
    kill(pid, Signal::SIGSTOP).unwrap();
    assert_eq!(found(backend.get("n", "k")), 1);
    assert_eq!(found(read(&backend)), 1);
    let error = in_time(|| put(&backend, 2)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert!(error.to_string().contains(&format!("pid {pid}")), "{error}");
    let late = in_time(|| open(&path));
    assert_eq!(in_time(|| put(&late, 2)).unwrap_err().kind(), ErrorKind::Busy);
    assert_eq!(found(late.get("n", "k")), 1);
    in_time(|| drop(late));
    child.kill().unwrap();
    child.wait().unwrap();
    put(&backend, 3).unwrap();
    assert_eq!(found(backend.get("n", "k")), 3);
}

#[test]
fn two_that_take_turns_see_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = make(folder.path());
    let (one, other) = (open(&path), open(&path));
    for n in (1..60).step_by(2) {
        put(&one, n).unwrap();
        assert_eq!(found(other.get("n", "k")), n);
        put(&other, n + 1).unwrap();
        assert_eq!(found(one.get("n", "k")), n + 1);
    }
}

#[test]
fn a_commit_that_did_not_come_to_its_end_is_told_from_one_that_did() {
    let folder = tempfile::tempdir().unwrap();
    let path = make(folder.path());
    let backend = open(&path);
    put(&backend, 1).unwrap();
    // It stands, and so cannot be annulled.
    assert_eq!(backend.annul().unwrap_err().kind(), ErrorKind::Io);
    let none = backend.write(soon(), &mut |_| Err(store_core::Error::new(ErrorKind::TooLarge, "no")));
    assert_eq!(none.unwrap_err().kind(), ErrorKind::TooLarge);
    put(&open(&path), 2).unwrap();
    // Somebody else's stands.
    backend.annul().unwrap();
    backend.rewrite().unwrap();
    assert_eq!(found(backend.get("n", "k")), 2);
}
