//! Why a case fails: words, and the line of the case that found it.

use std::any::Any;
use std::fmt::{self, Debug, Display};
use std::panic::Location;

use store_core::{Error, ErrorKind};

use crate::exhibit::Exhibit;

/// What a case, or a worker, comes to.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// The longest value that a message shows, and how much of it stands before the first difference.
const SHOWN: usize = 400;
const BEFORE: usize = 100;

/// The reason of a failure. It is no `Error` itself, so that every error turns into it with `?`.
#[derive(Debug)]
pub(crate) struct Failure {
    words: String,
    at: &'static Location<'static>,
    /// Whether the store refused as `Unsupported` what a backend may lack.
    unsupported: bool,
    exhibit: Option<Box<Exhibit>>,
}

impl Failure {
    #[track_caller]
    pub(crate) fn new(words: impl Display) -> Self {
        Self { words: words.to_string(), at: Location::caller(), unsupported: false, exhibit: None }
    }

    /// Says that the backend cannot do something, which it may have declared.
    #[track_caller]
    pub(crate) fn unsupported(words: impl Display) -> Self {
        Self { unsupported: true, ..Self::new(words) }
    }

    /// Adds what can be drawn of it.
    pub(crate) fn with_exhibit(self, exhibit: Exhibit) -> Self {
        Self { exhibit: Some(Box::new(exhibit)), ..self }
    }

    /// Whether the store refused as `Unsupported` what a backend may lack.
    pub(crate) fn is_unsupported(&self) -> bool {
        self.unsupported
    }

    /// Takes what can be drawn of it.
    pub(crate) fn take_exhibit(&mut self) -> Option<Exhibit> {
        self.exhibit.take().map(|exhibit| *exhibit)
    }

    #[track_caller]
    pub(crate) fn differ(what: &str, found: &dyn Debug, expected: &dyn Debug, more: impl Display) -> Self {
        let (found, expected) = (format!("{found:?}"), format!("{expected:?}"));
        let same = found.bytes().zip(expected.bytes()).take_while(|(a, b)| a == b).count();
        let from = same.saturating_sub(BEFORE);
        let (found, expected) = (cut(&found, from), cut(&expected, from));
        Self::new(format_args!("{more}{what}\n    found    {found}\n    expected {expected}"))
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}:{}]", self.words, self.at.file(), self.at.line())
    }
}

impl<E: std::error::Error + 'static> From<E> for Failure {
    #[track_caller]
    fn from(error: E) -> Self {
        let of_store = (&error as &dyn Any).downcast_ref::<Error>();
        let unsupported = of_store.is_some_and(|error| error.kind() == ErrorKind::Unsupported);
        let mut words = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            words = format!("{words}: {cause}");
            source = cause.source();
        }
        Self { unsupported, ..Self::new(words) }
    }
}

/// Returns so much of a text, from a byte on, as a message shows.
fn cut(text: &str, from: usize) -> String {
    let from = if text.len() <= SHOWN { 0 } else { text.floor_char_boundary(from) };
    let to = text.floor_char_boundary(from.saturating_add(SHOWN));
    let part = text.get(from..to).unwrap_or(text);
    let (before, after) = (if from > 0 { "…" } else { "" }, if to < text.len() { "…" } else { "" });
    format!("{before}{part}{after}")
}

/// Says what was attempted when something failed.
pub(crate) trait Context<T> {
    #[track_caller]
    fn context(self, what: impl Display) -> Outcome<T>;
}

impl<T, E: Into<Failure>> Context<T> for Result<T, E> {
    #[track_caller]
    fn context(self, what: impl Display) -> Outcome<T> {
        match self {
            Ok(value) => Ok(value),
            Err(error) => {
                let failure: Failure = error.into();
                Err(Failure { words: format!("{what}: {}", failure.words), ..failure })
            }
        }
    }
}

impl<T> Context<T> for Option<T> {
    #[track_caller]
    fn context(self, what: impl Display) -> Outcome<T> {
        match self {
            Some(value) => Ok(value),
            None => Err(Failure::new(what)),
        }
    }
}

/// Expects a refusal.
pub(crate) trait Refused {
    /// Returns the error if it is of a kind and says what every error has to say.
    #[track_caller]
    fn refused(self, kind: ErrorKind) -> Outcome<Error>;
}

impl<T: Debug> Refused for Result<T, Error> {
    #[track_caller]
    fn refused(self, kind: ErrorKind) -> Outcome<Error> {
        let error = match self {
            Err(error) if error.kind() == kind => error,
            Err(error) => return Err(error).context(format_args!("expected {kind}, found the error")),
            Ok(value) => {
                return Err(Failure::new(format_args!(
                    "expected {kind}, but it gave {}",
                    cut(&format!("{value:?}"), 0)
                )));
            }
        };
        let sure = kind != ErrorKind::Indeterminate;
        if error.surely_not_done() != sure || error.message().trim().is_empty() {
            return Err(Failure::new(format_args!("the error does not say enough: {error:?}")));
        }
        Ok(error)
    }
}

/// Fails with words unless a condition holds.
macro_rules! ensure {
    ($holds:expr, $($words:tt)+) => {
        if !$holds {
            return Err($crate::failure::Failure::new(format_args!($($words)+)));
        }
    };
}

/// Fails, showing both, unless what was found is what was expected.
macro_rules! ensure_eq {
    ($found:expr, $expected:expr $(,)?) => {
        ensure_eq!($found, $expected, "")
    };
    ($found:expr, $expected:expr, $($words:tt)+) => {
        match (&$found, &$expected) {
            (found, expected) => if *found != *expected {
                let more = format!($($words)+);
                let more = if more.is_empty() { more } else { format!("{more}: ") };
                return Err($crate::failure::Failure::differ(stringify!($found), found, expected, more));
            }
        }
    };
}

pub(crate) use {ensure, ensure_eq};
