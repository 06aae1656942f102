//! The stamp beside the database: which format it has, and whose lock protocol its users follow.
//!
//! Programs with redb of another lock protocol do not see the locks of this one, so that they would write at
//! the same time. redb itself does not note it in the database.

use std::io::Read;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use store_core::shared::access::{Modes, explain_denial};
use store_core::shared::files;
use store_core::shared::place::Place;
use store_core::{Error, ErrorKind, Result};

use crate::schema::VERSION;

/// The lock protocol, named after the first redb that has it.
pub(crate) const LOCKS: &str = "redb 4.4";
/// The redb that does the work.
pub(crate) const REDB: &str = "4.4.0";
/// What a stamp has at most; more is none.
const LARGEST: u64 = 4096;

#[derive(Debug, Serialize, Deserialize)]
struct Stamp {
    /// The version of the table; a larger one is of a newer program.
    format: u32,
    /// The redb that made the database.
    redb: String,
    /// The lock protocol that every user must follow.
    locks: String,
}

/// Returns where the stamp of a store lies.
pub(crate) fn path(place: &Place) -> PathBuf {
    place.beside(".stamp")
}

/// Makes the stamp of a store that is about to be made, in the gate.
pub(crate) fn create(place: &Place, modes: &Modes) -> Result<()> {
    let path = path(place);
    // Left by somebody who was killed here; its rights may be for another configuration.
    match std::fs::remove_file(&path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(explain_denial("cannot remove a leftover", &path, e))
        }
        _ => files::create_file(&path, text().as_bytes(), modes.file, modes).map(drop),
    }
}

fn text() -> String {
    format!("{{\"format\":{VERSION},\"redb\":\"{REDB}\",\"locks\":\"{LOCKS}\"}}\n")
}

/// Whether there is a stamp, or something in its place.
pub(crate) fn is_there(place: &Place) -> bool {
    path(place).symlink_metadata().is_ok()
}

/// Refuses a database whose users follow another lock protocol, or that has a newer format.
pub(crate) fn check(place: &Place) -> Result<()> {
    let path = path(place);
    let refuse = |kind, why: String| Err(Error::new(kind, why).with_path(&path));
    match path.symlink_metadata() {
        Ok(found) if found.is_file() => {}
        Ok(_) => {
            let why = "is not a plain file, as the stamp of a database must be; put the right one back";
            return refuse(ErrorKind::Corrupted, why.to_owned());
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            let why = "the stamp is missing, which says how the users of the database lock it; put it back (it must stay \
                       with the database), or restore a backup";
            return refuse(ErrorKind::Corrupted, why.to_owned());
        }
        Err(e) => return Err(explain_denial("cannot look at the stamp", &path, e)),
    }
    let mut bytes = Vec::new();
    let read = std::fs::File::open(&path).and_then(|file| file.take(LARGEST).read_to_end(&mut bytes));
    read.map_err(|e| explain_denial("cannot read the stamp", &path, e))?;
    let Ok(stamp) = serde_json::from_slice::<Stamp>(&bytes) else {
        let why = "is no stamp of a database: it was changed or damaged; put the right one back, or restore a backup";
        return refuse(ErrorKind::Corrupted, why.to_owned());
    };
    if stamp.format > VERSION {
        let why = format!(
            "the database has format {}, this program handles up to {VERSION}; update this program",
            stamp.format
        );
        return refuse(ErrorKind::IncompatibleFormat, why);
    }
    if stamp.locks != LOCKS {
        let why = format!(
            "the users of the database follow the lock protocol {:?} (it was made by redb {}), this program that of \
             {LOCKS:?} (redb {REDB}): they would not see each other's locks; use programs of one version",
            stamp.locks, stamp.redb
        );
        return refuse(ErrorKind::IncompatibleFormat, why);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stamp_names_the_redb_that_is_built_in() {
        let lock = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock")).unwrap();
        assert!(
            lock.contains(&format!("name = \"redb\"\nversion = \"{REDB}\"")),
            "look at the lock protocol"
        );
    }

    #[test]
    fn a_stamp_is_read_as_it_is_written() {
        let stamp: Stamp = serde_json::from_str(&text()).unwrap();
        assert_eq!((stamp.format, stamp.redb.as_str(), stamp.locks.as_str()), (VERSION, REDB, LOCKS));
    }
}
