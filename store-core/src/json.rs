//! JSON values as text: validated once, compact, shared, and never parsed again on their way.

mod finite;
mod pretty;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use serde::de::{Deserialize, DeserializeOwned, IgnoredAny};
use serde::ser::Serialize;
use serde_json::Value;

pub(crate) use self::pretty::pretty;
use crate::error::{Error, ErrorKind, Result};

/// Holds one JSON value as validated, compact text; a clone shares it.
///
/// Parsing takes away the white space outside strings and nothing else: numbers keep every digit, keys their
/// order and their duplicates, strings their escapes. Two values are equal if their texts are, so `1.0` and
/// `1` differ.
///
/// [`FromStr`] takes JSON text. `From<&str>` and `From<String>` make a JSON string of whatever they are given.
///
/// # Errors
/// Parsing refuses everything but one JSON value with `InvalidInput`: bad syntax, empty text, a byte order
/// mark, more after the value, nesting over [`Json::MAX_DEPTH`], and `\u` escapes that are half of a
/// surrogate pair. The message names line and column of the text as it was given, both from 1; a column
/// counts characters, not bytes.
///
/// # Examples
/// ```
/// use store_core::Json;
///
/// let json: Json = r#" { "total" : 1.50, "id" : 12345678901234567890123 } "#.parse()?;
/// assert_eq!(json.as_str(), r#"{"total":1.50,"id":12345678901234567890123}"#);
/// assert_eq!(Json::from("1.50").as_str(), r#""1.50""#);
///
/// let error = "[1,\n 2,]".parse::<Json>().unwrap_err();
/// assert!(error.to_string().contains("line 2 column 4"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Json {
    text: Arc<str>,
    depth: u32,
}

impl Json {
    /// The deepest nesting of arrays and objects that parsing, encoding and a commit accept: a scalar has
    /// depth 0, `[]` has depth 1.
    pub const MAX_DEPTH: u32 = 128;

    /// Parses bytes that hold one JSON value in UTF-8.
    ///
    /// # Errors
    /// `InvalidInput` as for [`Json`]; for bytes that are not UTF-8 it also names their offset, from 0.
    ///
    /// # Examples
    /// ```
    /// use store_core::Json;
    ///
    /// assert_eq!(Json::from_slice(b"[1, 2]")?.as_str(), "[1,2]");
    /// assert!(Json::from_slice(b"\"\xff\"").is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_slice(bytes: &[u8]) -> Result<Self> {
        match std::str::from_utf8(bytes) {
            Ok(text) => text.parse(),
            Err(error) => Err(not_utf8(bytes, error)),
        }
    }

    /// Parses an owned text that holds one JSON value.
    ///
    /// It is copied once, as by [`FromStr`], for the shared text lies beside its counters.
    ///
    /// # Errors
    /// `InvalidInput` as for [`Json`].
    ///
    /// # Examples
    /// ```
    /// use store_core::Json;
    ///
    /// assert_eq!(Json::from_string(String::from("{ }"))?.as_str(), "{}");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[allow(clippy::needless_pass_by_value, reason = "for callers and `map`s that have a String at hand")]
    pub fn from_string(text: String) -> Result<Self> {
        text.parse()
    }

    /// Takes over a text that a backend was given as `Json` before.
    ///
    /// For backends only: nothing is validated, so the text must be the very one of an earlier
    /// [`as_str`](Self::as_str). Its depth is taken as 0, which is acceptable to a commit.
    ///
    /// # Examples
    /// ```
    /// use store_core::Json;
    ///
    /// let json: Json = "[1, 2]".parse()?;
    /// let stored = json.as_str().to_owned();
    /// assert_eq!(Json::from_trusted(stored.into()), json);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_trusted(text: Arc<str>) -> Self {
        Self { text, depth: 0 }
    }

    /// Encodes a value with its `Serialize`, as serde_json does, in one pass.
    ///
    /// # Errors
    /// `InvalidInput` if NaN or an infinity stands anywhere inside (serde_json alone would write `null`), if
    /// a map has keys that cannot be strings, if the nesting is over [`Json::MAX_DEPTH`], or if the value
    /// refuses to be serialised.
    ///
    /// # Examples
    /// ```
    /// use store_core::Json;
    ///
    /// assert_eq!(Json::encode(&(1, "two", [3.0]))?.as_str(), r#"[1,"two",[3.0]]"#);
    /// assert!(Json::encode(&[f64::NAN]).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Self> {
        let text = serde_json::to_string(&finite::Checked::new(value)).map_err(|error| {
            let why = format!("cannot encode `{}` as JSON", std::any::type_name::<T>());
            Error::new(ErrorKind::InvalidInput, why).with_source(error)
        })?;
        // The text is measured even so: serde_json's raw values bring text of their own.
        Self::from_valid(&text)
    }

    /// Decodes the value with the `Deserialize` of a type.
    ///
    /// # Errors
    /// `InvalidInput` with serde_json's error as the source, whose line and column (in bytes) are those of
    /// the compact text: if the type does not fit, or if a number is out of its range.
    ///
    /// # Examples
    /// ```
    /// use store_core::Json;
    ///
    /// let json: Json = "[1, 2]".parse()?;
    /// assert_eq!(json.decode::<Vec<u8>>()?, [1, 2]);
    /// assert!(json.decode::<String>().is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T> {
        let mut reader = serde_json::Deserializer::from_str(&self.text);
        // serde_json's own limit is one level short of ours; a deeper tree of somebody's making keeps it.
        if self.depth <= Self::MAX_DEPTH {
            reader.disable_recursion_limit();
        }
        let decoded = T::deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
        decoded.map_err(|error| {
            let why = format!("cannot decode the JSON value as `{}`", std::any::type_name::<T>());
            Error::new(ErrorKind::InvalidInput, why).with_source(error)
        })
    }

    /// Parses the text into serde_json's tree.
    ///
    /// The tree cannot hold all that the text can: numbers become 64-bit ones, the last of duplicate keys
    /// wins, and the order of the keys is serde_json's.
    ///
    /// # Errors
    /// `InvalidInput` as for [`decode`](Self::decode), so for numbers such as `1e400`.
    ///
    /// # Examples
    /// ```
    /// use store_core::Json;
    ///
    /// let json: Json = r#"{"id": 7}"#.parse()?;
    /// assert_eq!(json.to_value()?["id"], 7);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn to_value(&self) -> Result<Value> {
        self.decode()
    }

    /// Returns the compact text; it is never empty.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the text broken into lines, indented by two spaces a level, with a newline at its end.
    ///
    /// Only white space is added: it parses into the same value.
    ///
    /// # Examples
    /// ```
    /// use store_core::Json;
    ///
    /// let json: Json = r#"{"a":[1.50]}"#.parse()?;
    /// assert_eq!(json.pretty(), "{\n  \"a\": [\n    1.50\n  ]\n}\n");
    /// # Ok::<(), store_core::Error>(())
    /// ```
    pub fn pretty(&self) -> String {
        pretty(&self.text)
    }

    /// Returns the size of the compact text in bytes.
    pub fn size(&self) -> usize {
        self.text.len()
    }

    /// Returns how deep arrays and objects are nested: 0 for a scalar, 1 for `[]`.
    ///
    /// Only a value that was made of a serde_json tree can have more than [`Json::MAX_DEPTH`]; a commit
    /// refuses it. For a value that came from a store it is 0.
    pub fn depth(&self) -> u32 {
        self.depth
    }

    /// Makes the value of a text whose syntax is known to be right, after refusing what only the store does.
    pub(crate) fn from_valid(text: &str) -> Result<Self> {
        let shape = Shape::of(text);
        if let Some((at, why)) = shape.refusal() {
            return Err(refuse(text, at, &why));
        }
        let text = if shape.white == 0 { text.into() } else { compact(text).into() };
        Ok(Self { text, depth: shape.depth })
    }
}

/// What one pass over a valid text finds; offsets are in bytes.
#[derive(Default)]
struct Shape {
    depth: u32,
    /// How much white space stands outside strings.
    white: usize,
    /// The first bracket that opens a level too many.
    too_deep: Option<usize>,
    /// The first escape that is half of a surrogate pair.
    lone: Option<usize>,
}

impl Shape {
    fn of(text: &str) -> Self {
        let mut shape = Self::default();
        let mut open: u32 = 0;
        let mut bytes = text.bytes().enumerate();
        while let Some((at, byte)) = bytes.next() {
            match byte {
                b'"' => shape.lone = shape.lone.or(lone_surrogate(&mut bytes)),
                b'[' | b'{' => {
                    open = open.saturating_add(1);
                    if open > Json::MAX_DEPTH {
                        shape.too_deep.get_or_insert(at);
                    }
                    shape.depth = shape.depth.max(open);
                }
                b']' | b'}' => open = open.saturating_sub(1),
                b' ' | b'\t' | b'\n' | b'\r' => shape.white += 1,
                _ => {}
            }
        }
        shape
    }

    /// Tells where and why the text is refused; the earlier place if there are two.
    fn refusal(&self) -> Option<(usize, String)> {
        let too_deep = self.too_deep.map(|at| (at, too_deep()));
        let lone = self.lone.map(|at| (at, LONE.to_owned()));
        too_deep.into_iter().chain(lone).min_by_key(|(at, _)| *at)
    }
}

const LONE: &str = "the escape is half of a surrogate pair; write a high half (\\uD800 to \\uDBFF) and directly \
                    after it a low one (\\uDC00 to \\uDFFF), or another character";

fn too_deep() -> String {
    format!("arrays and objects nest deeper than {}; flatten the value, or split it", Json::MAX_DEPTH)
}

/// Reads the rest of a string, its closing quote included; returns where the first lone surrogate stands.
fn lone_surrogate(bytes: &mut impl Iterator<Item = (usize, u8)>) -> Option<usize> {
    let mut lone = None;
    // The high half that the unit at hand has to complete.
    let mut high = None;
    while let Some((at, byte)) = bytes.next() {
        let unit = match byte {
            b'"' => break,
            b'\\' => escaped_unit(bytes),
            _ => None,
        };
        let low = matches!(unit, Some(0xDC00..=0xDFFF));
        if low != high.is_some() {
            lone = lone.or(high).or(Some(at));
        }
        high = matches!(unit, Some(0xD800..=0xDBFF)).then_some(at);
    }
    lone.or(high)
}

/// Reads the rest of an escape; returns the UTF-16 unit that it spells, if it is a `\u` escape.
fn escaped_unit(bytes: &mut impl Iterator<Item = (usize, u8)>) -> Option<u32> {
    let (_, b'u') = bytes.next()? else { return None };
    let digits = bytes.take(4).filter_map(|(_, digit)| char::from(digit).to_digit(16));
    Some(digits.fold(0, |unit, digit| unit << 4 | digit))
}

/// Takes the white space outside strings away from a valid text.
fn compact(text: &str) -> String {
    let (mut quoted, mut escaped) = (false, false);
    let mut compact = text.to_owned();
    // Characters come once each and in order; in a valid text a backslash stands in strings only.
    compact.retain(|c| {
        quoted ^= c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        quoted || !matches!(c, ' ' | '\t' | '\n' | '\r')
    });
    compact
}

/// Checks that the text is one JSON value, without recursion.
fn check_syntax(text: &str) -> Result<()> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = IgnoredAny::deserialize(&mut reader).and_then(|_| reader.end());
    read.map_err(|error| syntax_error(text, &error))
}

fn syntax_error(text: &str, error: &serde_json::Error) -> Error {
    let said = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let what = said.strip_suffix(&place).unwrap_or(&said);
    // serde_json's column counts the bytes of the line up to and including the one it stopped at.
    let line: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let after = line + error.column();
    let (at, hint) = if text.starts_with('\u{feff}') {
        return refuse(text, 0, "the text starts with a byte order mark; remove it");
    } else if text.trim_ascii().is_empty() {
        return refuse(text, text.len(), "there is no value; write one, such as null");
    } else if error.is_eof() {
        (text.len(), "the text ends too early, complete it")
    } else if what.starts_with("control character") {
        // The one error with which serde_json stops before the character.
        (after, "write it as an escape, such as \\n or \\u0000")
    } else if what == "trailing characters" {
        (after.saturating_sub(1), "a text holds one value: remove what follows it, or put all into an array")
    } else {
        (after.saturating_sub(1), "correct it there")
    };
    refuse(text, at, &format!("{what}; {hint}"))
}

fn not_utf8(bytes: &[u8], error: std::str::Utf8Error) -> Error {
    let valid = bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    let why = format!("the bytes at offset {} are not UTF-8; convert the text to UTF-8", valid.len());
    refuse(valid, valid.len(), &why).with_source(error)
}

/// Makes the error for what stands at an offset of the text.
fn refuse(text: &str, at: usize, why: &str) -> Error {
    let before = text.get(..text.floor_char_boundary(at)).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit_once('\n').map_or(before, |(_, last)| last).chars().count() + 1;
    Error::new(ErrorKind::InvalidInput, format!("not valid JSON at line {line} column {column}: {why}"))
}

impl FromStr for Json {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        check_syntax(text)?;
        Self::from_valid(text)
    }
}

impl From<Value> for Json {
    fn from(value: Value) -> Self {
        let text = value.to_string();
        Self { depth: Shape::of(&text).depth, text: text.into() }
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Value::from(text).into()
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Value::from(text).into()
    }
}

macro_rules! from_scalar {
    ($($type:ty)*) => {$(
        impl From<$type> for Json {
            fn from(scalar: $type) -> Self {
                Self { text: scalar.to_string().into(), depth: 0 }
            }
        }
    )*};
}

from_scalar! { bool i32 i64 u32 u64 }

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Json {}

impl Hash for Json {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Shows the first 200 characters of the text.
impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cut = self.text.char_indices().nth(200).and_then(|(end, _)| self.text.get(..end));
        match cut {
            Some(start) => write!(f, "Json({start}… {} bytes)", self.text.len()),
            None => write!(f, "Json({})", self.text),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> Json {
        text.parse().unwrap()
    }

    /// Asserts that a text is refused at a place with some words.
    fn refused(text: &str, place: &str, words: &str) {
        let error = text.parse::<Json>().expect_err(text);
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let shown = error.to_string();
        assert!(shown.contains(&format!("at {place}: ")) && shown.contains(words), "{text:?}: {shown}");
    }

    fn nested(levels: usize) -> String {
        "[".repeat(levels) + &"]".repeat(levels)
    }

    #[test]
    fn everything_but_white_space_is_kept() {
        for text in [
            "null",
            "-0",
            "1e400",
            "1E+05",
            "0.10",
            "12345678901234567890123456789012345678901",
            r#"{"b":1,"a":2,"b":3}"#,
            r#""\u0041\/\n\ud83d\uDE00 \\ \" é 😀	""#.replace('\t', "\u{7f}").as_str(),
            r#"{" \" : , ":" [ 1 , 2 ] \\"}"#,
        ] {
            assert_eq!(parsed(text).as_str(), text);
        }
        assert_eq!(parsed(" \t\r\n[ 1 ,\n\"a \\\" b\\\\\" , { } ]\n").as_str(), r#"[1,"a \" b\\",{}]"#);
        assert_eq!(parsed(r#"{ "a b" : " c " }"#).as_str(), r#"{"a b":" c "}"#);
    }

    #[test]
    fn refusals_name_place_reason_and_way_out() {
        refused("", "line 1 column 1", "no value");
        refused(" \n ", "line 2 column 2", "no value");
        refused("\u{feff}1", "line 1 column 1", "byte order mark");
        refused("1 2", "line 1 column 3", "remove what follows");
        refused("{}\nx", "line 2 column 1", "trailing characters");
        refused("[1,\n 2,]", "line 2 column 4", "expected value");
        refused("{\"é\": \"é\" é}", "line 1 column 11", "expected `,` or `}`");
        refused("[\n\"é", "line 2 column 3", "ends too early");
        refused("\"é\tb\"", "line 1 column 3", "control character");
        refused("\"a\nb\"", "line 1 column 3", "write it as an escape");
        refused("\"\0\"", "line 1 column 2", "control character");
        refused(r#""é\q""#, "line 1 column 4", "invalid escape");
        refused("-\n", "line 1 column 2", "invalid number");
        refused("\"\\u1é34\"", "line 1 column 6", "invalid escape");
        let at_column = [
            (1, ["+1", ".5", "NaN", "'a'", "// c\n1", "\u{c}1"].as_slice()),
            (2, &["01", "1.", "{a:1}", "-x", "-Infinity"]),
            (3, &["[1}", "1.x", "{ 1:2}"]),
            (4, &["trux", "tru", "[1 2]", "1e+x"]),
        ];
        for (column, text) in
            at_column.iter().flat_map(|(column, texts)| texts.iter().map(move |t| (column, t)))
        {
            refused(text, &format!("line 1 column {column}"), "");
        }
    }

    #[test]
    fn surrogates_come_in_pairs() {
        assert_eq!(parsed(r#""\uD83D\uDE00""#).as_str(), r#""\uD83D\uDE00""#);
        assert_eq!(parsed(r#""\\uD83D""#).decode::<String>().unwrap(), r"\uD83D");
        let edges = r#""\ud800\uDC00\uDBFF\udfff\ud7ff\ue000""#;
        assert_eq!(parsed(edges).as_str(), edges);
        refused(r#""é\ud83d""#, "line 1 column 3", "surrogate");
        refused(r#""\ude00""#, "line 1 column 2", "surrogate");
        refused(r#""\ud83dx\ude00""#, "line 1 column 2", "surrogate");
        refused(r#""\ud83d\n\ude00""#, "line 1 column 2", "surrogate");
        refused(r#""\ud83d\ud83d\ude00""#, "line 1 column 2", "surrogate");
        refused(r#""\ud83d\ude00\ude00""#, "line 1 column 14", "surrogate");
        refused("[1,\n{\"\\ud83d\": 1}]", "line 2 column 3", "surrogate");
        refused(r#"["\ud83d","\ude00"]"#, "line 1 column 3", "surrogate");
    }

    #[test]
    fn depth_is_counted_and_bounded() {
        for (text, depth) in [("1", 0), ("[]", 1), ("{}", 1), (r#"{"a":[{}]}"#, 3), (r#"[[],"[[["]"#, 2)] {
            assert_eq!(parsed(text).depth(), depth);
        }
        assert_eq!(parsed(&nested(128)).depth(), Json::MAX_DEPTH);
        refused(&nested(129), "line 1 column 129", "deeper than 128");
        refused(&("[\"\\ud800\",".to_owned() + &nested(128) + "]"), "line 1 column 3", "surrogate");
    }

    #[test]
    fn a_million_levels_need_no_stack() {
        refused(&nested(1_000_000), "line 1 column 129", "deeper than 128");
        refused(&"[".repeat(1_000_000), "line 1 column 1000001", "ends too early");
        let objects = "{\"\":".repeat(1_000_000) + "1" + &"}".repeat(1_000_000);
        refused(&objects, "line 1 column 513", "deeper than 128");
    }

    #[test]
    fn trees_remember_their_depth() {
        let tree = |levels| (0..levels).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
        assert_eq!(Json::from(tree(128)).depth(), 128);
        assert_eq!(Json::from(tree(500)).depth(), 500);
        assert_eq!(Json::from_trusted(nested(128).into()).depth(), 0);
    }

    #[test]
    fn the_deepest_value_is_decoded() {
        let value = parsed(&nested(128)).to_value().unwrap();
        assert_eq!(Json::from(value).as_str(), nested(128));
        assert!(Json::from_trusted("[1] 2".into()).to_value().is_err());
    }

    #[test]
    fn bytes_that_are_not_utf8_are_located() {
        let error = Json::from_slice(b"[1,\n\"\xc3\xa9\xff\"]").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(
            error.to_string().contains("line 2 column 3: the bytes at offset 7 are not UTF-8"),
            "{error}"
        );
        let error = Json::from_slice(b"\xff\xfe1\0").unwrap_err();
        assert!(error.to_string().contains("line 1 column 1: the bytes at offset 0"), "{error}");
        assert_eq!(Json::from_slice("[ \"é\" ]".as_bytes()).unwrap().as_str(), "[\"é\"]");
        assert_eq!(Json::from_string("[ ]".to_owned()).unwrap().as_str(), "[]");
    }

    #[test]
    fn scalars_convert() {
        assert_eq!(Json::from(true).as_str(), "true");
        assert_eq!(Json::from(i64::MIN).as_str(), "-9223372036854775808");
        assert_eq!(Json::from(u64::MAX).as_str(), "18446744073709551615");
        assert_eq!((Json::from(-1i32), Json::from(1u32)), (parsed("-1"), parsed("1")));
        assert_eq!(Json::from("a\"\n").as_str(), r#""a\"\n""#);
        assert_eq!(Json::from(String::new()).size(), 2);
    }

    #[test]
    fn decoding_says_what_does_not_fit() {
        let error = parsed("[1e400]").decode::<Vec<f64>>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let source = error.source().and_then(|source| source.downcast_ref::<serde_json::Error>()).unwrap();
        assert!(source.to_string().contains("number out of range"), "{source}");
        assert!(parsed("300").decode::<u8>().unwrap_err().to_string().contains("`u8`"));
    }

    #[test]
    fn debug_is_cut_between_characters() {
        assert_eq!(format!("{:?}", parsed("[1, 2]")), "Json([1,2])");
        let long = format!("{:?}", Json::from("é".repeat(300)));
        assert_eq!(long, format!("Json(\"{}… 602 bytes)", "é".repeat(199)));
    }

    fn depth_of(value: &Value) -> u32 {
        match value {
            Value::Array(items) => 1 + items.iter().map(depth_of).max().unwrap_or(0),
            Value::Object(fields) => 1 + fields.values().map(depth_of).max().unwrap_or(0),
            _ => 0,
        }
    }

    fn tokens(value: &Value, out: &mut Vec<String>) {
        let (open, close, parts): (_, _, Vec<(Option<&String>, &Value)>) = match value {
            Value::Array(items) => ("[", "]", items.iter().map(|item| (None, item)).collect()),
            Value::Object(fields) => {
                ("{", "}", fields.iter().map(|(key, field)| (Some(key), field)).collect())
            }
            scalar => return out.push(scalar.to_string()),
        };
        out.push(open.to_owned());
        for (index, (key, part)) in parts.into_iter().enumerate() {
            out.extend((index > 0).then(|| ",".to_owned()));
            out.extend(
                key.into_iter().flat_map(|key| [Value::from(key.as_str()).to_string(), ":".to_owned()]),
            );
            tokens(part, out);
        }
        out.push(close.to_owned());
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            (proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL | proptest::num::f64::ZERO)
                .prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            "[ \\t\\n\"\\\\{}\\[\\]:,u]{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(6, 64, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..6)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    /// Checks one text against serde_json's own reading of it.
    fn agrees_with_serde_json(bytes: &[u8]) {
        let ours = Json::from_slice(bytes);
        match serde_json::from_slice::<Value>(bytes) {
            Ok(value) => {
                let ours = ours.unwrap_or_else(|error| panic!("{bytes:?}: {error}"));
                assert_eq!(ours.to_value().unwrap(), value);
                assert_eq!(parsed(ours.as_str()).as_str(), ours.as_str());
            }
            // It gives up where a number does not fit, and says nothing of what follows.
            Err(error) if error.to_string().contains("number out of range") => {}
            Err(theirs) => {
                let ours = ours.expect_err(&format!("{bytes:?}: {theirs}"));
                assert_eq!(ours.kind(), ErrorKind::InvalidInput);
                assert!(ours.to_string().contains(" at line "), "{ours}");
            }
        }
    }

    proptest! {
        #[test]
        fn trees_round_trip(value in any_value()) {
            let json = Json::from(value.clone());
            prop_assert_eq!(json.as_str(), serde_json::to_string(&value).unwrap());
            prop_assert_eq!(json.depth(), depth_of(&value));
            prop_assert_eq!(&json, &Json::encode(&value).unwrap());
            prop_assert_eq!(&json, &parsed(json.as_str()));
            prop_assert_eq!(json.to_value().unwrap(), value);
        }

        #[test]
        fn white_space_between_tokens_is_taken_away(
            value in any_value(),
            spaces in prop::collection::vec("[ \\t\\r\\n]{0,3}", 1..20),
        ) {
            let mut all = Vec::new();
            tokens(&value, &mut all);
            let mut space = spaces.iter().cycle().map(String::as_str);
            let mut text = String::new();
            for token in &all {
                text.extend([space.next().unwrap(), token]);
            }
            text += space.next().unwrap();
            prop_assert_eq!(parsed(&text), Json::from(value));
        }

        #[test]
        fn any_bytes_are_read_as_serde_json_reads_them(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            agrees_with_serde_json(&bytes);
        }

        #[test]
        fn any_tokens_are_read_as_serde_json_reads_them(
            parts in prop::collection::vec(
                "[ \\n\\[\\]{},:]|\"(a|\\\\u(d8|dc|00)[0-9]{2}|\\\\[\"nq\\\\])*\"|-?[0-9]{1,3}(\\.[0-9]|e[0-9]{0,4})?|null",
                0..12,
            ),
        ) {
            agrees_with_serde_json(parts.concat().as_bytes());
        }

        #[test]
        fn damaged_values_are_read_as_serde_json_reads_them(
            value in any_value(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>(),
        ) {
            let mut bytes = value.to_string().into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            bytes.truncate(if cut { at } else { bytes.len() });
            agrees_with_serde_json(&bytes);
        }
    }
}
