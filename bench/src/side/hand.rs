//! The JSON file that most programs write by hand: lock, read whole, change, temporary file, sync, rename.

use std::fs::{File, OpenOptions};
use std::io::Write;

use serde_json::{Map, Value};

use super::peer::Peer;
use super::{Failure, Performed, now};
use crate::Result;
use crate::load::Load;
use crate::plan::Operation;

const FILE: &str = "state.json";
const LOCK: &str = "state.json.lock";
const LOG: &str = "events.jsonl";

/// A JSON file of all keys, and a file of JSON lines.
#[derive(Debug)]
pub(crate) struct HandWritten {
    lock: File,
    log: File,
    /// Whether the folder is synced after a rename; most programs do not.
    syncs_folder: bool,
}

impl HandWritten {
    pub(crate) fn open(syncs_folder: bool) -> Result<Self> {
        let lock = OpenOptions::new().write(true).create(true).truncate(false).open(LOCK)?;
        let log = OpenOptions::new().append(true).create(true).open(LOG)?;
        Ok(Self { lock, log, syncs_folder })
    }

    /// Reads the whole file; without the lock, for a rename shows the old or the new one.
    fn read() -> Result<Map<String, Value>> {
        Ok(serde_json::from_slice(&std::fs::read(FILE)?)?)
    }

    fn replace(&self, object: &Map<String, Value>) -> Result<()> {
        let temporary = format!("{FILE}.{:016x}", fastrand::u64(..));
        let mut file = OpenOptions::new().write(true).create_new(true).open(&temporary)?;
        file.write_all(&serde_json::to_vec(object)?)?;
        file.sync_all()?;
        #[expect(clippy::disallowed_methods, reason = "this is the peer: what people write by hand")]
        std::fs::rename(&temporary, FILE)?;
        if self.syncs_folder {
            File::open(".")?.sync_all()?;
        }
        Ok(())
    }

    fn locked(&self, work: impl FnOnce() -> Result<()>) -> Result<()> {
        self.lock.lock()?;
        let done = work();
        self.lock.unlock()?;
        done
    }

    fn append(&self, entry: &Value) -> Result<()> {
        let mut line = serde_json::to_vec(&serde_json::json!({ "at": now(), "entry": entry }))?;
        line.push(b'\n');
        (&self.log).write_all(&line)?;
        Ok(self.log.sync_data()?)
    }

    fn do_once(&self, operation: Operation, load: &mut Load<Value>) -> Result<()> {
        match operation {
            Operation::Get => {
                std::hint::black_box(Self::read()?.get(load.draw().0));
                Ok(())
            }
            Operation::Object => {
                std::hint::black_box(Self::read()?);
                Ok(())
            }
            Operation::Put => self.locked(|| {
                let mut object = Self::read()?;
                let (key, value) = load.draw();
                object.insert(key.to_owned(), value.clone());
                self.replace(&object)
            }),
            Operation::Append => self.locked(|| self.append(load.draw().1)),
            Operation::Replace => self.locked(|| self.replace(&whole(load))),
            Operation::Tail => Err("the tail of a log written by hand is not measured".into()),
        }
    }
}

impl Peer for HandWritten {
    type Value = Value;

    fn form(text: String) -> Result<Value> {
        Ok(serde_json::from_str(&text)?)
    }

    fn fill(&mut self, load: &mut Load<Value>) -> Result<()> {
        self.locked(|| self.replace(&whole(load)))
    }

    fn fill_log(&mut self, load: &mut Load<Value>) -> Result<()> {
        self.locked(|| (0..load.size()).try_for_each(|_| self.append(load.draw().1)))
    }

    fn perform(&mut self, operation: Operation, load: &mut Load<Value>) -> Performed {
        self.do_once(operation, load).map_err(Failure::Broken)
    }

    fn another(&self) -> Result<Self> {
        Self::open(self.syncs_folder)
    }

    fn close(self) -> Result<()> {
        Ok(())
    }
}

/// Returns all keys, each with a value that is drawn.
fn whole(load: &mut Load<Value>) -> Map<String, Value> {
    let pairs = (0..load.size()).map(|n| {
        let (key, value) = load.pair(n);
        (key.to_owned(), value.clone())
    });
    pairs.collect()
}
