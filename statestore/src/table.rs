//! Reading the tables `[store]` and `[mirror]` of a configuration file: pure, and apart from opening.

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
    Ok(Parts { scheme, path: joined(folder, &path), options, folder: folder.to_owned() })
}

fn joined(folder: &Path, path: &str) -> PathBuf {
    if folder.as_os_str().is_empty() { PathBuf::from(path) } else { folder.join(path) }
}

fn required(options: &mut Options, key: &'static str, values: &'static str) -> Result<String> {
    let given = options.take(key, values)?;
    given.ok_or_else(|| invalid(format!("the table [store] has no {key}; {}", example())))
}

/// The keys of the table `[mirror]`, each with the option of a URL that it is.
const MIRROR: &[(&str, &str)] = &[
    ("dir", "mirror"),
    ("namespaces", "mirror_namespaces"),
    ("debounce", "mirror_debounce"),
    ("logs", "mirror_logs"),
];

/// Finds the tables and makes options of what stands in them.
fn options_of(text: &str, root: &DeTable<'_>) -> Result<Options> {
    let known = |key: &str| key == "store" || key == "mirror";
    if let Some(key) = root.keys().find(|key| !known(key.get_ref())) {
        let (at, name) = (place(text, key.span().start), key.get_ref());
        let why =
            format!("{at}: there is no table or key {name:?} here, only [store] and [mirror]; {}", example());
        return Err(invalid(why));
    }
    let store = table_of(text, root, "store")?;
    let store = store.ok_or_else(|| invalid(format!("there is no table [store]; {}", example())))?;
    let mut options = Options::default();
    for (key, value) in store {
        let at = place(text, key.span().start);
        options.give_at(key.get_ref(), &scalar(key.get_ref(), value, &at)?, at)?;
    }
    for (key, value) in table_of(text, root, "mirror")?.into_iter().flatten() {
        let at = place(text, key.span().start);
        let Some((name, option)) = MIRROR.iter().find(|(name, _)| key.get_ref() == name) else {
            let there_are: Vec<_> = MIRROR.iter().map(|(name, _)| *name).collect();
            let (key, there_are) = (key.get_ref(), there_are.join(", "));
            return Err(invalid(format!(
                "{at}: there is no key {key:?} in [mirror]; there are: {there_are}"
            )));
        };
        let word = match value.get_ref().as_array() {
            Some(names) if *name == "namespaces" => list(names, &at)?,
            _ => scalar(name, value, &at)?,
        };
        options.give_at(option, &word, at)?;
    }
    Ok(options)
}

fn table_of<'t, 'd>(text: &str, root: &'t DeTable<'d>, name: &str) -> Result<Option<&'t DeTable<'d>>> {
    let Some((key, value)) = root.iter().find(|(key, _)| key.get_ref() == name) else { return Ok(None) };
    let not_a_table = || {
        let at = place(text, key.span().start);
        invalid(format!("{at}: {name} is a table here; {}", example()))
    };
    value.get_ref().as_table().map(Some).ok_or_else(not_a_table)
}

/// Returns a list of namespaces in the words that a URL has for it.
fn list(names: &[Spanned<DeValue<'_>>], at: &str) -> Result<String> {
    let words = names.iter().map(|name| match name.get_ref() {
        DeValue::String(name) => Ok(store_core::list_item(name)),
        other => {
            let kind = other.type_str();
            Err(invalid(format!("{at}: namespaces are texts, not such a value ({kind}); write [\"jobs\"]")))
        }
    });
    Ok(words.collect::<Result<Vec<_>>>()?.join(","))
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
