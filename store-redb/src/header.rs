//! What the first bytes of a database say of it, read without redb, which would change them.

use std::fs::File;
use std::io;
use std::path::Path;

use store_core::shared::access::explain_denial;
use store_core::shared::os;
use store_core::{Error, ErrorKind, Result};

const MAGIC: [u8; 9] = *b"redb\x1a\x0a\xa9\x0d\x0a";
/// The size of the header.
const SIZE: usize = 320;
/// What redb 4 gives every database: the size of a page, and how many pages of each kind a region has. The
/// reader counts on it.
const GEOMETRY: [u32; 3] = [4096, 0, 1 << 20];

/// The header of a database, as far as it does not change or tells the size.
#[derive(Debug)]
pub(crate) struct Header {
    geometry: [u32; 3],
    full_regions: u32,
    trailing_pages: u32,
}

impl Header {
    /// Reads the header of a file, and refuses one that redb never writes.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|e| explain_denial("cannot open the database", path, e))?;
        let mut bytes = [0; SIZE];
        let read = read_start(&file, &mut bytes).map_err(|e| Error::from_io("cannot read", path, e))?;
        let (bytes, _) = bytes.split_at(read);
        let refuse = |kind, why: &str| Err(Error::new(kind, why).with_path(path));
        if !bytes.starts_with(&MAGIC) {
            let why = "is no redb database; choose another path, or restore a backup if a store was here";
            return refuse(ErrorKind::IncompatibleFormat, why);
        }
        let Some(header) = Self::parse(bytes) else { return refuse(ErrorKind::Corrupted, CUT) };
        if header.geometry != GEOMETRY {
            let why = "is a redb database, but not a store of this program; choose another path";
            return refuse(ErrorKind::IncompatibleFormat, why);
        }
        Ok(header)
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        if bytes.len() < SIZE {
            return None;
        }
        let word = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        Some(Self {
            geometry: [word(12)?, word(16)?, word(20)?],
            full_regions: word(24)?,
            trailing_pages: word(28)?,
        })
    }

    /// Returns how many bytes the file has at least: it grows before the header says so, and shrinks after.
    fn size(&self) -> u64 {
        let [page, header, data] = self.geometry.map(u64::from);
        let (full, trailing) = (u64::from(self.full_regions), u64::from(self.trailing_pages));
        let partial = if trailing == 0 { 0 } else { header + trailing };
        page * (1 + full * (header + data) + partial)
    }

    /// Refuses a file that has lost its end: redb itself takes it for one that was to grow.
    pub(crate) fn check_size(path: &Path) -> Result<()> {
        // It may shrink between the two looks; what it lost by that the next header does not claim.
        for _ in 0..2 {
            let claimed = Self::read(path)?.size();
            let size = path.metadata().map_err(|e| Error::from_io("cannot look at", path, e))?.len();
            if size >= claimed {
                return Ok(());
            }
        }
        Err(Error::new(ErrorKind::Corrupted, CUT).with_path(path))
    }
}

const CUT: &str =
    "the database is cut short; stop its users, keep a copy of all its files, and restore a backup";

fn read_start(file: &File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    loop {
        let (_, rest) = buffer.split_at_mut(filled);
        match os::read_at(file, rest, filled as u64) {
            Ok(0) => return Ok(filled),
            Ok(read) => filled += read,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_database_is_as_the_header_says() {
        let bytes = crate::schema::fresh_database().unwrap();
        let header = Header::parse(&bytes).unwrap();
        assert!(bytes.starts_with(&MAGIC));
        assert_eq!(header.geometry, GEOMETRY);
        assert_eq!(header.size(), bytes.len() as u64);
    }
}
