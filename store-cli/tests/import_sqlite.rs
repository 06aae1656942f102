//! `import-sqlite`: the table of JSON values that a service kept in a database of its own.

#![cfg(all(feature = "sqlite", feature = "conformance"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use common::{ENGINES, Place, Ran, names};
use store_sqlite::foreign::Scratch;

const TABLE: &str = "CREATE TABLE state (namespace TEXT NOT NULL, item_key TEXT NOT NULL, value_json TEXT NOT NULL, \
                     updated_at TEXT NOT NULL, PRIMARY KEY (namespace, item_key))";
const ROWS: &str = r#"INSERT INTO state VALUES
    ('jobs', 'b', '{"n" : 1.50, "a": 1}', '2026-05-02'), ('jobs', 'a', 'true', '2026-05-03'), ('bus', 'k', '[1]', '2026-05-01')"#;

fn database(place: &Place, statements: &[&str]) -> Scratch {
    let database = Scratch::open(&place.path("old.db")).unwrap();
    for sql in statements {
        database.run(sql).unwrap();
    }
    database
}

fn import(place: &Place, args: &[&str]) -> Ran {
    place.run(&[&["import-sqlite", "old.db", "--table", "state"][..], args].concat())
}

fn object(place: &Place, ns: &str) -> String {
    place.run(&["object", ns]).ok().trim().to_owned()
}

#[test]
fn the_table_of_the_incident_becomes_its_namespaces() {
    for engine in ENGINES {
        let place = Place::on(engine);
        drop(database(&place, &[TABLE, ROWS]));
        let out = import(&place, &[]).ok();
        let lines: Vec<serde_json::Value> =
            out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((&lines[0]["namespace"], &lines[0]["keys"]), (&"bus".into(), &1.into()));
        assert_eq!((&lines[1]["keys"], &lines[1]["newest"]), (&2.into(), &"2026-05-03".into()));
        assert_eq!(object(&place, "jobs"), r#"{"a":true,"b":{"n":1.50,"a":1}}"#);
        assert_eq!(object(&place, "bus"), r#"{"k":[1]}"#);
        // One namespace that holds something keeps all of it out.
        import(&place, &[]).fails(4, &["holds keys already"]);
        place.run(&["delete", "bus", "k"]).ok();
        import(&place, &[]).fails(4, &["\"jobs\"", "holds keys already (2)"]);
        assert_eq!(object(&place, "bus"), "{}");
        place.run(&["put", "jobs", "c", "3"]).ok();
        import(&place, &["--merge"]).ok();
        assert_eq!(object(&place, "jobs"), r#"{"a":true,"b":{"n":1.50,"a":1},"c":3}"#);
        import(&place, &["--replace"]).ok();
        assert_eq!(object(&place, "jobs"), r#"{"a":true,"b":{"n":1.50,"a":1}}"#);
    }
}

/// The bytes of the database and its companions, read by another process: closing a file drops the locks that
/// this one has on it.
fn bytes(place: &Place) -> Vec<u8> {
    let files = ["old.db", "old.db-wal", "old.db-shm"].map(|name| place.path(name));
    let output = std::process::Command::new("cat").args(files).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    output.stdout
}

#[test]
fn a_live_database_is_left_as_it_is() {
    for engine in ENGINES {
        let place = Place::on(engine);
        let writer = database(&place, &["PRAGMA journal_mode = wal", TABLE, ROWS]);
        // A log that nobody has marked as read yet, and a writer at work.
        for statement in ["UPDATE state SET updated_at = 'now'", "BEGIN IMMEDIATE; DELETE FROM state"] {
            writer.run(statement).unwrap();
            let before = bytes(&place);
            import(&place, &["--replace"]).ok();
            assert!(bytes(&place) == before, "the database changed: {statement}");
        }
        assert_eq!(object(&place, "jobs"), r#"{"a":true,"b":{"n":1.50,"a":1}}"#);
        writer.run("COMMIT").unwrap();
        drop(writer);
        // Nobody has it open: no companion is made.
        import(&place, &[]).stops(0, &["has no rows"]);
        assert!(!names(&place.path(".")).iter().any(|name| name.starts_with("old.db-")));
    }
}

#[test]
fn bad_rows_are_named_and_nothing_is_written() {
    let place = Place::new();
    let table = "CREATE TABLE state (namespace, item_key, value_json)";
    let rows = "INSERT INTO state VALUES ('n', 'good', '1'), ('n', NULL, '1'), ('n', 'k', '{' || char(10) || '}}'), \
                ('n', 'good', '2'), ('n', 'x', x'00')";
    drop(database(&place, &[table, rows]));
    let ran = import(&place, &[]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{ran:?}");
    let said: Vec<_> = ran.err.lines().collect();
    for (said, parts) in said.iter().zip([
        &["old.db: table \"state\", rowid 2, namespace \"n\":", "NULL"][..],
        &["rowid 3, namespace \"n\", key \"k\":", "line 2 column 2"],
        &["rowid 4, namespace \"n\", key \"good\":", "an earlier row has the same key"],
        &["rowid 5", "a BLOB"],
        &["4 bad rows; nothing was imported"],
    ]) {
        assert!(parts.iter().all(|part| said.contains(part)), "{parts:?}: {said}");
    }
    assert_eq!((said.len(), names(&place.path("."))), (5, vec!["old.db".to_owned()]));
    drop(database(
        &place,
        &["INSERT INTO state SELECT 'n', NULL, '' FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL \
                              SELECT i + 1 FROM n WHERE i < 96) SELECT * FROM n)"],
    ));
    let ran = import(&place, &[]);
    assert_eq!(ran.err.lines().count(), 21, "{ran:?}");
    assert!(ran.err.contains("100 bad rows (80 more are not shown)"), "{ran:?}");
}

#[test]
fn any_table_by_its_columns() {
    let place = Place::new();
    let odd = "CREATE TABLE kv (id INTEGER PRIMARY KEY, doc TEXT, at INTEGER); INSERT INTO kv VALUES (7, '\"x\"', 3), (8, '2', 4)";
    drop(database(&place, &[odd]));
    let kv = ["import-sqlite", "old.db", "--table", "kv", "--key-column", "id", "--value-column", "doc"];
    place.run(&kv).fails(2, &["no column \"namespace\"; there are: id, doc, at"]);
    let one = [&kv[..], &["--namespace", "n", "--updated-column", "at"]].concat();
    assert!(place.run(&one).ok().ends_with(",\"newest\":4}\n"));
    assert_eq!(object(&place, "n"), r#"{"7":"x","8":2}"#);
    assert_eq!(place.run(&[&one[..], &["--namespace-column", "id"]].concat()).code, Some(2));
    drop(database(&place, &["DELETE FROM kv"]));
    place.run(&one).stops(0, &["has no rows"]);
    assert_eq!(object(&place, "n"), r#"{"7":"x","8":2}"#);
    place.run(&[&one[..], &["--replace"]].concat()).stops(0, &["has no rows"]);
    assert_eq!(object(&place, "n"), "{}");
}

#[test]
fn what_cannot_be_read_is_one_clear_error() {
    let place = Place::new();
    import(&place, &[]).fails(2, &["old.db", "give the file of a database that is there"]);
    place.write("old.db", [7_u8; 8192]);
    import(&place, &[]).fails(2, &["old.db", "no SQLite database, or an encrypted one"]);
    place.write("old.db", "");
    import(&place, &[]).fails(2, &["no table \"state\"; there are none"]);
    drop(database(&place, &[TABLE, ROWS]));
    place.run(&["import-sqlite", "old.db", "--table", "stat"]).fails(2, &["\"stat\"", "there are: state"]);
    import(&place, &["--value-column", "value"])
        .fails(2, &["there are: namespace, item_key, value_json, updated_at"]);
    let mut bytes = std::fs::read(place.path("old.db")).unwrap();
    bytes[4096..].fill(0xa5);
    place.write("old.db", bytes);
    import(&place, &[]).fails(5, &["old.db", "damaged"]);
    assert_eq!(names(&place.path(".")), ["old.db"]);
}

#[test]
fn a_writer_that_keeps_readers_out_is_waited_for_and_told() {
    let place = Place::new();
    let writer = database(&place, &[TABLE, ROWS, "BEGIN EXCLUSIVE"]);
    import(&place, &["--timeout", "300ms"]).fails(3, &["old.db", "a writer keeps readers out"]);
    writer.run("COMMIT").unwrap();
    import(&place, &[]).ok();
}

#[test]
fn fifty_thousand_rows_are_one_commit() {
    for engine in ENGINES {
        let place = Place::on(engine);
        let rows = "INSERT INTO state WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000) \
                    SELECT 'n', 'key ' || i, json_object('i', i), 'now' FROM n";
        drop(database(&place, &[TABLE, rows]));
        assert!(import(&place, &[]).ok().contains("\"keys\":50000,"));
        assert_eq!(place.run(&["get", "n", "key 50000"]).ok(), "{\"i\":50000}\n");
    }
}
