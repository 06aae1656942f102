//! What a dump that is not as it was written is told as; that every cut and flip is found.

use std::io::{Cursor, Write};
use std::path::Path;

use super::export::{Compression, compressor};
use super::line::{Line, encode};
use super::meter::Meter;
use super::outline::Outline;
use super::read::Reader;
use super::seal::Sealing;
use super::write::Writer;
use super::{DumpSource, VERSION};
use crate::error::{Error, ErrorKind, Result};
use crate::numbers::{Revision, Timestamp};

const AT: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn namespace(name: &str) -> Line {
    Line::Namespace { name: name.into(), revision: Revision::new(7) }
}

fn key(key: &str) -> Line {
    Line::Key { key: key.into(), revision: Revision::new(7), at: AT, value: "{\"a\":1.50}".parse().unwrap() }
}

fn log(name: &str, first: u64, last: u64) -> Line {
    Line::Log { name: name.into(), first, last }
}

fn entry(seq: u64) -> Line {
    Line::Entry { seq, at: AT, entry: "null".parse().unwrap() }
}

fn sample() -> Vec<Line> {
    let first = [namespace("a"), key("1"), key("2"), log("e", 3, 4), entry(3), entry(4), log("f", 9, 8)];
    first.into_iter().chain([namespace("b"), log("only", 1, 1), entry(1)]).collect()
}

fn written(lines: &[Line]) -> (Outline, Vec<u8>) {
    written_as(lines, Compression::None)
}

fn written_as(lines: &[Line], compression: Compression) -> (Outline, Vec<u8>) {
    let meter = Meter::new();
    let mut writer = Writer::begin(Vec::new(), &meter, "test", 3, compression).unwrap();
    for line in lines {
        writer.add(line).unwrap();
    }
    writer.end().unwrap()
}

fn read(bytes: &[u8]) -> Result<Outline> {
    let meter = Meter::new();
    let mut reader = Reader::begin(Cursor::new(bytes), Path::new("x.dump"), None, &meter)?;
    while reader.next()?.is_some() {}
    Ok(reader.outline())
}

/// Compresses and seals as an export does.
fn sealed(lines: &[Line]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = compressor(Sealing::new(&mut file)).unwrap();
    encoder.write_all(&written_as(lines, Compression::Zstd).1).unwrap();
    encoder.finish().unwrap().seal().unwrap();
    file
}

fn verify(bytes: &[u8]) -> Result<Outline> {
    DumpSource::spool(bytes, "x.dump").unwrap().verify(&Meter::new())
}

fn lines_of(bytes: &[u8]) -> Vec<Vec<u8>> {
    bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

#[test]
fn what_is_written_is_read() {
    let (outline, bytes) = written(&sample());
    assert_eq!(read(&bytes).unwrap(), outline);
    assert_eq!(verify(&bytes).unwrap(), outline);
    let compressed = verify(&sealed(&sample())).unwrap();
    assert_eq!((compressed.digest, compressed.records), (outline.digest.clone(), outline.records));
    let by_hand = zstd::encode_all(bytes.as_slice(), 3).unwrap();
    assert_eq!(verify(&by_hand).unwrap(), outline);
    assert_eq!((outline.keys(), outline.logs(), outline.entries(), outline.epoch), (2, 3, 3, 3));
    assert_eq!(outline.bytes, bytes.len() as u64);
    let (empty, bytes) = written(&[]);
    assert_eq!(read(&bytes).unwrap(), empty);
}

#[test]
fn every_cut_is_found() {
    let (_, bytes) = written(&sample());
    for bytes in [bytes, sealed(&sample())] {
        for at in 0..bytes.len() {
            let error = verify(&bytes[..at]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupted, "cut at {at}: {error}");
            assert!(error.message().contains("record "), "{error}");
        }
    }
}

#[test]
fn every_flipped_bit_is_found() {
    let (_, bytes) = written(&sample());
    for bytes in [bytes, sealed(&sample())] {
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                let error =
                    verify(&changed).map(|_| format!("bit {bit} of byte {at} was not seen")).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Corrupted, "{error}");
            }
        }
    }
}

#[test]
fn a_place_is_named_by_record_and_byte() {
    let (_, bytes) = written(&sample());
    let lines = lines_of(&bytes);
    let offset: usize = lines[..3].iter().map(Vec::len).sum();
    let mut changed = bytes.clone();
    changed[offset + 60] ^= 1;
    let error = read(&changed).unwrap_err().to_string();
    assert!(error.contains(&format!("record 4, at byte {offset}")) && error.contains("x.dump"), "{error}");
    let error = read(&bytes[..offset + 10]).unwrap_err().to_string();
    assert!(error.contains(&format!("record 4, at byte {offset}: it was cut short")), "{error}");
    let error = read(&bytes[..offset]).unwrap_err().to_string();
    assert!(error.contains("it ends after record 3 without its last line"), "{error}");
}

#[test]
fn whole_lines_that_are_missing_doubled_or_elsewhere_are_found() {
    let (_, bytes) = written(&sample());
    let lines = lines_of(&bytes);
    let refused = |lines: Vec<Vec<u8>>, what: &str| {
        let error = read(&lines.concat()).map(|_| what.to_owned()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupted, "{what}: {error}");
    };
    for at in 0..lines.len() {
        let mut without = lines.clone();
        without.remove(at);
        refused(without, &format!("without line {at}"));
        let mut twice = lines.clone();
        twice.insert(at, lines[at].clone());
        refused(twice, &format!("line {at} twice"));
        if at > 0 {
            let mut swapped = lines.clone();
            swapped.swap(at, at - 1);
            refused(swapped, &format!("line {at} before the one before"));
        }
    }
    let (_, other) = written(&[namespace("a"), key("1")]);
    let mut foreign_end = lines.clone();
    *foreign_end.last_mut().unwrap() = lines_of(&other).pop().unwrap();
    refused(foreign_end, "the last line of another");
    refused(lines.iter().cloned().chain([b"\n".to_vec()]).collect(), "a line more");
    refused([lines.clone(), lines].concat(), "two of them");
}

#[test]
fn what_no_store_holds_is_refused() {
    for (lines, why) in [
        (vec![key("1")], "comes where it must not"),
        (vec![namespace("b"), namespace("a")], "comes where it must not"),
        (vec![namespace("a"), key("2"), key("1")], "comes where it must not"),
        (vec![namespace("a"), log("l", 1, 2), entry(1)], "lacks entry 2"),
        (vec![namespace("a"), log("l", 1, 1), entry(1), entry(2)], "comes where it must not"),
        (vec![namespace("a"), log("l", 1, 1), entry(1), key("1")], "comes where it must not"),
        (vec![namespace("a"), log("l", 3, 1)], "cannot be"),
        (vec![namespace("a"), log("l", 0, 0)], "cannot be"),
        (vec![namespace("a\n")], "control character"),
        (vec![namespace(&"a".repeat(65))], "64"),
        (
            vec![
                namespace("a"),
                Line::Key {
                    key: "k".into(),
                    revision: Revision::new(8),
                    at: AT,
                    value: "1".parse().unwrap(),
                },
            ],
            "a revision that its object never had",
        ),
    ] {
        let error = read(&written(&lines).1).map(|_| why).unwrap_err();
        assert!(error.message().contains(why), "{why}: {error}");
    }
}

fn header(version: u32, epoch: u32) -> Vec<u8> {
    let header = super::line::Header {
        statestore: "dump".into(),
        version,
        engine: "e".into(),
        epoch,
        at: 1,
        zstd: false,
    };
    let mut text = Vec::new();
    encode(&Line::Header(header), &mut text).unwrap();
    text
}

#[test]
fn what_is_newer_foreign_or_empty_is_named_as_such() {
    let kind_of = |bytes: &[u8]| -> Error { verify(bytes).unwrap_err() };
    let newer = kind_of(&header(VERSION + 1, 0));
    assert_eq!(newer.kind(), ErrorKind::IncompatibleFormat);
    assert!(newer.message().contains("version 2") && newer.message().contains("newer program"), "{newer}");
    assert!(kind_of(b"").message().contains("zero bytes"));
    assert!(kind_of(b"SQLite format 3\0...").message().contains("no line of a dump"));
    assert!(kind_of(b"{\"a\":1}\n").message().contains("this is no dump"));
    assert!(kind_of(&header(VERSION, u32::MAX)).message().contains("epoch"));
    let endless = vec![b'x'; 1 << 20];
    assert_eq!(kind_of(&endless).kind(), ErrorKind::Corrupted);
}

#[test]
fn differences_are_told_by_namespace() {
    let (first, _) = written(&sample());
    let (second, _) = written(&[namespace("a"), key("1"), log("e", 3, 3), entry(3), namespace("c")]);
    let words = first.differences(&second);
    assert_eq!(words.len(), 3, "{words:?}");
    assert!(
        words[0].contains("has 1 keys instead of 2") && words[0].contains("\"e\" has 3 to 3"),
        "{words:?}"
    );
    assert!(words[1].contains("\"b\" is missing") && words[2].contains("\"c\" is too many"), "{words:?}");
    assert!(first.differences(&first).is_empty());
}
