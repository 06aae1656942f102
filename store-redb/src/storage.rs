//! The file under redb, for a reader and for a writer: no lock of it is waited for without an end.

mod reading;
mod writing;

use std::io;
use std::ops::Bound;

use redb::BackendError;

pub(crate) use self::reading::Reading;
pub(crate) use self::writing::Writing;

/// Held by a writer that waits for the header, so that readers give way: they come so often that one of them
/// always has it. It lies among the bytes that redb leaves to what is below it.
const TURN: u64 = (1 << 62) + 896 + 100;
/// How often a lock is tried in a row.
const TRIES: usize = 50;

type Done<T = ()> = Result<T, BackendError>;
type Edge = Bound<u64>;

const fn byte(at: u64) -> (Edge, Edge) {
    (Bound::Included(at), Bound::Included(at))
}

fn taken() -> io::Error {
    io::Error::new(io::ErrorKind::WouldBlock, "somebody else holds a lock of the database")
}

/// Tries a lock a few times: the locks of peers that run are held for microseconds.
fn try_often(mut lock: impl FnMut() -> Done<bool>) -> Done<bool> {
    for _ in 0..TRIES {
        if lock()? {
            return Ok(true);
        }
        std::thread::yield_now();
    }
    Ok(false)
}
