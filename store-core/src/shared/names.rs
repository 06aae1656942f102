//! How names become file names, and back, where people see them: JSON files and mirrors.

use std::fmt::Write as _;

use percent_encoding::percent_decode_str;

use crate::limits::check_namespace;

/// The end of an object's file name.
const OBJECT: &str = ".json";

/// Makes a file name of a name: small letters, digits, `-`, `_` and inner dots stay, but for that of a final
/// `.json`; every other byte becomes `%` and two digits.
///
/// So two names never become one where a filesystem folds case, none begins with a dot, and none is a device
/// on Windows.
pub fn encode(name: &str) -> String {
    let end = name.len().saturating_sub(1);
    let device = is_device(name);
    // A folder of logs must not have the name of an object's file.
    let suffix = name.len().checked_sub(OBJECT.len()).filter(|_| name.ends_with(OBJECT));
    let mut encoded = String::with_capacity(name.len());
    for (at, byte) in name.bytes().enumerate() {
        let plain = match byte {
            b'.' => at != 0 && at != end && Some(at) != suffix,
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => !(device && at == 0),
            _ => false,
        };
        if plain {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// Reads a file name that [`encode`] made of a name that can be; none for any other.
pub fn decode(file: &str) -> Option<String> {
    let name = percent_decode_str(file).decode_utf8().ok()?.into_owned();
    (check_namespace(&name).is_ok() && encode(&name) == file).then_some(name)
}

/// Names that Windows keeps for devices, whatever follows a dot
/// (<https://learn.microsoft.com/windows/win32/fileio/naming-a-file>).
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name);
    match stem {
        "con" | "prn" | "aux" | "nul" => true,
        _ => {
            let numbered = stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt"));
            numbered.is_some_and(|number| number.len() == 1 && number.bytes().all(|b| b.is_ascii_digit()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_file_names_and_back() {
        for (name, file) in [
            ("jobs", "jobs"),
            ("Jobs", "%4Aobs"),
            ("a.b", "a.b"),
            ("a.json", "a%2Ejson"),
            (".json", "%2Ejson"),
            (".gate", "%2Egate"),
            ("..", "%2E%2E"),
            ("../x", "%2E.%2Fx"),
            ("x.", "x%2E"),
            ("con", "%63on"),
            ("com1.x", "%63om1.x"),
            ("é", "%C3%A9"),
            ("100%", "100%25"),
        ] {
            assert_eq!(encode(name), file);
            assert_eq!(decode(file).as_deref(), Some(name));
        }
        for file in
            ["Jobs", "%6aobs", "%6Aobs", "a%2eb", "", "%ff", "a/b", ".x", "a.json", "a%0A", &"a".repeat(65)]
        {
            assert_eq!(decode(file), None, "{file}");
        }
    }
}
