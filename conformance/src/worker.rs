//! The suite's side of a worker: a process that is started, heard, stopped and killed.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::counts::{Count, Ledger};
use crate::failure::{Context, Failure, Outcome};
use crate::tracer::{Plan, TRACER};
use crate::wire::{Line, ORDERS, Orders, PATIENCE};

/// A worker process; killed, by its own number, when this is dropped.
#[derive(Debug)]
pub(crate) struct Worker {
    child: Child,
    /// As long as it is open the worker lives.
    stdin: ChildStdin,
    lines: Receiver<Line>,
    ledger: Ledger,
}

impl Worker {
    /// Starts a process of this very program, which every user reaches under this name.
    pub(crate) fn start(
        orders: &Orders,
        under: &[String],
        traced: Option<&Plan>,
        ledger: Ledger,
    ) -> Outcome<Self> {
        let mut command = match under {
            [] => Command::new("/proc/self/exe"),
            [program, arguments @ ..] => {
                let mut command = Command::new(program);
                // Under this name it is found even if its file was replaced meanwhile.
                command.args(arguments).arg(format!("/proc/{}/exe", std::process::id()));
                command
            }
        };
        if under.is_empty() {
            command.arg0(format!("conformance-{}", orders.work));
        }
        if let Some(plan) = traced {
            command.env(TRACER, serde_json::to_string(plan)?);
        }
        let mut child = command
            .env(ORDERS, serde_json::to_string(orders)?)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start a worker")?;
        let stdin = child.stdin.take().context("a worker without stdin")?;
        let stdout = child.stdout.take().context("a worker without stdout")?;
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for text in BufReader::new(stdout).lines().map_while(Result::ok) {
                let line = serde_json::from_str(&text)
                    .unwrap_or_else(|_| Line::Failed(format!("a worker printed {text:?}")));
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self { child, stdin, lines, ledger })
    }

    /// Returns the number of the process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Returns what the worker says next; none if it came to its end instead.
    #[track_caller]
    fn next(&mut self) -> Outcome<Option<Value>> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => line.said(),
            Err(RecvTimeoutError::Disconnected) => {
                let state = self.state();
                Err(Failure::new(format_args!("process {} ended without a word: {state}", self.pid())))
            }
            Err(RecvTimeoutError::Timeout) => {
                let state = self.state();
                Err(Failure::new(format_args!("process {} said nothing: {state}", self.pid())))
            }
        }
    }

    /// Says how a process ended that says nothing any more; it may take a moment to be gone.
    fn state(&mut self) -> String {
        for _ in 0..100 {
            match self.child.try_wait() {
                Ok(None) => std::thread::sleep(Duration::from_millis(10)),
                Ok(Some(status)) => return status.to_string(),
                Err(error) => return error.to_string(),
            }
        }
        "it is alive".to_owned()
    }

    /// Waits for what the worker says next.
    #[track_caller]
    pub(crate) fn hear<T: DeserializeOwned>(&mut self) -> Outcome<T> {
        let value = self.next()?.context("the worker ended where it should have said something")?;
        Ok(serde_json::from_value(value)?)
    }

    /// Returns what the worker has said by now, and does not wait for more.
    pub(crate) fn heard_by_now<T: DeserializeOwned>(&mut self) -> Outcome<Vec<T>> {
        let mut said = Vec::new();
        while let Ok(line) = self.lines.try_recv() {
            let value = line.said()?.context("the worker ended where it should have gone on")?;
            said.push(serde_json::from_value(value)?);
        }
        Ok(said)
    }

    /// Tells the worker something.
    #[track_caller]
    pub(crate) fn say(&mut self, what: impl Serialize) -> Outcome {
        let line = serde_json::to_string(&what)? + "\n";
        let Err(error) = self.stdin.write_all(line.as_bytes()).and_then(|()| self.stdin.flush()) else {
            return Ok(());
        };
        // It has gone, and its last words say why.
        while self.next()?.is_some() {}
        Err(error).context("the worker is gone")
    }

    /// Waits until the worker has come to its end and returns all that it still said.
    #[track_caller]
    pub(crate) fn finish<T: DeserializeOwned>(mut self) -> Outcome<Vec<T>> {
        let mut said = Vec::new();
        while let Some(value) = self.next()? {
            said.push(serde_json::from_value(value)?);
        }
        Ok(said)
    }

    /// Waits until the worker has ended, in whatever way, and returns all that it said.
    ///
    /// What it failed with, if it lived to say so, is among its last words and fails this.
    #[track_caller]
    pub(crate) fn last_words<T: DeserializeOwned>(mut self) -> Outcome<Vec<T>> {
        let mut said = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    if let Some(value) = line.said()? {
                        said.push(serde_json::from_value(value)?);
                    }
                }
                // The pipe ends with the process.
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    return Err(Failure::new(format_args!("process {} hangs", self.pid())));
                }
            }
        }
        self.child.wait().context("cannot await a worker")?;
        Ok(said)
    }

    /// Kills the worker and returns all that it had said by then.
    #[track_caller]
    pub(crate) fn kill<T: DeserializeOwned>(mut self) -> Outcome<Vec<T>> {
        self.child.kill().context("cannot kill a worker")?;
        self.child.wait().context("cannot await a killed worker")?;
        self.ledger.count(Count::Kills, 1);
        let mut said = Vec::new();
        // The pipe ends with the process.
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            if let Some(value) = line.said()? {
                said.push(serde_json::from_value(value)?);
            }
        }
        Ok(said)
    }

    /// Sends the process a signal.
    pub(crate) fn signal(&self, signal: Signal) -> Outcome {
        if signal == Signal::SIGSTOP {
            self.ledger.count(Count::Stops, 1);
        }
        let pid = i32::try_from(self.pid())?;
        // It is not reaped before this is dropped, so the number is still its own.
        kill(Pid::from_raw(pid), signal).context("cannot send a signal to a worker")
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until all are ready and lets them go together.
#[track_caller]
pub(crate) fn release(workers: &mut [Worker]) -> Outcome {
    for worker in workers.iter_mut() {
        worker.hear::<String>()?;
    }
    workers.iter_mut().try_for_each(|worker| worker.say("go"))
}

/// Waits until all have come to their end and returns what each said.
#[track_caller]
pub(crate) fn finish_all<T: DeserializeOwned>(workers: Vec<Worker>) -> Outcome<Vec<Vec<T>>> {
    workers.into_iter().map(Worker::finish).collect()
}
