//! What can be wrong with the files of a database that only SQLite knows.

use std::path::{Path, PathBuf};

use conformance::Damage;
use rusqlite::Connection;
use store_core::ErrorKind;

use super::bare;

type Done = Result<(), String>;

pub(super) const ALL: &[Damage] = &[
    refused("a database of another program", foreign, ErrorKind::IncompatibleFormat),
    refused("a database of another program, in WAL mode", foreign_in_wal_mode, ErrorKind::IncompatibleFormat),
    refused("a newer version, in the database", newer_in_database, ErrorKind::IncompatibleFormat),
    refused("a newer version, in the log", newer_in_log, ErrorKind::IncompatibleFormat),
    refused("a database that is cut short", cut, ErrorKind::Corrupted),
    refused("a database that is cut short, beside an empty log", cut_beside, ErrorKind::Corrupted),
    refused(
        "a database that is cut short, beside a log with a part of it",
        cut_beside_part,
        ErrorKind::Corrupted,
    ),
    refused("the log is missing", without_log, ErrorKind::Corrupted),
    refused("a log without its database", without_database, ErrorKind::Corrupted),
    Damage { name: "the index is missing", inflict: without_index, refused: None },
    Damage { name: "another program closed it as the last one", inflict: close_as_the_last, refused: None },
];

const fn refused(name: &'static str, inflict: fn(&Path) -> Done, kind: ErrorKind) -> Damage {
    Damage { name, inflict, refused: Some(kind) }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", path.display()))
}

fn remove(path: &Path) -> Done {
    std::fs::remove_file(path).map_err(|error| error.to_string())
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn said(error: rusqlite::Error) -> String {
    error.to_string()
}

fn replace_by(path: &Path, statements: &str) -> Done {
    for suffix in ["", "-wal", "-shm", ".gate"] {
        remove(&beside(path, suffix))?;
    }
    bare(path).and_then(|connection| connection.execute_batch(statements)).map_err(said)
}

fn foreign(path: &Path) -> Done {
    replace_by(path, "CREATE TABLE notes (text); INSERT INTO notes VALUES ('theirs')")
}

fn foreign_in_wal_mode(path: &Path) -> Done {
    replace_by(
        path,
        "PRAGMA journal_mode = WAL; CREATE TABLE notes (text); INSERT INTO notes VALUES ('theirs')",
    )
}

/// Opens the database as other programs do, which copy the log and remove the companions when they close.
fn close_as_the_last(path: &Path) -> Done {
    change(path, "SELECT count(*) FROM sqlite_schema")?;
    let gone = |suffix| !beside(path, suffix).exists();
    if gone("-wal") && gone("-shm") { Ok(()) } else { Err("SQLite left its companions".into()) }
}

fn change(path: &Path, statements: &str) -> Done {
    let changed = Connection::open(path).and_then(|connection| connection.execute_batch(statements));
    changed.map_err(said)
}

fn newer_in_database(path: &Path) -> Done {
    change(path, "PRAGMA user_version = 1000")
}

fn newer_in_log(path: &Path) -> Done {
    bare(path).and_then(|connection| connection.execute_batch("PRAGMA user_version = 1000")).map_err(said)
}

fn cut(path: &Path) -> Done {
    close_as_the_last(path)?;
    shorten(path)
}

fn shorten(path: &Path) -> Done {
    let file = std::fs::File::options().write(true).open(path).map_err(|error| error.to_string())?;
    file.set_len(4096).map_err(|error| error.to_string())
}

fn cut_beside(path: &Path) -> Done {
    cut(path)?;
    make_companions(path)
}

/// The log says how many pages there are, and has one of them.
fn cut_beside_part(path: &Path) -> Done {
    close_as_the_last(path)?;
    make_companions(path)?;
    let one_page = "UPDATE store SET guard = guard + 1";
    bare(path).and_then(|connection| connection.execute_batch(one_page)).map_err(said)?;
    shorten(path)
}

fn make_companions(path: &Path) -> Done {
    let rights = path.metadata().map_err(|error| error.to_string())?.permissions();
    let make = |suffix| {
        std::fs::File::create_new(beside(path, suffix))?;
        std::fs::set_permissions(beside(path, suffix), rights.clone())
    };
    make("-wal").and_then(|()| make("-shm")).map_err(|error| error.to_string())
}

fn without_log(path: &Path) -> Done {
    remove(&beside(path, "-wal"))
}

fn without_database(path: &Path) -> Done {
    remove(path)
}

fn without_index(path: &Path) -> Done {
    remove(&beside(path, "-shm"))
}
