//! Writing the end of a log, in the gate.

use std::fs::File;
use std::io;
use std::path::Path;

use store_core::shared::access::explain_denial;
use store_core::shared::os;
use store_core::{Error, ErrorKind, Seq};

use crate::commit::Failed;
use crate::error::FileError;
use crate::record;

/// Writes the end of a log: one write, one sync, and one more before after a writer that was killed.
pub(crate) fn append(path: &Path, at: u64, bytes: &[u8]) -> Result<(), Failed> {
    let unseen = |e: io::Error| Failed::Unseen(FileError::from(e).at(path));
    // After a sync that failed the file has to be written anew, whatever was to be synced.
    let unsynced = |e: io::Error| Failed::Seen(Error::from_sync("cannot sync", path, e));
    let file = os::open_plain(path, true).map_err(unseen)?;
    let length = file.metadata().map_err(unseen)?.len();
    if length < at {
        let why = format!("has {length} bytes where a change begins at {at}: it was cut; restore a backup");
        return Err(Failed::Unseen(Error::new(ErrorKind::Corrupted, why).with_path(path)));
    }
    if length > at {
        // What an append that was killed left, and nobody was told of. Were the cut lost with power, what is
        // written now could stand among it.
        file.set_len(at).map_err(unseen)?;
    }
    let note = Note::new(&file, bytes);
    if length > at || !note.knows_all_before() {
        // So no more than one batch is ever unsynced, by which damage is told from what a loss of power leaves.
        file.sync_all().map_err(unsynced)?;
    }
    if let Err(e) = os::write_all_at(&file, bytes, at) {
        // Without its end mark nobody reads it; cutting it off only saves the room. A cut that cannot be made
        // is left to the next append.
        if file.set_len(at).is_ok() {
            file.sync_all().map_err(unsynced)?;
        }
        return Err(Failed::Unseen(explain_denial("cannot append", path, e)));
    }
    file.sync_data().map_err(unsynced)?;
    note.write(&file);
    Ok(())
}

/// The note in the header how far the log goes. It shows a log that was cut by hand, and what of its end was
/// synced: a note that fails, or is lost with power, knows of less.
struct Note {
    /// Where the header ends, and the number that it knows.
    header: Option<(u64, Seq)>,
    /// The number of the last entry before what is appended.
    before: Option<Seq>,
    /// The number of the last one.
    last: Option<Seq>,
}

impl Note {
    fn new(file: &File, appended: &[u8]) -> Self {
        let mut lines = appended.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let first = lines.next().unwrap_or_default();
        let before =
            record::decode(first).map(|record| record.seq.saturating_sub(Seq::from(record.entry.is_some())));
        let last = lines.next_back().or(Some(first)).and_then(record::seq_of);
        let mut begin = [0; record::HEADER];
        let read = os::read_at(file, &mut begin, 0).unwrap_or(0);
        let line = begin.get(..read).and_then(|begin| begin.split_inclusive(|byte| *byte == b'\n').next());
        let header = line.and_then(|line| Some((line.len() as u64, record::known_of(line)?)));
        Self { header, before, last }
    }

    fn knows_all_before(&self) -> bool {
        self.before.is_some_and(|before| self.header.is_some_and(|(_, known)| known >= before))
    }

    fn write(&self, file: &File) {
        if let (Some(last), Some((end, _))) = (self.last, self.header) {
            let (at, digits) = record::last_in_header(end, last);
            let _ = os::write_all_at(file, digits.as_bytes(), at);
        }
    }
}
