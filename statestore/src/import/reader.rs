//! The text of a legacy file: an object, an array, or JSON lines.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer as _, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;
use store_core::{Error, ErrorKind, Json, Result};

use super::members::members;
use super::place::{Lines, offset, value_of};
use super::records;

/// What a legacy file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// Nothing: the file has zero bytes, as one that was cut before it was written.
    Empty,
    /// An object, or records that a field makes one.
    Object(BTreeMap<String, Json>),
    /// An array, or JSON lines: the entries of a log.
    Log(Vec<Json>),
}

/// How a text is to be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// An object is an object, an array a log, and several values, one a line, are JSON lines.
    #[default]
    Any,
    /// As `Any`, but what stands on one line and is no array is JSON lines that have one line.
    Records,
    /// JSON lines: each line holds one value, an array too.
    Lines,
}

/// One value of an array or of JSON lines, and where it stands.
pub(super) struct Item<'t> {
    pub(super) line: u64,
    pub(super) text: &'t str,
    pub(super) value: Json,
}

/// Reads the text of a legacy file; all of it is good, or nothing comes of it.
///
/// # Examples
/// ```
/// use statestore::import::{Content, JsonReader};
///
/// let Content::Log(entries) = JsonReader::new().read(br#"[{"id": 7}, {"id": 8}]"#)? else { panic!() };
/// assert_eq!(entries[1].as_str(), r#"{"id":8}"#);
/// let by_id = JsonReader::new().with_key_field("id").read(br#"[{"id": 7}, {"id": 8}]"#)?;
/// let Content::Object(object) = by_id else { panic!() };
/// assert_eq!(object["8"].as_str(), r#"{"id":8}"#);
/// assert_eq!(JsonReader::new().read(b"")?, Content::Empty);
/// assert!(JsonReader::new().read(b"[1,\n2").unwrap_err().message().contains("line 2 column 2"));
/// # Ok::<(), statestore::Error>(())
/// ```
#[derive(Default)]
pub struct JsonReader<'a> {
    form: Form,
    key_field: Option<&'a str>,
    progress: Option<&'a mut dyn FnMut(usize)>,
}

impl fmt::Debug for JsonReader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { form, key_field, .. } = self;
        f.debug_struct("JsonReader").field("form", form).field("key_field", key_field).finish_non_exhaustive()
    }
}

impl<'a> JsonReader<'a> {
    /// Makes a reader that tells the forms apart by the text.
    pub fn new() -> Self {
        Self::default()
    }

    /// Chooses how the text is to be understood.
    pub fn with_form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }

    /// Makes an object of an array or JSON lines of objects: the key of each is the text, or the number, in
    /// this field, and its value the whole of it.
    pub fn with_key_field(mut self, field: &'a str) -> Self {
        self.key_field = Some(field);
        self
    }

    /// Is told, again and again, how many bytes are done.
    pub fn with_progress(mut self, progress: &'a mut dyn FnMut(usize)) -> Self {
        self.progress = Some(progress);
        self
    }

    /// Reads a text; one of zero bytes, and only that, is [`Content::Empty`].
    ///
    /// # Errors
    /// `InvalidInput` with line and column for malformed JSON; for a single value that is neither object nor
    /// array; with element and line for a record without the field, and for two with the same key.
    pub fn read(self, bytes: &[u8]) -> Result<Content> {
        let Self { form, key_field, progress } = self;
        let mut nobody = |_: usize| {};
        let progress = progress.unwrap_or(&mut nobody);
        if bytes.is_empty() {
            return Ok(Content::Empty);
        }
        let Ok(text) = std::str::from_utf8(bytes) else {
            // Refused for certain; the store's words for it name line and column.
            return Json::from_slice(bytes).and(Err(invalid("the text is not UTF-8")));
        };
        let items = match Found::of(text, form)? {
            Found::Object if key_field.is_some() => {
                return Err(invalid("this is an object, whose members have keys; leave the key field away"));
            }
            Found::Object => return Ok(Content::Object(members(bytes, progress)?)),
            Found::Array => elements(text, progress)?,
            Found::Lines => lines(text, progress)?,
        };
        match key_field {
            Some(field) => Ok(Content::Object(records::by_field(items, field)?)),
            None => Ok(Content::Log(items.into_iter().map(|item| item.value).collect())),
        }
    }
}

/// The form that a text has.
enum Found {
    Object,
    Array,
    Lines,
}

impl Found {
    fn of(text: &str, form: Form) -> Result<Self> {
        if form == Form::Lines {
            return Ok(Self::Lines);
        }
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
        let Some(Ok(first)) = values.next() else {
            return Err(refused(text));
        };
        let (before, first) = (offset(text, first.get()), first.get());
        let rest = text.get(before + first.len()..).unwrap_or_default();
        let alone = rest.trim_ascii().is_empty();
        // A value that ends its line, and another one below, make JSON lines; anything else is a mistake.
        let on_a_line = !first.contains('\n');
        let ends_it = rest.trim_start_matches([' ', '\t', '\r']).starts_with('\n');
        match first.as_bytes().first() {
            _ if !alone && on_a_line && ends_it => Ok(Self::Lines),
            _ if !alone => Err(refused(text)),
            Some(b'[') => Ok(Self::Array),
            _ if form == Form::Records && on_a_line => Ok(Self::Lines),
            Some(b'{') => Ok(Self::Object),
            _ => Err(invalid(
                "the text is one value, neither object nor array; give an object, an array or JSON lines",
            )),
        }
    }
}

/// Makes the error of a text that is not one JSON value.
fn refused(text: &str) -> Error {
    match text.parse::<Json>() {
        Err(error) => error,
        Ok(_) => invalid("the text is one JSON value only at second sight; put all into an array"),
    }
}

fn lines<'t>(text: &'t str, progress: &mut dyn FnMut(usize)) -> Result<Vec<Item<'t>>> {
    let mut items = Vec::new();
    for (line, part) in (1..).zip(text.lines()) {
        progress(offset(text, part));
        items.push(Item { line, text: part, value: line_of(part, line)? });
    }
    Ok(items)
}

/// Parses one line of JSON lines; an error names its number and the column.
fn line_of(part: &str, line: u64) -> Result<Json> {
    part.parse().map_err(|error: Error| {
        // A line is all that the parser saw, so it is line 1 to it.
        let why = error.message().replacen("at line 1 ", &format!("at line {line} "), 1);
        Error::new(error.kind(), why)
    })
}

fn elements<'t>(text: &'t str, progress: &mut dyn FnMut(usize)) -> Result<Vec<Item<'t>>> {
    // All of it is parsed before an element is refused that only the store refuses.
    IgnoredAny::deserialize(&mut serde_json::Deserializer::from_str(text)).map_err(|_| refused(text))?;
    let mut reader = serde_json::Deserializer::from_str(text);
    match reader.deserialize_seq(Elements { text, progress }) {
        Ok(items) => items,
        Err(_) => Err(refused(text)),
    }
}

/// Visits the elements of an array, which stay text.
struct Elements<'t, 'p> {
    text: &'t str,
    progress: &'p mut dyn FnMut(usize),
}

impl<'t> Visitor<'t> for Elements<'t, '_> {
    type Value = Result<Vec<Item<'t>>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let (mut items, mut lines, mut refused) = (Vec::new(), Lines::of(self.text), None);
        while let Some(raw) = seq.next_element::<&'t RawValue>()? {
            let text = raw.get();
            (self.progress)(offset(self.text, text));
            match value_of(self.text, text) {
                Ok(value) => items.push(Item { line: lines.line(text), text, value }),
                // Told when the rest has been visited, for the array has to be left at its end.
                Err(error) => drop(refused.get_or_insert(error)),
            }
        }
        Ok(refused.map_or(Ok(items), Err))
    }
}

fn invalid(why: &str) -> Error {
    Error::new(ErrorKind::InvalidInput, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(text: &str, form: Form) -> Vec<String> {
        match JsonReader::new().with_form(form).read(text.as_bytes()).unwrap() {
            Content::Log(entries) => entries.iter().map(|entry| entry.as_str().to_owned()).collect(),
            other => panic!("{text:?}: {other:?}"),
        }
    }

    fn refusal(text: &str) -> String {
        JsonReader::new().read(text.as_bytes()).unwrap_err().message().to_owned()
    }

    #[test]
    fn the_forms_are_told_apart() {
        assert_eq!(log("[1, {\"b\": 1.50, \"a\": 2}]\n", Form::Any), ["1", "{\"b\":1.50,\"a\":2}"]);
        assert_eq!(log("{\"a\": 1}\n{\"a\": 2}", Form::Any), ["{\"a\":1}", "{\"a\":2}"]);
        assert_eq!(log("[1]\r\n[2]\r\n", Form::Any), ["[1]", "[2]"]);
        assert_eq!(log("1\n2\n", Form::Any), ["1", "2"]);
        assert_eq!(log("{\"a\": 1}\n", Form::Records), ["{\"a\":1}"]);
        assert_eq!(log("[1,2]\n", Form::Records), ["1", "2"]);
        assert_eq!(log("[1,2]\n", Form::Lines), ["[1,2]"]);
        assert_eq!(log("[\n]", Form::Any), [""; 0]);
        let one = JsonReader::new().read(b"{\"a\":1}").unwrap();
        assert_eq!(one, Content::Object(BTreeMap::from([("a".to_owned(), Json::from(1))])));
        let pretty = JsonReader::new().with_form(Form::Records).read(b"{\n\"a\":1}").unwrap();
        assert_eq!(pretty, one);
        assert_eq!(JsonReader::new().read(b"").unwrap(), Content::Empty);
    }

    #[test]
    fn refusals_name_line_and_column_of_the_whole_text() {
        for (text, part) in [
            (" ", "line 1 column 2: there is no value"),
            ("\n", "there is no value"),
            ("{\"a\":1,\n \"b\":}", "line 2 column 6"),
            ("{\"a\":1}x", "line 1 column 8"),
            ("{\"a\":1} {\"a\":2}", "line 1 column 9"),
            ("{\n\"a\":1}\n{\"a\":2}", "line 3 column 1"),
            ("{\"a\":1}\n{\"a\":", "line 2 column 6"),
            ("{\"a\":1}\n\n{\"a\":2}\n", "line 2 column 1: there is no value"),
            ("{\"a\":1}\n{\"a\":2}\n\n", "line 3 column 1: there is no value"),
            ("[1,\n2,]", "line 2 column 3"),
            ("[1,\n \"\\ud800\"]", "line 2 column 3: the escape is half"),
            ("[\"\\ud800\",\n1,]", "line 2 column 3"),
            ("[1", "line 1 column 3"),
            ("[1]]", "line 1 column 4"),
            ("\u{feff}[]", "line 1 column 1: the text starts with a byte order mark"),
            ("null", "neither object nor array"),
            ("\"text\"", "neither object nor array"),
        ] {
            assert!(refusal(text).contains(part), "{text:?}: {}", refusal(text));
        }
        let error = JsonReader::new().read(b"[\n\"\xff\"]").unwrap_err();
        assert!(error.message().contains("line 2 column 2"), "{error}");
    }

    #[test]
    fn progress_goes_up_to_the_end() {
        let mut seen = Vec::new();
        let text = format!("[{}0]", "1,\n".repeat(100));
        JsonReader::new().with_progress(&mut |at| seen.push(at)).read(text.as_bytes()).unwrap();
        assert!(seen.is_sorted() && seen.len() == 101 && seen[100] == text.len() - 2, "{seen:?}");
    }
}
