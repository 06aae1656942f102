//! How the program ends: the exit code for each kind of failure, and the one line that explains it.

use std::error::Error as StdError;
use std::process::ExitCode;

use serde::{Deserialize, Serialize};
use statestore::{Error, ErrorKind};

use crate::output;

/// The exit codes, as `--help` lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u8)]
pub(crate) enum Code {
    /// No such key, or no store here.
    NotFound = 1,
    /// Usage, configuration or invalid input.
    Usage = 2,
    /// Others held the store until the timeout.
    Busy = 3,
    /// A check did not hold.
    Conflict = 4,
    /// Corrupted, incompatible or moved.
    Damaged = 5,
    /// Permission denied or read-only.
    Denied = 6,
    /// No room left.
    Full = 7,
    /// The write may have happened.
    Indeterminate = 8,
    /// Anything else.
    Other = 9,
    /// `doctor` has warnings, and nothing worse.
    Warned = 10,
}

impl From<ErrorKind> for Code {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::ConfigInvalid | ErrorKind::InvalidInput | ErrorKind::TooLarge => Self::Usage,
            ErrorKind::Busy => Self::Busy,
            ErrorKind::Conflict => Self::Conflict,
            ErrorKind::Corrupted | ErrorKind::IncompatibleFormat | ErrorKind::Moved => Self::Damaged,
            ErrorKind::ReadOnly | ErrorKind::PermissionDenied => Self::Denied,
            ErrorKind::StorageFull => Self::Full,
            ErrorKind::Indeterminate => Self::Indeterminate,
            // Also kinds that a later version of the store adds.
            _ => Self::Other,
        }
    }
}

/// Why a command did not do all that it was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A call of the store failed.
    Store(Error),
    /// The program itself has something to say.
    Told(Code, String),
    /// Nobody reads stdout any more, as under `| head`: the rest is not wanted, which is no failure.
    OutputClosed,
    /// A signal of this number asked the program to end.
    Interrupted(u8),
}

impl Failure {
    /// Makes a failure of the program's own words.
    pub(crate) fn told(code: Code, words: impl Into<String>) -> Self {
        Self::Told(code, words.into())
    }

    /// Appends words to what will be said, such as what stands of a command's work.
    pub(crate) fn and(self, words: &str) -> Self {
        match self {
            Self::Store(error) => Self::Told(error.kind().into(), format!("{}; {words}", chain(&error))),
            Self::Told(code, said) => Self::Told(code, format!("{said}; {words}")),
            Self::OutputClosed | Self::Interrupted(_) => self,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

/// Says what went wrong, in one line on stderr, and returns the exit code for it.
pub(crate) fn report(result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) | Err(Failure::OutputClosed) => ExitCode::SUCCESS,
        // As a shell reports a program that a signal ended.
        Err(Failure::Interrupted(signal)) => ExitCode::from(signal.saturating_add(128)),
        Err(failure) => {
            let (code, words) = words_of(failure);
            output::say(words);
            ExitCode::from(code as u8)
        }
    }
}

/// Returns the code of a failure and what there is to say of it, in one line.
pub(crate) fn words_of(failure: Failure) -> (Code, String) {
    let (code, words) = match failure {
        Failure::Store(error) => (error.kind().into(), chain(&error)),
        Failure::Told(code, words) => (code, words),
        Failure::OutputClosed => (Code::Other, "nobody reads what is printed".into()),
        Failure::Interrupted(signal) => (Code::Other, format!("interrupted by signal {signal}")),
    };
    (code, words.replace(['\n', '\r'], " "))
}

/// Returns an error and its sources, leaving out a source that has been quoted already.
fn chain(error: &dyn StdError) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let more = error.to_string();
        if !words.contains(&more) {
            words = format!("{words}: {more}");
        }
        source = error.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_told_once() {
        let io = || std::io::Error::other("the disk is gone");
        let error = Error::new(ErrorKind::Io, "cannot read").with_source(io());
        assert_eq!(chain(&error), "input/output error: cannot read: the disk is gone");
        let error = Error::new(ErrorKind::Io, "cannot read: the disk is gone").with_source(io());
        assert_eq!(chain(&error), "input/output error: cannot read: the disk is gone");
    }

    #[test]
    fn what_stands_is_said_behind_the_sources() {
        let error = Error::new(ErrorKind::Busy, "held").with_source(std::io::Error::other("by 7"));
        let Failure::Told(code, words) = Failure::from(error).and("line 1 stands") else { panic!() };
        assert_eq!((code, words.as_str()), (Code::Busy, "busy: held: by 7; line 1 stands"));
    }
}
