//! What a name may be and how large values and batches may get: checked once, before anything is queued.

use crate::error::{Error, ErrorKind, Result};
use crate::options::{Options, size_text};

/// The longest namespace or log name, in bytes of UTF-8.
pub const MAX_NAME: usize = 64;
/// The longest key, in bytes of UTF-8.
pub const MAX_KEY: usize = 1024;

/// How large values and batches may get, in bytes of compact JSON text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest value; 16 MiB by default.
    pub value: u64,
    /// The largest batch: all its values and names together; 64 MiB by default.
    pub batch: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { value: 16 << 20, batch: 64 << 20 }
    }
}

impl Limits {
    /// The most that a configuration can raise either limit to, for a batch lies in memory whole; code may go
    /// beyond.
    pub const CEILING: u64 = 256 << 20;

    /// Takes the limits out of the options of a configuration.
    pub(crate) fn from_options(options: &mut Options) -> Result<Self> {
        let default = Self::default();
        let value = options.take_size("max_value")?;
        let batch = options.take_size("max_batch")?;
        for (key, size) in [("max_value", value), ("max_batch", batch)] {
            if let Some(bytes) = size.filter(|bytes| *bytes > Self::CEILING) {
                let (given, most) = (size_text(bytes), size_text(Self::CEILING));
                let why = format!("{key}={given}: give at most {most}");
                return Err(options.locate(key, Error::new(ErrorKind::ConfigInvalid, why)));
            }
        }
        Ok(Self { value: value.unwrap_or(default.value), batch: batch.unwrap_or(default.batch) })
    }

    /// Returns the option that cannot be, and why.
    pub(crate) fn problem(self) -> Option<(&'static str, String)> {
        if self.value == 0 {
            return Some(("max_value", "max_value=0: give a size above zero, such as 16MiB".into()));
        }
        let (value, batch) = (size_text(self.value), size_text(self.batch));
        (self.value > self.batch).then(|| {
            let why = format!(
                "max_value={value} does not fit into a batch of max_batch={batch}; raise max_batch, or lower \
                 max_value"
            );
            (if self.value == Self::default().value { "max_batch" } else { "max_value" }, why)
        })
    }
}

/// Checks the name of a namespace: 1 to 64 bytes of UTF-8 without control characters.
///
/// # Errors
/// `InvalidInput` says what is wrong with it.
pub fn check_namespace(name: &str) -> Result<()> {
    check("namespace", name, MAX_NAME)
}

/// Checks the name of a log: 1 to 64 bytes of UTF-8 without control characters.
///
/// # Errors
/// `InvalidInput` says what is wrong with it.
pub fn check_log(name: &str) -> Result<()> {
    check("log", name, MAX_NAME)
}

/// Checks a key: 1 to 1,024 bytes of UTF-8 without control characters.
///
/// # Errors
/// `InvalidInput` says what is wrong with it.
pub fn check_key(name: &str) -> Result<()> {
    check("key", name, MAX_KEY)
}

fn check(what: &str, name: &str, max: usize) -> Result<()> {
    let problem = if name.is_empty() {
        format!("a {what} must not be empty")
    } else if name.len() > max {
        format!("a {what} has at most {max} bytes of UTF-8, this one has {}", name.len())
    } else if let Some((at, control)) = name.char_indices().find(|(_, c)| c.is_control()) {
        format!("a {what} has no control characters, {control:?} stands at byte {at} of {name:?}")
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorKind::InvalidInput, format!("{problem}; choose another name")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_at_their_limits() {
        assert!(check_namespace(&"n".repeat(64)).is_ok());
        assert!(check_namespace(&"n".repeat(65)).is_err());
        assert!(check_key(&"ä".repeat(512)).is_ok());
        assert!(check_key(&"ä".repeat(513)).is_err());
        for odd in ["../..", "a/b", "'; DROP TABLE entries; --", "🦀", " ", "."] {
            assert!(check_namespace(odd).is_ok(), "{odd}");
        }
        for bad in ["", "a\0b", "line\nbreak", "\u{7f}", "\u{85}"] {
            assert_eq!(check_log(bad).unwrap_err().kind(), ErrorKind::InvalidInput, "{bad:?}");
        }
    }
}
