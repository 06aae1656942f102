//! Files that were changed by hand: refused as they are, and taken over when told.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use store_core::{Batch, Blocking, ErrorKind, LogRange, Revision, Settings};

use super::{Done, bytes_of, demand, open, place, refused, said};
use crate::adopt::Adopted;
use crate::engine::JsonFiles;
use crate::target::damages::overwrite;

/// A change by hand: what it is, how it is made, and the object or the entries that it leaves.
type Edit = (&'static str, fn(&str) -> String, &'static str);

const OF_OBJECTS: &[Edit] = &[
    (
        "a value",
        |text| text.replace("\"1.50\"", "\"1.75\"").replace("1.50", "1.75"),
        r#"{"a":1.75,"b":{"z":1,"a":[]}}"#,
    ),
    ("a line less", |text| text.replace("\"a\":1.50,\n", ""), r#"{"b":{"z":1,"a":[]}}"#),
    (
        "a line more",
        |text| text.replace("\"a\":1.50,", "\"a\":1.50,\n\"c\":null,"),
        r#"{"a":1.50,"b":{"z":1,"a":[]},"c":null}"#,
    ),
    ("white space", |text| text.replace("\"a\":1.50", "  \"a\" :\t1.50"), r#"{"a":1.50,"b":{"z":1,"a":[]}}"#),
    ("no last line end", |text| text.trim_end().to_owned(), r#"{"a":1.50,"b":{"z":1,"a":[]}}"#),
    (
        "a revision",
        |text| text.replace("\"revision\":", "\"revision\":9"),
        r#"{"a":1.50,"b":{"z":1,"a":[]}}"#,
    ),
    ("the plain object", |_| "{\n  \"x\": 0.10\n}\n".to_owned(), r#"{"x":0.10}"#),
    ("nothing left", |_| "{}".to_owned(), "{}"),
];

const OF_LOGS: &[Edit] = &[
    ("an entry", |text| text.replace("\"two\"", "\"zwei\""), r#"["one","zwei","three"]"#),
    ("a line less", |text| without_line(text, "\"two\""), r#"["one","three"]"#),
    ("the last line less", |text| without_line(text, "\"three\""), r#"["one","two"]"#),
    ("no last line end", |text| text.trim_end().to_owned(), r#"["one","two","three"]"#),
    ("the lines alone", |_| "{\"entry\":\"x\"}\n\n{\"entry\":\"y\"}\n".to_owned(), r#"["x","y"]"#),
];

fn without_line(text: &str, part: &str) -> String {
    text.split_inclusive('\n').filter(|line| !line.contains(part)).collect()
}

fn fill(path: &Path) -> Result<Revision, String> {
    let store = open(path)?;
    let parse = |text: &str| text.parse::<store_core::Json>().map_err(said);
    let batch = Batch::new().put("n", "a", parse("1.50")?).put("n", "b", parse(r#"{"z":1,"a":[]}"#)?);
    store.commit(batch.put("other", "k", 1u64)).map_err(said)?;
    for entry in ["one", "two", "three"] {
        store.append("n", "log", entry.into()).map_err(said)?;
    }
    let revision = store.object("n").map_err(said)?.revision;
    store.close().map_err(said)?;
    Ok(revision)
}

fn adopt(path: &Path) -> store_core::Result<Vec<Adopted>> {
    JsonFiles::default().adopt(path, &Settings::default(), Some("n"))
}

fn object_of(store: &Blocking) -> Result<String, String> {
    let object = store.object("n").map_err(said)?;
    let members = object.entries.iter().map(|(key, entry)| format!("{key:?}:{}", entry.value));
    Ok(format!("{{{}}}", members.collect::<Vec<_>>().join(",")))
}

fn log_of(store: &Blocking) -> Result<String, String> {
    let entries = store.read_log("n", "log", LogRange::all()).map_err(said)?;
    let dense = entries.iter().zip(1..).all(|(entry, seq)| entry.seq == seq);
    demand(dense, "the numbers have a gap")?;
    let entries: Vec<_> = entries.iter().map(|entry| entry.entry.to_string()).collect();
    Ok(format!("[{}]", entries.join(",")))
}

pub(super) fn refused_and_adopted(folder: &Path) -> Done {
    for (number, (what, edit, left)) in OF_OBJECTS.iter().chain(OF_LOGS).enumerate() {
        let path = place(&folder.join(number.to_string()));
        let is_log = number >= OF_OBJECTS.len();
        one_edit(&path, *edit, left, is_log).map_err(|why| format!("{what} (log: {is_log}): {why}"))?;
    }
    Ok(())
}

fn one_edit(path: &Path, edit: fn(&str) -> String, left: &str, is_log: bool) -> Done {
    let before = fill(path)?;
    let open_all_along = open(path)?;
    let read = |store: &Blocking| if is_log { log_of(store) } else { object_of(store) };
    read(&open_all_along)?;
    let file = path.join(if is_log { "n/log.jsonl" } else { "n.json" });
    let text = std::fs::read_to_string(&file).map_err(said)?;
    let edited = edit(&text);
    demand(edited != text, "the edit changes nothing")?;
    overwrite(&file, edited)?;
    let bytes = bytes_of(path)?;
    for store in [&open_all_along, &open(path)?] {
        let words = if is_log {
            refused(store.read_log("n", "log", LogRange::all()), ErrorKind::Corrupted)?
        } else {
            refused(store.put("n", "k", 1u64.into()), ErrorKind::Corrupted)?;
            refused(store.get("n", "a"), ErrorKind::Corrupted)?
        };
        let helps = words.contains("statestore adopt") && words.contains(&file.display().to_string());
        demand(helps, format!("it does not name the file and the way out: {words}"))?;
        demand(super::number(store, "other")? == 1, "other namespaces are refused too")?;
    }
    demand(bytes_of(path)? == bytes, "a refusal changed files")?;
    let adopted = adopt(path).map_err(said)?;
    demand(adopted.len() == 1, format!("adopted: {adopted:?}"))?;
    for store in [&open_all_along, &open(path)?] {
        let found = read(store)?;
        demand(found == left, format!("adopted is {found}, not {left}"))?;
    }
    let store = open(path)?;
    let next = store.put("n", "k", 1u64.into()).map_err(said)?;
    let grown =
        next > before && (is_log || adopted.iter().all(|one| one.revision > before && one.revision < next));
    demand(grown, format!("revisions: {before} before, {adopted:?}, {next} then"))?;
    demand(adopt(path).map_err(said)?.is_empty(), "it is adopted again")
}

/// What stands in a file that cannot be taken over, and a part of the words that say so.
const HOPELESS: &[(&str, &str, &str)] = &[
    ("n.json", "{\"a\":1,\n\"b\":}", "line 2 column 5"),
    ("n.json", "[1,2]", "JSON object"),
    ("n.json", "{\"a\":1,\"a\":2}", "comes twice"),
    ("n.json", "{\"\\u0001\":1}", "control character"),
    ("n.json", "{\"a\":\"\\ud800\"}", "key \"a\""),
    ("n.json", "{\"statestore\":1,\"objekt\":{}}", "\"object\""),
    ("n/log.jsonl", "{\"entry\":1}\n{\"entry\":\n", "line 2"),
    ("n/log.jsonl", "hello\n", "line 1"),
];

pub(super) fn named_with_line_and_column(folder: &Path) -> Done {
    for (number, (file, text, part)) in HOPELESS.iter().enumerate() {
        let path = place(&folder.join(number.to_string()));
        fill(&path)?;
        let whole = std::fs::read(path.join(file)).map_err(said)?;
        overwrite(&path.join(file), text)?;
        let before = bytes_of(&path)?;
        let words =
            refused(adopt(&path), ErrorKind::InvalidInput).map_err(|why| format!("{text:?}: {why}"))?;
        demand(words.contains(part) && words.contains(file), format!("{text:?} is told as {words}"))?;
        demand(bytes_of(&path)? == before, format!("{text:?}: a refusal changed files"))?;
        overwrite(&path.join(file), "")?;
        refused(adopt(&path), ErrorKind::Corrupted).map_err(|why| format!("zero bytes: {why}"))?;
        overwrite(&path.join(file), whole)?;
    }
    let path = place(folder);
    refused(adopt(&path), ErrorKind::NotFound).map(drop)?;
    fill(&path)?;
    let nothing = JsonFiles::default().adopt(&path, &Settings::default(), Some("nothing"));
    refused(nothing, ErrorKind::NotFound).map(drop)
}

pub(super) fn adopted_in_turn_or_not_at_all(folder: &Path) -> Done {
    let path = place(folder);
    fill(&path)?;
    let file = path.join("n.json");
    let text = std::fs::read_to_string(&file).map_err(said)?.replace("1.50", "2.50");
    overwrite(&file, text)?;
    let before = bytes_of(&path)?;
    let gate = std::fs::File::open(path.join(".gate")).map_err(said)?;
    gate.lock().map_err(said)?;
    let hurried = Settings::default().with_timeout(std::time::Duration::from_millis(200));
    let words = refused(JsonFiles::default().adopt(&path, &hurried, None), ErrorKind::Busy)?;
    demand(words.contains(&std::process::id().to_string()), format!("it does not name the holder: {words}"))?;
    gate.unlock().map_err(said)?;
    drop(gate);
    // The one that gave up must not come to it late.
    open(&path)?.put("other", "k", 1u64.into()).map_err(said)?;
    demand(bytes_of(&path)?.get(&file) == before.get(&file), "it was adopted after it had been refused")?;
    demand(adopt(&path).map_err(said)?.len() == 1, "it is not adopted then")
}

pub(super) fn told_when_removed(folder: &Path) -> Done {
    let path = place(folder);
    fill(&path)?;
    let store = open(&path)?;
    object_of(&store)?;
    let (file, aside) = (path.join("n.json"), folder.join("aside"));
    std::fs::hard_link(&file, &aside).map_err(said)?;
    std::fs::remove_file(&file).map_err(said)?;
    refused(store.get("n", "a"), ErrorKind::Corrupted)?;
    refused(store.object("n"), ErrorKind::Corrupted)?;
    let words = refused(store.put("n", "a", 1u64.into()), ErrorKind::Corrupted)?;
    demand(words.contains("n.json") && words.contains("put it back"), format!("it does not help: {words}"))?;
    demand(!file.exists(), "it was made anew without a word")?;
    std::fs::hard_link(&aside, &file).map_err(said)?;
    store.put("n", "a", 1u64.into()).map(drop).map_err(said)
}

pub(super) fn rights_are_mended(folder: &Path) -> Done {
    let path = place(folder);
    fill(&path)?;
    let file = path.join("n.json");
    let mode = || Ok::<_, String>(file.metadata().map_err(said)?.permissions().mode() & 0o7777);
    let right = mode()?;
    // As an editor saves it: another file, with the rights of its own.
    let text = std::fs::read_to_string(&file).map_err(said)?;
    for text in [text.replace("1.50", "2.50"), text] {
        std::fs::remove_file(&file).map_err(said)?;
        overwrite(&file, text)?;
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).map_err(said)?;
        adopt(&path).map_err(said)?;
        demand(mode()? == right, format!("the mode is {:o}, not {right:o}", mode()?))?;
    }
    Ok(())
}
