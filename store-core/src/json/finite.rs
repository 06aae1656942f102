//! Serialising in which a number that JSON cannot write, or too deep a value, is an error.
//!
//! serde_json writes `null` for NaN and the infinities without a word, and its own nesting has no limit but
//! the stack. [`Checked`] stands between a value and any serializer and passes on what is sound, in the same
//! single pass: a value that serialises differently the second time cannot get round it.

use serde::ser::{self, Error as _, Serialize, Serializer};

use super::{Json, too_deep};

/// Serde's marks for its own raw texts and long numbers start with this; they are no level of the text.
const PRIVATE: &str = "$serde_json::private::";

/// A value that refuses to be serialised with NaN or an infinity inside, or nested over [`Json::MAX_DEPTH`].
pub(super) struct Checked<'a, T: ?Sized> {
    value: &'a T,
    depth: u32,
}

impl<'a, T: Serialize + ?Sized> Checked<'a, T> {
    pub(super) fn new(value: &'a T) -> Self {
        Self { value, depth: 0 }
    }
}

impl<T: Serialize + ?Sized> Serialize for Checked<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(Checking { inner: serializer, depth: self.depth })
    }
}

/// A serializer, or the open compound of one, that stands at a depth: how many levels of text are open.
struct Checking<S> {
    inner: S,
    depth: u32,
}

impl<S> Checking<S> {
    /// Wraps a part of the value for the serializer below.
    fn part<'a, T: ?Sized>(&self, value: &'a T) -> Checked<'a, T> {
        Checked { value, depth: self.depth }
    }
}

impl<S: Serializer> Checking<S> {
    /// Opens a compound that adds `levels` to the depth; refuses before the stack is in danger.
    fn open<C>(
        self,
        levels: u32,
        begin: impl FnOnce(S) -> Result<C, S::Error>,
    ) -> Result<Checking<C>, S::Error> {
        let depth = self.depth + levels;
        if depth > Json::MAX_DEPTH {
            return Err(S::Error::custom(too_deep()));
        }
        Ok(Checking { inner: begin(self.inner)?, depth })
    }
}

fn finite<E: ser::Error>(value: f64) -> Result<(), E> {
    if value.is_finite() {
        return Ok(());
    }
    Err(E::custom(format_args!("JSON has no number for {value}; leave it out, or write null or a string")))
}

macro_rules! pass_on {
    ($($method:ident($($name:ident: $type:ty),*);)*) => {$(
        fn $method(self, $($name: $type),*) -> Result<S::Ok, S::Error> {
            self.inner.$method($($name),*)
        }
    )*};
}

impl<S: Serializer> Serializer for Checking<S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Checking<S::SerializeSeq>;
    type SerializeTuple = Checking<S::SerializeTuple>;
    type SerializeTupleStruct = Checking<S::SerializeTupleStruct>;
    type SerializeTupleVariant = Checking<S::SerializeTupleVariant>;
    type SerializeMap = Checking<S::SerializeMap>;
    type SerializeStruct = Checking<S::SerializeStruct>;
    type SerializeStructVariant = Checking<S::SerializeStructVariant>;

    pass_on! {
        serialize_bool(v: bool);
        serialize_i8(v: i8);
        serialize_i16(v: i16);
        serialize_i32(v: i32);
        serialize_i64(v: i64);
        serialize_i128(v: i128);
        serialize_u8(v: u8);
        serialize_u16(v: u16);
        serialize_u32(v: u32);
        serialize_u64(v: u64);
        serialize_u128(v: u128);
        serialize_char(v: char);
        serialize_str(v: &str);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(name: &'static str);
        serialize_unit_variant(name: &'static str, index: u32, variant: &'static str);
    }

    fn serialize_f32(self, v: f32) -> Result<S::Ok, S::Error> {
        finite(v.into())?;
        self.inner.serialize_f32(v)
    }

    fn serialize_f64(self, v: f64) -> Result<S::Ok, S::Error> {
        finite(v)?;
        self.inner.serialize_f64(v)
    }

    fn serialize_bytes(self, v: &[u8]) -> Result<S::Ok, S::Error> {
        self.open(1, |inner| inner.serialize_bytes(v)).map(|done| done.inner)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        let part = self.part(value);
        self.inner.serialize_some(&part)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let part = self.part(value);
        self.inner.serialize_newtype_struct(name, &part)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let Checking { inner, depth } = self.open(1, Ok)?;
        inner.serialize_newtype_variant(name, index, variant, &Checked { value, depth })
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        self.open(1, |inner| inner.serialize_seq(len))
    }

    fn serialize_tuple(self, len: usize) -> Result<Self::SerializeTuple, S::Error> {
        self.open(1, |inner| inner.serialize_tuple(len))
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleStruct, S::Error> {
        self.open(1, |inner| inner.serialize_tuple_struct(name, len))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        self.open(2, |inner| inner.serialize_tuple_variant(name, index, variant, len))
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        self.open(1, |inner| inner.serialize_map(len))
    }

    fn serialize_struct(self, name: &'static str, len: usize) -> Result<Self::SerializeStruct, S::Error> {
        let levels = u32::from(!name.starts_with(PRIVATE));
        self.open(levels, |inner| inner.serialize_struct(name, len))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        self.open(2, |inner| inner.serialize_struct_variant(name, index, variant, len))
    }

    fn collect_str<T: std::fmt::Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.collect_str(value)
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

macro_rules! compound {
    ($($kind:ident { $($method:ident($($key:ident)?))* })*) => {$(
        impl<C: ser::$kind> ser::$kind for Checking<C> {
            type Ok = C::Ok;
            type Error = C::Error;

            $(fn $method<T: Serialize + ?Sized>(
                &mut self,
                $($key: &'static str,)?
                value: &T,
            ) -> Result<(), C::Error> {
                let part = self.part(value);
                self.inner.$method($($key,)? &part)
            })*

            fn end(self) -> Result<C::Ok, C::Error> {
                self.inner.end()
            }
        }
    )*};
}

// `skip_field` keeps serde's default, which does nothing: in text, a field that is left out leaves no trace.
compound! {
    SerializeSeq { serialize_element() }
    SerializeTuple { serialize_element() }
    SerializeTupleStruct { serialize_field() }
    SerializeTupleVariant { serialize_field() }
    SerializeMap { serialize_key() serialize_value() }
    SerializeStruct { serialize_field(key) }
    SerializeStructVariant { serialize_field(key) }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::{BTreeMap, HashMap};

    use super::*;
    use crate::error::ErrorKind;

    #[derive(serde::Serialize)]
    struct Newtype<T>(T);

    #[derive(serde::Serialize)]
    struct Pair<T>(u8, T);

    #[derive(serde::Serialize)]
    struct Named<T> {
        field: T,
    }

    #[derive(serde::Serialize)]
    enum Choice<T> {
        Unit,
        New(T),
        Tuple(u8, T),
        Struct { field: T },
    }

    fn refused<T: Serialize + ?Sized>(value: &T, words: &str) {
        let error = Json::encode(value).expect_err(words);
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let why = format!("{error}: {:?}", std::error::Error::source(&error));
        assert!(why.contains(words), "{why}");
    }

    fn text<T: Serialize + ?Sized>(value: &T) -> String {
        Json::encode(value).unwrap().to_string()
    }

    #[test]
    fn not_finite_is_refused_wherever_it_stands() {
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            refused(&number, "JSON has no number for");
            refused(&[1.0, number], "JSON has no number for");
            refused(&(1, number), "JSON has no number for");
            refused(&Some(number), "JSON has no number for");
            refused(&Newtype(number), "JSON has no number for");
            refused(&Pair(1, number), "JSON has no number for");
            refused(&Named { field: number }, "JSON has no number for");
            refused(&Choice::New(number), "JSON has no number for");
            refused(&Choice::Tuple(1, number), "JSON has no number for");
            refused(&Choice::Struct { field: number }, "JSON has no number for");
            refused(&HashMap::from([("key", vec![Some(number)])]), "JSON has no number for");
        }
        for number in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            refused(&[number], "JSON has no number for");
        }
    }

    /// A map with one key that need not be ordered or hashed.
    struct Keyed<K>(K);

    impl<K: Serialize> Serialize for Keyed<K> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map([(&self.0, 1)])
        }
    }

    #[test]
    fn keys_are_checked() {
        refused(&Keyed(f64::NAN), "JSON has no number for NaN");
        refused(&Keyed(f32::INFINITY), "JSON has no number for inf");
        refused(&Keyed(vec![1]), "key must be a string");
        refused(&Keyed(Choice::New(1)), "key must be a string");
        assert_eq!(text(&Keyed(7)), r#"{"7":1}"#);
        assert_eq!(text(&Keyed(Choice::<u8>::Unit)), r#"{"Unit":1}"#);
    }

    #[test]
    fn the_rest_is_written_as_serde_json_does() {
        let value = (
            (true, 'c', "s", -1i8, u128::MAX, i128::MIN, 0.1f32, -0.0f64),
            (None::<u8>, (), Newtype(1), Pair(1, "x"), Named { field: [0u8; 2] }),
            [Choice::Unit, Choice::New("n"), Choice::Tuple(1, "t"), Choice::Struct { field: "f" }],
            BTreeMap::from([(1, std::net::Ipv4Addr::LOCALHOST)]),
        );
        assert_eq!(text(&value), serde_json::to_string(&value).unwrap());
    }

    /// Serialises as its value within so many arrays.
    struct Nest<'a, T>(&'a T, u32);

    impl<T: Serialize> Serialize for Nest<'_, T> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            match self.1 {
                0 => self.0.serialize(serializer),
                levels => serializer.collect_seq([Nest(self.0, levels - 1)]),
            }
        }
    }

    struct Bytes;

    impl Serialize for Bytes {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_bytes(b"b")
        }
    }

    #[test]
    fn the_depth_counts_every_level_of_the_text() {
        // Over what the text has, so much nesting is accepted and not one more.
        fn of<T: Serialize>(value: &T) -> u32 {
            let depth = Json::encode(value).unwrap().depth();
            let room = Json::MAX_DEPTH - depth;
            assert_eq!(Json::encode(&Nest(value, room)).unwrap().depth(), Json::MAX_DEPTH);
            refused(&Nest(value, room + 1), "cannot encode");
            depth
        }
        assert_eq!(of(&1), 0);
        assert_eq!(of(&Some(Newtype(1))), 0);
        assert_eq!(of(&[0; 0]), 1);
        assert_eq!(of(&Pair(1, 1)), 1);
        assert_eq!(of(&Bytes), 1);
        assert_eq!(of(&Named { field: Choice::<u8>::Unit }), 1);
        assert_eq!(of(&Choice::New(1)), 1);
        assert_eq!(of(&Choice::Tuple(1, 1)), 2);
        assert_eq!(of(&Choice::Struct { field: [1] }), 3);
    }

    #[test]
    fn nesting_stops_at_the_limit() {
        refused(&Nest(&1, 129), "nest deeper than 128");
        refused(&Nest(&1, u32::MAX), "nest deeper than 128");
    }

    #[test]
    fn a_value_is_asked_once() {
        struct Once(Cell<f64>);
        impl Serialize for Once {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_f64(self.0.replace(f64::NAN))
            }
        }
        assert_eq!(text(&Once(Cell::new(1.5))), "1.5");
    }
}
