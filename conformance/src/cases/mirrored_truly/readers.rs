//! Readers of a mirror's files, who know nothing of the store, while processes write.

use std::collections::BTreeMap;
use std::io::ErrorKind::NotFound;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use store_core::{Batch, Json};

use super::{config_of, dir_of, open_mirrored, shows_all};
use crate::arena::Arena;
use crate::cases::works;
use crate::failure::{Context, Outcome, ensure, ensure_eq};
use crate::job::{Job, Work};
use crate::worker::{Worker, finish_all};

pub(super) const WORKS: &[Work] = works![read_the_mirror, write_with_a_mirror];

pub(super) const WRITERS: u64 = 4;
const WRITES: u64 = 40;
const SPACE: &str = "shown";

/// One life of a writer.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Life {
    /// What it writes bears its number; every other writer gathers its changes.
    pub(super) writer: u64,
    pub(super) writes: u64,
}

impl Life {
    fn debounce(self) -> Duration {
        Duration::from_millis(self.writer % 2 * 5)
    }
}

/// Writes its next number at both ends of the common object, and to its own log.
fn write_with_a_mirror(job: &Job) -> Outcome {
    let life: Life = job.plan()?;
    let store = open_mirrored(job, life.debounce())?;
    let name = |part: &str| format!("{part}{}", life.writer);
    let last = store.get_as::<u64>(SPACE, &name("a"))?.unwrap_or(0);
    for n in (last + 1..).take(usize::try_from(life.writes)?) {
        let batch = Batch::new()
            .put(SPACE, name("a"), n)
            .put(SPACE, name("filler"), Json::from("x".repeat(fastrand::usize(..20_000))))
            .put(SPACE, name("z"), n)
            .append(SPACE, name("log"), n);
        store.commit(batch)?;
        job.say(n)?;
    }
    Ok(store.close()?)
}

/// Looks at the mirror until it is told to stop, then says how often it saw something newer.
fn read_the_mirror(job: &Job) -> Outcome {
    let dir: PathBuf = job.plan()?;
    let mut seen = Seen::default();
    job.say("reading")?;
    loop {
        let enough = job.was_told()?;
        for writer in 0..WRITERS {
            seen.look_at_log(&dir, writer)?;
        }
        seen.look_at_object(&dir)?;
        if enough {
            return job.say(seen.news);
        }
    }
}

/// What a reader has seen: the last number of each writer.
#[derive(Debug, Default)]
struct Seen {
    object: BTreeMap<u64, u64>,
    logs: BTreeMap<u64, u64>,
    news: u64,
}

impl Seen {
    fn look_at_object(&mut self, dir: &Path) -> Outcome {
        let Some(text) = read(&dir.join(format!("{SPACE}.json")), self.object.is_empty())? else {
            return Ok(());
        };
        let shown: Value = serde_json::from_str(&text).context("half an object is shown")?;
        for writer in 0..WRITERS {
            let at = |part: &str| shown.get(format!("{part}{writer}")).and_then(Value::as_u64).unwrap_or(0);
            let (front, back) = (at("a"), at("z"));
            ensure!(front == back, "half a write of {writer} is shown: {front} and {back}");
            self.news += u64::from(goes_on(&mut self.object, writer, front)?);
        }
        Ok(())
    }

    fn look_at_log(&mut self, dir: &Path, writer: u64) -> Outcome {
        let path = dir.join(SPACE).join(format!("log{writer}.jsonl"));
        let Some(text) = read(&path, !self.logs.contains_key(&writer))? else { return Ok(()) };
        ensure!(text.ends_with('\n'), "half a line is shown: {text:?}");
        let lines: Vec<u64> = text.lines().map(str::parse).collect::<Result<_, _>>().context(&text)?;
        let first = lines.first().copied().context("a log of nothing")?;
        let dense = lines.iter().copied().eq((first..).take(lines.len()));
        ensure!(dense, "entries of log {writer}: {lines:?}");
        let last = lines.last().copied().unwrap_or(0);
        ensure_eq!(lines.len() as u64, last.min(5), "lines of log {writer}");
        goes_on(&mut self.logs, writer, last).map(drop)
    }
}

/// Reads a file, which may be missing only until it was seen.
fn read(path: &Path, may_miss: bool) -> Outcome<Option<String>> {
    match std::fs::read_to_string(path) {
        Err(error) if error.kind() == NotFound && may_miss => Ok(None),
        read => read.map(Some).context(path.display()),
    }
}

/// Takes in the last number of a writer; whether it is newer than before.
fn goes_on(seen: &mut BTreeMap<u64, u64>, writer: u64, last: u64) -> Outcome<bool> {
    let before = seen.insert(writer, last).unwrap_or(0);
    ensure!(last >= before, "the mirror goes back: {last} of writer {writer} after {before}");
    Ok(last > before)
}

/// Starts a process that reads the mirror.
pub(super) fn reader(arena: &Arena) -> Outcome<Worker> {
    let mut reader = arena.worker("read_the_mirror")?.plan(dir_of(&arena.path()?)?)?.start()?;
    reader.hear::<String>()?;
    Ok(reader)
}

/// Lets a reader look once more and returns how often it saw something newer.
pub(super) fn ask(mut reader: Worker) -> Outcome<u64> {
    reader.say("enough")?;
    let said = reader.finish::<u64>()?;
    said.last().copied().context("the reader saw nothing")
}

/// 4 processes write through their mirrors, half of them waiting for it with each write, half gathering, while
/// another reads the files: each is whole, none goes back, and in the end all is shown.
pub(super) fn a_reader_sees_whole_files_and_only_newer_ones(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    let reader = reader(arena)?;
    let writes = arena.profile.pick(WRITES, 30 * WRITES);
    let write = |writer| arena.worker("write_with_a_mirror")?.plan(Life { writer, writes })?.start();
    let writers = (0..WRITERS).map(write).collect::<Outcome<Vec<_>>>()?;
    finish_all::<u64>(writers)?;
    let news = ask(reader)?;
    ensure!(news >= WRITERS, "the reader saw something newer {news} times only");
    shows_all(&store, &config_of(&arena.path()?)?)
}
