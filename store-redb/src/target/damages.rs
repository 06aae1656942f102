//! What can be wrong with the files of a database that only redb knows.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

use conformance::Damage;
use redb::TableDefinition;
use store_core::ErrorKind;
use store_core::shared::os;

use super::{bare, beside};
use crate::error::RedbError;
use crate::schema::{FORMAT, TABLE};
use crate::stamp::{LOCKS, REDB};

type Done = Result<(), String>;

pub(super) const ALL: &[Damage] = &[
    refused("a database of another program", foreign, ErrorKind::IncompatibleFormat),
    refused("a database of another program, without a stamp", stranger, ErrorKind::IncompatibleFormat),
    refused("a database of another program, new", untouched, ErrorKind::IncompatibleFormat),
    refused("an SQLite database", sqlite, ErrorKind::IncompatibleFormat),
    refused("a newer version, in the database", newer_in_database, ErrorKind::IncompatibleFormat),
    refused("a newer version, in the stamp", newer_in_stamp, ErrorKind::IncompatibleFormat),
    refused("another lock protocol", other_locks, ErrorKind::IncompatibleFormat),
    refused("the stamp is missing", without_stamp, ErrorKind::Corrupted),
    refused("an empty stamp", |path| put_stamp(path, ""), ErrorKind::Corrupted),
    refused("a stamp that says nothing", |path| put_stamp(path, "{\"format\":1}"), ErrorKind::Corrupted),
    refused("a stamp of noise", |path| put_stamp(path, &"\u{7}".repeat(9000)), ErrorKind::Corrupted),
    refused("a database that is cut short", |path| cut(path, 1 << 16), ErrorKind::Corrupted),
    refused("a database that is cut short by one byte", cut_one, ErrorKind::Corrupted),
    refused("a database that is cut within its header", |path| cut(path, 100), ErrorKind::Corrupted),
    refused("a database with nothing but its header", |path| blank(path, 320), ErrorKind::Corrupted),
    refused("a database without its commits", |path| blank(path, 64), ErrorKind::Corrupted),
];

const fn refused(name: &'static str, inflict: fn(&Path) -> Done, kind: ErrorKind) -> Damage {
    Damage { name, inflict, refused: Some(kind) }
}

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn remove(path: &Path) -> Done {
    std::fs::remove_file(path).map_err(words)
}

fn make_foreign(path: &Path) -> Result<(), RedbError> {
    const NOTES: TableDefinition<'static, u64, &'static str> = TableDefinition::new("notes");
    let database = redb::Database::create(path)?;
    let transaction = database.begin_write()?;
    transaction.open_table(NOTES)?.insert(1, "theirs")?;
    Ok(transaction.commit()?)
}

fn foreign(path: &Path) -> Done {
    remove(path)?;
    make_foreign(path).map_err(words)
}

fn stranger(path: &Path) -> Done {
    without_stamp(path)?;
    foreign(path)
}

fn untouched(path: &Path) -> Done {
    remove(path)?;
    redb::Database::create(path).map(drop).map_err(words)
}

fn sqlite(path: &Path) -> Done {
    let mut bytes = b"SQLite format 3\0\x10\0\x01\x01\0".to_vec();
    bytes.resize(8192, 0);
    replace(path, &bytes)
}

fn replace(path: &Path, bytes: &[u8]) -> Done {
    remove(path)?;
    File::create_new(path).and_then(|mut file| file.write_all(bytes)).map_err(words)
}

fn newer_in_database(path: &Path) -> Done {
    let change = || -> Result<(), RedbError> {
        let transaction = bare(path)?.begin_write()?;
        transaction.open_table(TABLE)?.insert(FORMAT, 1000_u32.to_le_bytes().as_slice())?;
        Ok(transaction.commit()?)
    };
    change().map_err(words)
}

fn put_stamp(path: &Path, text: &str) -> Done {
    replace(&beside(path, ".stamp"), text.as_bytes())
}

fn newer_in_stamp(path: &Path) -> Done {
    put_stamp(path, &format!("{{\"format\":1000,\"redb\":\"{REDB}\",\"locks\":\"{LOCKS}\"}}"))
}

fn other_locks(path: &Path) -> Done {
    put_stamp(path, "{\"format\":1,\"redb\":\"4.5.0\",\"locks\":\"redb 4.5\"}")
}

fn without_stamp(path: &Path) -> Done {
    remove(&beside(path, ".stamp"))
}

fn cut(path: &Path, size: u64) -> Done {
    let file = OpenOptions::new().write(true).open(path).map_err(words)?;
    file.set_len(size).map_err(words)
}

fn cut_one(path: &Path) -> Done {
    let size = path.metadata().map_err(words)?.len();
    cut(path, size - 1)
}

/// Puts zeros in place of all that follows.
fn blank(path: &Path, from: u64) -> Done {
    let file = OpenOptions::new().write(true).open(path).map_err(words)?;
    let size = file.metadata().map_err(words)?.len();
    let zeros = vec![0; usize::try_from(size - from).map_err(words)?];
    os::write_all_at(&file, &zeros, from).map_err(words)
}
