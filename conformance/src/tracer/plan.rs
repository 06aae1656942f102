//! What a tracer is told to do, and what it reports.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::calls::Class;
use crate::failure::{Context, Outcome};

/// What a tracer does.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// The folder: calls that touch what lies below it count.
    pub(crate) folder: PathBuf,
    /// Which of the calls that count is meant, from 1; none if all are to be counted only.
    pub(crate) at: Option<u64>,
    /// What happens at that call.
    pub(crate) act: Act,
    /// Which calls count.
    pub(crate) only: Only,
    /// Whether it happens at all calls from that one on.
    pub(crate) sticky: bool,
    /// Where the report is written when the worker has ended.
    pub(crate) report: PathBuf,
    /// Where all that changes the folder is recorded.
    pub(crate) record: Option<PathBuf>,
}

/// What happens at a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Act {
    /// Nothing: the call is only counted.
    Nothing,
    /// The call is not made and fails with an error number.
    Fail(i32),
    /// The process is killed and the call is not made.
    Kill,
}

/// Which calls count.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Only {
    /// Those of some classes; of all if it is empty.
    pub(crate) classes: Vec<Class>,
    /// Those on files whose name ends so.
    pub(crate) suffix: Option<String>,
    /// Those that make a file longer.
    pub(crate) growing: bool,
}

/// A call that counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Point {
    /// Its number among those that counted, from 1.
    pub(crate) n: u64,
    /// The name of the call.
    pub(crate) call: String,
    /// What kind of call it is.
    pub(crate) class: Class,
    /// The file, relative to the folder.
    pub(crate) file: String,
    /// How often the worker had said something by then.
    pub(crate) said: usize,
}

/// What a tracer saw.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Report {
    /// The calls that counted.
    pub(crate) points: Vec<Point>,
    /// Those at which something happened.
    pub(crate) hit: Vec<Point>,
}

impl Plan {
    /// Prepares a plan that counts all calls below a folder and reports beside it.
    pub(crate) fn count(folder: &Path, report: PathBuf) -> Self {
        Self {
            folder: folder.to_owned(),
            at: None,
            act: Act::Nothing,
            only: Only::default(),
            sticky: false,
            report,
            record: None,
        }
    }

    /// Does something at the call of a number.
    pub(crate) fn at(mut self, n: u64, act: Act) -> Self {
        (self.at, self.act) = (Some(n), act);
        self
    }

    /// Does it at all calls that follow too.
    pub(crate) fn and_on(mut self) -> Self {
        self.sticky = true;
        self
    }

    /// Counts only some calls.
    pub(crate) fn only(mut self, only: Only) -> Self {
        self.only = only;
        self
    }

    /// Records all that changes the folder.
    pub(crate) fn record(mut self, trace: PathBuf) -> Self {
        self.record = Some(trace);
        self
    }
}

impl Point {
    /// Whether the call takes a name away.
    pub(crate) fn removes(&self) -> bool {
        matches!(self.call.as_str(), "unlink" | "unlinkat" | "rmdir")
    }
}

impl Report {
    /// Reads what a tracer saw that has come to its end.
    pub(crate) fn read(path: &Path) -> Outcome<Self> {
        let bytes = std::fs::read(path).context("the tracer reported nothing")?;
        Ok(serde_json::from_slice(&bytes)?)
    }
}
