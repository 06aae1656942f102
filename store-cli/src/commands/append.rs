//! `append`: one value, or the lines of stdin.

use std::io;

use super::lines::Lines;
use super::place;
use crate::args::{AppendArgs, StoreArgs};
use crate::exit::Failure;
use crate::input;
use crate::output;

/// Appends what the arguments say and prints the numbers given.
pub(super) fn run(args: &StoreArgs, append: &AppendArgs) -> Result<(), Failure> {
    statestore::check_namespace(&append.ns)?;
    statestore::check_log(&append.log)?;
    let Some(value) = &append.value else {
        let largest = place::config(args)?.settings().limits.value;
        let store = place::creating(args)?;
        return Lines::new(&store, append, largest).append(io::stdin().lock());
    };
    // What cannot be appended must not create a store either.
    let value = input::value(value)?;
    output::print(&place::creating(args)?.append(&append.ns, &append.log, value)?)
}
