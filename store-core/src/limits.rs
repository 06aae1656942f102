//! What a name may be and how large values and batches may get: checked once, before anything is queued.

use crate::error::{Error, ErrorKind, Result};

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
