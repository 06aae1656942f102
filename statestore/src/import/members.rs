//! A JSON object taken apart into its members.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserializer as _, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;
use store_core::{Error, ErrorKind, Json, Result};

use super::place::{offset, value_of};

/// Takes a JSON object apart into its members, each value with the very text that it has there.
///
/// # Errors
/// `InvalidInput` for anything but one JSON object, with line and column; for a key that is there twice, and
/// for one that cannot be a key.
///
/// # Examples
/// ```
/// let members = statestore::import::object(br#"{"a": 1.50, "b": {"z": 1, "a": 2}}"#)?;
/// assert_eq!(members["a"].as_str(), "1.50");
/// assert_eq!(members["b"].as_str(), r#"{"z":1,"a":2}"#);
/// # Ok::<(), statestore::Error>(())
/// ```
pub fn object(bytes: &[u8]) -> Result<BTreeMap<String, Json>> {
    members(bytes, &mut |_| {})
}

/// Does so and tells how many bytes are done.
pub(super) fn members(bytes: &[u8], progress: &mut dyn FnMut(usize)) -> Result<BTreeMap<String, Json>> {
    let members = well_formed_members(bytes, progress)?;
    members.keys().try_for_each(|key| store_core::check_key(key))?;
    Ok(members)
}

fn well_formed_members(bytes: &[u8], progress: &mut dyn FnMut(usize)) -> Result<BTreeMap<String, Json>> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        // Refused for certain; the store's words for it name line and column.
        return Json::from_slice(bytes).and(Err(invalid("the text is not UTF-8")));
    };
    let mut reader = serde_json::Deserializer::from_str(text);
    match reader.deserialize_map(Top { text, progress }).and_then(|members| reader.end().map(|()| members)) {
        Ok(members) => members,
        Err(error) => {
            // Of wrong JSON the store's words come first, for they are the same everywhere.
            text.parse::<Json>()?;
            Err(invalid(&format!("{error}; give one JSON object")))
        }
    }
}

fn invalid(why: &str) -> Error {
    Error::new(ErrorKind::InvalidInput, why)
}

/// Visits the top level of an object; values stay text.
struct Top<'de, 'p> {
    text: &'de str,
    progress: &'p mut dyn FnMut(usize),
}

impl<'de> Visitor<'de> for Top<'de, '_> {
    /// Well-formed JSON, whose members the store may still refuse.
    type Value = Result<BTreeMap<String, Json>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = BTreeMap::new();
        let mut refused = None;
        while let Some((key, raw)) = map.next_entry::<String, &'de RawValue>()? {
            if members.contains_key(&key) {
                return Err(A::Error::custom(format!("key {key:?} is there twice")));
            }
            (self.progress)(offset(self.text, raw.get()));
            match value_of(self.text, raw.get()) {
                Ok(value) => drop(members.insert(key, value)),
                // Syntax errors further on are told first: they are found whatever is refused before.
                Err(error) => drop(refused.get_or_insert(error)),
            }
        }
        Ok(refused.map_or(Ok(members), Err))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        object(text.as_bytes()).unwrap_err().message().to_owned()
    }

    #[test]
    fn values_keep_their_text() {
        let text = "{\"b\" : 1e400,\n\"a\": {\"z\": 1.50, \"a\": [\"\\u00e4\"]} }\n";
        let members = object(text.as_bytes()).unwrap();
        assert_eq!(members["b"].as_str(), "1e400");
        assert_eq!(members["a"].as_str(), r#"{"z":1.50,"a":["\u00e4"]}"#);
        assert_eq!(members.len(), 2);
    }

    #[test]
    fn values_may_be_as_deep_as_the_store_takes_them() {
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(object(nested(128).as_bytes()).unwrap()["a"].depth(), 128);
        assert!(refusal(&nested(129)).contains("line 1 column 134"), "{}", refusal(&nested(129)));
    }

    #[test]
    fn refusals_name_line_and_column_of_the_whole_text() {
        for (text, part) in [
            ("", "line 1 column 1: there is no value"),
            ("{\"a\":1,\n \"b\":}", "line 2 column 6"),
            ("{\"a\":1}x", "line 1 column 8"),
            ("{\"ä\":\n \"\\ud800\"}", "line 2 column 3: the escape is half"),
            ("{\"\\ud800\": 1}", "line 1 column 3"),
            ("[1]", "invalid type: sequence, expected an object"),
            ("3", "expected an object"),
            ("{\"a\":1,\"b\":2,\"a\":3}", "key \"a\" is there twice"),
        ] {
            assert!(refusal(text).contains(part), "{text}: {}", refusal(text));
        }
        assert!(object(b"{\"a\":\"\xff\"}").unwrap_err().message().contains("line 1 column 7"));
    }
}
