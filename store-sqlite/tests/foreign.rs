//! Databases of other programs: whatever state they are in, they are read and left as they are.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use store_core::{Error, ErrorKind};
use store_sqlite::foreign::{self, Contents, Layout, Namespace};
use tempfile::TempDir;

const TABLE: &str = "CREATE TABLE state (
    namespace TEXT, item_key TEXT, value_json TEXT, updated_at TEXT, PRIMARY KEY (namespace, item_key))";
const ROWS: &str = r#"INSERT INTO state VALUES
    ('jobs', 'b', '{"n" : 1.50, "a": 1}', '2026-05-02'), ('jobs', 'a', 'true', '2026-05-03'), ('bus', 'k', '[1]', NULL)"#;

struct Foreign {
    folder: TempDir,
}

impl Foreign {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn with(statements: &[&str]) -> Self {
        let foreign = Self::new();
        let connection = foreign.connect();
        for sql in statements {
            connection.execute_batch(sql).unwrap();
        }
        foreign
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("old.db")
    }

    fn connect(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }

    /// All files with their bytes; of the log's index only that it is there, for its read marks are locks, and
    /// reading it would drop those of this process.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let bytes = |path: &PathBuf| {
            if path.extension().is_some_and(|suffix| suffix == "db-shm") {
                Vec::new()
            } else {
                std::fs::read(path).unwrap()
            }
        };
        entries.map(|entry| entry.unwrap().path()).map(|path| (path.clone(), bytes(&path))).collect()
    }

    /// Returns what a crash at this moment would leave.
    fn copy(&self) -> Self {
        let copy = Self::new();
        for path in self.files().into_keys() {
            std::fs::copy(&path, copy.folder.path().join(path.file_name().unwrap())).unwrap();
        }
        copy
    }

    /// Reads and makes sure that nothing changed.
    fn read(&self, layout: &Layout) -> Result<Contents, Error> {
        let before = self.files();
        let contents = read(&self.path(), layout);
        assert!(self.files() == before, "the files changed");
        contents
    }
}

fn read(path: &Path, layout: &Layout) -> Result<Contents, Error> {
    foreign::read(path, layout, Duration::from_millis(200), &mut |_, _| {})
}

fn keys(contents: &Contents) -> Vec<(&str, &str, &str)> {
    assert_eq!(contents.bad_count, 0, "{:?}", contents.bad);
    let each = contents.objects.iter().flat_map(|(namespace, object)| {
        object.iter().map(move |(key, value)| (namespace.as_str(), key.as_str(), value.as_str()))
    });
    each.collect()
}

const ALL: [(&str, &str, &str); 3] =
    [("bus", "k", "[1]"), ("jobs", "a", "true"), ("jobs", "b", r#"{"n":1.50,"a":1}"#)];

fn layout() -> Layout {
    Layout::new("state")
}

#[test]
fn a_closed_database_is_read_in_either_mode() {
    for mode in ["delete", "wal", "truncate", "persist"] {
        let foreign = Foreign::with(&[&format!("PRAGMA journal_mode = {mode}"), TABLE, ROWS]);
        assert_eq!(keys(&foreign.read(&layout()).unwrap()), ALL, "{mode}");
    }
}

#[test]
fn a_live_database_is_read_beside_its_writer() {
    let foreign = Foreign::with(&["PRAGMA journal_mode = wal", TABLE]);
    let writer = foreign.connect();
    writer.execute_batch(ROWS).unwrap();
    assert_eq!(keys(&foreign.read(&layout()).unwrap()), ALL);
    // What is not committed is not seen, and the writer is not disturbed.
    writer.execute_batch("BEGIN IMMEDIATE; INSERT INTO state VALUES ('jobs', 'c', '1', NULL)").unwrap();
    assert_eq!(keys(&foreign.read(&layout()).unwrap()), ALL);
    writer.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    assert_eq!(foreign.read(&layout()).unwrap().objects["jobs"].len(), 3);
}

#[test]
fn a_database_that_a_crash_left_is_read_with_its_log() {
    let foreign = Foreign::with(&["PRAGMA journal_mode = wal", TABLE]);
    let writer = foreign.connect();
    writer.execute_batch(ROWS).unwrap();
    let copy = foreign.copy();
    assert_eq!(keys(&copy.read(&layout()).unwrap()), ALL);
    // Without its index the log cannot be read without making one.
    std::fs::remove_file(copy.folder.path().join("old.db-shm")).unwrap();
    let error = copy.read(&layout()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("sqlite3, open it once"), "{error}");
}

#[test]
fn a_transaction_that_a_crash_left_is_not_taken_for_rows() {
    let foreign = Foreign::with(&["PRAGMA journal_mode = delete", TABLE, ROWS]);
    let writer = foreign.connect();
    // More than the cache holds: half of a transaction lies in the database, and its journal beside it.
    let rows = "INSERT INTO state WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) \
                SELECT 'n', i, hex(zeroblob(500)), NULL FROM n";
    writer.execute_batch(&format!("PRAGMA cache_size = 1; BEGIN; {rows}")).unwrap();
    let copy = foreign.copy();
    let error = copy.read(&layout()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    assert!(error.to_string().contains("killed within a transaction"), "{error}");
    drop(writer);
    assert_eq!(keys(&foreign.read(&layout()).unwrap()), ALL);
}

#[test]
fn a_writer_that_keeps_readers_out_is_busy() {
    let foreign = Foreign::with(&["PRAGMA journal_mode = delete", TABLE, ROWS]);
    let writer = foreign.connect();
    writer.execute_batch("BEGIN EXCLUSIVE").unwrap();
    assert_eq!(foreign.read(&layout()).unwrap_err().kind(), ErrorKind::Busy);
    writer.execute_batch("COMMIT").unwrap();
    assert_eq!(keys(&foreign.read(&layout()).unwrap()), ALL);
}

#[test]
fn one_that_is_opened_while_it_is_read_without_locks_is_not_believed() {
    let foreign = Foreign::with(&["PRAGMA journal_mode = wal", TABLE, ROWS]);
    let mut writer = None;
    let error = foreign::read(&foreign.path(), &layout(), Duration::ZERO, &mut |_, _| {
        writer.get_or_insert_with(|| {
            let writer = foreign.connect();
            writer.execute_batch("INSERT INTO state VALUES ('jobs', 'c', '1', NULL)").unwrap();
            writer
        });
    });
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Busy);
    drop(writer);
    assert_eq!(foreign.read(&layout()).unwrap().objects["jobs"].len(), 3);
}

#[test]
fn names_that_are_not_there_are_told_with_those_that_are() {
    let foreign =
        Foreign::with(&[TABLE, ROWS, "CREATE VIEW jobs AS SELECT * FROM state WHERE namespace = 'jobs'"]);
    let refusal = |layout: &Layout| {
        let error = foreign.read(layout).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        error.to_string()
    };
    assert!(refusal(&Layout::new("stat")).contains("no table \"stat\"; there are: jobs, state"));
    for wrong in [
        Layout { key: "id".into(), ..layout() },
        Layout { value: "v".into(), ..layout() },
        Layout { updated: Some("at".into()), ..layout() },
        Layout { namespace: Namespace::Column("\"".into()), ..layout() },
    ] {
        let said = refusal(&wrong);
        assert!(said.contains("there are: namespace, item_key, value_json, updated_at"), "{said}");
    }
    // Names as SQLite compares them, and a view.
    let odd = Layout { table: "JOBS".into(), key: "Item_Key".into(), ..layout() };
    assert_eq!(keys(&foreign.read(&odd).unwrap()), ALL[1..]);
}

#[test]
fn what_is_no_database_is_told() {
    let foreign = Foreign::new();
    let refusal = || {
        let error = foreign.read(&layout()).unwrap_err();
        (error.kind(), error.to_string())
    };
    assert!(refusal().1.contains("give the file of a database that is there"));
    let write = |bytes: &[u8]| {
        let _ = std::fs::remove_file(foreign.path());
        std::io::Write::write_all(&mut std::fs::File::create_new(foreign.path()).unwrap(), bytes).unwrap();
    };
    write(b"");
    assert!(refusal().1.contains("no table \"state\"; there are none"));
    write(&[7; 8192]);
    let (kind, said) = refusal();
    assert_eq!(kind, ErrorKind::InvalidInput);
    assert!(said.contains("no SQLite database, or an encrypted one"), "{said}");
    let good = Foreign::with(&[TABLE, ROWS]);
    let mut bytes = std::fs::read(good.path()).unwrap();
    bytes[4096..].fill(0xa5);
    write(&bytes);
    let (kind, said) = refusal();
    assert_eq!(kind, ErrorKind::Corrupted, "{said}");
    assert!(read(foreign.folder.path(), &layout()).unwrap_err().to_string().contains("cannot read"));
}

#[test]
fn bad_rows_are_named_and_good_ones_read() {
    let foreign = Foreign::with(&[
        "CREATE TABLE state (namespace, item_key, value_json, updated_at)",
        r#"INSERT INTO state VALUES
            ('n', 'good', '1', 1), ('n', NULL, '1', 2), ('n', 'k', '{"a":' || char(10) || ' }', 3), ('n', 'null', NULL, 4),
            ('n', 'number', 1, 5), ('n', 'blob', x'31', 6), ('n', 'good', '2', 7), (NULL, 'k', '1', 8), ('', 'k', '1', 9),
            ('n', 1.5, '1', 10), ('n', CAST(x'ff' AS TEXT), '1', 11), ('n', 'raw', CAST(x'22ff22' AS TEXT), 12),
            ('n', 'empty', '', 13), ('n', 'a' || char(10), '1', 14), (7, 8, '9', 15)"#,
    ]);
    let contents = foreign.read(&Layout { updated: Some("updated_at".into()), ..layout() }).unwrap();
    let said: Vec<_> = contents.bad.iter().map(ToString::to_string).collect();
    let wanted = [
        ("rowid 2, namespace \"n\":", "the key in \"item_key\" is NULL"),
        ("rowid 3, namespace \"n\", key \"k\":", "line 2 column 2"),
        ("rowid 4, namespace \"n\", key \"null\":", "is NULL"),
        ("rowid 5, namespace \"n\", key \"number\":", "a whole number; it has to be a JSON text"),
        ("rowid 6, namespace \"n\", key \"blob\":", "a BLOB"),
        ("rowid 7, namespace \"n\", key \"good\":", "an earlier row has the same key"),
        ("rowid 8, key \"k\":", "the namespace in \"namespace\" is NULL"),
        ("rowid 9, key \"k\":", "must not be empty"),
        ("rowid 10, namespace \"n\":", "a number with a fraction"),
        ("rowid 11, namespace \"n\":", "not UTF-8"),
        ("rowid 12, namespace \"n\", key \"raw\":", "line 1 column 2"),
        ("rowid 13, namespace \"n\", key \"empty\":", "there is no value"),
        ("rowid 14, namespace \"n\":", "control characters"),
    ];
    assert_eq!((said.len(), contents.bad_count), (wanted.len(), 13), "{said:#?}");
    for (said, (place, why)) in said.iter().zip(wanted) {
        assert!(
            said.starts_with(&format!("table \"state\", {place}")) && said.contains(why),
            "{said}: {why}"
        );
    }
    assert_eq!(contents.objects["n"]["good"].as_str(), "1");
    assert_eq!(contents.objects["7"]["8"].as_str(), "9");
    assert_eq!(contents.newest["7"].as_str(), "15");
}

#[test]
fn any_table_by_its_columns() {
    let foreign = Foreign::with(&[
        "CREATE TABLE \"odd \"\"table\" (id INTEGER PRIMARY KEY, rowid TEXT, \"the json\" TEXT, at REAL) STRICT",
        "INSERT INTO \"odd \"\"table\" VALUES (9, 'x', '1', 0.5), (-3, 'y', '\"zwei\"', 1.5)",
        "CREATE TABLE bare (k TEXT PRIMARY KEY, v TEXT) WITHOUT ROWID",
        "INSERT INTO bare VALUES ('a', '1'), ('b', '')",
    ]);
    let fixed = |table: &str, key: &str, value: &str| Layout {
        namespace: Namespace::Fixed("n".into()),
        key: key.into(),
        value: value.into(),
        ..Layout::new(table)
    };
    let odd = Layout { updated: Some("at".into()), ..fixed("odd \"table", "id", "the json") };
    let contents = foreign.read(&odd).unwrap();
    assert_eq!(keys(&contents), [("n", "-3", "\"zwei\""), ("n", "9", "1")]);
    assert_eq!(contents.newest["n"].as_str(), "1.5");
    let bare = foreign.read(&fixed("bare", "k", "v")).unwrap();
    assert!(bare.bad[0].to_string().starts_with("table \"bare\", row 2, key \"b\": "), "{:?}", bare.bad);
}
