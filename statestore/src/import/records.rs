//! Records that become an object: each has its key in a field.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use store_core::{Error, ErrorKind, Json, Result};

use super::reader::Item;

/// Makes an object of records, keyed by a field of theirs; a refusal names element and line.
pub(super) fn by_field(items: Vec<Item<'_>>, field: &str) -> Result<BTreeMap<String, Json>> {
    let mut object = BTreeMap::new();
    let mut firsts: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for (number, Item { line, text, value }) in (1..).zip(items) {
        let refuse = |why: String| {
            Error::new(ErrorKind::InvalidInput, format!("element {number} at line {line} {why}"))
        };
        let key = key_of(text, field).map_err(refuse)?;
        store_core::check_key(&key).map_err(|error| refuse(format!("has no key: {}", error.message())))?;
        match firsts.entry(key.clone()) {
            Entry::Occupied(first) => {
                let (other, line) = first.get();
                return Err(refuse(format!(
                    "has the key {key:?}, as element {other} at line {line} has; make each {field:?} unique"
                )));
            }
            Entry::Vacant(free) => drop(free.insert((number, line))),
        }
        object.insert(key, value);
    }
    Ok(object)
}

/// Returns the text or number in a field of a record; the words of a refusal follow its name.
fn key_of(text: &str, field: &str) -> Result<String, String> {
    let found = serde_json::Deserializer::from_str(text)
        .deserialize_map(Fields(field))
        .map_err(|_| format!("is no object; only objects have a field {field:?}"))?;
    let raw = match found[..] {
        [raw] => raw,
        [] => return Err(format!("has no field {field:?}; add it, or name another field")),
        _ => return Err(format!("has the field {field:?} twice; leave one")),
    };
    match raw.as_bytes().first() {
        Some(b'"') => {
            serde_json::from_str(raw).map_err(|error| format!("has no readable {field:?}: {error}"))
        }
        Some(b'-' | b'0'..=b'9') => Ok(raw.to_owned()),
        _ => Err(format!("has a {field:?} that is neither text nor number; a key is one of them")),
    }
}

/// Visits a record for the values of one field.
struct Fields<'f>(&'f str);

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = Vec<&'de str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            if key == self.0 {
                found.push(map.next_value::<&'de RawValue>()?.get());
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Content, JsonReader};

    fn read(text: &str) -> Result<Vec<(String, String)>, String> {
        match JsonReader::new().with_key_field("id").read(text.as_bytes()) {
            Ok(Content::Object(o)) => Ok(o.into_iter().map(|(k, v)| (k, v.as_str().to_owned())).collect()),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.message().to_owned()),
        }
    }

    #[test]
    fn texts_and_numbers_are_keys() {
        let object = read("[{\"id\": \"\\u00e4\", \"z\": 1.50}, {\"a\": {\"id\": 9}, \"id\": 1e2}]").unwrap();
        let wanted = [("1e2", "{\"a\":{\"id\":9},\"id\":1e2}"), ("ä", "{\"id\":\"\\u00e4\",\"z\":1.50}")];
        assert_eq!(object, wanted.map(|(k, v)| (k.to_owned(), v.to_owned())));
        assert_eq!(read("{\"id\":1}\n{\"id\":2}").unwrap().len(), 2);
    }

    #[test]
    fn what_makes_no_key_is_named() {
        for (text, part) in [
            ("[{\"id\":1},\n{\"no\":2}]", "element 2 at line 2 has no field \"id\""),
            (
                "[{\"id\":1},\n{\"id\":2},\n\n{\"id\":\"1\"}]",
                "element 3 at line 4 has the key \"1\", as element 1 at line 1",
            ),
            ("{\"id\":1}\n{\"id\":1}", "element 2 at line 2 has the key \"1\""),
            ("[{\"id\":null}]", "neither text nor number"),
            ("[{\"id\":true}]", "neither text nor number"),
            ("[{\"id\":[1]}]", "neither text nor number"),
            ("[{\"id\":1,\"id\":2}]", "the field \"id\" twice"),
            ("[{\"id\":\"\"}]", "element 1 at line 1 has no key: a key must not be empty"),
            ("[{\"id\":\"a\\nb\"}]", "control characters"),
            ("[{\"id\":1}, 7]", "element 2 at line 1 is no object"),
            ("{\n\"a\":1}", "leave the key field away"),
        ] {
            let why = read(text).unwrap_err();
            assert!(why.contains(part), "{text:?}: {why}");
        }
    }
}
