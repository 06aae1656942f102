//! `object` and `replace`: all keys of a namespace at one instant.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::de::{Deserializer as _, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;
use statestore::{Blocking, Error, ErrorKind, Json, Result};

use super::place;
use crate::args::StoreArgs;
use crate::exit::Failure;
use crate::input;
use crate::output::{self, quoted};

/// Prints a namespace as one JSON object.
pub(super) fn print(store: &Blocking, ns: &str) -> Result<(), Failure> {
    let object = store.object(ns)?;
    let members = object.entries.iter().map(|(key, entry)| (quoted(key), &entry.value));
    output::print(&Members(members))
}

/// Shows members of an object as JSON, without a copy of them all.
pub(super) struct Members<I>(pub(super) I);

impl<'a, I: Iterator<Item = (Json, &'a Json)> + Clone> fmt::Display for Members<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (at, (key, value)) in self.0.clone().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(f, "{comma}{key}:{value}")?;
        }
        f.write_str("}")
    }
}

/// Replaces a namespace by the object in a file, or on stdin, and prints the new revision.
pub(super) fn replace(args: &StoreArgs, ns: &str, file: &Path) -> Result<(), Failure> {
    statestore::check_namespace(ns)?;
    let (name, bytes) = if file == Path::new("-") {
        (Path::new(input::STDIN), input::stdin()?)
    } else {
        (file, input::file(file)?)
    };
    let object = members(&bytes).map_err(|e| e.with_path(name))?;
    output::print(&place::creating(args)?.replace_object(ns, object)?)
}

/// Takes a JSON object apart into its members, each value with the very text that it has there.
pub(super) fn members(bytes: &[u8]) -> Result<BTreeMap<String, Json>> {
    let members = well_formed_members(bytes)?;
    members.keys().try_for_each(|key| statestore::check_key(key))?;
    Ok(members)
}

fn well_formed_members(bytes: &[u8]) -> Result<BTreeMap<String, Json>> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        // Refused for certain; the store's words for it name line and column.
        return Json::from_slice(bytes).and(Err(invalid("the text is not UTF-8")));
    };
    let mut reader = serde_json::Deserializer::from_str(text);
    match reader.deserialize_map(Top { text }).and_then(|members| reader.end().map(|()| members)) {
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
struct Top<'de> {
    text: &'de str,
}

impl<'de> Visitor<'de> for Top<'de> {
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
            match value_of(self.text, raw) {
                Ok(value) => drop(members.insert(key, value)),
                // Syntax errors further on are told first: they are found whatever is refused before.
                Err(error) => drop(refused.get_or_insert(error)),
            }
        }
        Ok(refused.map_or(Ok(members), Err))
    }
}

/// Validates a value within a text, so that an error names line and column of the whole text.
fn value_of(text: &str, raw: &RawValue) -> Result<Json> {
    raw.get().parse().or_else(|error| {
        let start = raw.get().as_ptr().addr().checked_sub(text.as_ptr().addr());
        let Some(before) = start.and_then(|start| text.get(..start)) else { return Err(error) };
        // White space in place of what stands before the value keeps its place.
        let blank = before.chars().map(|c| if c == '\n' { '\n' } else { ' ' });
        blank.chain(raw.get().chars()).collect::<String>().parse()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        members(text.as_bytes()).unwrap_err().message().to_owned()
    }

    #[test]
    fn values_keep_their_text() {
        let text = "{\"b\" : 1e400,\n\"a\": {\"z\": 1.50, \"a\": [\"\\u00e4\"]} }\n";
        let members = members(text.as_bytes()).unwrap();
        assert_eq!(members["b"].as_str(), "1e400");
        assert_eq!(members["a"].as_str(), r#"{"z":1.50,"a":["\u00e4"]}"#);
        assert_eq!(members.len(), 2);
    }

    #[test]
    fn values_may_be_as_deep_as_the_store_takes_them() {
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(members(nested(128).as_bytes()).unwrap()["a"].depth(), 128);
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
        assert!(members(b"{\"a\":\"\xff\"}").unwrap_err().message().contains("line 1 column 7"));
    }
}
