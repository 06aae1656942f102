//! Where a log ends: the last end mark up to which all is whole.
//!
//! An append is one write, but what the loss of power leaves of it may be any of its sectors, the last with the
//! end mark among them. So an end mark proves itself alone only where the header knows its number, for the
//! header is written after the sync. What stands behind the entry that the header knows is checked record by
//! record; that is the last batch at most, for the sync of each append takes the header of the one before along.

use store_core::Seq;

use crate::error::FileError;
use crate::log::Source;
use crate::record::{self, Record};

/// How much is read at once, at first.
const CHUNK: u64 = 4096;

type Read<T> = Result<T, FileError>;

/// Finds the last record that ends a batch and is proven to, and where it ends, in a log whose header knows an
/// entry as the last.
///
/// Behind it may stand what a killed or powerless append left: records without an end mark, half a line,
/// zeros, and whole records behind zeros. Any other line that does not check out was changed.
pub(crate) fn find_end(source: &Source, header_end: u64, known: Seq) -> Read<(u64, Record)> {
    let mut size = CHUNK;
    loop {
        let from = source.len().saturating_sub(size).max(header_end);
        let bytes = source.read(from, source.len())?;
        let begin = find_known(&bytes, known).or((from == header_end).then_some(0));
        if let Some(begin) = begin {
            let lines = bytes.get(begin..).unwrap_or_default();
            return Walk::new(source, from + begin as u64, known).end_in(lines);
        }
        size *= 4;
    }
}

/// Returns where the last entry begins that ends a batch and that the header knows.
///
/// Records without an entry bear the number of an older one, which is no proof of them.
fn find_known(bytes: &[u8], known: Seq) -> Option<usize> {
    let mut end = bytes.iter().rposition(|byte| *byte == b'\n')?;
    loop {
        let before = bytes.get(..end)?;
        let begin = before.iter().rposition(|byte| *byte == b'\n')? + 1;
        let line = before.get(begin..)?;
        let record = record::seq_of(line).filter(|seq| *seq <= known).and_then(|_| record::decode(line));
        if record.is_some_and(|record| record.first.is_some() && record.entry.is_some()) {
            return Some(begin);
        }
        end = begin - 1;
    }
}

/// A walk over records towards the end.
struct Walk<'s> {
    source: &'s Source,
    at: u64,
    known: Seq,
    /// The number of the entry before.
    before: Option<Seq>,
    /// The last end mark, and where its line ends.
    end: Option<(u64, Record)>,
    /// The first line that is not whole.
    hole: Option<u64>,
    /// The number of an end mark behind it.
    behind: Option<Seq>,
}

impl<'s> Walk<'s> {
    fn new(source: &'s Source, at: u64, known: Seq) -> Self {
        Self { source, at, known, before: None, end: None, hole: None, behind: None }
    }

    fn end_in(mut self, bytes: &[u8]) -> Read<(u64, Record)> {
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            // What follows the last end of a line is no line yet.
            let Some(text) = line.strip_suffix(b"\n") else { break };
            match record::decode(text) {
                Some(record) if self.hole.is_none() => self.pass(record, line.len() as u64)?,
                Some(record) => self.pass_behind(&record)?,
                None if text.contains(&0) => self.hole = self.hole.or(Some(self.at)),
                None => return Err(self.changed(self.at, "it is not the record that this program wrote")),
            }
            self.at += line.len() as u64;
        }
        let Some((end, record)) = self.end.take() else {
            let place = self.hole.unwrap_or(self.at);
            return Err(self.changed(place, "it holds no batch that is whole"));
        };
        if record.seq < self.known {
            let why = format!("it ends with {} but had {}: it was cut or damaged", record.seq, self.known);
            return Err(self.changed(self.hole.unwrap_or(end), why));
        }
        Ok((end, record))
    }

    /// Takes a record with nothing but whole ones before it.
    fn pass(&mut self, record: Record, length: u64) -> Read<()> {
        let step = Seq::from(record.entry.is_some());
        if let Some(before) = self.before
            && record.seq != before + step
        {
            let why = format!("entry {} is missing before {}", before + 1, record.seq);
            return Err(self.changed(self.at, why));
        }
        self.before = Some(record.seq);
        if record.first.is_some() {
            self.end = Some((self.at + length, record));
        }
        Ok(())
    }

    /// Looks at a record behind one that is not whole.
    ///
    /// No append begins before the batch of entries before it was synced, so all that a loss of power can spoil
    /// ends with one such batch. Where a second follows, the spoilt record had been synced.
    fn pass_behind(&mut self, record: &Record) -> Read<()> {
        if record.first.is_none() {
            return Ok(());
        }
        match (self.behind, self.hole) {
            (Some(seq), Some(hole)) if seq != record.seq => {
                Err(self.changed(hole, "it is damaged, with whole batches behind it"))
            }
            _ => {
                self.behind = Some(record.seq);
                Ok(())
            }
        }
    }

    fn changed(&self, at: u64, why: impl Into<String>) -> FileError {
        FileError::changed(self.source.line_at(at), why)
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests")]
mod tests {
    use std::ops::{ControlFlow, RangeInclusive};

    use store_core::shared::access::Modes;
    use store_core::{Access, LogEntry, Timestamp};

    use super::*;
    use crate::folder::Folder;
    use crate::journal::Change;
    use crate::layout::Item;
    use crate::log::Log;

    const SECTOR: usize = 512;

    fn batch(numbers: RangeInclusive<Seq>) -> Vec<u8> {
        let entry = |seq| LogEntry {
            seq,
            at: Timestamp::from_millis(1_763_666_000_000 + seq),
            entry: format!("\"entry {seq}\"").parse().unwrap(),
        };
        record::encode_batch(&numbers.map(entry).collect::<Vec<_>>(), 1).into_bytes()
    }

    fn trim(seq: Seq, first: Seq) -> Vec<u8> {
        let mut text = String::new();
        let at = Timestamp::from_millis(1_763_666_000_000);
        record::encode(&mut text, &Record { seq, at, first: Some(first), entry: None });
        text.into_bytes()
    }

    fn log(known: Seq, parts: &[Vec<u8>]) -> Vec<u8> {
        let header = record::header("n", "l", known).unwrap().into_bytes();
        header.into_iter().chain(parts.concat()).collect()
    }

    /// Loses a sector in the middle of the last bytes, and of nothing else.
    fn lose_a_sector(bytes: &mut [u8], of_last: usize) {
        let from = (bytes.len() - of_last / 2).next_multiple_of(SECTOR);
        assert!(from > bytes.len() - of_last && from + SECTOR < bytes.len());
        bytes[from..from + SECTOR].fill(0);
    }

    fn open(bytes: Vec<u8>) -> Read<Log> {
        Log::open(Source { file: None, length: 0, added: bytes }, "n", "l")
    }

    fn scan(log: &Log) -> Read<Vec<Seq>> {
        let mut found = Vec::new();
        log.scan(1, &mut |entry| {
            found.push(entry.seq);
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }

    fn is_changed<T>(found: &Read<T>) -> bool {
        matches!(found, Err(FileError::Changed { .. }))
    }

    #[test]
    fn a_batch_with_a_lost_sector_that_the_header_does_not_know_is_none() {
        for (known, whole) in [(3, 3), (2, 3), (0, 3)] {
            for count in [30, 300, 3000] {
                let torn = batch(4..=3 + count);
                let before = [batch(1..=2), batch(3..=whole)];
                let mut bytes = log(known, &[before.concat(), torn.clone()]);
                lose_a_sector(&mut bytes, torn.len());
                let found = open(bytes).unwrap();
                assert_eq!((found.last, found.end), (3, log(known, &before).len() as u64), "{known} {count}");
                assert_eq!(scan(&found).unwrap(), [1, 2, 3]);
            }
        }
    }

    #[test]
    fn whole_batches_that_the_header_does_not_know_are_read() {
        for known in 0..=10 {
            let found = open(log(known, &[batch(1..=1), batch(2..=400), trim(400, 7), batch(401..=900)]));
            let found = found.unwrap();
            assert_eq!((found.first, found.last), (1, 900), "{known}");
        }
    }

    #[test]
    fn a_lost_sector_that_the_header_knows_is_damage() {
        let torn = batch(2..=300);
        for known in [300, 250, 5] {
            let mut bytes = log(known, &[batch(1..=1), torn.clone()]);
            lose_a_sector(&mut bytes, torn.len());
            assert!(is_changed(&open(bytes).and_then(|found| scan(&found))), "{known}");
        }
    }

    #[test]
    fn a_lost_sector_with_whole_batches_behind_it_is_damage() {
        let torn = batch(2..=300);
        let mut bytes = log(1, &[batch(1..=1), torn.clone()]);
        lose_a_sector(&mut bytes, torn.len());
        bytes.extend(batch(301..=301));
        assert!(is_changed(&open(bytes)));
    }

    #[test]
    fn a_trim_that_was_lost_under_a_later_one_is_none() {
        let mut bytes = log(3, &[batch(1..=3)]);
        let end = bytes.len();
        bytes.extend(trim(3, 2));
        let lost = bytes.len() - 10;
        bytes[end + 5..lost].fill(0);
        bytes.extend(trim(3, 3));
        let found = open(bytes).unwrap();
        assert_eq!((found.first, found.last, found.end), (1, 3, end as u64));
    }

    #[test]
    fn a_line_of_somebody_else_and_a_removed_one_are_damage() {
        let own = [batch(1..=3), batch(4..=6)];
        assert!(is_changed(&open(log(6, &[own.concat(), b"{\"entry\":1}\n".to_vec()]))));
        assert!(is_changed(&open(log(3, &[own.concat(), b"{\"entry\":1}\n".to_vec()]))));
        assert!(is_changed(&open(log(3, &[batch(1..=3), batch(5..=6)]))));
    }

    #[test]
    fn the_next_append_cuts_off_a_batch_with_a_lost_sector() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::new(dir.path(), Modes::of(Access::Private, None), 0);
        let item = Item::Log("n".into(), "l".into());
        let path = folder.layout.path(&item);
        std::fs::create_dir(path.parent().unwrap()).unwrap();
        let torn = batch(2..=300);
        let mut bytes = log(1, &[batch(1..=1), torn.clone()]);
        lose_a_sector(&mut bytes, torn.len());
        std::fs::write(&path, bytes).unwrap();
        let found = folder.log("n", "l", None).unwrap().unwrap();
        assert_eq!((found.last, scan(&found).unwrap()), (1, vec![1]));
        let change = Change::Append { item, at: found.end, bytes: batch(2..=3) };
        folder.commit(&[change]).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), log(3, &[batch(1..=1), batch(2..=3)]));
    }
}
