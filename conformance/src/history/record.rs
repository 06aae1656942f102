//! Recording: a line at the call, a line at the return, in a file for each client.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use nix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use super::{Call, History, Operation, Outcome};

/// One line of a record.
#[derive(Debug, Serialize, Deserialize)]
enum Line {
    Call { process: u32, at: u64, call: Call },
    Return { at: u64, outcome: Outcome },
}

/// Returns the time of the machine's monotonic clock, in nanoseconds; the same clock for all processes.
///
/// # Errors
/// What the system says.
pub fn now() -> io::Result<u64> {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC)?;
    let (seconds, nanos) = (u64::try_from(now.tv_sec()), u64::try_from(now.tv_nsec()));
    match (seconds, nanos) {
        (Ok(seconds), Ok(nanos)) => Ok(seconds * 1_000_000_000 + nanos),
        _ => Err(io::Error::other("the monotonic clock stands before its beginning")),
    }
}

/// Records the calls of one client, as they happen.
///
/// Each line goes to the system in one write, so that a client that is killed leaves what it said. The time of
/// a call is taken before anything else, that of a return after everything else: what is recorded can be
/// longer than it was, never shorter.
#[derive(Debug)]
pub struct Recorder {
    process: u32,
    file: File,
}

impl Recorder {
    /// Begins the record of a client in a new file.
    ///
    /// # Errors
    /// What the system says, also if the file is there already.
    pub fn create(path: &Path, process: u32) -> io::Result<Self> {
        Ok(Self { process, file: File::options().write(true).create_new(true).open(path)? })
    }

    /// Records a call, makes it, and records its outcome.
    ///
    /// # Errors
    /// What the system says of the clock and the file; the call may have been made then.
    pub fn record(&mut self, call: &Call, make: impl FnOnce(&Call) -> Outcome) -> io::Result<Outcome> {
        let at = now()?;
        self.line(&Line::Call { process: self.process, at, call: call.clone() })?;
        let outcome = make(call);
        let at = now()?;
        self.line(&Line::Return { at, outcome: outcome.clone() })?;
        Ok(outcome)
    }

    fn line(&mut self, line: &Line) -> io::Result<()> {
        let mut text = serde_json::to_string(line)?;
        text.push('\n');
        self.file.write_all(text.as_bytes())
    }
}

/// Reads the records of clients; a call without a return has an unknown outcome.
///
/// A last line that is not whole is what a kill left of it, and counts as not written.
///
/// # Errors
/// What the system says of a file, and the path and the line of what is no record.
pub fn read<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> io::Result<History> {
    let mut history = History::default();
    for path in paths {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path)?;
        read_one(&text, &mut history.operations)
            .map_err(|why| io::Error::other(format!("{}: {why}", path.display())))?;
    }
    history.operations.sort_by_key(|operation| (operation.called, operation.process));
    Ok(history)
}

fn read_one(text: &str, operations: &mut Vec<Operation>) -> Result<(), String> {
    let mut open = None;
    let whole = text.rfind('\n').map_or("", |end| text.get(..end).unwrap_or_default());
    for (number, line) in (1..).zip(whole.lines()) {
        let line = serde_json::from_str(line).map_err(|why| format!("line {number}: {why}"))?;
        match (line, open.take()) {
            (Line::Call { process, at: called, call }, None) => {
                let outcome = Outcome::Unknown("it never returned".to_owned());
                open = Some(Operation { process, called, returned: None, call, outcome });
            }
            (Line::Return { at, outcome }, Some(operation)) => {
                operations.push(Operation { returned: Some(at), outcome, ..operation });
            }
            _ => return Err(format!("line {number}: calls and returns do not take turns")),
        }
    }
    operations.extend(open);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_recorded_is_read_and_a_torn_line_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1");
        let call = Call::Object { namespace: "n".into() };
        let mut recorder = Recorder::create(&path, 7).unwrap();
        let found = Outcome::Object { revision: 3, entries: std::collections::BTreeMap::new() };
        recorder.record(&call, |_| found.clone()).unwrap();
        recorder.line(&Line::Call { process: 7, at: now().unwrap(), call: call.clone() }).unwrap();
        recorder.file.write_all(b"{\"Return\":{\"at\":12").unwrap();
        let history = read([&path]).unwrap();
        let [first, second] = history.operations.as_slice() else { panic!("{history:?}") };
        assert_eq!((first.process, &first.outcome), (7, &found));
        assert!(first.returned.is_some_and(|returned| first.called <= returned));
        assert_eq!((second.returned, &second.call), (None, &call));
        assert!(matches!(second.outcome, Outcome::Unknown(_)));
        assert!(Recorder::create(&path, 8).is_err(), "a record is never written over");
    }

    #[test]
    fn what_is_no_record_is_told() {
        assert!(read_one("{}\n", &mut Vec::new()).unwrap_err().starts_with("line 1"));
        assert!(read_one("{\"Return\":{\"at\":1,\"outcome\":{\"Got\":null}}}\n", &mut Vec::new()).is_err());
    }
}
