//! Reading the table `[store]` of a configuration file: pure, and apart from opening.

use std::path::{Path, PathBuf};

use store_core::{Error, ErrorKind, Options, Result};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::registry;
use crate::url::{self, Parts};

/// Shows the right form.
fn example() -> String {
    let engine = registry::schemes().next().unwrap_or_default();
    format!("write [store], and below it engine = {engine:?} and path = \"state.db\"")
}

/// Takes the text of a configuration file apart; paths in it are relative to the folder.
pub(crate) fn parse(text: &str, folder: &Path) -> Result<Parts> {
    let root = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(text.len(), |span| span.start);
        let why = error.message().trim().replace('\n', "; ");
        invalid(format!("{}: {why}; correct it there", place(text, at)))
    })?;
    let mut options = options_of(text, root.get_ref())?;
    let scheme = required(&mut options, "engine", "what keeps the store")?;
    let path = required(&mut options, "path", "where the store lies, relative to the file's folder")?;
    if !registry::schemes().any(|known| known == scheme) {
        let why = format!("there is no engine {scheme:?}; there are: {}", registry::known());
        return Err(options.locate("engine", invalid(why)));
    }
    if let Some(why) = url::problem_of(&path) {
        return Err(options.locate("path", invalid(format!("path={path}: it {why}"))));
    }
    Ok(Parts { scheme, path: joined(folder, &path), options })
}

fn joined(folder: &Path, path: &str) -> PathBuf {
    if folder.as_os_str().is_empty() { PathBuf::from(path) } else { folder.join(path) }
}

fn required(options: &mut Options, key: &'static str, values: &'static str) -> Result<String> {
    let given = options.take(key, values)?;
    given.ok_or_else(|| invalid(format!("the table [store] has no {key}; {}", example())))
}

/// Finds the table `[store]` and makes options of what stands in it.
fn options_of(text: &str, root: &DeTable<'_>) -> Result<Options> {
    if let Some(key) = root.keys().find(|key| key.get_ref() != "store") {
        let (at, name) = (place(text, key.span().start), key.get_ref());
        return Err(invalid(format!("{at}: there is no table or key {name:?} here; {}", example())));
    }
    let Some((key, value)) = root.iter().next() else {
        return Err(invalid(format!("there is no table [store]; {}", example())));
    };
    let Some(table) = value.get_ref().as_table() else {
        let at = place(text, key.span().start);
        return Err(invalid(format!("{at}: store is a table here; {}", example())));
    };
    let mut options = Options::default();
    for (key, value) in table {
        let at = place(text, key.span().start);
        options.give_at(key.get_ref(), &scalar(key.get_ref(), value, &at)?, at)?;
    }
    Ok(options)
}

/// Returns a value in the words that a URL has for it.
fn scalar(key: &str, value: &Spanned<DeValue<'_>>, at: &str) -> Result<String> {
    let number = |text: &str, radix| i64::from_str_radix(text, radix).ok();
    let word = match value.get_ref() {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Boolean(truth) => Some(truth.to_string()),
        DeValue::Integer(digits) => number(digits.as_str(), digits.radix()).map(|n| n.to_string()),
        _ => None,
    };
    word.ok_or_else(|| {
        let kind = value.get_ref().type_str();
        invalid(format!(
            "{at}: {key} is no option with such a value ({kind}); give a text, true, false or a number"
        ))
    })
}

/// Tells where an offset in bytes lies; both numbers count from 1, columns count characters.
pub(crate) fn place(text: &str, offset: usize) -> String {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    format!("line {line} column {column}")
}

fn invalid(why: String) -> Error {
    Error::new(ErrorKind::ConfigInvalid, why)
}
