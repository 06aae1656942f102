//! The loop that follows a process and its threads from call to call.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::calls::{self, Call, Class};
use super::changes::Change;
use super::plan::{Act, Plan, Point, Report};
use super::process::{self, Process, Registers};
use super::record::{Event, Recorder};
use crate::failure::{Context, Failure, Outcome};

/// How a followed process ended.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ended {
    Exited(i32),
    Killed(Signal),
}

/// A call that a thread is in.
#[derive(Debug)]
struct Inside {
    /// The error number that it gets instead of being made.
    fails: Option<i32>,
    /// What it changes if it succeeds.
    change: Option<Change>,
}

struct Follower<'a> {
    plan: &'a Plan,
    process: Process,
    /// The folder under each name that it may go by.
    folders: Vec<PathBuf>,
    /// The threads that were seen, with the call that each is in.
    threads: HashMap<Pid, Option<Inside>>,
    count: u64,
    said: usize,
    report: Report,
    recorder: Option<Recorder>,
}

/// Follows a child that has stopped for it, until it has ended, and writes the report.
pub(super) fn follow(leader: Pid, plan: &Plan) -> Outcome<Ended> {
    match waitpid(leader, Some(WaitPidFlag::__WALL))? {
        WaitStatus::Stopped(_, Signal::SIGTRAP) => {}
        other => return Err(Failure::new(format_args!("the worker did not wait to be followed: {other:?}"))),
    }
    let options = Options::PTRACE_O_TRACESYSGOOD | Options::PTRACE_O_TRACECLONE | Options::PTRACE_O_EXITKILL;
    ptrace::setoptions(leader, options)?;
    let mut folders = vec![plan.folder.clone()];
    folders.extend(plan.folder.canonicalize());
    let mut follower = Follower {
        plan,
        process: Process::new(leader)?,
        folders,
        threads: HashMap::from([(leader, None)]),
        count: 0,
        said: 0,
        report: Report::default(),
        recorder: plan.record.as_deref().map(Recorder::new).transpose()?,
    };
    go_on(leader, None)?;
    let ended = follower.until_the_end_of(leader)?;
    follower.finish()?;
    Ok(ended)
}

/// Lets a thread go on to its next call; one that was killed meanwhile is gone.
fn go_on(thread: Pid, signal: Option<Signal>) -> Outcome {
    gone_is_fine(ptrace::syscall(thread, signal)).map(drop)
}

fn gone_is_fine<T>(done: nix::Result<T>) -> Outcome<Option<T>> {
    match done {
        Ok(done) => Ok(Some(done)),
        Err(Errno::ESRCH) => Ok(None),
        Err(error) => Err(error).context("cannot trace"),
    }
}

impl Follower<'_> {
    fn until_the_end_of(&mut self, leader: Pid) -> Outcome<Ended> {
        loop {
            match waitpid(None, Some(WaitPidFlag::__WALL)) {
                Ok(WaitStatus::PtraceSyscall(thread)) => {
                    self.stops(thread)?;
                    go_on(thread, None)?;
                }
                // A new thread begins with a stop of its own.
                Ok(WaitStatus::Stopped(thread, Signal::SIGSTOP)) if !self.threads.contains_key(&thread) => {
                    self.threads.insert(thread, None);
                    go_on(thread, None)?;
                }
                Ok(WaitStatus::Stopped(thread, signal)) => go_on(thread, Some(signal))?,
                Ok(WaitStatus::PtraceEvent(thread, ..)) => go_on(thread, None)?,
                Ok(WaitStatus::Exited(pid, code)) if pid == leader => return Ok(Ended::Exited(code)),
                Ok(WaitStatus::Signaled(pid, signal, _)) if pid == leader => {
                    return Ok(Ended::Killed(signal));
                }
                Ok(WaitStatus::Exited(thread, _) | WaitStatus::Signaled(thread, ..)) => {
                    self.threads.remove(&thread);
                }
                Ok(_) | Err(Errno::EINTR) => {}
                Err(error) => return Err(error).context("cannot await the worker"),
            }
        }
    }

    /// A thread stops before or after a call.
    fn stops(&mut self, thread: Pid) -> Outcome {
        let Some(registers) = gone_is_fine(process::registers(thread))? else { return Ok(()) };
        match self.threads.get_mut(&thread).and_then(Option::take) {
            None => {
                let inside = self.enters(thread, &registers)?;
                self.threads.insert(thread, Some(inside));
                Ok(())
            }
            Some(inside) => self.leaves(thread, inside, &registers),
        }
    }

    fn enters(&mut self, thread: Pid, registers: &Registers) -> Outcome<Inside> {
        let mut inside = Inside { fails: None, change: None };
        let Some(call) = calls::find(registers.number) else { return Ok(inside) };
        let Some(class) = call.class(&registers.arguments, |at| self.process.word(at)) else {
            return Ok(inside);
        };
        if call.class == Class::Write && registers.arguments[0] == 1 {
            self.said += 1;
            inside.change = self.recorder.is_some().then(|| Change::says(registers));
            return Ok(inside);
        }
        let Some(files) = self.files(call, registers) else { return Ok(inside) };
        if self.recorder.is_some() {
            let paths = files.iter().map(|file| file.as_deref());
            inside.change = Change::of(call, registers, paths, &self.process, &self.plan.folder);
            if let Some(Change::Syncs { inode, folder }) = &inside.change {
                let began =
                    Event::SyncBegan { thread: thread.as_raw(), inode: *inode, folder: folder.clone() };
                self.note(&began, &[])?;
            }
        }
        let name = files.iter().flatten().next().map(|file| file.display().to_string());
        if let Some(errno) = self.counts(call, class, registers, name.unwrap_or_default())? {
            process::skip(thread)?;
            inside.fails = Some(errno);
        }
        Ok(inside)
    }

    /// Returns the files below the folder that a call touches; none if it touches no such file.
    fn files(&self, call: &Call, registers: &Registers) -> Option<Vec<Option<PathBuf>>> {
        let paths = call.files.iter().map(|place| self.process.path(*place, &registers.arguments));
        let files: Vec<_> = paths.map(|path| path.and_then(|path| self.below(&path))).collect();
        files.iter().any(Option::is_some).then_some(files)
    }

    fn below(&self, path: &Path) -> Option<PathBuf> {
        self.folders.iter().find_map(|folder| path.strip_prefix(folder).ok()).map(Path::to_owned)
    }

    /// Counts a call, if it is one that counts, and returns the error that it gets. At a kill, this kills.
    fn counts(&mut self, call: &Call, class: Class, at: &Registers, file: String) -> Outcome<Option<i32>> {
        let Plan { only, .. } = self.plan;
        if !only.classes.is_empty() && !only.classes.contains(&class)
            || only.suffix.as_ref().is_some_and(|suffix| !file.ends_with(suffix.as_str()))
            || only.growing && !self.grows(call, &at.arguments)
        {
            return Ok(None);
        }
        self.count += 1;
        let point = Point { n: self.count, call: call.name.to_owned(), class, file, said: self.said };
        self.report.points.push(point.clone());
        let is_meant = self.plan.at.is_some_and(|at| at == self.count || self.plan.sticky && at < self.count);
        if !is_meant {
            return Ok(None);
        }
        self.report.hit.push(point);
        match self.plan.act {
            Act::Nothing => Ok(None),
            Act::Fail(errno) => Ok(Some(errno)),
            Act::Kill => {
                kill(self.process.pid(), Signal::SIGKILL)?;
                Ok(None)
            }
        }
    }

    /// Whether a call takes more room on the disk than its file has.
    fn grows(&self, call: &Call, [first, second, third, fourth, ..]: &[u64; 6]) -> bool {
        let len = self.process.len(*first);
        match call.name {
            "write" => self.process.position(*first) + third > len,
            "writev" | "copy_file_range" => true,
            "pwrite64" | "fallocate" => third + fourth > len,
            "ftruncate" => *second > len,
            _ => false,
        }
    }

    fn leaves(&mut self, thread: Pid, inside: Inside, registers: &Registers) -> Outcome {
        let mut result = registers.result;
        if let Some(errno) = inside.fails {
            gone_is_fine(process::fail(thread, errno))?;
            result = i64::from(-errno);
        }
        let Some(change) = inside.change else { return Ok(()) };
        for (event, bytes) in change.events(thread, result, &self.process)? {
            self.note(&event, &bytes)?;
        }
        Ok(())
    }

    fn note(&mut self, event: &Event, bytes: &[u8]) -> Outcome {
        self.recorder.as_mut().map_or(Ok(()), |recorder| recorder.note(event, bytes))
    }

    fn finish(self) -> Outcome {
        if let Some(recorder) = self.recorder {
            recorder.finish()?;
        }
        let path = &self.plan.report;
        let mut file = std::fs::File::options().write(true).create_new(true).open(path)?;
        Ok(file.write_all(&serde_json::to_vec(&self.report)?)?)
    }
}
