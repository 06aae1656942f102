//! Dumps whose every line is whole, but which are not as they were written.

use serde_json::Value;
use store_core::ErrorKind;
use store_core::dump::{Compression, VERSION};

use super::damage::Trial;
use crate::arena::Arena;
use crate::failure::{Context, Outcome, ensure};

/// Lines that are swapped, doubled or left out, the end of another dump, bytes behind the end.
pub(super) fn records_that_do_not_belong_are_refused(arena: &Arena) -> Outcome {
    let trial = Trial::make(arena, Compression::None)?;
    let lines: Vec<&[u8]> = trial.bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let refuses =
        |lines: &[&[u8]], what: String| trial.refuses(&lines.concat(), ErrorKind::Corrupted).context(what);
    for at in 0..lines.len() {
        let mut without = lines.clone();
        let line = without.remove(at);
        refuses(&without, format!("line {at} left out"))?;
        let mut doubled = lines.clone();
        doubled.insert(at, line);
        refuses(&doubled, format!("line {at} doubled"))?;
        if at > 0 {
            let mut swapped = lines.clone();
            swapped.swap(at - 1, at);
            refuses(&swapped, format!("lines {} and {at} swapped", at - 1))?;
        }
    }
    let (Some(header), Some(end)) = (lines.first(), lines.last()) else { return Ok(()) };
    // A dump of nothing, and its end behind another's records.
    let empty = arena.open()?;
    let path = arena.folder().join("empty.dump");
    super::dumps::export(&empty, &path, Compression::None)?;
    let empty = std::fs::read(path)?;
    let end_of_another = empty.split_inclusive(|byte| *byte == b'\n').next_back().context("no end")?;
    let records = lines.get(..lines.len() - 1).unwrap_or_default();
    refuses(&[records, &[end_of_another]].concat(), "the end of another dump".to_owned())?;
    refuses(&[header, end], "nothing between header and end".to_owned())?;
    for behind in [&b"x"[..], b"\n", b"\0\0\0\0", *header, *end] {
        refuses(&[&lines[..], &[behind]].concat(), format!("{} bytes behind the end", behind.len()))?;
    }
    trial.end()
}

/// A newer program's dump is told as such, although all of it fits its checksums.
pub(super) fn a_dump_of_a_newer_version_is_refused(arena: &Arena) -> Outcome {
    let trial = Trial::make(arena, Compression::None)?;
    let text = std::str::from_utf8(&trial.bytes)?;
    let (header, rest) = text.split_once('\n').context("a dump of one line")?;
    let known: Value = serde_json::from_str(header)?;
    ensure!(known.get("version").and_then(Value::as_u64) == Some(u64::from(VERSION)), "{header}");
    let (crc, checked) = header.split_once("\",").context("no checksum")?;
    let newer = checked.replace(&format!("\"version\":{VERSION}"), &format!("\"version\":{}", VERSION + 1));
    ensure!(newer != checked, "the header does not say its version as it should: {header}");
    let begin = crc.get(..crc.len() - 8).context("no checksum")?;
    let header = format!("{begin}{:08x}\",{newer}", crc_of(newer.as_bytes()));
    let error = trial.refuses(format!("{header}\n{rest}").as_bytes(), ErrorKind::IncompatibleFormat)?;
    ensure!(error.to_string().contains(&format!("version {}", VERSION + 1)), "{error}");
    trial.end()
}

/// CRC-32 as zlib has it, by its definition.
fn crc_of(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 };
        }
    }
    !crc
}
