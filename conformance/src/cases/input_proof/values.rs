//! Values of every kind: they come back as the same text, in another process too.

use serde_json::Value;
use store_core::{Batch, ErrorKind, Json, KeyRange, LogRange};

use crate::arena::Arena;
use crate::cases::works;
use crate::failure::{Context, Outcome, Refused, ensure, ensure_eq};
use crate::job::{Job, Work};
use crate::values::entry;

pub(super) const WORKS: &[Work] = works![read_all];

/// Texts that come back as they are.
const TEXTS: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "-0",
    "-0.0",
    "1.0",
    "1.50",
    "0.1",
    "1e400",
    "-1E+0400",
    "1e-400",
    "5e-324",
    "12345678901234567890123456789012345678901",
    "-0.12345678901234567890123456789012345678901",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    r#""""#,
    r#"" ""#,
    r#""text""#,
    r#""\u0000""#,
    r#""\u001f\b\f\n\r\t\"\\\/""#,
    r#""\u00e9""#,
    "\"\u{e9}\"",
    "\"e\u{301}\"",
    r#""\ud83d\uDE00""#,
    "\"\u{1f600}\"",
    "\"\u{7f}\u{85}\u{2028}\u{feff}\u{fffd}\u{ffff}\u{10ffff}\"",
    "\"'; DROP TABLE entries; --\"",
    r#""%s %00 ${HOME} $(id) `id` <b>&amp;</b>""#,
    r#""{\"not\": [\"parsed\"]}""#,
    "[]",
    "{}",
    "[[],{},[[]],null]",
    r#"{"":""}"#,
    r#"{"b":1,"a":2,"B":3}"#,
    r#"{"twice":1,"twice":2}"#,
    r#"{"\u0061":1,"a":2}"#,
    r#"{"a":{"b":[1,{"c":null}]}}"#,
];

/// Puts and appends texts, and expects them back by every way of reading, here and in another process.
#[track_caller]
fn come_back(arena: &Arena, texts: &[&str]) -> Outcome {
    let store = arena.open()?;
    for (n, text) in texts.iter().enumerate() {
        let value: Json = text.parse().context(text)?;
        ensure_eq!(value.as_str(), *text);
        let key = format!("{n:05}");
        store.commit(Batch::new().put("n", key.as_str(), value.clone()).append("n", "log", value))?;
        ensure_eq!(entry(&store, "n", &key)?.value.as_str(), *text);
    }
    let seen_here = read(&store)?;
    let seen_there: [Vec<String>; 3] = arena.worker("read_all")?.start()?.hear()?;
    for (seen, whose) in seen_here.iter().chain(&seen_there).zip(1..) {
        ensure_eq!(*seen, texts, "way {whose} of reading");
    }
    Ok(())
}

/// Reads all values as an object, as a list and as a log.
fn read(store: &store_core::Blocking) -> Outcome<[Vec<String>; 3]> {
    let text = |value: Json| value.as_str().to_owned();
    let object = store.object("n")?.entries.into_values().map(|entry| text(entry.value)).collect();
    let list = store.list("n", KeyRange::all())?.into_iter().map(|(_, entry)| text(entry.value)).collect();
    let log =
        store.read_log("n", "log", LogRange::all())?.into_iter().map(|entry| text(entry.entry)).collect();
    Ok([object, list, log])
}

fn read_all(job: &Job) -> Outcome {
    job.say(read(&job.open()?)?)
}

pub(super) fn every_kind_of_value_is_kept(arena: &Arena) -> Outcome {
    come_back(arena, TEXTS)
}

pub(super) fn falsy_values_are_values(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    let falsy = ["null", "false", "0", "-0", "\"\"", "[]", "{}"];
    for text in falsy {
        store.put("n", text, text.parse()?)?;
        store.append("n", "log", text.parse()?)?;
    }
    for text in falsy {
        ensure_eq!(entry(&store, "n", text)?.value.as_str(), text);
        let put = store.commit(Batch::new().check("n", text, store_core::Expect::Absent));
        put.refused(ErrorKind::Conflict).context("it is there")?;
        ensure!(store.delete("n", text)?, "{text} was there");
    }
    ensure_eq!(store.read_log("n", "log", LogRange::all())?.len(), falsy.len());
    ensure_eq!(store.get_as::<Option<u64>>("n", "null")?, None, "now it is gone");
    store.put("n", "null", Json::from(Value::Null))?;
    ensure_eq!(store.get_as::<Option<u64>>("n", "null")?, Some(None), "now it is null");
    Ok(())
}

pub(super) fn white_space_goes_and_nothing_else(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    for (given, kept) in [
        (" \t\r\n[ 1 ,\n\"a \\\" b\" , { } ]\n", r#"[1,"a \" b",{}]"#),
        (r#"{ "b" : 1.50 , "a" : [ ] }"#, r#"{"b":1.50,"a":[]}"#),
        ("\" \\n \"", "\" \\n \""),
    ] {
        store.put("n", "k", given.parse()?)?;
        ensure_eq!(entry(&store, "n", "k")?.value.as_str(), kept);
    }
    Ok(())
}

pub(super) fn doubles_keep_every_bit(arena: &Arena) -> Outcome {
    let store = arena.open()?;
    let mut chance = arena.chance();
    let any = std::iter::repeat_with(|| f64::from_bits(chance.u64(..))).filter(|double| double.is_finite());
    let edges = [0.0, -0.0, 0.1, f64::MIN_POSITIVE, 5e-324, f64::MAX, f64::MIN, f64::EPSILON, 1.0 / 3.0];
    let doubles: Vec<f64> = any.take(2000).chain(edges).collect();
    store.put_as("n", "all", &doubles)?;
    for (n, double) in edges.iter().enumerate() {
        store.put_as("n", &n.to_string(), double)?;
        let found: f64 = store.get_as("n", &n.to_string())?.context("it is gone")?;
        ensure_eq!(found.to_bits(), double.to_bits(), "{double}");
    }
    let found: Vec<f64> = store.get_as("n", "all")?.context("they are gone")?;
    let bits = |doubles: &[f64]| doubles.iter().map(|double| double.to_bits()).collect::<Vec<_>>();
    ensure_eq!(bits(&found), bits(&doubles));
    Ok(())
}

/// Returns a random value, at most so deep.
fn any_value(chance: &mut fastrand::Rng, depth: u32) -> Value {
    let text = |chance: &mut fastrand::Rng| {
        let count = chance.usize(..12);
        std::iter::repeat_with(|| chance.char(..)).take(count).collect::<String>()
    };
    match chance.u8(..if depth == 0 { 5 } else { 8 }) {
        0 => Value::Null,
        1 => Value::from(chance.bool()),
        2 => Value::from(chance.i64(..)),
        3 => Value::from(chance.f64()),
        4 => Value::from(text(chance)),
        5 | 6 => (0..chance.usize(..5)).map(|_| any_value(chance, depth - 1)).collect(),
        _ => (0..chance.usize(..5)).map(|_| (text(chance), any_value(chance, depth - 1))).collect(),
    }
}

pub(super) fn random_values_are_kept(arena: &Arena) -> Outcome {
    let mut chance = arena.chance();
    let texts: Vec<String> = (0..200).map(|_| any_value(&mut chance, 6).to_string()).collect();
    come_back(arena, &texts.iter().map(String::as_str).collect::<Vec<_>>())
}

pub(super) fn the_deepest_value_is_kept_and_a_deeper_one_refused(arena: &Arena) -> Outcome {
    let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    let objects = |levels: usize| r#"{"k":"#.repeat(levels) + "1" + &"}".repeat(levels);
    come_back(arena, &[&nested(128), &objects(128), &nested(1), &objects(127)])?;

    let store = arena.open()?;
    for text in [nested(129), objects(129), nested(100_000)] {
        text.parse::<Json>().refused(ErrorKind::InvalidInput)?;
    }
    let tree = |levels: usize| (0..levels).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
    store.put("n", "tree", Json::from(tree(128)))?;
    for levels in [129, 500] {
        let deep = || Json::from(tree(levels));
        store.put("n", "deep", deep()).refused(ErrorKind::InvalidInput)?;
        store.append("n", "deep", deep()).refused(ErrorKind::InvalidInput)?;
        store.replace_object("n", [("deep".to_owned(), deep())].into()).refused(ErrorKind::InvalidInput)?;
    }
    ensure_eq!(store.get("n", "deep")?, None);
    ensure_eq!(entry(&store, "n", "tree")?.value, Json::from(tree(128)));
    Ok(())
}

pub(super) fn texts_that_are_no_value_are_refused(_: &Arena) -> Outcome {
    let refused = [
        "",
        " ",
        "nul",
        "NaN",
        "Infinity",
        "-",
        "01",
        "+1",
        ".5",
        "1.",
        "1e",
        "0x10",
        "'a'",
        "\"",
        "\"\\x\"",
        "\"\t\"",
        "\"\n\"",
        "\"\0\"",
        "[1,]",
        "[1 2]",
        "{\"a\"}",
        "{a:1}",
        "{\"a\":1,}",
        "[",
        "]",
        "1 2",
        "\u{feff}1",
        r#""\ud83d""#,
        r#""\ude00""#,
        r#""\ud83d\u0041""#,
        r#""\ude00\ud83d""#,
        r#"{"\ud800":1}"#,
        "// c\n1",
    ];
    for text in refused {
        let error =
            text.parse::<Json>().refused(ErrorKind::InvalidInput).context(format_args!("{text:?}"))?;
        let words = error.to_string();
        ensure!(words.contains("line ") && words.contains("column "), "{text:?}: {words}");
    }
    for bytes in [&b"\"\xff\""[..], b"\"\xc3\"", b"\"\xed\xa0\x80\"", b"\xef\xbb\xbf1", b"1\0"] {
        Json::from_slice(bytes).refused(ErrorKind::InvalidInput)?;
    }
    Ok(())
}
