//! A number that grows with every change, so that a reader of several files knows whether they are of one
//! instant.
//!
//! It is odd while a change is on its way: a writer that finds it odd in the gate knows that the last one was
//! killed. It bears no data and is never synced; after the loss of power any value will do.

use std::io;
use std::path::PathBuf;

use store_core::shared::os;

/// The digits of the number, and a line's end.
const LENGTH: usize = 21;

/// The file of the number.
#[derive(Debug)]
pub(crate) struct Changes {
    path: PathBuf,
}

impl Changes {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Returns the contents of a new file: a number that no earlier file had.
    pub(crate) fn fresh() -> String {
        format!("{:020}\n", fastrand::u64(..u64::MAX / 4) * 2)
    }

    /// Returns the number; none while it cannot be told.
    pub(crate) fn read(&self) -> io::Result<Option<u64>> {
        let mut bytes = [0; LENGTH];
        let read = os::read_at(&os::open_plain(&self.path, false)?, &mut bytes, 0)?;
        let digits = bytes.get(..read).and_then(|bytes| bytes.strip_suffix(b"\n")).unwrap_or_default();
        Ok(std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()))
    }

    /// Says that a change begins; returns its number, and whether the change before it came to its end.
    pub(crate) fn begin(&self) -> io::Result<(u64, bool)> {
        let found = self.read()?;
        let ended = found.is_some_and(|number| number % 2 == 0);
        let next = found.map_or_else(|| fastrand::u64(..u64::MAX / 4) * 2, |number| number + number % 2) + 1;
        self.write(next)?;
        Ok((next, ended))
    }

    /// Writes a number.
    pub(crate) fn write(&self, number: u64) -> io::Result<()> {
        os::write_all_at(&os::open_plain(&self.path, true)?, format!("{number:020}\n").as_bytes(), 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_and_tells_a_change_that_did_not_end() {
        let dir = tempfile::tempdir().unwrap();
        let changes = Changes::new(dir.path().join(".changes"));
        assert!(changes.read().is_err());
        #[expect(clippy::disallowed_methods, reason = "a test")]
        std::fs::write(dir.path().join(".changes"), Changes::fresh()).unwrap();
        let before = changes.read().unwrap().unwrap();
        let (number, ended) = changes.begin().unwrap();
        assert!(ended && number == before + 1);
        let (later, ended) = changes.begin().unwrap();
        assert!(!ended && later > number && later % 2 == 1);
        changes.write(later + 1).unwrap();
        assert!(changes.begin().unwrap().1);
    }
}
