//! What an engine tries of its own: cases, and work for the processes of such a case.

use std::fmt::{self, Debug};
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde::Serialize;
use serde_json::Value;

use crate::counts::Ledger;
use crate::job;
use crate::target::Target;
use crate::wire::Orders;
use crate::worker::Worker;

/// A case that only one engine can have, such as a journal of its own that is cut at every byte.
#[derive(Clone, Copy)]
pub struct OwnCase {
    /// What it proves, in words joined by underscores.
    pub name: &'static str,
    /// The chapter of the promise that it proves, such as `durable`.
    pub promise: &'static str,
    /// Tries it in a fresh folder of mode 0755, which is gone afterwards; an error says what was found.
    pub run: fn(&Path) -> Result<(), String>,
}

/// Something that a process of an engine's own case can be told to do.
#[derive(Clone, Copy)]
pub struct OwnWork {
    /// The name under which it is started.
    pub name: &'static str,
    /// Does it, with the path and the plan that [`Process::start`] was given.
    pub run: fn(&Path, &Value) -> Result<(), String>,
}

impl Debug for OwnCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}", self.promise, self.name)
    }
}

impl Debug for OwnWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// A process of this program that does an [`OwnWork`]; it is killed when this is dropped.
#[derive(Debug)]
pub struct Process(Worker);

impl Process {
    /// Starts a process that does a target's work at a path, as a plan says.
    ///
    /// # Errors
    /// What the system says.
    pub fn start(target: &dyn Target, work: &str, path: &Path, plan: impl Serialize) -> Result<Self, String> {
        let orders = Orders {
            target: target.name().to_owned(),
            work: work.to_owned(),
            path: path.to_owned(),
            settings: String::new(),
            plan: serde_json::to_value(plan).map_err(|error| error.to_string())?,
            user: None,
            umask: None,
        };
        Worker::start(&orders, &[], None, Ledger::default()).map(Self).map_err(|failure| failure.to_string())
    }

    /// Returns the number of the process.
    pub fn pid(&self) -> u32 {
        self.0.pid()
    }

    /// Waits, a minute at most, for what the process [tells](tell) next.
    ///
    /// # Errors
    /// Its failure, or that it came to its end instead.
    pub fn hear_line(&mut self) -> Result<Value, String> {
        self.0.hear().map_err(|failure| failure.to_string())
    }

    /// Waits until the process has come to its end, and returns all that it still told.
    ///
    /// # Errors
    /// Its failure, or that it told nothing for a minute.
    pub fn wait(self) -> Result<Vec<Value>, String> {
        self.0.finish().map_err(|failure| failure.to_string())
    }

    /// Kills the process and returns all that it told and nobody has heard yet.
    ///
    /// # Errors
    /// Its failure, if it failed before.
    pub fn kill(self) -> Result<Vec<Value>, String> {
        self.0.kill().map_err(|failure| failure.to_string())
    }

    /// Lets the process work on for a while and then kills it, as [`kill`](Self::kill) does.
    ///
    /// # Errors
    /// Those of [`kill`](Self::kill).
    pub fn kill_after(self, time: Duration) -> Result<Vec<Value>, String> {
        std::thread::sleep(time);
        self.kill()
    }

    /// Stops the process where it is.
    ///
    /// # Errors
    /// What the system says.
    pub fn stop(&self) -> Result<(), String> {
        self.0.signal(Signal::SIGSTOP).map_err(|failure| failure.to_string())
    }

    /// Lets a process go on that was stopped.
    ///
    /// # Errors
    /// What the system says.
    pub fn go_on(&self) -> Result<(), String> {
        self.0.signal(Signal::SIGCONT).map_err(|failure| failure.to_string())
    }
}

/// Tells the case something, from within an [`OwnWork`]: a kill leaves it out or complete.
///
/// # Errors
/// That nobody listens any more.
pub fn tell(what: impl Serialize) -> Result<(), String> {
    job::tell_value(what).map_err(|failure| failure.to_string())
}
