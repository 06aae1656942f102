//! A forked child: the same program in the middle of its work, with one thread and a copy of every handle.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::exit;
use std::time::{Duration, Instant};

use fork::{Fork, fork, redirect_stdio, waitpid_nohang};
use serde::Serialize;
use serde::de::DeserializeOwned;
use store_core::{Error, ErrorKind};

use crate::failure::{Context, Failure, Outcome};
use crate::wire::PATIENCE;

const STEP: Duration = Duration::from_millis(1);

/// A child that was forked, and what it has to say at its end.
#[derive(Debug)]
#[must_use = "a child that nobody awaits stays behind"]
pub(crate) struct Forked {
    pid: i32,
    words: UnixStream,
}

/// Forks: the child does its work, tells what it came to, and ends; the parent goes on.
///
/// Only a worker may fork, from its first thread, and while no other is in the middle of a call.
pub(crate) fn forked<T: Serialize>(work: impl FnOnce() -> Outcome<T>) -> Outcome<Forked> {
    let (words, mut told) = UnixStream::pair()?;
    match fork()? {
        Fork::Parent(pid) => Ok(Forked { pid, words }),
        Fork::Child => {
            drop(words);
            // The suite would take what the child keeps open for the parent's.
            let done = redirect_stdio().map_err(Failure::from).and_then(|()| work());
            let line = serde_json::to_string(&done.map_err(|failure| failure.to_string()));
            let sent = line.is_ok_and(|line| told.write_all(line.as_bytes()).is_ok());
            exit(i32::from(!sent));
        }
    }
}

impl Forked {
    pub(crate) fn pid(&self) -> u32 {
        self.pid.unsigned_abs()
    }

    /// Waits until the child has ended and returns what it came to.
    #[track_caller]
    pub(crate) fn finish<T: DeserializeOwned>(mut self) -> Outcome<T> {
        self.words.set_read_timeout(Some(PATIENCE))?;
        let mut line = String::new();
        self.words.read_to_string(&mut line).context("the forked child said nothing in time")?;
        let until = Instant::now() + PATIENCE;
        let status = loop {
            match waitpid_nohang(self.pid)? {
                Some(status) => break status,
                None if Instant::now() > until => return Err(Failure::new("the forked child does not end")),
                None => std::thread::sleep(STEP),
            }
        };
        let told: Result<T, String> = serde_json::from_str(&line)
            .context(format_args!("the forked child ended with status {status:#x} and said {line:?}"))?;
        told.map_err(|why| Failure::new(format_args!("in the forked child: {why}")))
    }
}

/// Whether an error refuses a forked child to open what its parent had open, and says why: an engine that
/// keeps state of its own in a process cannot do otherwise.
pub(crate) fn refuses_forks(error: &Error) -> bool {
    error.kind() == ErrorKind::Closed && error.to_string().contains("fork")
}

/// Waits until a file is there, or is gone; for those who have no other way to be told.
pub(crate) fn until_there(path: &Path, there: bool) -> Outcome {
    let until = Instant::now() + PATIENCE;
    while path.exists() != there {
        if Instant::now() > until {
            return Err(Failure::new(format_args!("{} never came or went", path.display())));
        }
        std::thread::sleep(STEP);
    }
    Ok(())
}
