//! `import-json`: a file, stdin, or a folder of files.

use std::collections::BTreeMap;
use std::path::Path;

use statestore::import::{self, Content, Existing, Form, Import, JsonReader};

use super::Bar;
use crate::args::{ImportJsonArgs, StoreArgs};
use crate::exit::{Code, Failure};
use crate::input;
use crate::output;

/// The log of what comes from stdin.
const STDIN_LOG: &str = "items";

/// Imports what the arguments name.
pub(in crate::commands) fn run(args: &StoreArgs, json: &ImportJsonArgs) -> Result<(), Failure> {
    statestore::check_namespace(&json.namespace)?;
    json.log.as_deref().map_or(Ok(()), statestore::check_log)?;
    let import = match (&json.dir, &json.file) {
        (Some(dir), _) => folder(json, dir)?,
        (None, Some(file)) => one(json, file)?,
        (None, None) => None,
    };
    match import {
        Some(import) => super::commit(args, &import, json.existing.existing(), &BTreeMap::new()),
        // There is nothing to import, and nothing to say of it.
        None => Ok(()),
    }
}

/// Reads a file; none if it has zero bytes and nothing is to be emptied.
fn one(json: &ImportJsonArgs, file: &Path) -> Result<Option<Import>, Failure> {
    let is_stdin = file == Path::new("-");
    let (name, bytes) =
        if is_stdin { (Path::new(input::STDIN), input::stdin()?) } else { (file, input::file(file)?) };
    let lines = file.extension().is_some_and(|suffix| suffix == "jsonl" || suffix == "ndjson");
    let form = match (lines, &json.log, &json.key_field) {
        (true, ..) => Form::Lines,
        (_, None, None) => Form::Any,
        _ => Form::Records,
    };
    let ns = &json.namespace;
    let log = |entries| -> Result<Import, Failure> {
        if json.existing.existing() == Existing::Merge {
            let why = "--merge is for keys; use `statestore append NAMESPACE LOG --lines` to append to a log that is there";
            return Err(Failure::told(Code::Usage, why));
        }
        let log = match (&json.log, is_stdin, file.file_stem()) {
            (Some(log), ..) => log.clone(),
            (None, false, Some(stem)) => stem.to_string_lossy().into_owned(),
            _ => STDIN_LOG.to_owned(),
        };
        statestore::check_log(&log).map_err(|e| Failure::from(e).and("name the log with --log"))?;
        Ok(Import::new().with_log(ns, log, entries))
    };
    Ok(match read(json, form, name, &bytes)? {
        Content::Object(object) => Some(Import::new().with_object(ns, object)),
        Content::Log(entries) => Some(log(entries)?),
        _ if json.existing.existing() != Existing::Replace => None,
        _ if json.log.is_some() || (lines && json.key_field.is_none()) => Some(log(Vec::new())?),
        _ => Some(Import::new().with_object(ns, BTreeMap::new())),
    })
}

fn read(json: &ImportJsonArgs, form: Form, name: &Path, bytes: &[u8]) -> Result<Content, Failure> {
    let mut bar = Bar::of_bytes("reading", bytes.len());
    let mut progress = |done: usize| bar.at(done as u64, None);
    let mut reader = JsonReader::new().with_form(form).with_progress(&mut progress);
    if let Some(field) = &json.key_field {
        reader = reader.with_key_field(field);
    }
    let content = reader.read(bytes);
    bar.clear();
    Ok(content.map_err(|error| error.with_path(name))?)
}

/// Reads a folder; none if it has no file that counts and nothing is to be emptied.
fn folder(json: &ImportJsonArgs, dir: &Path) -> Result<Option<Import>, Failure> {
    let mut bar = Bar::of_items("reading");
    let found = import::folder(dir, &mut |done, all| bar.at(done, Some(all)));
    bar.clear();
    let found = found?;
    if !found.skipped.is_empty() {
        output::say(format_args!("skipped in {}: {}", dir.display(), found.skipped));
    }
    let nothing = found.object.is_empty() && json.existing.existing() != Existing::Replace;
    Ok((!nothing).then(|| Import::new().with_object(&json.namespace, found.object)))
}
