//! `doctor`: every fault that is brought about is found, mended with `--fix`, and gone; a healthy store is left
//! as it is, and one in use takes no harm.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
#![cfg(target_os = "linux")]

#[path = "../common/mod.rs"]
mod common;
mod folder;
mod inside;
mod leftovers;
mod live;
mod rights;
mod runs;
