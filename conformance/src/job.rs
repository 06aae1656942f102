//! The worker's side: a process of the same program that does one thing and says what it did.

use std::io::{BufRead, Write, stdin, stdout};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use store_core::{Blocking, Options, Settings};

use crate::cases;
use crate::failure::{Context, Failure, Outcome};
use crate::target::Target;
use crate::tracer;
use crate::users::assume_umask;
use crate::wire::{Line, ORDERS, Orders, PATIENCE};

/// A function that a worker can be told to run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Work {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&Job) -> Outcome,
}

/// What a worker works with.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) target: &'static dyn Target,
    pub(crate) orders: Orders,
    heard: Mutex<Receiver<String>>,
}

/// Works and returns the exit code if this process was started as a worker.
pub(crate) fn run_if_ordered(targets: &[&'static dyn Target]) -> Option<ExitCode> {
    let orders = std::env::var(ORDERS).ok()?;
    let done =
        tracer::wait_until_followed().and_then(|()| Job::begin(&orders, targets)).and_then(|job| job.run());
    let (line, code) = match done {
        Ok(()) => (Line::Done, ExitCode::SUCCESS),
        Err(failure) if failure.is_unsupported() => {
            (Line::Unsupported(failure.to_string()), ExitCode::FAILURE)
        }
        Err(failure) => (Line::Failed(failure.to_string()), ExitCode::FAILURE),
    };
    Some(if tell(&line).is_ok() { code } else { ExitCode::FAILURE })
}

/// Tells the suite something that a work has to say.
pub(crate) fn tell_value(what: impl Serialize) -> Outcome {
    tell(&Line::Said(serde_json::to_value(what)?))
}

/// Tells the suite something.
pub(crate) fn tell(line: &Line) -> Outcome {
    let mut text = serde_json::to_string(line)?;
    text.push('\n');
    let mut out = stdout().lock();
    // One write for the whole line: a kill leaves it out or complete.
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

impl Job {
    fn begin(orders: &str, targets: &[&'static dyn Target]) -> Outcome<Self> {
        let orders: Orders = serde_json::from_str(orders)?;
        if let Some(mask) = orders.umask {
            assume_umask(mask);
        }
        if let Some(user) = orders.user {
            user.assume()?;
        }
        let target = targets.iter().find(|target| target.name() == orders.target);
        let target = *target.context("this program does not know the target")?;
        let (sender, heard) = channel();
        std::thread::spawn(move || {
            for line in stdin().lock().lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
            // The suite has gone, or has no more use for us.
            std::process::exit(3);
        });
        Ok(Self { target, orders, heard: Mutex::new(heard) })
    }

    fn run(&self) -> Outcome {
        let who = self.orders.user.map_or_else(String::new, |user| format!(" as {user:?}"));
        self.work().context(format_args!("worker {}{who}", self.orders.work))
    }

    fn work(&self) -> Outcome {
        let name = self.orders.work.as_str();
        if let Some(work) = cases::work(name) {
            return (work.run)(self);
        }
        let own = self.target.own_works().iter().find(|work| work.name == name);
        let own = own.context("there is no such work")?;
        (own.run)(&self.orders.path, &self.orders.plan).map_err(Failure::new)
    }

    /// Returns what the function is to do.
    pub(crate) fn plan<T: DeserializeOwned>(&self) -> Outcome<T> {
        serde_json::from_value(self.orders.plan.clone()).context("the plan does not fit the work")
    }

    /// Opens the store.
    pub(crate) fn open(&self) -> store_core::Result<Blocking> {
        let mut options = Options::from_query(&self.orders.settings)?;
        let settings = Settings::from_options(&mut options)?;
        options.finish()?;
        self.target.open(&self.orders.path, settings).map(Blocking::new)
    }

    /// Opens the store with its ceiling as low as can be.
    pub(crate) fn open_tight(&self) -> Outcome<Blocking> {
        let tight = self.target.tight().context("the target knows no ceiling")?;
        let mut options = Options::from_query(&self.orders.settings)?;
        let settings = Settings::from_options(&mut options)?;
        Ok(Blocking::new((tight.open)(&self.orders.path, settings)?))
    }

    /// Tells the suite something.
    #[expect(clippy::unused_self, reason = "only a worker has somebody to tell")]
    pub(crate) fn say(&self, what: impl Serialize) -> Outcome {
        tell_value(what)
    }

    /// Waits for something that the suite says.
    pub(crate) fn hear<T: DeserializeOwned>(&self) -> Outcome<T> {
        let heard = self.heard.lock().ok().context("the ears are gone")?.recv_timeout(PATIENCE);
        Ok(serde_json::from_str(&heard.context("the suite said nothing")?)?)
    }

    /// Whether the suite has said something by now.
    pub(crate) fn was_told(&self) -> Outcome<bool> {
        let heard = self.heard.lock().ok().context("the ears are gone")?;
        match heard.recv_timeout(Duration::ZERO) {
            Ok(_) => Ok(true),
            Err(RecvTimeoutError::Timeout) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Says that it is ready and waits until all are let go together.
    pub(crate) fn meet(&self) -> Outcome {
        self.say("ready")?;
        self.hear::<String>().map(drop)
    }
}
