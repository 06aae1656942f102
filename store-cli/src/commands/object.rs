//! `object` and `replace`: all keys of a namespace at one instant.

use std::fmt;
use std::path::Path;

use statestore::{Blocking, Json, import};

use super::place;
use crate::args::StoreArgs;
use crate::exit::Failure;
use crate::input;
use crate::output::{self, quoted};

/// Prints a namespace as one JSON object.
pub(super) fn print(store: &Blocking, ns: &str) -> Result<(), Failure> {
    let object = store.object(ns)?;
    let members = object.entries.iter().map(|(key, entry)| (quoted(key), &entry.value));
    output::print(&Members(members))
}

/// Shows members of an object as JSON, without a copy of them all.
struct Members<I>(I);

impl<'a, I: Iterator<Item = (Json, &'a Json)> + Clone> fmt::Display for Members<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (at, (key, value)) in self.0.clone().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(f, "{comma}{key}:{value}")?;
        }
        f.write_str("}")
    }
}

/// Replaces a namespace by the object in a file, or on stdin, and prints the new revision.
pub(super) fn replace(args: &StoreArgs, ns: &str, file: &Path) -> Result<(), Failure> {
    statestore::check_namespace(ns)?;
    let (name, bytes) = if file == Path::new("-") {
        (Path::new(input::STDIN), input::stdin()?)
    } else {
        (file, input::file(file)?)
    };
    let object = import::object(&bytes).map_err(|e| e.with_path(name))?;
    output::print(&place::creating(args)?.replace_object(ns, object)?)
}
