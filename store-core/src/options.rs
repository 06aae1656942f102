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
    given: BTreeMap<String, String>,
    known: BTreeMap<&'static str, &'static str>,
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
        match self.given.insert(key.to_owned(), value.to_owned()) {
            None => Ok(()),
            Some(first) => {
                Err(invalid(format!("option {key:?} is given twice, as {first:?} and {value:?}; keep one")))
            }
        }
    }

    /// Takes an option out; none if it was not given.
    ///
    /// # Errors
    /// `ConfigInvalid` for a value that does not parse, with `values`, the words for those that do.
    pub fn take<T: FromStr>(&mut self, key: &'static str, values: &'static str) -> Result<Option<T>> {
        self.known.insert(key, values);
        let Some(text) = self.given.remove(key) else { return Ok(None) };
        match text.parse() {
            Ok(value) => Ok(Some(value)),
            Err(_) => Err(invalid(format!("{key}={text}: give {values}"))),
        }
    }

    /// Takes a time such as `5s`, `500ms` or `1m 30s`.
    ///
    /// # Errors
    /// `ConfigInvalid` for anything else.
    pub fn take_duration(&mut self, key: &'static str) -> Result<Option<Duration>> {
        let time: Option<Time> = self.take(key, Time::WORDS)?;
        Ok(time.map(|time| time.0))
    }

    /// Takes a size such as `64MiB`, `1GiB` or a number of bytes.
    ///
    /// # Errors
    /// `ConfigInvalid` for anything else.
    pub fn take_size(&mut self, key: &'static str) -> Result<Option<u64>> {
        let size: Option<bytesize::ByteSize> = self.take(key, "a size such as 64MiB")?;
        Ok(size.map(|size| size.as_u64()))
    }

    /// Makes sure that every option given was taken.
    ///
    /// # Errors
    /// `ConfigInvalid` names the first that was not, and lists those that there are.
    pub fn finish(self) -> Result<()> {
        let Some(unknown) = self.given.keys().next() else { return Ok(()) };
        let mut message = format!("there is no option {unknown:?}; there are:");
        for (key, values) in &self.known {
            let _ = write!(message, " {key} ({values}),");
        }
        message.pop();
        Err(invalid(message))
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
}
