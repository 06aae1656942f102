//! Where values come from: an argument, a file or stdin; each error names its place there.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use statestore::{Error, ErrorKind, Json, Result};

/// The name of standard input in messages.
pub(crate) const STDIN: &str = "<stdin>";

/// The longest text that is read, so that an endless input ends with an error and not with all memory; above
/// the largest batch that can be configured, for white space does not count there.
pub(crate) const LONGEST_TEXT: u64 = 2 * statestore::Limits::CEILING;

/// Reads the JSON value that an argument holds or names: `@FILE`, `-` for stdin, else the text itself.
pub(crate) fn value(argument: &str) -> Result<Json> {
    let (name, bytes) = match (argument, argument.strip_prefix('@')) {
        ("-", _) => (STDIN, stdin()?),
        (_, Some(path)) => (path, file(Path::new(path))?),
        (text, None) => ("the argument", text.as_bytes().to_vec()),
    };
    Json::from_slice(&bytes).map_err(|e| e.with_path(name))
}

/// Reads all of stdin.
pub(crate) fn stdin() -> Result<Vec<u8>> {
    all(io::stdin().lock(), Path::new(STDIN))
}

/// Reads a whole file.
pub(crate) fn file(path: &Path) -> Result<Vec<u8>> {
    all(open(path)?, path)
}

/// Opens a file of the user's for reading.
pub(crate) fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(|e| unreadable(path, e))
}

fn all(from: impl Read, name: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(LONGEST_TEXT + 1).read_to_end(&mut bytes).map_err(|e| unreadable(name, e))?;
    if bytes.len() as u64 > LONGEST_TEXT {
        return Err(Error::new(ErrorKind::TooLarge, too_long()).with_path(name));
    }
    Ok(bytes)
}

/// Says that a text is longer than any that is read.
fn too_long() -> String {
    format!("the text has more than {LONGEST_TEXT} bytes, the most that is read; split it")
}

/// Makes the error for an input that cannot be read: a path that leads to no file is invalid input.
pub(crate) fn unreadable(name: &Path, error: io::Error) -> Error {
    use io::ErrorKind as K;
    match error.kind() {
        K::NotFound | K::IsADirectory | K::NotADirectory | K::InvalidFilename => {
            Error::new(ErrorKind::InvalidInput, "cannot read; give a file that is there")
                .with_path(name)
                .with_source(error)
        }
        _ => Error::from_io("cannot read", name, error),
    }
}

/// Parses one line of JSON lines, of at most `largest` bytes; an error names the line's number and the column.
pub(crate) fn line(line: &[u8], number: u64, largest: u64) -> Result<Json> {
    let text = line.strip_suffix(b"\n").unwrap_or(line);
    if text.len() as u64 >= LONGEST_TEXT {
        return Err(Error::new(ErrorKind::TooLarge, format!("line {number}: {}", too_long())));
    }
    let entry = Json::from_slice(text).map_err(|error| {
        // A line is all that the parser saw, so it is line 1 to it.
        let why = error.message().replacen("at line 1 ", &format!("at line {number} "), 1);
        Error::new(error.kind(), why)
    })?;
    if entry.size() as u64 > largest {
        let why = format!("line {number}: the value has {} bytes, the limit is {largest}", entry.size());
        return Err(Error::new(ErrorKind::TooLarge, format!("{why}; split it")));
    }
    Ok(entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_line_is_named_by_number_and_column() {
        for (text, part) in [
            (&b"{\"a\":}"[..], "at line 7 column 6"),
            (b"\n", "at line 7 column 1: there is no value"),
            (b"  \r\n", "at line 7 column"),
            (b"\"\xff\"\n", "at line 7 column 2"),
            (b"1 2\n", "at line 7 column 3"),
            (b"\"at line 1 \n", "at line 7 column"),
        ] {
            let error = line(text, 7, 100).unwrap_err();
            assert!(error.message().contains(part), "{error}");
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
        }
        assert_eq!(line(b" 1.50 \r\n", 1, 100).unwrap().as_str(), "1.50");
        assert_eq!(line(b"[1,2]", 3, 4).unwrap_err().kind(), ErrorKind::TooLarge);
    }
}
