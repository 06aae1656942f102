//! The options of a configuration as words, taken one by one, so that none is overlooked.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::str::FromStr;
use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};

/// The options of one store, as a URL, a table or the environment gave them.
///
/// Each part of the program takes what it knows; [`finish`](Self::finish) refuses what nobody took, and
/// lists what there is.
///
/// # Examples
/// ```
/// use store_core::Options;
///
/// let mut options = Options::from_query("timeout=2s&durabilty=power")?;
/// assert_eq!(options.take_duration("timeout")?, Some(std::time::Duration::from_secs(2)));
/// let durability = options.take::<String>("durability", "process or power")?;
/// assert!(durability.is_none());
/// assert!(options.finish().unwrap_err().to_string().contains("durabilty"));
/// # Ok::<(), store_core::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    given: BTreeMap<String, Given>,
    known: BTreeMap<&'static str, &'static str>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Given {
    text: String,
    /// Where it stands in a file, such as `line 3 column 11`.
    place: Option<String>,
    taken: bool,
}

impl Options {
    /// Reads the part of a URL after its question mark.
    ///
    /// # Errors
    /// `ConfigInvalid` for a key without a value, an empty key, or a key given twice.
    pub fn from_query(query: &str) -> Result<Self> {
        let mut options = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            if !pair.contains('=') {
                return Err(invalid(format!("option {pair:?} has no value; write {pair}=VALUE")));
            }
            for (key, value) in form_urlencoded::parse(pair.as_bytes()) {
                options.give(&key, &value)?;
            }
        }
        Ok(options)
    }

    /// Adds an option.
    ///
    /// # Errors
    /// `ConfigInvalid` if it was given before.
    pub fn give(&mut self, key: &str, value: &str) -> Result<()> {
        self.add(key, Given { text: value.to_owned(), place: None, taken: false })
    }

    /// Adds an option that stands somewhere in a file, such as `line 3 column 11`; errors about it say so.
    ///
    /// # Errors
    /// `ConfigInvalid` if it was given before.
    pub fn give_at(&mut self, key: &str, value: &str, place: impl Into<String>) -> Result<()> {
        self.add(key, Given { text: value.to_owned(), place: Some(place.into()), taken: false })
    }

    fn add(&mut self, key: &str, given: Given) -> Result<()> {
        if let Some(first) = self.given.get(key) {
            let (first, second) = (&first.text, &given.text);
            let why = format!("option {key:?} is given twice, as {first:?} and {second:?}; keep one");
            return Err(placed(&given, why));
        }
        self.given.insert(key.to_owned(), given);
        Ok(())
    }

    /// Takes an option out; none if it was not given.
    ///
    /// # Errors
    /// `ConfigInvalid` for a value that does not parse, with `values`, the words for those that do.
    pub fn take<T: FromStr>(&mut self, key: &'static str, values: &'static str) -> Result<Option<T>> {
        self.known.insert(key, values);
        let Some(given) = self.given.get_mut(key) else { return Ok(None) };
        given.taken = true;
        match given.text.parse() {
            Ok(value) => Ok(Some(value)),
            Err(_) => Err(placed(given, format!("{key}={}: give {values}", given.text))),
        }
    }

    /// Takes a time such as `5s`, `500ms` or `1m 30s`.
    ///
    /// # Errors
    /// `ConfigInvalid` for anything else.
    pub fn take_duration(&mut self, key: &'static str) -> Result<Option<Duration>> {
        let time: Option<Time> = self.take(key, Time::WORDS)?;
        self.reword(key, time.as_ref().map(|time| time_text(time.0)));
        Ok(time.map(|time| time.0))
    }

    /// Takes a size such as `64MiB`, `1GiB` or a number of bytes.
    ///
    /// # Errors
    /// `ConfigInvalid` for anything else.
    pub fn take_size(&mut self, key: &'static str) -> Result<Option<u64>> {
        let size: Option<bytesize::ByteSize> = self.take(key, "a size such as 64MiB")?;
        self.reword(key, size.map(|size| size_text(size.as_u64())));
        Ok(size.map(|size| size.as_u64()))
    }

    /// Notes the one form of a value that can be written in several.
    fn reword(&mut self, key: &str, text: Option<String>) {
        if let (Some(given), Some(text)) = (self.given.get_mut(key), text) {
            given.text = text;
        }
    }

    /// Returns the options taken so far, by name, each value in one form however it was written: `60s`, not
    /// `1m`; `1MiB`, not `1048576`.
    pub fn taken(&self) -> impl Iterator<Item = (&str, &str)> {
        self.given.iter().filter(|(_, given)| given.taken).map(|(key, given)| (&**key, &*given.text))
    }

    /// Says where an option stands, in an error about its value, if it is known.
    pub fn locate(&self, key: &str, error: Error) -> Error {
        match self.given.get(key) {
            Some(given @ Given { place: Some(_), .. }) => placed(given, error.message().to_owned()),
            _ => error,
        }
    }

    /// Makes sure that every option given was taken.
    ///
    /// # Errors
    /// `ConfigInvalid` names the first that was not, and lists those that there are.
    pub fn finish(self) -> Result<()> {
        let Some((unknown, given)) = self.given.iter().find(|(_, given)| !given.taken) else { return Ok(()) };
        let mut message = format!("there is no option {unknown:?}; there are:");
        for (key, values) in &self.known {
            let _ = write!(message, " {key} ({values}),");
        }
        message.pop();
        Err(placed(given, message))
    }
}

fn placed(given: &Given, message: String) -> Error {
    match &given.place {
        Some(place) => invalid(format!("{place}: {message}")),
        None => invalid(message),
    }
}

/// Writes a time as [`Options::take_duration`] reads it, in the largest unit that gives a whole number.
pub(crate) fn time_text(time: Duration) -> String {
    let nanos = time.as_nanos();
    let units = [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us")];
    match units.iter().find(|(unit, _)| nanos.is_multiple_of(*unit)) {
        Some((unit, name)) => format!("{}{name}", nanos / unit),
        None => format!("{nanos}ns"),
    }
}

/// Writes a size as [`Options::take_size`] reads it, in the largest unit that gives a whole number.
pub(crate) fn size_text(bytes: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.iter().find(|(unit, _)| bytes > 0 && bytes.is_multiple_of(*unit)) {
        Some((unit, name)) => format!("{}{name}", bytes / unit),
        None => bytes.to_string(),
    }
}

struct Time(Duration);

impl Time {
    const WORDS: &str = "a time such as 5s, 500ms or 2m";
}

impl FromStr for Time {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let signed: jiff::SignedDuration = text.parse().map_err(|_| ())?;
        signed.try_into().map(Self).map_err(|_| ())
    }
}

/// Reads a time such as `5s`, `500ms` or `2m`.
///
/// # Errors
/// `ConfigInvalid` for anything else.
pub fn parse_duration(text: &str) -> Result<Duration> {
    match text.parse::<Time>() {
        Ok(time) => Ok(time.0),
        Err(()) => Err(invalid(format!("{text:?} is not {}", Time::WORDS))),
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::ConfigInvalid, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_cannot_be_list_those_that_can() {
        for (query, part) in [
            ("timeout", "has no value"),
            ("timeout=5s&timeout=6s", "given twice"),
            ("timeout=-5s", "timeout=-5s"),
            ("timeout=soon", "5s, 500ms"),
        ] {
            let error = Options::from_query(query).and_then(|mut o| o.take_duration("timeout")).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
            assert!(error.to_string().contains(part), "{error}");
        }
    }

    #[test]
    fn sizes_and_times() {
        let mut options = Options::from_query("a=64MiB&b=4096&c=1m%2030s").unwrap();
        assert_eq!(options.take_size("a").unwrap(), Some(64 << 20));
        assert_eq!(options.take_size("b").unwrap(), Some(4096));
        assert_eq!(options.take_duration("c").unwrap(), Some(Duration::from_secs(90)));
        options.finish().unwrap();
    }

    #[test]
    fn a_place_in_a_file_is_said_with_every_error() {
        let mut options = Options::default();
        options.give_at("timeout", "soon", "line 3 column 11").unwrap();
        options.give_at("colour", "red", "line 4 column 1").unwrap();
        for error in [
            options.take_duration("timeout").unwrap_err(),
            options.give_at("timeout", "5s", "line 3 column 11").unwrap_err(),
            options.locate("timeout", invalid("timeout: too long".into())),
        ] {
            assert!(error.message().starts_with("line 3 column 11: "), "{error}");
        }
        let unknown = options.finish().unwrap_err();
        assert!(unknown.message().starts_with("line 4 column 1: there is no option \"colour\""), "{unknown}");
    }

    #[test]
    fn values_have_one_form_that_reads_back() {
        for (written, form) in [("1m 30s", "90s"), ("1.5s", "1500ms"), ("1ns", "1ns"), ("24h", "86400s")] {
            let mut options = Options::default();
            options.give("t", written).unwrap();
            let time = options.take_duration("t").unwrap().unwrap();
            assert_eq!(options.taken().collect::<Vec<_>>(), [("t", form)]);
            assert_eq!(parse_duration(form).unwrap(), time);
        }
        for (written, form) in [("2048KiB", "2MiB"), ("1GB", "1000000000"), ("0", "0"), ("1048576", "1MiB")] {
            let mut options = Options::default();
            options.give("s", written).unwrap();
            let size = options.take_size("s").unwrap().unwrap();
            assert_eq!(options.taken().collect::<Vec<_>>(), [("s", form)]);
            let mut again = Options::default();
            again.give("s", form).unwrap();
            assert_eq!(again.take_size("s").unwrap(), Some(size));
        }
    }
}
